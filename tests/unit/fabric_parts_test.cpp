#include <catch2/catch.hpp>

#include <cstring>
#include <string>
#include <vector>

#include "checks/api/last_word.h"
#include "checks/fabric/card.h"
#include "checks/fabric/distribution.h"
#include "checks/fabric/lanes.h"
#include "checks/fabric/marks.h"
#include "checks/fabric/pace.h"
#include "checks/fabric/payload.h"

using namespace rackproof;

namespace {

std::vector<std::byte> message(std::size_t size, std::uint32_t pattern, std::uint64_t stamp) {
  std::vector<std::byte> bytes(size);
  fill_payload(bytes, pattern);
  stamp_payload(bytes, stamp);
  return bytes;
}

// As UCX 1.13 prints it.
constexpr const char* kEndpoint = R"(#
# UCP endpoint 
#
#               peer: <no debug data>
#                 lane[0]:  1:rc_mlx5/mlx5_0:1.0 md[1]      -> md[1]/ib/sysdev[255] rma_bw#0 am am_bw#0
#                 lane[1]:  7:rc_mlx5/mlx5_1:1.0 md[4]      -> md[4]/ib/sysdev[255] rma_bw#1 wireup
#                 lane[2]:  2:tcp/bond0.100.1 md[1]         -> md[1]/tcp/sysdev[255] rma_bw#2
#                 lane[3]:  3:posix/memory.0 md[2]          -> md[2]/posix/sysdev[255]
#
#                tag_send: 0..<egr/short>..8185..<egr/zcopy>..8192..<rndv>..(inf)
#
#                  rma_bw: mds [1] rndv_rkey_size 10
)";

}  // namespace

TEST_CASE("fabric: a message that came as it was sent is right, whatever its size") {
  for (const std::size_t size : {1, 3, 4, 7, 8, 9, 11, 12, 13, 4096, 4099, 100'000}) {
    CAPTURE(size);
    CHECK_FALSE(first_wrong_byte(message(size, 3, 77), 3, 77));
  }
}

TEST_CASE("fabric: every single wrong bit of a message is found, and where") {
  for (const std::size_t size : {8, 9, 11, 64, 1027}) {
    const auto sent = message(size, 5, 42);
    for (std::size_t at = 0; at < size; ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        auto came = sent;
        came[at] ^= static_cast<std::byte>(1 << bit);
        REQUIRE(first_wrong_byte(came, 5, 42) == at);
      }
    }
  }
}

TEST_CASE("fabric: a message of before, a shifted one and a torn one are wrong") {
  const std::size_t size = 64 << 10;
  const auto sent = message(size, 2, 1000);
  CHECK(first_wrong_byte(sent, 2, 1001) == 0);               // the same place, one sample earlier
  CHECK(first_wrong_byte(message(size, 3, 1000), 2, 1000));  // another place
  auto torn = sent;
  const auto other = message(size, 1, 1000);
  std::memcpy(torn.data() + size / 2, other.data() + size / 2, size / 2);
  CHECK(*first_wrong_byte(torn, 2, 1000) / 4 == size / 2 / 4);
  for (const std::size_t by : {1, 4, 8, 64, 4096}) {
    CAPTURE(by);
    auto shifted = sent;
    std::memmove(shifted.data() + 8, sent.data() + 8 + by, size - 8 - by);
    CHECK(first_wrong_byte(shifted, 2, 1000));
  }
  CHECK(first_wrong_byte(std::vector<std::byte>(size), 2, 1000));
}

TEST_CASE("fabric: the share that is verified makes an odd distance between marks") {
  CHECK(marked_every(0) == 0);
  CHECK(marked_every(1) == 1);
  CHECK(marked_every(0.05) == 21);
  CHECK(marked_every(0.5) == 3);
  for (const double share : {0.001, 0.01, 0.3}) CHECK(marked_every(share) % 2 == 1);
}

