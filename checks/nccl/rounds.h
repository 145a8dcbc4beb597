// Runs a collective on all ranks in rounds: everything of a round is queued behind a gate, each iteration is timed by
// events on every rank, and every output is verified where it lies before it is overwritten.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "checks/gpu/gate.h"
#include "checks/nccl/communicators.h"
#include "checks/nccl/progress.h"
#include "checks/nccl/telling.h"
#include "checks/nccl/values.h"

namespace rackproof {

// What one rank's output held that it must not hold.
struct RankMismatch {
  std::size_t local = 0;  // index among our ranks
  int iteration = 0;
  WrongElements wrong;
  RankOutput output;
  std::uint64_t seed = 0;
};

struct Round {
  std::vector<std::vector<std::int64_t>>
      ns;  // by iteration and rank, from the rank's entry to its exit, of one collective
  std::vector<RankMismatch> mismatches;
};

// Thrown when a round does not end: how far each rank came.
struct Stopped {
  std::vector<RankProgress> progress;
  std::string why;  // of the GPU that is lost; empty: nothing but time
  // Our ranks whose GPU did not even end what comes before the first collective of a size.
  std::vector<std::size_t> not_ready{};
};

class Rounds {
 public:
  // As many iterations are queued at once: a stream takes about a thousand launches before the host has to wait.
  static constexpr int kIterations = 8;

  // What a size needs of each GPU's memory, beside what is needed for all.
  static std::size_t need(Collective, int ranks, std::size_t bytes);
  static std::size_t need_for_all(const Gpu&);

  // `memory`: bytes on each GPU, enough for the largest size.
  Rounds(const std::vector<Gpu>&, Communicators&, Collective, std::size_t memory, std::uint64_t seed,
         std::chrono::milliseconds at_most);
  ~Rounds();

  // From here on: a size, out of place or in place; fills the inputs, finds what must come out, and runs once to warm
  // up. Throws Stopped, CudaError, NcclError.
  Round begin(std::size_t bytes, bool is_in_place);
  Round run();

  // Where the ranks are of several nodes: tells the others these words of each of our ranks, and gives those of all, by
  // rank. Throws like run().
  std::vector<ToldWords> tell(const std::vector<ToldWords>& own);
  // After an abort: whether the GPUs have nothing to do any more, so that all can be given back.
  bool is_idle_within(std::chrono::milliseconds);

  const Extents& extents() const { return extents_; }
  // Collectives in one iteration: several where one would be too short to time.
  int repeats() const { return repeats_; }
  std::vector<RankProgress> progress();

 private:
  struct Rank;
  Round run(int iterations, bool is_gated);
  void prepare(Rank&);
  void queue_iteration(int number);
  void verify(Rank&, int number);
  void wait();
  std::vector<cudaStream_t> streams() const;
  RankOutput output_of(const Rank&) const;
  float* input(const Rank&, int which) const;
  float* output(const Rank&) const;

  Communicators& comms_;
  const Collective what_;
  const std::uint64_t seed_;
  const std::chrono::milliseconds at_most_;
  Gate gate_;
  std::vector<std::unique_ptr<Rank>> ranks_;
  std::unique_ptr<Telling> telling_;  // where there are ranks of other nodes
  Extents extents_;
  bool is_in_place_ = false;
  int repeats_ = 1;
  int done_ = 0;    // iterations of this size that are known to have ended
  int queued_ = 0;  // of the round that is under way
  bool is_preparing_ = false;  // what comes before the first of them
};

}  // namespace rackproof
