#include "checks/fabric/bandwidth_run.h"

#include <string>
#include <utility>

#include "checks/fabric/exchange.h"
#include "checks/fabric/pair_rounds.h"
#include "checks/fabric/payload.h"
#include "checks/fabric/settings.h"

namespace rackproof {
namespace {

constexpr double kLargestSize = 1u << 30;
constexpr std::int64_t kWidestWindow = 1024;
constexpr double kMostMemory = 8.0 * (1u << 30);  // of all places on one side

struct Settings {
  ExchangeChoice exchange;
  std::chrono::nanoseconds patience{};
};

Directions directions_of(const std::string& text) {
  return text == "one" ? Directions::one : text == "each" ? Directions::each : Directions::both;
}

Settings settings_of(const Context& context) {
  const double size = number_in(context, "size", 1, kLargestSize);
  const std::int64_t window = whole_number_in(context, "window", 1, kWidestWindow);
  const double share = number_in(context, "verify", 0, 100) / 100;
  Settings settings;
  ExchangeChoice& exchange = settings.exchange;
  exchange.op = parse_op(context.param<std::string>("op"));
  exchange.asked = {static_cast<std::size_t>(size), static_cast<std::uint64_t>(window)};
  exchange.every = marked_every(share);
  exchange.directions = directions_of(context.param<std::string>("directions"));
  exchange.bounds.at_most_ns = time_in(context, "time").count();
  settings.patience = time_in(context, "patience");
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

void report_rate(Context& context, const std::string& path, const Measured& measured, const std::string& metric) {
  const Measurement rate = to_measurement(measured.estimate, metric, path, "GB/s");
  context.measure(rate);
  context.measure(metric + "_worst", path, rate.samples->worst);
}

void report(Context& context, const PairRound& pair, Wire& wire, const std::string& gpu, const Settings& settings,
            const Exchanged& exchanged) {
  const ExchangeChoice& choice = settings.exchange;
  const Measured* any = exchanged.alone ? &*exchanged.alone : exchanged.together ? &*exchanged.together : nullptr;
  Facts facts{{"op", context.param<std::string>("op")}};
  if (!gpu.empty()) facts.emplace_back("gpu", gpu);
  if (any != nullptr) {
    facts.emplace_back("size_bytes", static_cast<std::int64_t>(any->pace.size));
    facts.emplace_back("window", static_cast<std::int64_t>(any->pace.window));
  }
  report_path(context, pair, wire, is_one_sided(choice.op) ? LaneUse::one_sided : LaneUse::large, facts);
  if (!gpu.empty()) context.link({.from = gpu, .to = pair.path, .kind = "fabric", .facts = {}});
  if (any == nullptr) return;  // its partner reports the only direction
  Tally tally;
  for (const auto* measured : {&exchanged.alone, &exchanged.together}) {
    if (!*measured) continue;
    report_rate(context, pair.path, **measured, measured == &exchanged.alone ? "bandwidth" : "bandwidth_both");
    if (tally.wrong == 0) tally.wrong_at = (*measured)->tally.wrong_at;
    tally.verified += (*measured)->tally.verified;
    tally.wrong += (*measured)->tally.wrong;
  }
  if (choice.every == 0) return;
  context.measure("verified", pair.path, static_cast<double>(tally.verified));
  if (tally.verified == 0) return;  // no error found is none looked for
  context.measure("verify_errors", pair.path, static_cast<double>(tally.wrong));
  if (tally.wrong == 0) return;
  context.fault(pair.path, "data-mismatch",
                std::to_string(tally.wrong) + " of " + std::to_string(tally.verified) +
                    " verified messages did not come as they were sent, the first of them wrong from byte " +
                    std::to_string(tally.wrong_at) + " on");
}

}  // namespace

void measure_bandwidth(Context& context, const MemoryMaker& memory_for) {
  const Settings settings = settings_of(context);
  Ranks ranks = Ranks::from_environment();
  const PathChoice choice = path_choice(context, feature_of(settings.exchange.op));
  std::vector<std::unique_ptr<MessageMemory>> memories;  // by wire, and longer than these
  Wires wires = make_wires(choice, 1);
  for (std::size_t rail = 0; rail < wires.size(); ++rail) {
    memories.push_back(memory_for(*wires[rail], rail, settings.exchange.asked.size));
  }
  Lobby lobby(ranks, wires, settings.patience);
  each_pair(context, ranks, lobby, wires, choice, [&](const PairRound& pair) {
    Wire& wire = *wires[pair.wire];
    MessageMemory& memory = *memories[pair.wire];
    keep_while_used(std::make_unique<Exchange>(lobby, wire, memory, settings.exchange, ranks.own(), pair.partner.rank,
                                               pair.round, pair.is_first, settings.patience),
                    [&](Exchange& exchange) {
                      report(context, pair, wire, memory.device(), settings, exchange.run());
                    });
  });
}

}  // namespace rackproof
