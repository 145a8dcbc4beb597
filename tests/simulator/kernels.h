// The kernels of the checks as the simulator runs them: the very sources, compiled for the host, one thread after the
// other; and what each of them would cost a GPU.
#pragma once

#include <cuda_runtime.h>

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/simulator/memory.h"

namespace rackproof::simulator {

// One stretch of memory that a kernel reads or writes, and how many bytes of it in all (reading twice counts twice).
struct Access {
  const void* at = nullptr;
  std::size_t extent = 0;
  bool is_write = false;
  double bytes = 0;  // 0: as many as the extent
};

struct Cost {
  std::vector<Access> accesses;
  double fixed_ns = 1500;    // a launch that does nothing
  double arithmetic_ns = 0;  // of the whole GPU's arithmetic
  double steps = 0;          // dependent loads, one after the other, …
  const void* chased = nullptr;  // … from here
  bool is_idle = false;      // the GPU waits: no power to speak of (fixed_ns says how long)
};

// Pure: it overwrites all that it names as written, and that follows from its arguments and from what it names as read
// alone. Then the same work on the same content is done once.
enum class Purity { unknown, pure };

struct Launched {
  Cost cost;
  std::function<void()> body;             // all threads
  std::vector<const void*> outputs;       // every pointer that it may write through
  std::uint64_t scalars = 0;              // its other arguments and its shape, mixed
  std::function<bool()> may_begin;        // empty: at once
};

struct Kernel {
  std::string name;
  Purity purity = Purity::unknown;
  std::function<Launched(dim3 grid, dim3 block, void** args)> prepare;
};

const Kernel* find_kernel(std::string_view name);
void add_kernel(Kernel);

// Registers a kernel: add_kernel<rackproof_fill_words>("rackproof_fill_words", Purity::pure, [](dim3 grid, dim3 block,
// ulonglong2* memory, …) { return Cost{…}; }). The lambda takes the kernel's parameters behind the shape.
template <auto Body, class CostOf>
void add_kernel(const char* name, Purity purity, CostOf cost_of, std::function<bool(void**)> may_begin = {});

namespace detail {

template <class T>
void mix(std::uint64_t& into, std::vector<const void*>& outputs, T value) {
  if constexpr (std::is_pointer_v<T>) {
    if constexpr (!std::is_const_v<std::remove_pointer_t<T>>) outputs.push_back(value);
  } else {
    std::uint64_t bits = 0;
    static_assert(sizeof value <= sizeof bits);
    std::memcpy(&bits, &value, sizeof value);
    into = derived_content(into, bits);
  }
}

template <auto Body, class... P>
void run_threads(dim3 grid, dim3 block, const std::tuple<P...>& args) {
  rackproof_simulated_thread& now = rackproof_simulated_now;
  now.blocks = grid;
  now.threads = block;
  for (now.block.z = 0; now.block.z < grid.z; ++now.block.z)
    for (now.block.y = 0; now.block.y < grid.y; ++now.block.y)
      for (now.block.x = 0; now.block.x < grid.x; ++now.block.x)
        for (now.thread.z = 0; now.thread.z < block.z; ++now.thread.z)
          for (now.thread.y = 0; now.thread.y < block.y; ++now.thread.y)
            for (now.thread.x = 0; now.thread.x < block.x; ++now.thread.x) std::apply(Body, args);
}

template <auto Body, class CostOf, class... P>
Kernel make(const char* name, Purity purity, CostOf cost_of, std::function<bool(void**)> may_begin, void (*)(P...)) {
  Kernel kernel;
  kernel.name = name;
  kernel.purity = purity;
  kernel.prepare = [cost_of, may_begin](dim3 grid, dim3 block, void** args) {
    const auto copied = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return std::make_shared<const std::tuple<P...>>(*static_cast<P*>(args[I])...);
    }(std::index_sequence_for<P...>{});
    Launched launched;
    launched.cost = std::apply([&](P... p) { return cost_of(grid, block, p...); }, *copied);
    launched.body = [=] { run_threads<Body>(grid, block, *copied); };
    launched.scalars = derived_content(grid.x * 65536ULL + block.x, grid.y * 65536ULL + block.y);
    std::apply([&](P... p) { (mix(launched.scalars, launched.outputs, p), ...); }, *copied);
    if (may_begin) {
      const auto first = std::get<0>(*copied);
      launched.may_begin = [may_begin, first] {
        auto value = first;
        void* one[] = {&value};
        return may_begin(one);
      };
    }
    return launched;
  };
  return kernel;
}

}  // namespace detail

template <auto Body, class CostOf>
void add_kernel(const char* name, Purity purity, CostOf cost_of, std::function<bool(void**)> may_begin) {
  add_kernel(detail::make<Body>(name, purity, std::move(cost_of), std::move(may_begin), Body));
}

}  // namespace rackproof::simulator
