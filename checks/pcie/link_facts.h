// What two ends say about a PCIe link, put together: what it could do, what it did over a time.
#pragma once

#include <optional>
#include <string>

#include "checks/api/pci.h"
#include "checks/api/pci_bandwidth.h"

namespace rackproof {

// A link can do what the lesser of its ends can, for speed and for width on its own.
PciLink lesser(const PciLink&, const PciLink&);

// True when `port` can do less than `device` in speed or in width.
bool holds_back(const PciLink& port, const PciLink& device);

// Many looks at one end of a link: the most and the least it showed. Power management trains an idle link down, so the
// most is what was negotiated.
class LinkWatch {
 public:
  void look(const std::optional<PciLink>& now);

  bool has_seen() const { return seen_ > 0; }
  int looks() const { return looks_; }
  int seen() const { return seen_; }  // looks that showed a figure
  bool varied() const { return seen_ > 0 && highest_ != lowest_; }
  const PciLink& highest() const { return highest_; }  // speed and width each at its best, perhaps not at once
  const PciLink& lowest() const { return lowest_; }

 private:
  PciLink highest_;
  PciLink lowest_;
  int looks_ = 0;
  int seen_ = 0;
};

// "32 GT/s x16"
std::string to_text(const PciLink&);

}  // namespace rackproof
