// The work itself: what a kernel costs, doing it once for the same content, and what broken memory makes of its result.
#include <algorithm>
#include <cstring>

#include "tests/simulator/machine.h"

namespace rackproof::simulator {
namespace {

constexpr std::size_t kSmall = 64 << 10;  // results up to this are kept

}  // namespace

Work Machine::work_of(int gpu, const Launched& launched, const Kernel& kernel) {
  const Cost& cost = launched.cost;
  Work work;
  work.fixed_ns = cost.fixed_ns + cost.steps * (cost.chased == nullptr ? 0 : load_ns(gpu, cost.chased));
  work.may_begin = launched.may_begin;
  Load load = cost.is_idle ? Load::idle : Load::memory;
  // What a kernel moves over several ways at once takes as long as the slowest of them needs: the ways are one path.
  for (const Access& access : cost.accesses) {
    const double bytes = access.bytes > 0 ? access.bytes : static_cast<double>(access.extent);
    const Allocation* one = memory_.find(access.at);
    const int where = one == nullptr ? gpu : one->gpu;
    if (where == gpu) {
      work.amount += bytes;
      if (std::ranges::count(work.path, hbm(gpu)) == 0) work.path.push_back(hbm(gpu));
    } else {
      const auto way = access.is_write ? copy_path(gpu, 0, where, one->numa) : copy_path(where, one->numa, gpu, 0);
      work.path.insert(work.path.end(), way.begin(), way.end());
      work.amount = std::max(work.amount, bytes);
    }
  }
  if (cost.arithmetic_ns > 0) {
    work.fixed_ns += 0;
    if (work.path.empty()) {
      work.amount = cost.arithmetic_ns;
      work.path = {arithmetic(gpu)};
    } else {
      work.fixed_ns += cost.arithmetic_ns;
    }
    load = Load::arithmetic;
  }
  set_load(work, gpu, load);
  const bool is_pure = kernel.purity == Purity::pure;
  const ContentId key = derived_content(std::hash<std::string>{}(kernel.name), launched.scalars);
  work.act = [this, gpu, launched, is_pure, key] {
    if (is_pure) return do_pure(gpu, key, launched.cost.accesses, launched.body);
    launched.body();
    for (const void* output : launched.outputs) {
      memory_.touched(output);
      if (const Allocation* one = memory_.find(output)) after_write(one->gpu, one->base, one->bytes);
    }
  };
  return work;
}

void Machine::do_pure(int, ContentId key, const std::vector<Access>& accesses, const std::function<void()>& compute) {
  for (const Access& access : accesses) {
    if (!access.is_write) key = derived_content(key, memory_.content(access.at, access.extent));
  }
  bool is_done = true;
  std::uint64_t number = 0;
  for (const Access& access : accesses) {
    if (!access.is_write) continue;
    const ContentId content = derived_content(key, ++number);
    void* const at = const_cast<void*>(access.at);
    if (memory_.content(at, access.extent) == content) continue;
    const auto kept = small_results_.find(content);
    const void* const elsewhere = kept != small_results_.end() ? kept->second.data() : memory_.where(content, access.extent);
    if (elsewhere == nullptr) {
      is_done = false;
      break;
    }
    std::memmove(at, elsewhere, access.extent);
    memory_.written(at, access.extent, content);
    if (const Allocation* one = memory_.find(at)) after_write(one->gpu, at, access.extent);
  }
  if (is_done) return;
  compute();
  number = 0;
  for (const Access& access : accesses) {
    if (!access.is_write) continue;
    const ContentId content = derived_content(key, ++number);
    void* const at = const_cast<void*>(access.at);
    memory_.written(at, access.extent, content);
    if (access.extent <= kSmall) small_results_[content].assign(static_cast<const char*>(at), access.extent);
    if (const Allocation* one = memory_.find(at)) after_write(one->gpu, at, access.extent);
  }
}

void Machine::flip_bit(void* at, std::size_t bytes, std::uint64_t salt) {
  if (bytes == 0) return;
  const std::uint64_t where = derived_content(salt, 17);
  static_cast<unsigned char*>(at)[where % bytes] ^= static_cast<unsigned char>(1u << (where >> 40) % 8);
  memory_.written(at, bytes);
}

void Machine::after_write(int gpu, void* at, std::size_t bytes) {
  if (gpu < 0) return;
  const Fault* const stuck = fault(FaultKind::memory_stuck, gpu);
  const Fault* const coupled = fault(FaultKind::memory_coupled, gpu);
  const Fault* const rare = fault(FaultKind::memory_rare, gpu);
  if (stuck == nullptr && coupled == nullptr && rare == nullptr) return;
  // One bad place in all of its memory, so that who tests only a part of it may miss it.
  const auto place = static_cast<std::size_t>(profile_.kind.memory_simulated_bytes) / 5 * 3 / 64 * 64;
  const Allocation* one = memory_.find(at);
  if (one == nullptr || one->place > place || place + 64 > one->place + one->bytes) return;
  char* const begin = static_cast<char*>(at);
  char* const cell = one->base + (place - one->place);
  if (cell < begin || cell + 64 > begin + bytes) return;
  auto* const words = reinterpret_cast<std::uint64_t*>(cell);
  const std::uint64_t before[2] = {words[0], words[1]};
  if (stuck != nullptr) words[0] |= 1ULL << 21;
  if (coupled != nullptr) {
    const bool bit = (words[0] >> 5 & 1) != 0;
    const auto [aggressor, is_new] = aggressors_.try_emplace(gpu, bit);
    if (!is_new && aggressor->second != bit) words[1] ^= 1ULL << 5;
    aggressor->second = bit;
  }
  if (rare != nullptr && ++writes_ % 5 == 0) words[1] ^= 1ULL << 33;
  if (before[0] != words[0] || before[1] != words[1]) memory_.written(cell, 64);
}

}  // namespace rackproof::simulator
