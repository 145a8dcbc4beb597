// Bonds of interfaces: how each bond works, and which of its members carry.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checks/api/report.h"
#include "checks/api/sysroot.h"

namespace rackproof {

struct BondMember {
  std::string interface;
  Facts facts;        // bond, bond_state ("active", "backup"), bond_mii_status, bond_link_failures
  bool is_up = false;      // its link, as the bond sees it
  bool is_active = false;  // in use; the members of most modes all are
};

struct Bond {
  std::string name;  // "bond0"
  Facts facts;       // mode ("802.3ad"), mii_status, active_member
  std::vector<BondMember> members;

  std::string id() const { return "net:" + name; }
};

std::vector<Bond> bonds(const SysRoot&);

}  // namespace rackproof
