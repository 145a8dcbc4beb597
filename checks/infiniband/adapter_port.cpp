#include "checks/infiniband/adapter_port.h"

#include <charconv>

#include "checks/api/pci.h"

namespace rackproof {
namespace {

constexpr std::string_view kAdapters = "/sys/class/infiniband";

// Takes a number from the beginning of the text.
template <class Number>
std::optional<Number> take_number(std::string_view& text) {
  Number number{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

}  // namespace

std::vector<AdapterPort> adapter_ports(const SysRoot& root) {
  std::vector<AdapterPort> found;
  for (const std::string& adapter : root.list(kAdapters)) {
    const std::string folder = std::string(kAdapters) + "/" + adapter;
    const std::string pci = last_pci_address(root.link_target(folder).value_or(""));
    for (const std::string& number : root.list(folder + "/ports")) found.push_back({adapter, number, pci});
  }
  return found;
}

std::optional<PortState> parse_port_state(std::string_view text) {
  const auto number = take_number<std::int64_t>(text);
  if (!number || !take(text, ": ") || text.empty()) return std::nullopt;
  return PortState{*number, std::string(text)};
}

std::optional<PortRate> parse_port_rate(std::string_view text) {
  const auto gbits = take_number<double>(text);
  if (!gbits || !(*gbits > 0) || !take(text, " Gb/sec (")) return std::nullopt;
  const auto lanes = take_number<std::int64_t>(text);
  if (!lanes || *lanes < 1 || !take(text, "X") || !text.ends_with(')')) return std::nullopt;
  text.remove_suffix(1);
  take(text, " ");
  return PortRate{*gbits, *lanes, std::string(text)};
}

bool PortLook::has_link() const {
  if (physical) return physical->number == kLinkUp;
  return !state || state->number == kActive;
}

PortLook look_at_port(const SysRoot& root, const AdapterPort& port) {
  const std::string folder = port.folder();
  return {.state = parse_port_state(root.text(folder + "/state").value_or("")),
          .physical = parse_port_state(root.text(folder + "/phys_state").value_or("")),
          .rate = parse_port_rate(root.text(folder + "/rate").value_or(""))};
}

}  // namespace rackproof
