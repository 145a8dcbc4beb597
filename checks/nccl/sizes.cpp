#include "checks/nccl/sizes.h"

#include <algorithm>
#include <cmath>

#include "checks/api/last_word.h"
#include "checks/api/quantity.h"

namespace rackproof {
namespace {

// Places of elements are kept in 32 bits.
constexpr double kMost = 16.0 * 1024 * 1024 * 1024;  // bytes

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  text.remove_suffix(text.size() - std::min(text.find_last_not_of(kBlanks) + 1, text.size()));
  return text;
}

}  // namespace

std::vector<std::size_t> parse_sizes(std::string_view text) {
  std::vector<std::size_t> sizes;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = trimmed(text.substr(0, comma));
    QuantityError error;
    const auto quantity = parse_quantity(part, error);
    if (!quantity) throw Trouble{"sizes: " + error.text};
    const auto bytes = convert(*quantity, *find_unit("B"));
    if (!bytes || *bytes < 4 || *bytes > kMost) {
      throw Trouble{"sizes: '" + std::string(part) + "' is no size from 4 B to 16 GiB"};
    }
    sizes.push_back(static_cast<std::size_t>(std::llround(*bytes)));
    if (comma == text.size()) break;
    text.remove_prefix(comma + 1);
  }
  std::ranges::sort(sizes);
  sizes.erase(std::ranges::unique(sizes).begin(), sizes.end());
  return sizes;
}

SizePlan plan_sizes(const std::vector<std::size_t>& wanted, std::size_t room,
                    const std::function<std::size_t(std::size_t bytes)>& need) {
  SizePlan plan;
  for (const std::size_t bytes : wanted) (need(bytes) <= room ? plan.measured : plan.left_out).push_back(bytes);
  if (plan.left_out.empty()) return plan;
  std::size_t largest = 4;
  if (need(largest) > room) return plan;
  while (need(2 * largest) <= room && 2 * largest < plan.left_out.front()) largest *= 2;
  if (plan.measured.empty() || largest > plan.measured.back()) {
    plan.measured.push_back(largest);
    plan.added = largest;
  }
  return plan;
}

std::string size_text(std::size_t bytes) {
  const char* const units[] = {"B", "KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  while (unit + 1 < std::size(units) && bytes % 1024 == 0 && bytes > 0) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + " " + units[unit];
}

}  // namespace rackproof
