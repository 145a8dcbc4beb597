#include "checks/api/rising_counters.h"

#include <utility>

namespace rackproof {

RisingCounters::RisingCounters(const SysRoot& root, std::string folder, std::span<const RisingCounter> table)
    : folder_(std::move(folder)), table_(table), before_(read(root)), after_(before_) {}

void RisingCounters::read_again(const SysRoot& root) { after_ = read(root); }

RisingCounters::Readings RisingCounters::read(const SysRoot& root) const {
  Readings readings;
  for (const RisingCounter& counter : table_) readings.push_back(root.integer(folder_ + "/" + counter.file));
  return readings;
}

void RisingCounters::report_rise(Context& context, const std::string& device) const {
  for (std::size_t i = 0; i < table_.size(); ++i) {
    const RisingCounter& counter = table_[i];
    if (!before_[i] || !after_[i]) continue;
    const std::string name = device + ": " + counter.metric;
    const bool is_full = counter.full_at > 0 && *after_[i] >= counter.full_at;
    if (is_full && *before_[i] >= counter.full_at) {
      context.note(name + " is full at " + std::to_string(*before_[i]) +
                   " and counts no further; clear it (perfquery -R) to have it measured");
      continue;
    }
    if (*after_[i] < *before_[i]) {
      context.note(name + " went back from " + std::to_string(*before_[i]) + " to " + std::to_string(*after_[i]) +
                   ": somebody cleared it, or it overflowed");
      continue;
    }
    if (is_full) context.note(name + " became full, so it rose by that much at the least");
    context.measure(counter.metric, device, static_cast<double>(*after_[i] - *before_[i]));
  }
}

void RisingCounters::add_totals(Facts& facts) const {
  for (std::size_t i = 0; i < table_.size(); ++i) {
    if (after_[i]) facts.emplace_back(std::string(table_[i].metric) + "_total", *after_[i]);
  }
}

std::vector<std::string> RisingCounters::absent(std::string_view folder) const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < table_.size(); ++i) {
    if (!after_[i] && std::string_view(table_[i].file).starts_with(folder)) names.emplace_back(table_[i].metric);
  }
  return names;
}

}  // namespace rackproof
