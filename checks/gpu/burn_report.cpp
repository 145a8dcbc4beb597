#include "checks/gpu/burn_report.h"

#include <numeric>

namespace rackproof {
namespace {

void fault_of_products(Context& context, const BurnRun& run) {
  const std::string id = run.member.gpu.id;
  const std::string in = std::string(" in ") + run.setup.precision->name;
  const auto count = [](std::int64_t n) { return std::to_string(n); };
  if (run.own_errors > 0) {
    context.fault(id, "data-mismatch",
                  id + in + ": " + count(run.own_errors) +
                      " of its products differ from all the others of the same operands");
  }
  if (run.foreign_errors > 0) {
    context.fault(id, "data-mismatch",
                  id + in + ": " + count(run.foreign_errors) +
                      " products differ from those that the others of its kind computed from the same operands" +
                      run.difference);
  }
  if (run.not_finite > 0) {
    context.fault(id, "not-finite", id + in + ": " + count(run.not_finite) + " entries of products are infinite or NaN");
  }
  if (run.reference_errors > 0) {
    context.fault(id, "reference-mismatch",
                  id + in + ": " + count(run.reference_errors) + " entries are wrong; " + run.first_reference_error);
  }
}

void measure_sensors(Context& context, const BurnRun& run, double rate, bool is_steady_load) {
  const std::string id = run.member.gpu.id;
  const std::string behind = std::string("_") + run.setup.precision->name;
  if (!run.clocks_mhz.empty()) {
    const double clock = median(run.clocks_mhz);
    context.measure("sm_clock" + behind, id, clock);
    if (clock > 0) context.measure("flop_per_cycle" + behind, id, rate / (clock * 1e6));
  }
  if (run.energy_j && *run.energy_j > 0 && run.load_s > 0) {
    context.measure("power" + behind, id, *run.energy_j / run.load_s);
    context.measure("energy_per_tflop" + behind, id, *run.energy_j / (run.flop / 1e12));
  } else if (is_steady_load && !run.powers_w.empty()) {
    const double sum = std::accumulate(run.powers_w.begin(), run.powers_w.end(), 0.0);
    context.measure("power" + behind, id, sum / static_cast<double>(run.powers_w.size()));
  }
}

}  // namespace

void report_precision(Context& context, std::span<BurnRun> of_a_kind, bool is_steady_load) {
  std::vector<const BurnRun*> measured;
  std::vector<double> rates;
  for (BurnRun& run : of_a_kind) {
    run.member.product_errors += run.own_errors + run.foreign_errors;
    run.member.reference_errors += run.reference_errors;
    run.member.not_finite += run.not_finite;
    fault_of_products(context, run);
    if (run.is_lost || run.history.empty()) continue;
    measured.push_back(&run);
    rates.push_back(run.history.estimate().median);
  }
  const std::vector<double> shares = percent_of_median(rates);
  for (std::size_t i = 0; i < measured.size(); ++i) {
    const BurnRun& run = *measured[i];
    const std::string id = run.member.gpu.id;
    const std::string behind = std::string("_") + run.setup.precision->name;
    context.measure(to_measurement(run.history.estimate(), "gemm" + behind, id, "TFLOP/s"));
    if (measured.size() > 1) context.measure("node_share" + behind, id, shares[i]);
    if (const auto percent = run.history.sustained_percent()) context.measure("sustained" + behind, id, *percent);
    measure_sensors(context, run, rates[i], is_steady_load);
  }
}

void report_member(Context& context, const BurnMember& member) {
  const std::string& id = member.gpu.id;
  context.measure("products", id, static_cast<double>(member.products));
  context.measure("product_errors", id, static_cast<double>(member.product_errors));
  context.measure("reference_errors", id, static_cast<double>(member.reference_errors));
  context.measure("not_finite", id, static_cast<double>(member.not_finite));
  if (const auto hottest = member.sensors.hottest_c()) context.measure("temperature", id, *hottest);
  if (const auto s = member.sensors.throttled_s(nvml::kThermalPolicy)) context.measure("throttle_thermal", id, *s);
  if (const auto s = member.sensors.throttled_s(nvml::kPowerPolicy)) context.measure("throttle_power", id, *s);
}

}  // namespace rackproof
