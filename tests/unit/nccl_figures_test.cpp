#include <catch2/catch.hpp>
#include <vector>

#include "checks/api/last_word.h"
#include "checks/nccl/alpha_beta.h"
#include "checks/nccl/collective.h"
#include "checks/nccl/figures.h"
#include "checks/nccl/progress.h"
#include "checks/nccl/sizes.h"

using namespace rackproof;

TEST_CASE("nccl.allreduce: the factors of busbw are those of nccl-tests") {
  CHECK(bus_factor(Collective::all_reduce, 8) == 1.75);
  CHECK(bus_factor(Collective::all_gather, 8) == 0.875);
  CHECK(bus_factor(Collective::reduce_scatter, 8) == 0.875);
  CHECK(bus_factor(Collective::all_to_all, 4) == 0.75);
  CHECK(bus_factor(Collective::broadcast, 8) == 1);
  CHECK(bus_factor(Collective::send_receive, 8) == 1);
}

TEST_CASE("nccl.allreduce: what ranks hold before and after") {
  const Extents reduce = extents_of(Collective::all_reduce, 8, 8);
  CHECK((reduce.bytes == 8 && reduce.sent == 2 && reduce.received == 2 && reduce.part == 4));
  const Extents gather = extents_of(Collective::all_gather, 8, 1 << 20);
  CHECK((gather.bytes == 1 << 20 && gather.received == 1 << 18 && gather.sent == 1 << 15 && gather.part == 1 << 15));
  const Extents scatter = extents_of(Collective::reduce_scatter, 8, 1 << 20);
  CHECK((scatter.sent == 1 << 18 && scatter.received == 1 << 15));
  // Every part is aligned: the nearest size that can be had, and at least a vector a rank.
  CHECK(extents_of(Collective::all_to_all, 8, 8).bytes == 128);
  CHECK(extents_of(Collective::all_to_all, 7, 1 << 20).part % 4 == 0);
  CHECK(extents_of(Collective::all_to_all, 7, 1 << 20).bytes <= 1 << 20);
  CHECK(in_place(Collective::all_gather, gather, 3).sent_at == 3 * gather.part);
  CHECK(in_place(Collective::reduce_scatter, scatter, 3).received_at == 3 * scatter.part);
  CHECK(in_place(Collective::all_reduce, reduce, 3).length == 4);
  CHECK_FALSE(has_in_place(Collective::all_to_all));
  CHECK(parse_collective("reducescatter") == Collective::reduce_scatter);
  CHECK_THROWS_AS(parse_collective("reduce"), Trouble);
}

