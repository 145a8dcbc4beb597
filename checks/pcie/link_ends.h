// The devices at the lower ends of PCIe links: which are chosen, what they and the ports above them show over a time.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "checks/api/pci.h"
#include "checks/pcie/link_facts.h"

namespace rackproof {

struct LinkEnd {
  PciDevice device;
  PciLink device_max;
  std::optional<PciLink> port_max;  // of the port above; nullopt where none says anything
  LinkWatch device_watch;
  LinkWatch port_watch;

  PciLink capable() const { return port_max ? lesser(device_max, *port_max) : device_max; }
};

// Devices of a kind ("all": any) whose address, or "pci:" and address, the shell glob matches.
std::vector<PciDevice> chosen_devices(std::vector<PciDevice>, const std::string& glob, const std::string& kind);

// Devices whose links are not measured, by reason.
struct Unmeasured {
  std::vector<PciDevice> silent;             // no link attributes
  std::vector<PciDevice> unknown;            // "Unknown" or no lanes
  std::vector<PciDevice> virtual_functions;  // have no link of their own
};

// Ports at the upper end of a link are neither: their attributes speak of the link below, measured from its other end.
std::vector<LinkEnd> link_ends(const SysRoot&, const std::vector<PciDevice>&, Unmeasured&);

// Looks at all ends again and again, once at least. Those that never showed a figure move to `unknown`.
void watch_links(const SysRoot&, std::vector<LinkEnd>&, std::chrono::duration<double> how_long, Unmeasured&);

}  // namespace rackproof