TEST_CASE("fabric: marks wander over the samples and never meet in a place while they are under way") {
  for (const std::uint64_t every : {1, 3, 21, 101}) {
    for (const std::uint64_t window : {1, 2, 32}) {
      for (const std::uint32_t number : {1, 2, 50}) {
        const Marks marks = Marks::of(every, window, number);
        std::vector<std::uint64_t> marked;
        for (std::uint64_t i = 0; i < 500; ++i) {
          if (!marks.is_marked(i)) continue;
          CHECK(marks.sequence(marks.index(i)) == i);
          CHECK(marks.arrives_at(marks.index(i)) < marks.room());
          CHECK(marks.leaves_from(marks.index(i)) < marks.room());
          marked.push_back(i);
        }
        CHECK(marked.size() >= 500 / every);
        for (std::size_t i = 1; i < marked.size(); ++i) {
          const auto before = marks.index(marked[i - 1]), after = marks.index(marked[i]);
          if (marks.places > 1) CHECK(marks.arrives_at(before) != marks.arrives_at(after));
          // What comes into a place differs from what came there last.
          CHECK(marks.leaves_from(before) != marks.leaves_from(before + marks.places));
        }
      }
    }
  }
  CHECK(Marks::of(21, 32, 1).is_marked(20));
  CHECK(Marks::of(21, 32, 2).is_marked(19));
  CHECK_FALSE(Marks::of(0, 32, 1).is_marked(0));
}

TEST_CASE("fabric: on a slow path less is under way, and messages are smaller, so that a sample stays a sample") {
  const Pace asked{1 << 20, 32};
  CHECK(fitting_pace(50, asked) == asked);  // 50 GB/s
  CHECK(fitting_pace(0.5, asked) == asked);
  CHECK(fitting_pace(0.054, asked) == Pace{1 << 20, 5});     // 500 Mbit/s
  CHECK(fitting_pace(0.0054, asked) == Pace{128 << 10, 4});  // 50 Mbit/s: 24 ms a message
  CHECK(fitting_pace(1e-9, asked) == Pace{4096, 4});
  CHECK(fitting_pace(50, {8, 1}) == Pace{8, 1});
}

TEST_CASE("fabric: a pace that was found in a bad moment is corrected by the samples") {
  const Pace asked{1 << 20, 32};
  CHECK(adjusted_pace(asked, 100 << 20, 100'000'000, asked) == asked);
  // Little is under way, and a sample of it went at 2 MB/s: what is asked for next grows until it is the path that limits.
  Pace pace{16 << 10, 2};
  double speed = 0.002;
  for (int i = 0; i < 12; ++i) {
    pace = adjusted_pace(pace, static_cast<std::size_t>(speed * 1e8), 100'000'000, asked);
    speed = std::min(1.0, 0.002 * static_cast<double>(pace.size * pace.window) / (32 << 10));
  }
  CHECK(pace.size == 1 << 20);
  CHECK(pace.window > 8);
  // Too much was under way: 32 MiB at 54 MB/s.
  CHECK(adjusted_pace(asked, 32 << 20, 620'000'000, asked) == Pace{1 << 20, 5});
  // A pause in a sample that was not long makes nothing smaller.
  CHECK(adjusted_pace(asked, 32 << 20, 300'000'000, asked) == asked);
}

TEST_CASE("fabric: probes grow until the bytes take the time") {
  struct Probed {
    double speed = 0, moved = 0, seconds = 0;
  };
  // A latency of 30 us, and a pause of 40 ms in the probe of this number.
  const auto probed = [](double bytes_per_ns, int paused) {
    Probes probes({1 << 20, 32});
    Probed result;
    for (int number = 0;; ++number) {
      REQUIRE(number < 20);
      const auto bytes = static_cast<double>(probes.size()) * static_cast<double>(probes.count());
      const double taken = 30'000 + bytes / bytes_per_ns + (number == paused ? 40e6 : 0);
      result.moved += bytes;
      result.seconds += taken / 1e9;
      if (probes.is_enough(static_cast<std::int64_t>(taken))) break;
    }
    result.speed = probes.speed();
    return result;
  };
  for (const double speed : {25.0, 1.0, 0.054, 0.0054, 0.0006}) {
    for (int paused = -1; paused < 8; ++paused) {
      CAPTURE(speed, paused);
      const Probed found = probed(speed, paused);
      // Where a whole window takes little time, any speed that asks for all of it will do.
      if (speed < 1) CHECK(found.speed == Approx(speed).epsilon(0.15));
      if (speed >= 1) CHECK(fitting_pace(found.speed, {1 << 20, 32}).window >= 23);
      CHECK(found.seconds < 2.5);
    }
  }
}