TEST_CASE("nccl.allreduce: alpha and beta are found, and one bad point does not move them") {
  std::vector<TimedSize> points;
  for (const double bytes : {8.0, 1048576.0, 134217728.0, 1073741824.0, 8589934592.0}) {
    points.push_back({bytes, 15'000 + bytes * 0.004});
  }
  const auto line = fit_alpha_beta(points);
  REQUIRE(line);
  CHECK(line->alpha_ns == Approx(15'000));
  CHECK(line->beta_ns == Approx(0.004));
  for (std::size_t bad = 0; bad < points.size(); ++bad) {
    CAPTURE(bad);
    auto spoiled = points;
    spoiled[bad].ns *= 3;
    const auto robust = fit_alpha_beta(spoiled);
    REQUIRE(robust);
    CHECK(robust->beta_ns == Approx(0.004).epsilon(0.01));
    // The smallest size alone says what alpha is, within what the next one leaves open.
    if (bad > 0) CHECK(robust->alpha_ns == Approx(15'000).epsilon(0.01));
  }
}

TEST_CASE("nccl.allreduce: no line is drawn where there is none") {
  CHECK_FALSE(fit_alpha_beta({}));
  CHECK_FALSE(fit_alpha_beta(std::vector<TimedSize>{{8, 100}}));
  // Never below zero, even where small sizes take less than the line would have it.
  const auto steep = fit_alpha_beta(std::vector<TimedSize>{{100, 10}, {1000, 1000}});
  REQUIRE(steep);
  CHECK(steep->alpha_ns == 0);
  CHECK(steep->beta_ns > 0);
}

TEST_CASE("nccl.allreduce: sizes are read, and what has no room is replaced by what has") {
  CHECK(parse_sizes("1 GiB, 8 B,1MiB , 8 B") == std::vector<std::size_t>{8, 1 << 20, 1 << 30});
  for (const char* bad : {"", "8 B,", "8 GB/s", "2 B", "ten", "-8 B"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_sizes(bad), Trouble);
  }
  const auto thrice = [](std::size_t bytes) { return 3 * bytes; };
  const SizePlan all = plan_sizes({8, 1024}, 4096, thrice);
  CHECK((all.left_out.empty() && all.added == 0));
  const SizePlan some = plan_sizes({8, 1024, 1 << 20}, 100'000, thrice);
  CHECK(some.measured == std::vector<std::size_t>{8, 1024, 32768});
  CHECK(some.added == 32768);
  const SizePlan none_between = plan_sizes({8, 1024, 4096}, 4000, thrice);
  CHECK(none_between.measured == std::vector<std::size_t>{8, 1024});
  CHECK(none_between.added == 0);
  CHECK(size_text(8) == "8 B");
  CHECK(size_text(std::size_t{8} << 30) == "8 GiB");
  CHECK(size_text(1000) == "1000 B");
}

TEST_CASE("nccl.allreduce: who entered late is told from how long each rank was in it") {
  const std::vector<RankTimes> times{{100, 60, 99}, {102, 61, 100}, {900, 60, 100}};
  CHECK(whole_time(times.front()) == 100);
  const auto late = median_lateness_ns(times);
  REQUIRE(late.size() == 3);
  CHECK(late[0] == 0);
  CHECK(late[1] == 41);
  CHECK(late[2] == 2);
  CHECK(median_time_ns(times) == std::vector<double>{102, 60, 100});
  CHECK(median_skew_ns(times) == 41);
  CHECK(median_skew_ns({}) == 0);
}

TEST_CASE("nccl.allreduce: a rate becomes a time with its interval the right way round") {
  Estimate estimate;
  estimate.median = 1e9;  // B/s
  estimate.samples = {.n = 12, .low = 0.5e9, .high = 2e9, .worst = 0.25e9, .steady = true};
  const Measurement time = time_of(estimate, "latency", 1000);
  CHECK(time.value == Approx(1));
  CHECK(time.samples->low == Approx(0.5));
  CHECK(time.samples->high == Approx(2));
  CHECK(time.samples->worst == Approx(4));
  const Measurement rate = bus_rate(estimate, "busbw", 1.75);
  CHECK(rate.value == Approx(1.75));
  CHECK(rate.samples->worst == Approx(0.4375));
}

TEST_CASE("nccl.allreduce: the rank that the others wait for is named") {
  using All = std::vector<RankProgress>;
  using Ranks = std::vector<std::size_t>;
  CHECK(ranks_behind(All{{false, 5, 4}, {false, 4, 3}, {false, 5, 4}}) == Ranks{1});
  CHECK(ranks_behind(All{{false, 5, 4}, {false, 4, 4}}) == Ranks{1});
  // All wait in the same place: nobody can be named.
  CHECK(ranks_behind(All{{false, 5, 4}, {false, 5, 4}}).empty());
  // A GPU that is gone explains the others.
  CHECK(ranks_behind(All{{false, 4, 3}, {true, 0, 0}, {false, 5, 4}}) == Ranks{1});
  CHECK(to_text(RankProgress{false, 5, 4}) == "it has entered iteration 5 and not left it");
  CHECK(to_text(RankProgress{false, 4, 4}) == "it has left iteration 4 and entered no other");
}

TEST_CASE("nccl.allreduce: wrong data is its holder's, unless all hold it") {
  using Wrong = std::vector<WrongOutput>;
  using Ranks = std::vector<std::size_t>;
  CHECK(ranks_to_blame(Wrong{}, 3).empty());
  CHECK(ranks_to_blame(Wrong{{1, kManySources, 7}}, 3) == Ranks{1});
  CHECK(ranks_to_blame(Wrong{{0, 2, 7}, {1, 2, 7}}, 3) == Ranks{0, 1});
  CHECK(ranks_to_blame(Wrong{{0, 2, 7}, {1, 2, 7}, {2, 2, 7}}, 3) == Ranks{2});
  CHECK(ranks_to_blame(Wrong{{0, kManySources, 7}, {1, kManySources, 7}, {2, kManySources, 7}}, 3) == Ranks{kManySources});
  CHECK(ranks_to_blame(Wrong{{0, 1, 7}, {1, 2, 7}, {2, 0, 7}}, 3) == Ranks{0, 1, 2});
}
