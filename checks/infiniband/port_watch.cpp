#include "checks/infiniband/port_watch.h"

#include <algorithm>

namespace rackproof {
namespace {

void keep_worse(std::optional<PortState>& kept, const std::optional<PortState>& now, std::int64_t good) {
  if (now && (!kept || now->number != good)) kept = now;
}

}  // namespace

void PortWatch::look(const PortLook& now) {
  if (last_ && (last_->state != now.state || last_->physical != now.physical)) ++changes_;
  last_ = now;
  keep_worse(state_, now.state, kActive);
  keep_worse(physical_, now.physical, kLinkUp);
  if (now.rate && now.has_link() && (!rate_ || now.rate->gbits < rate_->gbits)) rate_ = now.rate;
}

void PortWatch::look_at_slot(const std::optional<PciLink>& now) {
  if (!now) return;
  if (!slot_) slot_ = now;
  slot_ = PciLink{std::max(slot_->speed_gts, now->speed_gts), std::max(slot_->width_lanes, now->width_lanes)};
}

}  // namespace rackproof
