#include "tests/simulator/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

namespace rackproof::simulator {
namespace {

constexpr std::uint64_t kDerived = 1ULL << 63;
constexpr std::size_t kAlignment = 512;  // CUDA promises 256
constexpr std::size_t kHugePage = 2 << 20;

// Most of the time goes into the pages of memory that is written once: fewer of them, where the kernel has huge ones.
void ask_for_huge_pages(void* base, std::size_t bytes) {
  const auto begin = (reinterpret_cast<std::uintptr_t>(base) + kHugePage - 1) / kHugePage * kHugePage;
  const auto end = (reinterpret_cast<std::uintptr_t>(base) + bytes) / kHugePage * kHugePage;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

}  // namespace

void* Memory::allocate(int gpu, std::size_t bytes, std::size_t room) {
  const std::size_t whole = gpu == kHost ? bytes : (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (gpu != kHost && used(gpu) + whole > room) return nullptr;
  // From the heap and not rounded up, so that a sanitizer sees a kernel that writes past its end.
  void* base = nullptr;
  if (::posix_memalign(&base, kAlignment, bytes == 0 ? 1 : bytes) != 0) return nullptr;
  ask_for_huge_pages(base, bytes);
  const std::size_t place = first_gap(gpu, whole);
  by_base_[reinterpret_cast<std::uintptr_t>(base)] = {static_cast<char*>(base), whole, gpu, 0, true, fresh(), {}, place};
  used_[gpu] += whole;
  return base;
}

// Where memory has become so broken up that no gap is large enough, it lies behind everything: pages need not lie together,
// and nothing here asks where the parts of one allocation are.
std::size_t Memory::first_gap(int gpu, std::size_t bytes) const {
  std::vector<std::pair<std::size_t, std::size_t>> taken;
  for (const auto& [base, one] : by_base_) {
    if (one.gpu == gpu) taken.emplace_back(one.place, one.place + one.bytes);
  }
  std::ranges::sort(taken);
  std::size_t at = 0;
  for (const auto& [begin, end] : taken) {
    if (begin >= at + bytes) break;
    at = std::max(at, end);
  }
  return at;
}

void Memory::adopt(void* base, std::size_t bytes, int numa) {
  by_base_[reinterpret_cast<std::uintptr_t>(base)] = {static_cast<char*>(base), bytes, kHost, numa, false, fresh(), {}, 0};
  last_found_ = nullptr;
}

bool Memory::release(void* base) {
  const auto found = by_base_.find(reinterpret_cast<std::uintptr_t>(base));
  if (found == by_base_.end()) return false;
  if (found->second.is_ours) {
    used_[found->second.gpu] -= found->second.bytes;
    std::free(base);
  }
  by_base_.erase(found);
  last_found_ = nullptr;
  return true;
}

void Memory::place(const void* base, std::size_t bytes, int numa) {
  const auto begin = reinterpret_cast<std::uintptr_t>(base);
  // Whatever was placed in there before has been given back since.
  placed_.erase(placed_.lower_bound(begin), placed_.lower_bound(begin + bytes));
  placed_[begin] = {bytes, numa};
}

int Memory::numa_of(const void* inside) const {
  const auto at = reinterpret_cast<std::uintptr_t>(inside);
  const auto next = placed_.upper_bound(at);
  if (next == placed_.begin()) return 0;
  const auto& [base, placed] = *std::prev(next);
  return at < base + placed.bytes ? placed.numa : 0;
}

Allocation* Memory::find(const void* inside) {
  const auto at = reinterpret_cast<std::uintptr_t>(inside);
  const auto holds = [&](const Allocation& one) {
    const auto base = reinterpret_cast<std::uintptr_t>(one.base);
    return at >= base && at < base + one.bytes;
  };
  if (last_found_ != nullptr && holds(*last_found_)) return last_found_;
  auto next = by_base_.upper_bound(at);
  if (next == by_base_.begin()) return nullptr;
  Allocation& one = std::prev(next)->second;
  if (!holds(one)) return nullptr;
  return last_found_ = &one;
}

std::size_t Memory::used(int gpu) const {
  const auto found = used_.find(gpu);
  return found == used_.end() ? 0 : found->second;
}

ContentId Memory::content(const void* at, std::size_t bytes) {
  const Allocation* one = find(at);
  if (one == nullptr) return fresh();
  const char* const begin = static_cast<const char*>(at);
  for (const Region& region : one->regions) {
    if (region.at == begin && region.bytes == bytes) return region.content;
    if (begin >= region.at && begin + bytes <= region.at + region.bytes) {
      return derived_content(derived_content(region.content, static_cast<std::uint64_t>(begin - region.at)), bytes);
    }
  }
  return derived_content(derived_content(one->content, static_cast<std::uint64_t>(begin - one->base)), bytes);
}

void Memory::written(const void* at, std::size_t bytes) {
  Allocation* one = find(at);
  if (one == nullptr) return;
  const char* const begin = static_cast<const char*>(at);
  std::erase_if(one->regions,
                [&](const Region& region) { return region.at < begin + bytes && begin < region.at + region.bytes; });
  one->content = fresh();
  count_change(*one);
}

void Memory::written(void* at, std::size_t bytes, ContentId content) {
  written(at, bytes);
  Allocation* one = find(at);
  if (one == nullptr) return;
  const Region region{static_cast<char*>(at), bytes, content};
  one->regions.push_back(region);
  seen_[content] = region;
}

void Memory::touched(const void* inside) {
  Allocation* one = find(inside);
  if (one == nullptr) return;
  one->regions.clear();
  one->content = fresh();
  count_change(*one);
}

void Memory::touched(int gpu) {
  for (const auto& [base, one] : by_base_) {
    if (one.gpu == gpu) touched(one.base);
  }
}

const void* Memory::where(ContentId content, std::size_t bytes) {
  const auto found = seen_.find(content);
  if (found == seen_.end() || found->second.bytes != bytes) return nullptr;
  const Region& region = found->second;
  const Allocation* one = find(region.at);
  const bool is_there = one != nullptr && std::ranges::any_of(one->regions, [&](const Region& r) {
                          return r.at == region.at && r.bytes == bytes && r.content == content;
                        });
  return is_there ? region.at : nullptr;
}

ContentId derived_content(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a * 0x9e3779b97f4a7c15ULL + b;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return (z ^ (z >> 31)) | kDerived;
}

}  // namespace rackproof::simulator
