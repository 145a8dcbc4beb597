#include "checks/memory/size_rule.h"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>

#include "checks/api/last_word.h"
#include "checks/api/quantity.h"
#include "checks/memory/control_group.h"

namespace rackproof {
namespace {

// Of a process limit, what is not for the arrays: program and libraries, and a stack for each thread.
constexpr std::int64_t kProgramBytes = 64 << 20;
constexpr std::int64_t kStackBytes = 8 << 20;

std::string amount(std::int64_t bytes) {
  return to_text(readable(Quantity{static_cast<double>(bytes), find_unit("B")}));
}

std::int64_t up_to_multiple(std::int64_t bytes) {
  return (bytes + kSliceMultiple - 1) / kSliceMultiple * kSliceMultiple;
}

void add_limit(std::vector<MemoryBound>& bounds, __rlimit_resource resource, const char* name, std::size_t threads) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur >= (1ull << 62)) return;
  const std::int64_t taken = kProgramBytes + kStackBytes * static_cast<std::int64_t>(threads);
  bounds.push_back({std::max<std::int64_t>(0, static_cast<std::int64_t>(limit.rlim_cur) - taken), name});
}

}  // namespace

std::vector<MemoryBound> memory_bounds(const SysRoot& root, std::size_t threads) {
  std::vector<MemoryBound> bounds;
  constexpr std::string_view kField = "MemAvailable:";
  const std::string facts = root.text("/proc/meminfo").value_or("");
  if (const std::size_t at = facts.find(kField); at != facts.npos) {
    const std::size_t digits = facts.find_first_not_of(' ', at + kField.size());
    std::int64_t kib = 0;
    if (digits != facts.npos &&
        std::from_chars(facts.data() + digits, facts.data() + facts.size(), kib).ec == std::errc{}) {
      bounds.push_back({(kib << 10) / 2, "half of MemAvailable"});
    }
  }
  const GroupLimits group = group_limits(root);
  if (group.memory_left) {
    bounds.push_back({*group.memory_left / 2, "half of what the control group " + group.memory_group + " leaves"});
  }
  add_limit(bounds, RLIMIT_DATA, "what RLIMIT_DATA leaves", threads);
  add_limit(bounds, RLIMIT_AS, "what RLIMIT_AS leaves", threads);
  return bounds;
}

std::int64_t slice_bytes(const SizeQuestion& question) {
  const auto threads = static_cast<std::int64_t>(question.threads);
  std::int64_t least = 0;
  std::int64_t cache_bytes = 0;
  for (const Cache& cache : question.caches) {
    const auto sharers = static_cast<std::int64_t>(cache.cpus.size());
    least = std::max(least, up_to_multiple((kCacheMultiple * cache.bytes + sharers - 1) / sharers));
    cache_bytes += cache.bytes;
  }
  if (least == 0 && question.asked == 0) {
    throw Trouble{"the machine does not say how large its last-level caches are: give 'size', at least 4 times that"};
  }
  const std::int64_t asked = up_to_multiple((question.asked + threads - 1) / threads);
  const std::string rule = amount(least * threads) + " (4 times " + amount(cache_bytes) +
                           " of last-level cache, over " + std::to_string(threads) +
                           (threads == 1 ? " thread)" : " threads)");
  if (question.asked != 0 && asked < least) {
    throw Trouble{"'size' is " + amount(question.asked) + ", but an array must hold at least " + rule};
  }
  const std::int64_t slice = std::max(least, asked);
  for (const MemoryBound& bound : question.bounds) {
    if (slice * threads * kArrays <= bound.bytes) continue;
    throw Trouble{std::to_string(kArrays) + " arrays need " + amount(slice * threads * kArrays) + ", but " +
                  bound.what + " is " + amount(bound.bytes) +
                  (least == 0 ? "" : "; an array must hold at least " + rule)};
  }
  return slice;
}

}  // namespace rackproof
