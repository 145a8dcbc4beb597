// What is wrong in itself: wrong data, a rank that the others wait for, a GPU that is gone; each said once, of its GPU.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "checks/api/check.h"
#include "checks/nccl/rounds.h"

namespace rackproof {

class Findings {
 public:
  Findings(Context& context, const std::vector<Gpu>& gpus, Collective what)
      : context_(context), gpus_(gpus), what_(what), errors_(gpus.size(), 0) {}

  // "32 MiB, in place", for the sentences.
  void set_size(std::string text) { current_ = std::move(text); }

  // Counts all, and reports the first of each GPU.
  void say_mismatches(const Round&);
  // Wrong elements that each rank held.
  const std::vector<std::uint64_t>& errors() const { return errors_; }

  // Why it does not go on. Gives the trouble when it is none of a GPU.
  void say_stopped(const Stopped&);
  std::optional<Trouble> say_lost(const CudaError&);
  std::optional<Trouble> say_failed(const NcclError&);

 private:
  std::string name_of(std::size_t local) const;
  void say_mismatch(std::size_t rank, bool is_common, const Mismatch&);

  Context& context_;
  const std::vector<Gpu>& gpus_;
  const Collective what_;
  std::vector<std::uint64_t> errors_;
  std::set<std::size_t> blamed_;
  std::string current_;
};

}  // namespace rackproof
