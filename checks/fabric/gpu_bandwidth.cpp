// The body of fabric.gpu-bandwidth.
#include <algorithm>

#include "checks/api/last_word.h"
#include "checks/fabric/bandwidth_run.h"
#include "checks/fabric/gpu_messages.h"

namespace rackproof {
namespace {

void measure_between(Context& context, const std::vector<Gpu>& gpus) {
  measure_bandwidth(context, [&](const Wire& wire, std::size_t rail, std::size_t largest) {
    if (!wire.moves(UCS_MEMORY_TYPE_CUDA)) {
      throw Skip{"UCX moves no memory of GPUs here: it was built without CUDA (`ucx_info -v` shows how), or UCX_TLS "
                 "leaves CUDA out"};
    }
    return std::make_unique<GpuMessages>(gpus[rail % gpus.size()], largest);
  });
}

void measure_from_gpus(Context& context) {
  const std::vector<Gpu> gpus = visible_gpus(context, context.param<std::string>("gpu"));
  describe_gpus(context, gpus);
  try {
    measure_between(context, gpus);
  } catch (const CudaError& error) {
    const auto lost = std::ranges::find(gpus, error.gpu(), &Gpu::index);
    if (error.is_final() && lost != gpus.end()) context.fault(lost->id, "gpu-lost", error.what());
    throw;
  }
}

}  // namespace
}  // namespace rackproof

void rackproof_run(rackproof::Context& context) { rackproof::measure_from_gpus(context); }
