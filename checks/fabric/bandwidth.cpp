// The body of fabric.bandwidth.
#include <cmath>
#include <memory>

#include "checks/fabric/exchange.h"
#include "checks/fabric/pair_rounds.h"
#include "checks/fabric/payload.h"

namespace rackproof {
namespace {

constexpr double kLargestSize = 1u << 30;
constexpr std::int64_t kWidestWindow = 1024;
constexpr double kMostMemory = 8.0 * (1u << 30);  // of all places on one side

struct Settings {
  ExchangeChoice exchange;
  std::chrono::nanoseconds patience{};
};

std::chrono::nanoseconds time_of(const Context& context, const char* name) {
  const double seconds = context.param<double>(name);
  if (!(seconds >= 0.1 && seconds <= 3600)) throw Trouble{std::string("the parameter '") + name + "' is not between 100 ms and 1 h"};
  return std::chrono::nanoseconds(std::llround(seconds * 1e9));
}

Directions directions_of(const std::string& text) {
  return text == "one" ? Directions::one : text == "each" ? Directions::each : Directions::both;
}

Settings settings_of(const Context& context) {
  const double size = context.param<double>("size");
  const auto window = context.param<std::int64_t>("window");
  const double share = context.param<double>("verify") / 100;
  if (!(size >= 1 && size <= kLargestSize)) throw Trouble{"the parameter 'size' is not between 1 B and 1 GiB"};
  if (window < 1 || window > kWidestWindow) throw Trouble{"the parameter 'window' is not between 1 and 1024"};
  if (!(share >= 0 && share <= 1)) throw Trouble{"the parameter 'verify' is not between 0 % and 100 %"};
  Settings settings;
  ExchangeChoice& exchange = settings.exchange;
  exchange.op = parse_op(context.param<std::string>("op"));
  exchange.asked = {static_cast<std::size_t>(size), static_cast<std::uint64_t>(window)};
  exchange.every = marked_every(share);
  exchange.directions = directions_of(context.param<std::string>("directions"));
  exchange.bounds.at_most_ns = time_of(context, "time").count();
  settings.patience = time_of(context, "patience");
  const Marks marks = Marks::of(exchange.every, exchange.asked.window, 0);
  if (static_cast<double>(marks.room()) * size > kMostMemory) {
    throw Trouble{"so many messages of this size to be verified take more than 8 GiB; lower 'window' or 'verify'"};
  }
  return settings;
}

std::uint64_t feature_of(Op op) {
  // Words between the partners are tagged messages, whatever is measured.
  if (op == Op::am) return UCP_FEATURE_TAG | UCP_FEATURE_AM;
  return is_one_sided(op) ? UCP_FEATURE_TAG | UCP_FEATURE_RMA : UCP_FEATURE_TAG;
}

void report_rate(Context& context, const std::string& path, const Measured& measured, const std::string& metric,
                 int directions) {
  Measurement rate = to_measurement(measured.estimate, metric, path, "GB/s", 1);
  rate.counted->directions = 1;
  static_cast<void>(directions);
  context.measure(rate);
  context.measure(metric + "_worst", path, rate.samples->worst);
}

void report(Context& context, const PairRound& pair, Wire& wire, const Settings& settings, const Exchanged& exchanged) {
  const ExchangeChoice& choice = settings.exchange;
  const Measured* any = exchanged.alone ? &*exchanged.alone : exchanged.together ? &*exchanged.together : nullptr;
  Facts facts{{"op", context.param<std::string>("op")}};
  if (any != nullptr) {
    facts.emplace_back("size_bytes", static_cast<std::int64_t>(any->pace.size));
    facts.emplace_back("window", static_cast<std::int64_t>(any->pace.window));
  }
  const bool one_sided = is_one_sided(choice.op);
  report_path(context, pair, wire, one_sided, facts);
  context.measure("reached", pair.path, 1);
  if (any == nullptr) return;  // its partner reports the only direction
  context.measure("rdma", pair.path, all_rdma(bulk_lanes(wire.lanes(pair.partner.rank), one_sided)) ? 1 : 0);
  Tally tally;
  for (const auto* measured : {&exchanged.alone, &exchanged.together}) {
    if (!*measured) continue;
    report_rate(context, pair.path, **measured, measured == &exchanged.alone ? "bandwidth" : "bandwidth_both", 1);
    if (tally.wrong == 0) tally.wrong_at = (*measured)->tally.wrong_at;
    tally.verified += (*measured)->tally.verified;
    tally.wrong += (*measured)->tally.wrong;
  }
  if (choice.every == 0) return;
  context.measure("verified", pair.path, static_cast<double>(tally.verified));
  context.measure("verify_errors", pair.path, static_cast<double>(tally.wrong));
  if (tally.wrong == 0) return;
  context.fault(pair.path, "data-mismatch",
                std::to_string(tally.wrong) + " of " + std::to_string(tally.verified) +
                    " verified messages did not come as they were sent, the first of them wrong from byte " +
                    std::to_string(tally.wrong_at) + " on");
}

void measure_pairs(Context& context) {
  const Settings settings = settings_of(context);
  Ranks ranks = Ranks::from_environment();
  const PathChoice choice = path_choice(context, feature_of(settings.exchange.op));
  Wires wires = make_wires(choice);
  Lobby lobby(ranks, wires, settings.patience);
  each_pair(context, ranks, lobby, wires, choice, [&](const PairRound& pair) {
    Wire& wire = *wires[pair.wire];
    auto exchange = std::make_unique<Exchange>(lobby, wire, settings.exchange, ranks.own(), pair.partner.rank, pair.round,
                                               pair.is_first, settings.patience);
    // UCX may go on writing into what belongs to an exchange that broke off, so that is kept to the end.
    const auto put_away = [&] {
      if (!exchange->has_ended()) static_cast<void>(exchange.release());
    };
    try {
      const Exchanged exchanged = exchange->run();
      report(context, pair, wire, settings, exchanged);
    } catch (...) {
      put_away();
      throw;
    }
    put_away();
  });
}

}  // namespace
}  // namespace rackproof

void rackproof_run(rackproof::Context& context) { rackproof::measure_pairs(context); }
