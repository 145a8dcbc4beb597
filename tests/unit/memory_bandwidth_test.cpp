// memory.bandwidth in parts: that every wrong element is found, and what is made of times.
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "checks/api/last_word.h"
#include "checks/memory/cpus.h"
#include "checks/memory/node_rates.h"
#include "checks/memory/phase.h"
#include "checks/memory/slice.h"
#include "checks/memory/team.h"

using namespace rackproof;

namespace {

std::vector<const Kernels*> kernels_here() {
  std::vector<const Kernels*> all{&kPortableKernels};
  if (avx2_kernels() != nullptr) all.push_back(avx2_kernels());
  if (avx512_kernels() != nullptr) all.push_back(avx512_kernels());
  return all;
}

std::chrono::steady_clock::time_point soon() { return std::chrono::steady_clock::now() + std::chrono::minutes(1); }

}  // namespace

TEST_CASE("bytes are counted as STREAM counts them") {
  std::vector<std::int64_t> bytes;
  for (const Operation operation : kOperations) bytes.push_back(bytes_per_element(operation));
  CHECK(bytes == std::vector<std::int64_t>{16, 24, 8, 8});
}

TEST_CASE("every kind of loop gives the same, on all elements and no others") {
  constexpr std::size_t kElements = 5 * kTurn;
  constexpr double kOutside = -1;
  for (const Kernels* kernels : kernels_here()) {
    INFO(kernels->name);
    alignas(64) double to[kElements + kTurn], left[kElements], right[kElements];
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kElements; ++i) {
      left[i] = source_value(0, i);
      right[i] = source_value(1, i);
      sum += std::bit_cast<std::uint64_t>(left[i]);
    }
    std::fill(std::begin(to), std::end(to), kOutside);
    kernels->copy(to, left, kElements);
    CHECK(std::equal(left, left + kElements, to));
    kernels->triad(to, left, right, 8, kElements);
    bool exact = true;
    for (std::size_t i = 0; i < kElements; ++i) {
      exact = exact && static_cast<std::uint64_t>(to[i]) ==
                           static_cast<std::uint64_t>(left[i]) + 8 * static_cast<std::uint64_t>(right[i]);
    }
    kernels->write(to, 77, 3, kElements);
    for (std::size_t i = 0; i < kElements; ++i) exact = exact && std::bit_cast<std::uint64_t>(to[i]) == 77 + 3 * i;
    CHECK(exact);
    CHECK(kernels->read(left, kElements) == sum);
    CHECK(std::all_of(to + kElements, std::end(to), [](double value) { return value == kOutside; }));
  }
  CHECK(&choose_kernels("portable") == &kPortableKernels);
  CHECK_THROWS_AS(choose_kernels("sse9"), Trouble);
}

TEST_CASE("a flipped bit, a stale element and a swapped pair are found after each loop") {
  constexpr std::uint64_t kFirst = 1000 * kTurn;
  for (const Kernels* kernels : kernels_here()) {
    for (const Operation operation : {Operation::copy, Operation::triad, Operation::write}) {
      INFO(kernels->name << " " << to_text(operation));
      Slice slice(kFirst, 8 * kTurn, false);
      slice.fill(soon());
      slice.run(operation, *kernels, 3);
      const double older = slice.target()[9];
      slice.run(operation, *kernels, 1);
      CHECK(slice.verify(operation).count == 0);

      const double right = slice.target()[5];
      const auto flipped = std::bit_cast<std::uint64_t>(right) ^ (1ull << 51);
      slice.target()[5] = std::bit_cast<double>(flipped);
      const SliceMismatch one = slice.verify(operation);
      CHECK(one.count == 1);
      CHECK(one.index == kFirst + 5);
      CHECK(one.expected == std::bit_cast<std::uint64_t>(right));
      CHECK(one.got == flipped);

      slice.target()[5] = right;
      slice.target()[9] = older;  // as if the last pass had not reached it
      CHECK(slice.verify(operation).count == 1);
      slice.run(operation, *kernels, 1);
      CHECK(slice.verify(operation).count == 0);
      std::swap(slice.target()[0], slice.target()[8 * kTurn - 1]);
      CHECK(slice.verify(operation).count == 2);
    }
  }
}

TEST_CASE("a flipped bit in a source is found by reading it") {
  for (const Kernels* kernels : kernels_here()) {
    Slice slice(0, 8 * kTurn, false);
    slice.fill(soon());
    slice.run(Operation::read, *kernels, 4);
    CHECK(slice.verify(Operation::read).count == 0);
    slice.source(1)[3] = -slice.source(1)[3];
    slice.run(Operation::read, *kernels, 4);  // every second pass reads this source
    CHECK(slice.verify(Operation::read).count == 2);
    CHECK(slice.verify_source(0).count == 0);
    CHECK(slice.verify_source(1).count == 1);
    CHECK(slice.verify_source(1).index == 3);
  }
}

