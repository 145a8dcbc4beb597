#include "checks/gpu/health_xids.h"

#include <algorithm>
#include <utility>

#include "checks/api/pci.h"

namespace rackproof {

std::optional<std::vector<Xid>> recent_xids(Context& context, double since_s) {
  const KernelLog log = read_kernel_log(context.sysroot());
  if (!log.text) {
    context.note("Xid are not measured: the kernel's log cannot be read: " + log.why_not);
    return std::nullopt;
  }
  std::vector<Xid> xids = find_xids(*log.text);
  return since_s > 0 ? newest(std::move(xids), log.now_s, since_s) : xids;
}

std::vector<Xid> newest(std::vector<Xid> xids, double now_s, double since_s) {
  // Of a log that was copied the end is not known; what was written last is near to it.
  for (const Xid& xid : xids) now_s = std::max(now_s, xid.stamp_s.value_or(0));
  std::erase_if(xids, [&](const Xid& xid) { return xid.stamp_s && now_s - *xid.stamp_s > since_s; });
  return xids;
}

std::int64_t count_xids(const std::vector<Xid>& xids, const std::string& address, bool of_hardware_alone) {
  return std::ranges::count_if(xids, [&](const Xid& xid) {
    return is_of(xid, address) && !(of_hardware_alone && is_of_program(xid.code));
  });
}

std::string xid_sentence(const std::vector<Xid>& xids, const std::string& address) {
  constexpr std::size_t kMostCodes = 8;
  struct Seen {
    std::int64_t code;
    std::int64_t times;
  };
  std::vector<Seen> seen;
  bool of_switch = false;
  for (auto xid = xids.rbegin(); xid != xids.rend(); ++xid) {
    if (!is_of(*xid, address)) continue;
    of_switch = xid->of_switch;
    const auto same = std::ranges::find(seen, xid->code, &Seen::code);
    if (same != seen.end()) {
      ++same->times;
    } else {
      seen.push_back({xid->code, 1});
    }
  }
  if (seen.empty()) return "";
  std::string text = pci_id(address) + (of_switch ? ": SXid" : ": Xid");
  for (std::size_t i = 0; i < std::min(seen.size(), kMostCodes); ++i) {
    text += (i == 0 ? " " : ", ") + std::to_string(seen[i].code);
    if (seen[i].times > 1) text += " (" + std::to_string(seen[i].times) + " times)";
  }
  if (seen.size() > kMostCodes) text += " and " + std::to_string(seen.size() - kMostCodes) + " other codes";
  return text + " in the kernel's log, the last first";
}

}  // namespace rackproof
