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

  // Where our ranks are some of many: the first of ours, and how many there are. Otherwise all are ours.
  void set_ranks(int first, int all) { first_ = static_cast<std::size_t>(first), all_ = static_cast<std::size_t>(all); }
  // "32 MiB, in place", for the sentences.
  void set_size(std::string text) { current_ = std::move(text); }

  // Counts all, and reports the first of each GPU. `is_everywhere`: ranks of other nodes all hold wrong data too.
  void say_mismatches(const Round&, bool is_everywhere = true);
  // Wrong elements that each rank held.
  const std::vector<std::uint64_t>& errors() const { return errors_; }

  // Why it does not go on. Gives the trouble when it is none of a GPU. Where all of our ranks wait alike for those of
  // other nodes that is a note, since nobody here is to blame.
  void say_stopped(const Stopped&);
  std::optional<Trouble> say_lost(const CudaError&);
  std::optional<Trouble> say_failed(const NcclError&);

 private:
  std::string name_of(std::size_t local) const;
  bool has_others() const { return all_ > gpus_.size(); }
  std::string sentence(const RankMismatch&) const;
  void say_common(std::size_t source, bool is_everywhere, const std::string& what);

  Context& context_;
  const std::vector<Gpu>& gpus_;
  const Collective what_;
  std::vector<std::uint64_t> errors_;
  std::size_t first_ = 0;
  std::size_t all_ = gpus_.size();
  std::set<std::size_t> blamed_;
  std::string current_;
};

}  // namespace rackproof
