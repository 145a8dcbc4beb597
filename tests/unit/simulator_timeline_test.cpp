#include <catch2/catch.hpp>

#include "tests/simulator/flows.h"
#include "tests/simulator/memory.h"
#include "tests/simulator/timeline.h"

using namespace rackproof::simulator;

namespace {

// Two lanes of 50 below an uplink of 60, in amount per ns.
struct Node {
  Resources resources;
  ResourceId first = resources.add("first", 50);
  ResourceId second = resources.add("second", 50);
  ResourceId uplink = resources.add("uplink", 60);
  Timeline timeline{resources};

  Work copy(ResourceId lane, double amount) const {
    Work work;
    work.amount = amount;
    work.path = {lane, uplink};
    return work;
  }
};

}  // namespace

TEST_CASE("a copy alone has its whole lane, two share their uplink") {
  Node node;
  const StreamId one = node.timeline.add_stream(0);
  const StreamId two = node.timeline.add_stream(1);
  const EventId end = node.timeline.add_event();
  node.timeline.enqueue(one, node.copy(node.first, 5000));
  node.timeline.record(one, end);
  node.timeline.run();
  CHECK(node.timeline.time_ns(end) == Approx(100));

  // Each moves at 30 until the shorter has ended after 100 ns; the other then has 2000 left, at 50.
  const double begin = node.timeline.now_ns();
  const EventId other = node.timeline.add_event();
  node.timeline.enqueue(one, node.copy(node.first, 3000));
  node.timeline.record(one, end);
  node.timeline.enqueue(two, node.copy(node.second, 5000));
  node.timeline.record(two, other);
  node.timeline.run();
  CHECK(node.timeline.time_ns(end) - begin == Approx(100));
  CHECK(node.timeline.time_ns(other) - begin == Approx(140));
}

TEST_CASE("the scarcest resource is shared first, what is left goes to the others") {
  Resources resources;
  const ResourceId narrow = resources.add("narrow", 10);
  const ResourceId wide = resources.add("wide", 100);
  Flow both{{narrow, wide}, 0, 0};
  Flow also_narrow{{narrow}, 0, 0};
  Flow only_wide{{wide}, 0, 0};
  resources.share({&both, &also_narrow, &only_wide});
  CHECK(both.rate == Approx(5));
  CHECK(also_narrow.rate == Approx(5));
  CHECK(only_wide.rate == Approx(95));

  Flow capped{{wide}, 20, 0};
  resources.share({&capped, &only_wide});
  CHECK(capped.rate == Approx(20));
  CHECK(only_wide.rate == Approx(80));
}

TEST_CASE("work in a stream keeps its order, and waits for events of others") {
  Node node;
  const StreamId one = node.timeline.add_stream(0);
  const StreamId two = node.timeline.add_stream(1);
  const EventId done = node.timeline.add_event();
  std::string order;
  Work first;
  first.fixed_ns = 50;
  first.act = [&] { order += "a"; };
  Work second;
  second.fixed_ns = 1;
  second.act = [&] { order += "b"; };
  node.timeline.enqueue(one, first);
  node.timeline.record(one, done);
  node.timeline.await(two, done);
  node.timeline.enqueue(two, second);
  CHECK_FALSE(node.timeline.has_happened(done));
  node.timeline.run();
  CHECK(order == "ab");
  CHECK(node.timeline.now_ns() == Approx(51));
}

TEST_CASE("what may not begin holds its own stream and nobody else") {
  Node node;
  const StreamId one = node.timeline.add_stream(0);
  const StreamId two = node.timeline.add_stream(1);
  bool is_open = false;
  Work gate;
  gate.may_begin = [&] { return is_open; };
  node.timeline.enqueue(one, gate);
  node.timeline.enqueue(two, node.copy(node.second, 500));
  node.timeline.run();
  CHECK_FALSE(node.timeline.is_idle(one));
  CHECK(node.timeline.is_idle(two));
  is_open = true;
  node.timeline.run();
  CHECK(node.timeline.is_idle(one));
}