TEST_CASE("memory that the kernel does not give in time is trouble") {
  CHECK_THROWS_AS(Slice(0, kTurn, false).fill(soon() - std::chrono::hours(1)), Trouble);
}

TEST_CASE("a team runs the work once on every thread, and passes on what it throws") {
  const int cpu = allowed_cpus().front();
  Team team({cpu, cpu, cpu});
  std::vector<int> calls(3);
  for (int i = 0; i < 50; ++i) team.run([&](std::size_t rank) { ++calls[rank]; });
  CHECK(calls == std::vector{50, 50, 50});
  CHECK_THROWS_AS(team.run([](std::size_t rank) { if (rank == 1) throw std::runtime_error("x"); }), std::runtime_error);
  CHECK_NOTHROW(team.run([](std::size_t) {}));
  CHECK_THROWS_AS(Team({60000}), Trouble);
  CHECK(wall_ns({{10, 50}, {12, 40}, {11, 70}}) == 60);
}

TEST_CASE("pages are misplaced when they lie on another node, or nowhere") {
  const Mapping memory(64 * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)), false);
  const Placement nowhere = placement(memory, 0, 1000);
  if (!nowhere.refusal.empty()) return;  // a kernel without NUMA, or a container that forbids the question
  CHECK(nowhere.misplaced == nowhere.asked);
  Team team({allowed_cpus().front()});
  const std::size_t half = memory.bytes() / sizeof(double) / 2;
  team.run([&](std::size_t) { std::fill_n(memory.begin(), half, 1.0); });
  CHECK(placement(memory, team.nodes()[0], 16).misplaced == 8);  // those asked about are spread over all of it
  team.run([&](std::size_t) { std::fill_n(memory.begin() + half, half, 1.0); });
  CHECK(placement(memory, team.nodes()[0], 16).asked == 16);
  CHECK(placement(memory, team.nodes()[0], 16).misplaced == 0);
  CHECK(placement(memory, 99, 16).misplaced == 16);
}

TEST_CASE("samples are made near 100 ms long") {
  CHECK(next_passes(10, 140'000'000) == 10);
  CHECK(next_passes(10, 400'000'000) == 3);
  CHECK(next_passes(1, 5'000'000'000) == 1);
  CHECK(next_passes(1, 1'000'000) == 100);
  CHECK(next_passes(1, 1) == 1000);
}

TEST_CASE("waiting is counted, and for whom") {
  Balance balance(2);
  CHECK(balance.waited() == 0);
  balance.add({{0, 100}, {0, 100}});
  for (int i = 0; i < 3; ++i) balance.add({{0, 50}, {0, 100}});
  CHECK(balance.waited() == Approx(0.25));
  CHECK((balance.slowest() == 1 && balance.times_slowest() == 3 && balance.samples() == 4));
}

TEST_CASE("samples are split by node, each by its own bytes and time") {
  NodeRates rates({0, 1, 1});
  Estimate kept_two;
  kept_two.samples = {.n = 2, .steady = false};
  CHECK(rates.estimates(kept_two).empty());
  rates.add({{0, 1}, {0, 1}, {0, 1}}, 1000);  // discarded
  rates.add({{0, 100}, {10, 50}, {0, 200}}, 1000);
  rates.add({{0, 100}, {10, 50}, {0, 200}}, 1000);
  const auto nodes = rates.estimates(kept_two);
  REQUIRE(nodes.size() == 2);
  CHECK(nodes.at(0).median == Approx(1000 / 100e-9));
  CHECK(nodes.at(1).median == Approx(2000 / 200e-9));
  CHECK(nodes.at(1).counted == Counted{.amount = 4000, .nanoseconds = 400, .directions = 1});
  CHECK((nodes.at(1).samples.n == 2 && !nodes.at(1).samples.steady));
  NodeRates alone({3, 3});
  alone.add({{0, 100}, {0, 100}}, 1000);
  CHECK(alone.estimates(kept_two).empty());
}

TEST_CASE("a phase counts what it moved, and verifies all of it") {
  const int cpu = allowed_cpus().front();
  Phase phase({.cpus = {cpu, cpu}, .slice_bytes = 65536, .kernels = &kPortableKernels, .at_most_ns = 1'000'000});
  for (const Operation operation : kOperations) {
    const Rates rates = phase.measure(operation);
    const std::int64_t pass = 2 * 65536 / 8 * bytes_per_element(operation);
    CHECK(rates.all.counted.amount >= pass);
    CHECK(rates.all.counted.amount % pass == 0);
    CHECK(phase.verify_last(operation).count == 0);
    if (operation == Operation::triad) CHECK(phase.verify_last(Operation::copy).count == 2 * 65536 / 8);
  }
  CHECK(phase.verify_source(1).count == 0);
}
