#include "checks/infiniband/fabric_compare.h"

#include <algorithm>
#include <map>
#include <set>

#include "checks/api/quantity.h"

namespace rackproof {
namespace {

// Names of generations are exact, rates are printed with few decimals.
constexpr double kSameSpeed = 0.99;

using Ends = std::map<FabricEnd, const FabricLink*>;

const FabricEnd& other_end(const FabricLink& link, const FabricEnd& end) { return link.a == end ? link.b : link.a; }

class Comparison {
 public:
  Comparison(const std::vector<FabricLink>& expected, const Fabric& fabric, const FabricNames& names)
      : fabric_(fabric), names_(names) {
    for (const FabricLink& link : fabric.links) {
      there_[link.a] = &link;
      there_[link.b] = &link;
    }
    std::set<const FabricLink*> as_expected;
    for (const FabricLink& link : expected) {
      const auto found = there_.find(link.a);
      if (found != there_.end() && other_end(*found->second, link.a) == link.b) {
        as_expected.insert(found->second);
        compare_rate(link, fabric.rate_of(*found->second));
        continue;
      }
      absent_links_.push_back(&link);
      absent_[link.a] = &link;
      absent_[link.b] = &link;
    }
    for (const FabricLink& link : fabric.links) {
      if (as_expected.contains(&link)) continue;
      // Nobody writes into a plan what no hand can plug.
      if (fabric.is_internal(link) && !absent_.contains(link.a) && !absent_.contains(link.b)) continue;
      extra_[link.a] = &link;
      extra_[link.b] = &link;
      extra_links_.push_back(&link);
    }
  }

  std::vector<FabricFinding> findings() &&;

 private:
  void compare_rate(const FabricLink& expected, const LinkRate& rate);
  void walk(const FabricEnd& from, bool begins_with_absent);
  void walk_cycle(const FabricLink& first);
  std::string where(const FabricEnd&) const;
  void say_displaced(FabricDifference, const FabricLink& expected);
  void say_missing(const FabricLink& expected);
  void say_unexpected(const FabricLink& extra);

  const Fabric& fabric_;
  const FabricNames& names_;
  Ends there_;
  Ends absent_;  // ends of expected links that are not there
  Ends extra_;   // ends of links that are there and not expected
  std::vector<const FabricLink*> absent_links_;
  std::vector<const FabricLink*> extra_links_;
  std::set<const FabricLink*> done_;
  std::vector<FabricFinding> findings_;
};

void Comparison::compare_rate(const FabricLink& expected, const LinkRate& rate) {
  const std::string name = names_.cable_name(expected.a, expected.b);
  if (expected.rate.lanes && rate.lanes && *rate.lanes < *expected.rate.lanes) {
    findings_.push_back({FabricDifference::narrower, expected.a, expected.b,
                         "narrower: " + name + " has " + std::to_string(*rate.lanes) + " lanes, and the cabling says " +
                             std::to_string(*expected.rate.lanes)});
  }
  if (expected.rate.lane_gbits && rate.lane_gbits && *rate.lane_gbits < kSameSpeed * *expected.rate.lane_gbits) {
    findings_.push_back({FabricDifference::slower, expected.a, expected.b,
                         "slower: " + name + " runs at " + shortest(*rate.lane_gbits) + " Gb/s a lane, and the cabling says " +
                             shortest(*expected.rate.lane_gbits)});
  }
}

// Where an end leads now, as a phrase: "leaf01 port 5 leads to spine02 port 4".
std::string Comparison::where(const FabricEnd& end) const {
  if (const auto found = there_.find(end); found != there_.end()) {
    return names_.end(end) + " leads to " + names_.end(other_end(*found->second, end));
  }
  if (!fabric_.nodes.contains(end.node)) return names_.node(end.node) + " is not seen in the fabric";
  const auto said = fabric_.ports.find(end);
  if (said == fabric_.ports.end()) return names_.end(end) + " leads nowhere";
  // The cable is good and its far end is there, but has no answer for the discovery.
  if (said->second.physical == "LinkUp") return names_.end(end) + " has a link, to something that does not answer";
  return names_.end(end) + " leads nowhere (" + said->second.state + ", " + said->second.physical + ")";
}

void Comparison::say_displaced(FabricDifference kind, const FabricLink& expected) {
  findings_.push_back({kind, expected.a, expected.b,
                       std::string(kind == FabricDifference::crossed ? "crossed: " : "moved: ") + names_.end(expected.a) +
                           " should lead to " + names_.end(expected.b) + ", but " + where(expected.a) + ", and " +
                           where(expected.b)});
}

void Comparison::say_missing(const FabricLink& expected) {
  findings_.push_back({FabricDifference::missing, expected.a, expected.b,
                       "missing: " + names_.cable_name(expected.a, expected.b) + "; " + where(expected.a) + ", and " +
                           where(expected.b)});
}

void Comparison::say_unexpected(const FabricLink& extra) {
  findings_.push_back({FabricDifference::unexpected, extra.a, extra.b,
                       "unexpected: " + names_.cable_name(extra.a, extra.b) + ", of which the cabling says nothing"});
}

// Along a chain in which expected and found links take turns: each found link is what became of one expected.
void Comparison::walk(const FabricEnd& from, bool begins_with_absent) {
  FabricEnd end = from;
  const FabricLink* absent = nullptr;
  const FabricLink* extra = nullptr;
  bool wants_absent = begins_with_absent;
  while (true) {
    const Ends& ends = wants_absent ? absent_ : extra_;
    const auto found = ends.find(end);
    if (found == ends.end() || done_.contains(found->second)) break;
    done_.insert(found->second);
    (wants_absent ? absent : extra) = found->second;
    if (absent != nullptr && extra != nullptr) {
      say_displaced(FabricDifference::moved, *absent);
      absent = extra = nullptr;
    }
    end = other_end(*found->second, end);
    wants_absent = !wants_absent;
  }
  if (absent != nullptr) say_missing(*absent);
  if (extra != nullptr) say_unexpected(*extra);
}

// What is left are rings: every end is plugged, and each into what was another one's place.
void Comparison::walk_cycle(const FabricLink& first) {
  const FabricLink* absent = &first;
  FabricEnd end = first.a;
  while (done_.insert(absent).second) {
    say_displaced(FabricDifference::crossed, *absent);
    const FabricLink* extra = extra_.at(other_end(*absent, end));
    done_.insert(extra);
    end = other_end(*extra, other_end(*absent, end));
    absent = absent_.at(end);
  }
}

std::vector<FabricFinding> Comparison::findings() && {
  // Chains that begin with a link of which only the cabling knows at this end come first: of two expected and one found
  // in between, the first counts as moved, the last as missing.
  for (const FabricLink* link : absent_links_) {
    for (const FabricEnd& end : {link->a, link->b}) {
      if (!done_.contains(link) && !extra_.contains(end)) walk(end, true);
    }
  }
  for (const FabricLink* link : extra_links_) {
    for (const FabricEnd& end : {link->a, link->b}) {
      if (!done_.contains(link) && !absent_.contains(end)) walk(end, false);
    }
  }
  for (const FabricLink* link : absent_links_) {
    if (!done_.contains(link)) walk_cycle(*link);
  }
  std::ranges::stable_sort(findings_, {}, &FabricFinding::kind);
  return std::move(findings_);
}

}  // namespace

std::vector<FabricFinding> compare(const std::vector<FabricLink>& expected, const Fabric& fabric, const FabricNames& names) {
  return Comparison(expected, fabric, names).findings();
}

}  // namespace rackproof
