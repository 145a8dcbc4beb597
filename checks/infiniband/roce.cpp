#include "checks/infiniband/roce.h"

#include <optional>

namespace rackproof {
namespace {

constexpr int kPriorities = 8;  // of IEEE 802.1Q

// "3", "3 5", "none"; nullopt where the files are absent.
std::optional<std::string> enabled_priorities(const SysRoot& root, const std::string& folder) {
  std::string enabled;
  bool is_said = false;
  for (int priority = 0; priority < kPriorities; ++priority) {
    const auto value = root.integer(folder + "/" + std::to_string(priority));
    if (!value) continue;
    is_said = true;
    if (*value != 0) enabled += (enabled.empty() ? "" : " ") + std::to_string(priority);
  }
  if (!is_said) return std::nullopt;
  return enabled.empty() ? "none" : enabled;
}

}  // namespace

std::string netdev_of(const SysRoot& root, const AdapterPort& port) {
  const std::string table = port.folder() + "/gid_attrs/ndevs";
  for (const std::string& index : root.list(table)) {
    // An empty place of the table answers EINVAL.
    if (const auto name = root.text(table + "/" + index); name && !name->empty()) return *name;
  }
  const auto names = root.list(port.adapter_folder() + "/device/net");
  return names.size() == 1 ? names.front() : "";
}

Facts congestion_settings(const SysRoot& root, const std::string& netdev) {
  Facts facts;
  const std::string folder = "/sys/class/net/" + netdev;
  // NP and RP are the notification point (the receiver) and the reaction point (the sender) of DCQCN.
  const auto notified = enabled_priorities(root, folder + "/ecn/roce_np/enable");
  const auto reacted = enabled_priorities(root, folder + "/ecn/roce_rp/enable");
  if (notified) facts.emplace_back("ecn_notified_on", *notified);
  if (reacted) facts.emplace_back("ecn_reacted_on", *reacted);
  if (const auto trust = root.text(folder + "/qos/trust")) facts.emplace_back("priority_by", *trust);
  return facts;
}

}  // namespace rackproof
