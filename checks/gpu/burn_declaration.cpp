// What gpu.burn is, where it can be built and where it cannot.
#include <deque>
#include <string>
#include <vector>

#include "checks/api/check.h"

void rackproof_run(rackproof::Context&);

namespace {

constexpr rackproof_parameter kParameters[] = {
    {"gpus", "text", "*", nullptr, "which GPUs, by address, as a shell glob: \"0000:17:*\""},
    {"precisions", "text", "auto", nullptr, "auto: all that the GPU has; or a list: \"bf16,fp8\""},
    {"duration", "quantity", "20 s", "s", "device time of each precision"},
    {"rounds", "integer", "2", nullptr, "times that new random operands are used in a precision"},
    {"size", "text", "auto", nullptr, "side of the matrices; auto: 8192, or what fits into half of the free memory"},
    {"load", "choice steady|pulse_in_phase|pulse_out_of_phase", "steady", nullptr,
     "pulses: half of each period is idle; out of phase: every other GPU works while its neighbours rest"},
    {"period", "quantity", "1 s", "s", "of pulses"},
    {"max_temperature", "quantity", "0 degC", "degC", "stops a GPU that reaches it; 0: where it begins to slow down"},
    {},
};

struct OfPrecision {
  const char* name;
  const char* unit;
  const char* better;
  const char* help;
};
constexpr OfPrecision kOfPrecision[] = {
    {"gemm", "TFLOP/s", "higher", "2 n^3 operations for each product, in the time of the products alone"},
    {"node_share", "%", "higher", "the rate against the median of the node's GPUs of the same kind"},
    {"sustained", "%", "higher", "the rate in the last quarter against the first"},
    {"flop_per_cycle", "count", "higher", "the rate over the median SM clock: what a cycle does, whatever the clock"},
    {"sm_clock", "MHz", "higher", "median under load"},
    {"power", "W", "exact", "mean under load"},
    {"energy_per_tflop", "J", "lower", "for 1e12 operations, with the pauses of pulses"},
};
constexpr const char* kPrecisions[] = {"fp64", "fp32", "tf32", "bf16", "fp8"};

constexpr rackproof_metric kOfAll[] = {
    {"products", "count", "exact", "products that were computed and compared"},
    {"product_errors", "count", "lower", "of these, unlike the others of this GPU, or unlike those of the other GPUs"},
    {"reference_errors", "count", "lower", "entries too far from what the host computed in FP64"},
    {"not_finite", "count", "lower", "entries of all products that were infinite or NaN"},
    {"temperature", "degC", "lower", "highest"},
    {"throttle_thermal", "s", "lower", "slowed down for heat"},
    {"throttle_power", "s", "lower", "slowed down for power"},
};

const rackproof_metric* declared_metrics() {
  static std::deque<std::string> names;
  static const std::vector<rackproof_metric> all = [] {
    std::vector<rackproof_metric> metrics;
    for (const OfPrecision& one : kOfPrecision) {
      for (const char* precision : kPrecisions) {
        names.push_back(std::string(one.name) + "_" + precision);
        metrics.push_back({names.back().c_str(), one.unit, one.better, one.help});
      }
    }
    metrics.insert(metrics.end(), std::begin(kOfAll), std::end(kOfAll));
    metrics.push_back({});
    return metrics;
  }();
  return all.data();
}

constexpr const char* kByHand[] = {
    "gpu_burn -tc 60   # github.com/wilicc/gpu-burn: compares products with its own first one only",
    "dcgmi diag -r targeted_stress,targeted_power",
    "nvidia-smi --query-gpu=pci.bus_id,clocks.sm,power.draw,temperature.gpu,clocks_throttle_reasons.active "
    "--format=csv -l 1",
    nullptr,
};

}  // namespace

RACKPROOF_CHECK(.name = "gpu.burn", .layer = "gpu",
                .summary = "Matrix products on all GPUs at once: rate, right results, power, heat",
                .method =
                    "Multiplies random square matrices with cublasLt on every GPU at once, one precision after the other, "
                    "for 'duration' of device time each. Every product is hashed on the device and compared with the "
                    "others of its GPU and with those of all GPUs of its kind, which run the same algorithm on the same "
                    "operands; some entries of each round are held against an FP64 reference of the host. Rates are of "
                    "windows of a tenth of a second, all that follow the warm-up. Clocks, power, heat and throttling "
                    "come from NVML.",
                .parameters = kParameters, .metrics = declared_metrics(), .by_hand = kByHand,
                .run = rackproof::entry<rackproof_run>)
