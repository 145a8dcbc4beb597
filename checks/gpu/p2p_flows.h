// Copies from GPU to GPU that are verified where they arrive, each before its place is used again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "checks/gpu/crew.h"
#include "checks/gpu/histories.h"
#include "checks/gpu/memory_sweeps.h"
#include "checks/gpu/p2p_plan.h"

namespace rackproof {

// In the ring of places that copies come from and go to.
inline constexpr std::size_t kPlaces = 2;
// In one sample. Few, so that all of them can be queued while the gate is closed.
inline constexpr std::size_t kMostCopies = 16;

// What a GPU gives and takes: two sources of different content, and two destinations.
struct Site {
  Site(const Gpu& gpu, std::size_t bytes);
  std::vector<DeviceMemory> sources;
  std::vector<DeviceMemory> targets;
};

// One way from one GPU to another.
struct PeerFlow {
  PeerFlow(Pair, const Gpu& from, const Gpu& to);
  Pair pair;
  Stream copying;   // on the GPU that sends
  Stream checking;  // on the one that receives
  CudaEvent begin, end, checked_all;
  std::vector<CudaEvent> copied, checked;  // by place
  DeviceMemory records;                // a MismatchRecord for each copy
  PinnedMemory seen;
};

// A copy that arrived wrong.
struct WrongCopy {
  Pair pair;
  std::string phase;
  std::uint64_t number = 0;  // of that pair, counted over all phases
  MismatchRecord record;
};

class Flows {
 public:
  // `takes_part`: of each of the crew. `bytes`: of a copy.
  Flows(Context&, Crew&, const std::vector<bool>& takes_part, std::size_t bytes);

  std::size_t bytes() const { return bytes_; }
  bool can_use(Pair) const;

  // Copies on these pairs at the same time until all of them are steady. A share of a copy's bytes is what each moves at a
  // time, for many that go to one GPU. Pairs of GPUs that got lost come back empty.
  std::vector<History> run(const std::vector<Pair>&, const std::string& phase, std::size_t share = 1);

  const std::vector<WrongCopy>& wrong() const { return wrong_; }  // the first ones of each pair
  std::uint64_t wrong_on(Pair pair) const { return counts_[pair.first][pair.second].wrong; }
  std::uint64_t copies_on(Pair pair) const { return counts_[pair.first][pair.second].copies; }

 private:
  struct Counts {
    std::uint64_t copies = 0;
    std::uint64_t wrong = 0;
  };
  PeerFlow& flow(Pair pair) { return *flows_[pair.first][pair.second]; }
  void queue(PeerFlow&, std::size_t copies, std::size_t turn, std::size_t bytes, std::size_t offset);
  std::vector<std::int64_t> take(const std::vector<Pair>&, const std::vector<std::size_t>& copies, std::size_t turn,
                                 std::size_t share);
  void collect(const std::vector<Pair>&, const std::vector<std::int64_t>& times, const std::vector<std::size_t>& copies,
               const std::string& phase);
  void find_the_dead(Pair, const std::string& why);

  Context& context_;
  Crew& crew_;
  std::size_t bytes_;
  Gate gate_;
  std::vector<std::unique_ptr<Site>> sites_;
  std::vector<std::vector<std::unique_ptr<PeerFlow>>> flows_;
  std::vector<std::vector<Counts>> counts_;
  std::vector<WrongCopy> wrong_;
};

}  // namespace rackproof
