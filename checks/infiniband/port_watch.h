// Many looks at one port and at its slot: the worst that the port showed, the best that the slot showed.
#pragma once

#include <optional>

#include "checks/api/pci.h"
#include "checks/infiniband/adapter_port.h"

namespace rackproof {

class PortWatch {
 public:
  void look(const PortLook&);
  // Power management trains an idle PCIe link down, so the most is what was negotiated.
  void look_at_slot(const std::optional<PciLink>&);

  // The last that was not ACTIVE or LinkUp, if any look showed such.
  const std::optional<PortState>& state() const { return state_; }
  const std::optional<PortState>& physical() const { return physical_; }
  // The lowest while there was a link.
  const std::optional<PortRate>& rate() const { return rate_; }
  const std::optional<PciLink>& slot() const { return slot_; }
  // How often two looks after each other showed another state, logical or physical.
  int changes() const { return changes_; }

 private:
  std::optional<PortState> state_;
  std::optional<PortState> physical_;
  std::optional<PortRate> rate_;
  std::optional<PciLink> slot_;
  std::optional<PortLook> last_;
  int changes_ = 0;
};

}  // namespace rackproof
