#include "checks/pcie/aer.h"

#include <charconv>

namespace rackproof {
namespace {

// "RxErr 0\n…\nTOTAL_ERR_COR 3"
std::optional<std::int64_t> total(const SysRoot& root, const std::string& address) {
  constexpr std::string_view kTotal = "TOTAL_ERR_COR ";
  const auto text = root.text(pci_attribute(address, "aer_dev_correctable"));
  const std::size_t at = text ? text->rfind(kTotal) : std::string::npos;
  if (at == std::string::npos) return std::nullopt;
  std::int64_t number = 0;
  const char* const begin = text->data() + at + kTotal.size();
  return std::from_chars(begin, text->data() + text->size(), number).ec == std::errc{} ? std::optional(number) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> aer_correctable(const SysRoot& root, const PciDevice& device) {
  const auto own = total(root, device.address);
  const auto above = device.port.empty() ? std::nullopt : total(root, device.port);
  if (!own && !above) return std::nullopt;
  return own.value_or(0) + above.value_or(0);
}

}  // namespace rackproof
