// Device time: streams of work, each in order, all against each other, on one clock that only moves when somebody waits.
// A ten-minute load takes as long as counting it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "tests/simulator/flows.h"

namespace rackproof::simulator {

using StreamId = std::uint64_t;
using EventId = std::uint64_t;

// A thing that happens when several streams have come to it (a collective): it begins when all have.
struct Meeting {
  int expected = 0;
  int arrived = 0;
  int departed = 0;
  // Whether those have come too who are not on this clock; asked when all have who are. Empty: there are none.
  std::function<bool(double now_ns)> others;
  double longer_ns = 0;  // that it takes because of them
};

struct Work {
  double fixed_ns = 0;  // before and beside what flows
  double amount = 0;    // of what flows: bytes, or ns of a GPU's arithmetic
  std::vector<ResourceId> path;
  double rate_cap = 0;                     // amount per ns; 0: none
  std::function<bool()> may_begin;         // empty: at once
  std::shared_ptr<Meeting> meeting;        // begins when everybody has come; each of them then runs for itself
  std::function<void(double now_ns)> begun;  // may still change `amount` of nobody; for book-keeping
  std::function<void()> act;               // the real work, done at its end in the order of ends
  int gpu = -1;                            // whose work it is
  int load = 0;                            // what kind, for whoever keeps account
  double scale = 1;                        // set at its begin by Timeline::on_begin: amount is multiplied by it
};

class Timeline {
 public:
  explicit Timeline(Resources& resources) : resources_(resources) {}

  StreamId add_stream(int gpu);
  bool remove_stream(StreamId);  // what is queued in it still runs
  bool has_stream(StreamId id) const { return streams_.contains(id); }
  EventId add_event();
  bool remove_event(EventId);
  bool has_event(EventId id) const { return events_.contains(id); }

  void enqueue(StreamId, Work);
  // The next work that is put into this stream takes so much longer: a GPU that comes late to what follows.
  void delay_next(StreamId id, double ns) { delays_[id] += ns; }
  void record(StreamId, EventId);
  void await(StreamId, EventId);

  // Lets time pass until nothing more can happen.
  void run();

  double now_ns() const { return now_; }
  bool is_idle(StreamId) const;
  std::size_t queued(StreamId) const;  // what has not ended
  bool is_gpu_idle(int gpu) const;
  // A recorded event that has happened, and when. One never recorded has happened, as CUDA has it.
  bool has_happened(EventId) const;
  double time_ns(EventId) const;

  // Called at the begin of each piece of work with the GPU it belongs to; returns by what to multiply its amount.
  std::function<double(const Work&, double now_ns)> on_begin;
  // Called when a GPU was busy from one time to another, in order.
  std::function<void(const Work&, double from_ns, double to_ns)> on_end;
  // Whether a GPU is gone: its work then ends at once without its act.
  std::function<bool(int gpu, double now_ns)> is_lost;
  // Whether a GPU begins nothing any more.
  std::function<bool(int gpu)> is_hung;

 private:
  struct Item {
    enum class Kind { work, record, await } kind = Kind::work;
    Work work;
    EventId event = 0;
    std::uint64_t generation = 0;  // of the event, for await
  };
  struct Queue {
    int gpu = -1;
    std::deque<Item> items;
    bool is_running = false;
    bool has_come = false;  // to the meeting of its first item
    double began = 0;
    double fixed_until = 0;
    double left = 0;
    Flow flow;
    bool is_flowing = false;
    bool is_removed = false;
  };
  struct Point {
    std::uint64_t recorded = 0;  // times
    std::uint64_t happened = 0;
    double at = 0;
  };

  bool start_what_can();
  bool step(Queue&);
  void finish(Queue&);
  void start_flow(Queue&);
  void share_again();
  double next_end() const;
  void advance_to(double);

  Resources& resources_;
  std::unordered_map<StreamId, std::unique_ptr<Queue>> streams_;
  std::vector<Queue*> order_;    // by creation, so that ties have one order
  std::vector<Queue*> running_;
  std::unordered_map<EventId, Point> events_;
  std::unordered_map<StreamId, double> delays_;
  std::uint64_t last_id_ = 0;
  double now_ = 0;
};

}  // namespace rackproof::simulator
