// gpu.memory: rates of each GPU's own memory, and whether it keeps what is written into it.
#include <string>
#include <vector>

#include "checks/api/check.h"
#include "checks/gpu/cuda_devices.h"
#include "checks/gpu/memory_phases.h"

using namespace rackproof;

void rackproof_run(Context& context) {
  const std::string tests = context.param<std::string>("tests");
  const PatternOrders orders{.share = context.param<double>("share") / 100,
                             .passes = context.param<std::int64_t>("passes"),
                             .duration_s = context.param<double>("duration"),
                             .dwell_s = context.param<double>("dwell")};
  if (orders.share <= 0 || orders.share > 1) throw Trouble{"the parameter 'share' is not above 0 % and up to 100 %"};
  if (orders.passes < 1) throw Trouble{"the parameter 'passes' is less than 1"};

  const std::vector<Gpu> gpus = visible_gpus(context, context.param<std::string>("gpus"));
  describe_gpus(context, gpus);
  // GPUs share nothing of what is measured here, so that all at once is the rule, and takes a fraction of the time.
  std::vector<std::vector<Gpu>> crews;
  if (context.param<bool>("together")) {
    crews.push_back(gpus);
  } else {
    for (const Gpu& gpu : gpus) crews.push_back({gpu});
  }
  for (const std::vector<Gpu>& members : crews) {
    Crew crew(context, members);
    if (tests != "patterns") measure_memory_bandwidth(context, crew);
    if (tests != "bandwidth") test_memory_patterns(context, crew, orders);
  }
}
