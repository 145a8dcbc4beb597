// The body of fabric.latency.
#include <atomic>
#include <exception>
#include <memory>
#include <thread>

#include "checks/fabric/exchange.h"
#include "checks/fabric/pair_rounds.h"
#include "checks/fabric/ping_pong.h"
#include "checks/fabric/settings.h"

namespace rackproof {
namespace {

constexpr double kLargestPing = 1u << 20;
constexpr double kLargestLoad = 1u << 28;

struct Settings {
  std::size_t size = 8;
  bool has_load = true;
  ExchangeChoice load;
  SamplerBounds bounds;
  std::chrono::nanoseconds patience{};
};

Settings settings_of(const Context& context) {
  Settings settings;
  settings.size = static_cast<std::size_t>(number_in(context, "size", 1, kLargestPing));
  settings.has_load = context.param<bool>("load");
  settings.load.asked = {static_cast<std::size_t>(number_in(context, "load_size", 1, kLargestLoad)),
                         static_cast<std::uint64_t>(whole_number_in(context, "load_window", 1, 1024))};
  settings.bounds.at_most_ns = time_in(context, "time").count();
  settings.patience = time_in(context, "patience");
  return settings;
}

// The load of one rank, in a thread of its own with a wire of its own, until this is told to stop.
class Load {
 public:
  explicit Load(Exchange& exchange)
      : thread_([this, &exchange] {
          try {
            sent_ = exchange.load(stop_);
          } catch (...) {
            failure_ = std::current_exception();
          }
        }) {}
  ~Load() { end(); }
  Sample finish() {
    end();
    if (failure_) std::rethrow_exception(failure_);
    return sent_;
  }

 private:
  void end() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  std::atomic<bool> stop_{false};
  Sample sent_;
  std::exception_ptr failure_;
  std::thread thread_;  // last, so that what it uses is there
};

// The wire of the load belongs to its thread for as long as this lives.
struct Lent {
  Lent(Lobby& of, const Wire* wire) : lobby(of) { lobby.lend(wire); }
  ~Lent() { lobby.lend(nullptr); }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  Lobby& lobby;
};

struct Found {
  Pinged idle;
  Pinged loaded;
  Sample load;
};

// Both ranks measure: first the first member, then the other.
class Measuring {
 public:
  Measuring(Lobby& lobby, Wire& wire, Wire* load_wire, const Settings& settings, int own, const PairRound& pair)
      : lobby_(lobby),
        settings_(settings),
        load_wire_(load_wire),
        is_first_(pair.is_first),
        ping_(lobby, wire, settings.size, own, pair.partner.rank, pair.round, settings.patience) {
    if (load_wire == nullptr) return;
    load_ = std::make_unique<Exchange>(lobby, *load_wire, host_, settings.load, own, pair.partner.rank, pair.round,
                                       pair.is_first, settings.patience);
  }

  Found run() {
    Found found;
    in_turn(found.idle);
    if (load_ == nullptr) return found;
    load_->prepare_load();
    const Lent lent(lobby_, load_wire_);
    Load load(*load_);
    in_turn(found.loaded);
    found.load = load.finish();
    return found;
  }
  bool has_ended() { return (load_ == nullptr || load_->has_ended()) && ping_.has_ended(); }

 private:
  void in_turn(Pinged& pinged) {
    for (const bool is_of_first : {true, false}) {
      if (is_first_ == is_of_first) {
        pinged = ping_.ping(settings_.bounds);
      } else {
        ping_.pong();
      }
    }
  }

  Lobby& lobby_;
  const Settings& settings_;
  Wire* load_wire_;
  bool is_first_;
  PingPong ping_;
  HostMessages host_;
  std::unique_ptr<Exchange> load_;
};

void report_distribution(Context& context, const std::string& path, Pinged& pinged, const std::string& metric) {
  if (pinged.batches.empty()) return;
  context.measure(half_trips(pinged.batches, 0.5, pinged.is_steady, metric, path));
  context.measure(half_trips(pinged.batches, 0.99, pinged.is_steady, metric + "_p99", path));
  context.measure(half_trips(pinged.batches, 0.999, pinged.is_steady, metric + "_p999", path));
  context.measure(metric + "_worst", path, worst_half_trip_us(pinged.batches));
}

void report(Context& context, const PairRound& pair, Wire& wire, const Settings& settings, Found& found) {
  report_path(context, pair, wire, LaneUse::small, {{"size_bytes", static_cast<std::int64_t>(settings.size)}});
  report_distribution(context, pair.path, found.idle, "latency");
  if (!settings.has_load) return;
  report_distribution(context, pair.path, found.loaded, "latency_loaded");
  const double sent = static_cast<double>(found.load.amount) / static_cast<double>(found.load.nanoseconds);
  context.measure("load_bandwidth", pair.path, sent);
}

void measure_pairs(Context& context) {
  const Settings settings = settings_of(context);
  Ranks ranks = Ranks::from_environment();
  const PathChoice choice = path_choice(context, UCP_FEATURE_TAG);
  Wires wires = make_wires(choice, settings.has_load ? 2 : 1);
  Lobby lobby(ranks, wires, settings.patience);
  each_pair(context, ranks, lobby, wires, choice, [&](const PairRound& pair) {
    Wire* load_wire = settings.has_load ? wires[pair.wire + 1].get() : nullptr;
    const auto make = [&] {
      return std::make_unique<Measuring>(lobby, *wires[pair.wire], load_wire, settings, ranks.own(), pair);
    };
    keep_while_used(make(), [&](Measuring& measuring) {
      Found found = measuring.run();
      report(context, pair, *wires[pair.wire], settings, found);
    });
  });
}

}  // namespace
}  // namespace rackproof

void rackproof_run(rackproof::Context& context) { rackproof::measure_pairs(context); }
