#include "graphs/fleet_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace rackproof {

namespace {

std::string verb(const Blame& blame, const FleetBounds& bounds) {
  if (!bounds.higher_is_better) {
    return blame.outward && blame.inward ? "takes" : blame.outward ? "takes, sending," : "takes, receiving,";
  }
  return blame.outward && blame.inward ? "sends and receives" : blame.outward ? "sends" : "receives";
}

std::string partners(std::size_t count) { return fmt::format("{} partner{}", count, count == 1 ? "" : "s"); }

std::string node_sentence(const Blame& blame, const std::string& name, const std::string& carried, double shortfall,
                          const FleetBounds& bounds) {
  if (blame.of > blame.units) {
    if (!blame.reached)
      return fmt::format("{}: with {} of its {} partners nothing was reached", name, blame.units, blame.of);
    return fmt::format("{} {} up to {} {}, but only with {} of its {} partners (z {:.0f})", name, verb(blame, bounds),
                       how_far(shortfall, bounds), carried, blame.units, blame.of, blame.z);
  }
  if (!blame.reached) {
    const std::string_view what = blame.outward && blame.inward ? "neither reached nor was reached by"
                                  : blame.outward               ? "reached none of"
                                                                : "was reached by none of";
    const std::string_view any = blame.outward && blame.inward ? " any of" : "";
    return fmt::format("{} {}{} its {}", name, what, any, partners(blame.units));
  }
  return fmt::format("{} {} {} {}, over {} (z {:.0f})", name, verb(blame, bounds), how_far(shortfall, bounds), carried,
                     partners(blame.units), blame.z);
}

std::string leaf_sentence(const Blame& blame, const FleetCells& fleet, double shortfall, const FleetBounds& bounds) {
  const std::string& leaf = fleet.leaves[blame.index];
  const std::string far = how_far(shortfall, bounds);
  if (!blame.only_across) {
    if (!blame.reached) return fmt::format("nothing on {} was reached, from inside it or from other leaves", leaf);
    return fmt::format("all that hangs on {} is {} the fleet, inside it and across, on {} nodes (z {:.0f}): the switch",
                       leaf, far, blame.units, blame.z);
  }
  std::string what = fmt::format("what {} {} other leaves", leaf,
                                 blame.outward && blame.inward ? "exchanges with"
                                 : blame.outward               ? "sends to"
                                                               : "receives from");
  if (fleet.leaves.size() == 2 && blame.outward != blame.inward) {
    const std::string& other = fleet.leaves[1 - blame.index];
    what = fmt::format("what goes from {} to {}", blame.outward ? leaf : other, blame.outward ? other : leaf);
  }
  const bool one_of_several = blame.of > 0;
  if (!blame.reached) {
    return fmt::format("{} does not arrive{}: an uplink", what, one_of_several ? " on some paths" : "");
  }
  if (one_of_several) {
    return fmt::format(
        "{} is up to {} the other leaves' on some of {} paths, from {} nodes (z {:.0f}): one of its uplinks", what, far,
        blame.of, blame.units, blame.z);
  }
  return fmt::format("{} is {} the other leaves', on {} nodes (z {:.0f}), while inside it all is well: its uplinks",
                     what, far, blame.units, blame.z);
}

std::string path_sentence(const Blame& blame, const std::string& from, const std::string& to, const std::string& rail,
                          double shortfall, const FleetBounds& bounds) {
  const std::string on = rail.empty() ? "" : " on " + rail;
  const std::string way =
      blame.inward ? fmt::format("between {} and {}", from, to) : fmt::format("from {} to {}", from, to);
  if (blame.part == Part::pair) {
    const std::string reason = ": one of them or the path; a node that has met only one other cannot be told from it";
    if (!blame.reached) return fmt::format("nothing went {}{}{}", way, on, reason);
    return fmt::format("{}{} it is {} what the rest carries (z {:.0f}){}", way, on, how_far(shortfall, bounds), blame.z,
                       reason);
  }
  if (!blame.reached) return fmt::format("nothing went {}{}, though both reach others: the path", way, on);
  return fmt::format("{}{} it is {} what both carry with others (z {:.0f}): the path", way, on,
                     how_far(shortfall, bounds), blame.z);
}

}  // namespace

std::string listed(const std::vector<std::string>& names, std::size_t at_most) {
  std::string text;
  const std::size_t shown = names.size() > at_most + 1 ? at_most : names.size();
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

std::string how_far(double shortfall, const FleetBounds& bounds) {
  if (bounds.higher_is_better) return fmt::format("{:.{}f} % below", 100 * shortfall, shortfall < 0.0995 ? 1 : 0);
  return fmt::format("{:.{}f} times", 1 / std::max(1 - shortfall, 1e-3), shortfall > 0.9 ? 0 : 2);
}

Suspicion suspicion_of(const Blame& blame, const FleetCells& fleet, const std::vector<FleetNode>& nodes,
                       const FleetBounds& bounds) {
  Suspicion found;
  found.part = blame.part;
  found.rail = blame.rail < fleet.rails.size() ? fleet.rails[blame.rail] : "";
  found.shortfall = blame.reached ? 1 - std::exp(blame.effect) : 1;
  found.z = blame.z;
  found.paths = blame.paths;
  found.outward = blame.outward;
  found.inward = blame.inward;
  found.only_across = blame.only_across;
  found.some = blame.some;
  found.sure = blame.sure;
  switch (blame.part) {
    case Part::leaf:
      found.names = {fleet.leaves[blame.index]};
      if (fleet.leaves.size() == 2 && blame.outward != blame.inward) {
        found.names.insert(blame.outward ? found.names.end() : found.names.begin(), fleet.leaves[1 - blame.index]);
      }
      for (std::size_t i = 0; i < fleet.nodes; ++i) {
        if (fleet.leaf_of[i] == blame.index) found.nodes.push_back(i);
      }
      found.sentence = leaf_sentence(blame, fleet, found.shortfall, bounds);
      break;
    case Part::path:
    case Part::pair:
      found.nodes = {blame.index, blame.other};
      found.names = {nodes[blame.index].name, nodes[blame.other].name};
      found.sentence = path_sentence(blame, found.names[0], found.names[1], found.rail, found.shortfall, bounds);
      break;
    case Part::rail:
      found.nodes = {blame.index};
      found.names = {nodes[blame.index].name};
      found.sentence = node_sentence(blame, found.names[0] + "'s " + found.rail, "what that rail carries elsewhere",
                                     found.shortfall, bounds);
      break;
    default:
      found.nodes = {blame.index};
      found.names = {nodes[blame.index].name};
      found.sentence = node_sentence(blame, found.names[0],
                                     bounds.higher_is_better ? "what the fleet carries" : "what the fleet takes",
                                     found.shortfall, bounds);
  }
  if (!found.sure) found.sentence += ", as far as so few nodes tell";
  return found;
}

}  // namespace rackproof