TEST_CASE("fabric: what UCX prints of an endpoint tells over what data go") {
  const std::vector<Lane> lanes = parse_lanes(kEndpoint);
  REQUIRE(lanes.size() == 4);
  CHECK(lanes[0] == Lane{"rc_mlx5", "mlx5_0:1", "rma_bw#0 am am_bw#0"});
  CHECK(lanes[2].device == "bond0.100");
  CHECK(lanes[3].roles.empty());

  CHECK(to_text(lanes_for(LaneUse::small, lanes)) == "rc_mlx5/mlx5_0:1");
  CHECK(to_text(lanes_for(LaneUse::one_sided, lanes)) == "posix/memory, rc_mlx5/mlx5_0:1");
  const auto large = lanes_for(LaneUse::large, lanes);
  CHECK(to_text(large) == "rc_mlx5/mlx5_0:1, rc_mlx5/mlx5_1:1, tcp/bond0.100");
  CHECK_FALSE(all_rdma(large));  // one lane fell back
  CHECK(all_rdma({lanes[0], lanes[1]}));
  CHECK_FALSE(all_rdma({}));
  CHECK(parse_lanes("").empty());
  CHECK(parse_lanes("# lane[0]:\n#  lane[1]: x\n#lane[2]: 1:tcp/lo.0").empty());
}

TEST_CASE("fabric: devices have the ids that the checks of ports and links give them") {
  CHECK(device_id({"rc_mlx5", "mlx5_0:1", ""}) == "ib:mlx5_0/1");
  CHECK(device_id({"tcp", "eth0", ""}) == "net:eth0");
  CHECK(device_id({"cma", "memory", ""}).empty());
  for (const char* transport : {"rc_mlx5", "rc_verbs", "dc_mlx5", "ud_verbs", "ud_mlx5"}) CHECK(is_rdma(transport));
  for (const char* transport : {"tcp", "cma", "self", "cuda_ipc", "rdmacm"}) CHECK_FALSE(is_rdma(transport));
}

TEST_CASE("fabric: rails are the ports of RDMA adapters, or else the interfaces") {
  const auto resources = parse_resources(
      "#      resource 0  :  md 0  dev 0  flags -- self/memory0\n"
      "#      resource 1  :  md 1  dev 1  flags -- tcp/lo\n"
      "#      resource 2  :  md 1  dev 2  flags -- tcp/eth0\n");
  CHECK(resources.size() == 3);
  CHECK(rails_of(resources) == std::vector<std::string>{"eth0"});
  auto more = resources;
  more.push_back({"rc_mlx5", "mlx5_0:1", ""});
  more.push_back({"ud_mlx5", "mlx5_0:1", ""});
  more.push_back({"rc_mlx5", "mlx5_1:1", ""});
  CHECK(rails_of(more) == std::vector<std::string>{"mlx5_0:1", "mlx5_1:1"});
}

TEST_CASE("fabric: a card comes back as it was put, and another's is refused") {
  const std::vector<RailCard> rails{{"", false, std::string("a\n\0b", 4)}, {"mlx5_1:1", true, ""}};
  CHECK(decode_card(encode_card(rails)) == rails);
  const std::string card = encode_card(rails);
  for (const std::string& bad : {std::string(), std::string("other"), card.substr(0, 25), card + "x", card.substr(1)}) {
    CHECK_THROWS_AS(decode_card(bad), Trouble);
  }
}

TEST_CASE("fabric: latencies are halves of round trips, and percentiles those of each batch") {
  Batch batch;
  for (std::int64_t i = 1000; i > 0; --i) batch.push_back(i);
  CHECK(percentile(batch, 0.5) == 500);
  CHECK(percentile(batch, 0.99) == 990);
  CHECK(percentile(batch, 0.999) == 999);
  Batch one{7};
  CHECK(percentile(one, 0.001) == 7);

  std::vector<Batch> batches;
  for (std::int64_t i = 1; i <= 13; ++i) batches.push_back({2000 * i, 2000 * i, 90'000 + i});
  const Measurement half = half_trips(batches, 0.5, true, "latency", "path:a>b");
  CHECK(half.value == Approx(7));
  CHECK(half.unit == "us");
  CHECK(half.samples->n == 13);
  CHECK(half.samples->low < 7);
  CHECK(half.samples->high > 7);
  CHECK(half.samples->worst == Approx(13));
  CHECK(worst_half_trip_us(batches) == Approx(45.0065));
}
