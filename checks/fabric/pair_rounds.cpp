#include "checks/fabric/pair_rounds.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>

#include "checks/api/environment.h"

namespace rackproof {
namespace {

constexpr std::string_view kAll = "all";

std::vector<std::string> words_between_commas(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, ',');) {
    std::erase(word, ' ');
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

// "mlx5_0:1" is the only port of most adapters.
std::string short_name(const std::string& rail) {
  return rail.ends_with(":1") ? rail.substr(0, rail.size() - 2) : rail;
}

void report_device(Context& context, const PairRound& pair, Facts more) {
  Facts facts{{"from", pair.own.node}, {"to", pair.partner.node}, {"round", std::int64_t{pair.round}}};
  const auto slash = pair.path.rfind('/');
  if (slash != std::string::npos) facts.emplace_back("rail", pair.path.substr(slash + 1));
  std::ranges::move(more, std::back_inserter(facts));
  context.device({.id = pair.path,
                  .kind = "path",
                  .name = pair.own.node + " to " + pair.partner.node,
                  .parent = "",
                  .facts = facts});
}

}  // namespace

PathChoice path_choice(const Context& context, std::uint64_t features) {
  const auto value = [&](std::string_view name) {
    const auto text = context.param<std::string>(name);
    return text == kAll ? std::string() : text;
  };
  PathChoice choice{.transports = value("transports"), .rails = {}, .features = features};
  const std::string devices = value("device");
  choice.is_rail_named = context.param<std::string>("rails") == "each";
  choice.rails = choice.is_rail_named ? words_between_commas(devices) : std::vector<std::string>{devices};
  if (!choice.rails.empty()) return choice;
  choice.rails = rails_of(Wire({.rail = "", .transports = choice.transports, .features = features}).resources());
  if (choice.rails.empty()) throw Skip{"UCX finds no device that is a rail"};
  return choice;
}

Wires make_wires(const PathChoice& choice, std::size_t each) {
  Wires wires;
  for (const std::string& rail : choice.rails) {
    for (std::size_t i = 0; i < each; ++i) {
      wires.push_back(std::make_unique<Wire>(WireChoice{rail, choice.transports, choice.features}));
    }
  }
  return wires;
}

void each_pair(Context& context, Ranks& ranks, Lobby& lobby, Wires& wires, const PathChoice& choice,
               const std::function<void(const PairRound&)>& measure) {
  if (const std::string set = variables_beginning_with("UCX_"); !set.empty()) {
    context.note("UCX is told by the environment: " + set);
  }
  const auto& rounds = ranks.rounds();
  if (std::ranges::all_of(rounds, &Group::empty)) throw Skip{"this rank has no round to measure in"};
  for (const Group& group : rounds) {
    if (group.empty()) continue;
    if (group.size() != 2)
      throw Trouble{"a round has a group of " + std::to_string(group.size()) + "; this check measures pairs"};
    if (std::ranges::find(group, ranks.own(), &Member::rank) == group.end())
      throw Trouble{"a round of this rank is one of others"};
  }
  const std::size_t each = wires.size() / choice.rails.size();
  for (std::size_t number = 0; number < rounds.size(); ++number) {
    const Group& group = rounds[number];
    if (group.empty()) continue;
    const bool is_first = group.front().rank == ranks.own();
    for (std::size_t rail = 0; rail < choice.rails.size(); ++rail) {
      PairRound pair{.round = static_cast<int>(number),
                     .wire = rail * each,
                     .own = is_first ? group.front() : group.back(),
                     .partner = is_first ? group.back() : group.front(),
                     .is_first = is_first,
                     .path = ""};
      pair.path = "path:" + pair.own.node + ">" + pair.partner.node;
      if (choice.is_rail_named) pair.path += "/" + short_name(choice.rails[rail]);
      const auto give_up = [&] {
        for (std::size_t i = 0; i < each; ++i) wires[pair.wire + i]->give_up(pair.partner.rank);
      };
      try {
        for (std::size_t i = 0; i < each; ++i) lobby.meet(pair.wire + i, pair.partner.rank, pair.round);
        measure(pair);
      } catch (const PartnerLost& lost) {
        report_device(context, pair, {});
        context.measure("reached", pair.path, 0);
        context.note(pair.path + ", round " + std::to_string(number + 1) + ": " + pair.partner.node + " " + lost.why);
        give_up();
      } catch (...) {
        give_up();  // what is still under way must not meet a wire that is taken down
        throw;
      }
    }
  }
}

void report_path(Context& context, const PairRound& pair, Wire& wire, LaneUse use, Facts facts) {
  const std::vector<Lane> lanes = lanes_for(use, wire.lanes(pair.partner.rank));
  facts.emplace_back("transports", to_text(lanes));
  report_device(context, pair, std::move(facts));
  std::set<std::string> told;
  for (const Lane& lane : lanes) {
    const std::string device = device_id(lane);
    if (device.empty() || !told.insert(device).second) continue;
    context.link({.from = device, .to = pair.path, .kind = "fabric", .facts = {{"transport", lane.transport}}});
  }
  context.measure("reached", pair.path, 1);
  context.measure("rdma", pair.path, all_rdma(lanes) ? 1 : 0);
}

}  // namespace rackproof
