#include "checks/nccl/findings.h"

#include <algorithm>
#include <map>

#include "checks/api/quantity.h"

namespace rackproof {

std::string Findings::name_of(std::size_t local) const {
  return "rank " + std::to_string(first_ + local) + " of " + std::to_string(all_);
}

void Findings::say_mismatches(const Round& round, bool is_everywhere) {
  std::map<int, std::vector<const RankMismatch*>> by_iteration;
  for (const RankMismatch& one : round.mismatches) {
    errors_[one.local] += one.wrong.count;
    auto& same = by_iteration[one.iteration];
    if (std::ranges::find(same, one.local, &RankMismatch::local) == same.end()) same.push_back(&one);
  }
  for (const auto& [iteration, mismatches] : by_iteration) {
    std::vector<WrongOutput> outputs;
    for (const RankMismatch* one : mismatches) {
      const int source = source_of(one->output, one->wrong.place());
      outputs.push_back({one->local, source < 0 ? kManySources : static_cast<std::size_t>(source), one->wrong.place()});
    }
    const std::vector<std::size_t> blamed = ranks_to_blame(outputs, gpus_.size());
    const bool is_common = mismatches.size() == gpus_.size() &&
                           ((blamed.size() == 1 && gpus_.size() > 1) || (has_others() && is_everywhere));
    if (is_common) {
      say_common(outputs.front().source, is_everywhere, sentence(*mismatches.front()));
      continue;
    }
    for (const std::size_t rank : blamed) {
      const auto own = std::ranges::find(mismatches, rank, &RankMismatch::local);
      if (!blamed_.insert(rank).second) continue;
      context_.fault(gpus_[rank].id, "data-mismatch", name_of(rank) + " holds wrong data after " + sentence(**own));
    }
  }
}

std::string Findings::sentence(const RankMismatch& one) const {
  const std::size_t place = one.wrong.place();
  return std::string(to_text(what_)) + " of " + current_ + ", iteration " + std::to_string(one.iteration) +
         ": element " + std::to_string(place) + " (byte " + std::to_string(place * sizeof(float)) + ") is " +
         shortest(found_at(one.wrong)) + " in place of " + shortest(expected_at(one.output, one.seed, place)) +
         ", and " + std::to_string(one.wrong.count - 1) + " more are wrong";
}

// All of our ranks hold wrong data of the same source: it came to them so. One fault for each source.
void Findings::say_common(std::size_t source, bool is_everywhere, const std::string& what) {
  constexpr std::size_t kNobodyHere = kManySources - 1;
  const bool is_ours = source != kManySources && source >= first_ && source - first_ < gpus_.size();
  if (!blamed_.insert(is_ours ? source - first_ : source == kManySources ? source : kNobodyHere).second) return;
  if (is_ours) {
    return context_.fault(gpus_[source - first_].id, "data-mismatch",
                          "all ranks hold wrong data of " + name_of(source - first_) + " after " + what);
  }
  if (!has_others()) {
    return context_.fault("", "data-mismatch",
                          "all ranks hold the same wrong sum after " + what +
                              "; an all-gather shows whose data it is");
  }
  if (is_everywhere) return context_.note("the ranks of all nodes hold wrong data after " + what);
  context_.fault("", "data-mismatch", "all ranks of this node hold wrong data, and those of others do not, after " + what);
}

void Findings::say_stopped(const Stopped& stopped) {
  for (const std::size_t rank : stopped.not_ready) {
    context_.fault(gpus_[rank].id, "gpu-hung",
                   name_of(rank) + ", " + current_ + ": its GPU does not end what comes before the first collective");
  }
  if (!stopped.not_ready.empty()) return;
  const std::vector<std::size_t> behind = ranks_behind(stopped.progress);
  const std::string what = std::string(to_text(what_)) + " of " + current_;
  int entered = 0;
  for (const RankProgress& one : stopped.progress) entered = std::max(entered, one.entered);
  for (const std::size_t rank : behind) {
    const RankProgress& one = stopped.progress[rank];
    if (one.is_lost) {
      context_.fault(gpus_[rank].id, "gpu-lost",
                     name_of(rank) + ", " + what + ": " + (stopped.why.empty() ? to_text(one) : stopped.why));
    } else {
      context_.fault(gpus_[rank].id, "collective-hung",
                     what + " does not end: the others wait for " + name_of(rank) + ": " + to_text(one) +
                         "; the furthest has entered iteration " + std::to_string(entered));
    }
  }
  if (behind.empty() && has_others()) {
    context_.note(what + " does not end: every rank of this node has entered iteration " + std::to_string(entered) +
                  ", and waits for those of other nodes");
  } else if (behind.empty()) {
    context_.fault("", "collective-hung",
                   what + " does not end: every rank has entered iteration " + std::to_string(entered) +
                       " and none has left it, so nobody can be named");
  }
}

// A GPU that is gone is a finding; any other error of CUDA's means that the check could not do its work.
std::optional<Trouble> Findings::say_lost(const CudaError& error) {
  const auto gpu = std::ranges::find(gpus_, error.gpu(), &Gpu::index);
  if (gpu == gpus_.end() || !error.is_final()) {
    return Trouble{error.what()};
  }
  context_.fault(gpu->id, "gpu-lost",
                 name_of(static_cast<std::size_t>(gpu - gpus_.begin())) + (current_.empty() ? "" : ", " + current_) +
                     ": " + error.what());
  return std::nullopt;
}

std::optional<Trouble> Findings::say_failed(const NcclError& error) {
  bool is_any_lost = false;
  for (const Gpu& gpu : gpus_) {
    std::size_t free = 0;
    std::size_t all = 0;
    if (cudaSetDevice(gpu.index) == cudaSuccess && cudaMemGetInfo(&free, &all) == cudaSuccess) continue;
    is_any_lost = true;
    context_.fault(gpu.id, "gpu-lost", "NCCL stopped, and this GPU answers no more: " + std::string(error.what()));
  }
  if (is_any_lost) return std::nullopt;
  const std::string who = error.local() < 0 ? "" : gpus_[static_cast<std::size_t>(error.local())].id + ": ";
  return Trouble{who + error.what()};
}

}  // namespace rackproof
