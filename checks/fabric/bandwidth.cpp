// The body of fabric.bandwidth.
#include "checks/fabric/bandwidth_run.h"

void rackproof_run(rackproof::Context& context) {
  using namespace rackproof;
  measure_bandwidth(context, [](const Wire&, std::size_t, std::size_t) { return std::make_unique<HostMessages>(); });
}
