#include "checks/pcie/burst.h"

#include <chrono>

#include "checks/api/last_word.h"
#include "checks/gpu/cuda_wait.h"

namespace rackproof {
namespace {

// Eight copies of 64 MiB take 0.1 s even over one lane of the oldest PCIe; beyond this nothing will come.
constexpr std::chrono::seconds kPatience{30};

// Does it for each lane that has not failed; what it throws is that lane's failure alone.
template <class Body>
void for_each_living(std::vector<LaneBurst>& lanes, Body body) {
  for (LaneBurst& one : lanes) {
    if (!one.failure.empty()) continue;
    try {
      body(one);
    } catch (const CudaError& error) {
      one.failure = error.what();
    } catch (const Trouble& trouble) {
      one.failure = trouble.why;
      one.is_late = true;
    }
  }
}

void await(std::vector<LaneBurst>& lanes, const CudaEvent& (CopyLane::*event)() const, const char* what) {
  std::vector<LaneBurst*> living;
  std::vector<const CudaEvent*> events;
  for_each_living(lanes, [&](LaneBurst& one) {
    living.push_back(&one);
    events.push_back(&(one.lane->*event)());
  });
  const std::vector<WaitResult> results = wait_for_all(events, kPatience);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i].how == Waited::done) continue;
    living[i]->is_late = results[i].how == Waited::late;
    living[i]->failure = living[i]->is_late ? std::string(what) + " did not end within " +
                                                  std::to_string(kPatience.count()) + " s"
                                            : results[i].why;
  }
}

}  // namespace

std::vector<LaneBurst> run_burst(const std::vector<CopyLane*>& lanes, Gate& gate,
                                 const std::function<void()>& under_load) {
  std::vector<LaneBurst> bursts;
  for (CopyLane* lane : lanes) bursts.push_back({lane, {}, {}, {}, false});
  gate.close();
  for_each_living(bursts, [&](LaneBurst& one) {
    gate.hold(one.lane->stream());
    one.lane->queue_copies();
  });
  gate.open();
  under_load();
  await(bursts, &CopyLane::copied, "its copies");
  for_each_living(bursts, [](LaneBurst& one) { one.times = one.lane->times(); });
  for_each_living(bursts, [](LaneBurst& one) { one.lane->queue_hashes(); });
  await(bursts, &CopyLane::hashed, "the hashes of its copies");
  for_each_living(bursts, [](LaneBurst& one) { one.mismatches = one.lane->mismatches(); });
  return bursts;
}

}  // namespace rackproof
