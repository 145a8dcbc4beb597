#include "checks/net/bond.h"

#include <optional>
#include <sstream>

namespace rackproof {
namespace {

// "802.3ad 4" → "802.3ad"
std::string first_word(const std::string& text) { return text.substr(0, text.find(' ')); }

void add_text(Facts& facts, const char* fact, const std::optional<std::string>& text) {
  if (text && !text->empty()) facts.emplace_back(fact, *text);
}

BondMember read_member(const SysRoot& root, const std::string& bond, const std::string& interface) {
  BondMember member{.interface = interface, .facts = {{"bond", bond}}};
  const std::string folder = "/sys/class/net/" + interface + "/bonding_slave/";
  const auto state = root.text(folder + "state");
  const auto mii = root.text(folder + "mii_status");
  add_text(member.facts, "bond_state", state);
  add_text(member.facts, "bond_mii_status", mii);
  if (const auto failures = root.integer(folder + "link_failure_count")) {
    member.facts.emplace_back("bond_link_failures", *failures);
  }
  member.is_up = mii == "up";
  member.is_active = state == "active";
  return member;
}

}  // namespace

std::vector<Bond> bonds(const SysRoot& root) {
  std::vector<Bond> found;
  for (const std::string& name : root.list("/sys/class/net")) {
    const std::string folder = "/sys/class/net/" + name + "/bonding/";
    const auto members = root.text(folder + "slaves");
    if (!members) continue;
    Bond bond{.name = name, .facts = {}, .members = {}};
    if (const auto mode = root.text(folder + "mode")) bond.facts.emplace_back("mode", first_word(*mode));
    add_text(bond.facts, "mii_status", root.text(folder + "mii_status"));
    add_text(bond.facts, "active_member", root.text(folder + "active_slave"));
    std::istringstream words(*members);
    for (std::string interface; words >> interface;) bond.members.push_back(read_member(root, name, interface));
    found.push_back(std::move(bond));
  }
  return found;
}

}  // namespace rackproof
