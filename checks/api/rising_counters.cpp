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

bool RisingCounters::was_full(std::size_t i) const { return table_[i].full_at > 0 && *before_[i] >= table_[i].full_at; }
bool RisingCounters::is_full(std::size_t i) const { return table_[i].full_at > 0 && *after_[i] >= table_[i].full_at; }

void RisingCounters::report_rise(Context& context, const std::string& device) const {
  for (std::size_t i = 0; i < table_.size(); ++i) {
    if (!before_[i] || !after_[i]) continue;
    const std::string name = device + ": " + table_[i].metric;
    if (*after_[i] < *before_[i]) {
      context.note(name + " went back from " + std::to_string(*before_[i]) + " to " + std::to_string(*after_[i]) +
                   ": somebody cleared it, or it overflowed");
    } else if (was_full(i)) {
      context.note(name + " is full at " + std::to_string(*before_[i]) +
                   " and counts no further; clear it (perfquery -R) to have it measured");
    } else {
      if (is_full(i)) context.note(name + " became full, so it rose by that much at the least");
      context.measure(table_[i].metric, device, static_cast<double>(*after_[i] - *before_[i]));
    }
  }
}

std::optional<std::int64_t> RisingCounters::rise_of(std::string_view metric) const {
  for (std::size_t i = 0; i < table_.size(); ++i) {
    if (metric != table_[i].metric || !before_[i] || !after_[i] || *after_[i] < *before_[i] || was_full(i)) continue;
    return *after_[i] - *before_[i];
  }
  return std::nullopt;
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