TEST_CASE("a meeting begins when everybody has come, and never without one of them") {
  Node node;
  const StreamId one = node.timeline.add_stream(0);
  const StreamId two = node.timeline.add_stream(1);
  const auto meeting = std::make_shared<Meeting>(Meeting{.expected = 2, .arrived = 0, .departed = 0, .others = {}});
  Work late;
  late.fixed_ns = 70;
  Work part;
  part.fixed_ns = 10;
  part.meeting = meeting;
  node.timeline.enqueue(one, part);
  node.timeline.run();
  CHECK_FALSE(node.timeline.is_idle(one));
  node.timeline.enqueue(two, late);
  node.timeline.enqueue(two, part);
  node.timeline.run();
  CHECK(node.timeline.is_idle(one));
  CHECK(node.timeline.now_ns() == Approx(80));
}

TEST_CASE("a lost GPU's work ends without being done") {
  Node node;
  bool is_lost = false;
  node.timeline.is_lost = [&](int gpu, double) { return gpu == 0 && is_lost; };
  const StreamId one = node.timeline.add_stream(0);
  int done = 0;
  Work work;
  work.gpu = 0;
  work.fixed_ns = 10;
  work.act = [&] { ++done; };
  node.timeline.enqueue(one, work);
  node.timeline.run();
  is_lost = true;
  node.timeline.enqueue(one, work);
  node.timeline.run();
  CHECK(done == 1);
  CHECK(node.timeline.is_idle(one));
}

TEST_CASE("a hung GPU begins nothing any more, and keeps what it was given") {
  Node node;
  bool is_hung = false;
  node.timeline.is_hung = [&](int gpu) { return gpu == 0 && is_hung; };
  const StreamId one = node.timeline.add_stream(0);
  const StreamId two = node.timeline.add_stream(1);
  Work work;
  work.gpu = 0;
  work.fixed_ns = 10;
  node.timeline.enqueue(one, work);
  node.timeline.run();
  CHECK(node.timeline.queued(one) == 0);
  is_hung = true;
  node.timeline.enqueue(one, work);
  node.timeline.enqueue(one, work);
  work.gpu = 1;
  node.timeline.enqueue(two, work);
  node.timeline.run();
  CHECK(node.timeline.queued(one) == 2);
  CHECK_FALSE(node.timeline.is_gpu_idle(0));
  CHECK(node.timeline.is_gpu_idle(1));
}

TEST_CASE("content is known by what was written, region by region") {
  Memory memory;
  auto* const at = static_cast<char*>(memory.allocate(0, 4096, 1 << 20));
  REQUIRE(at != nullptr);
  const ContentId name = derived_content(1, 2);
  memory.written(at, 1024, name);
  CHECK(memory.content(at, 1024) == name);
  CHECK(memory.content(at + 16, 16) == memory.content(at + 16, 16));
  CHECK(memory.where(name, 1024) == at);

  memory.written(at + 2048, 64);  // elsewhere: nothing changes here
  CHECK(memory.content(at, 1024) == name);
  memory.written(at + 1000, 64);  // overlapping
  CHECK(memory.content(at, 1024) != name);
  CHECK(memory.where(name, 1024) == nullptr);

  memory.written(at, 1024, name);
  memory.touched(at + 3000);  // nobody knows where
  CHECK(memory.content(at, 1024) != name);
}

TEST_CASE("a GPU gives as much memory as it has") {
  Memory memory;
  void* const first = memory.allocate(3, 600, 1024);
  CHECK(first != nullptr);
  CHECK(memory.allocate(3, 600, 1024) == nullptr);
  CHECK(memory.release(first));
  CHECK_FALSE(memory.release(first));
  CHECK(memory.used(3) == 0);
  CHECK(memory.allocate(3, 600, 1024) != nullptr);
}
