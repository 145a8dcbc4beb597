#include "tests/simulator/timeline.h"

#include <algorithm>
#include <limits>

namespace rackproof::simulator {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

StreamId Timeline::add_stream(int gpu) {
  const StreamId id = ++last_id_;
  auto queue = std::make_unique<Queue>();
  queue->gpu = gpu;
  order_.push_back(queue.get());
  streams_.emplace(id, std::move(queue));
  return id;
}

bool Timeline::remove_stream(StreamId id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return false;
  run();
  std::erase(order_, found->second.get());
  if (std::erase(running_, found->second.get()) > 0 && found->second->is_flowing) resources_.leave(found->second->flow);
  streams_.erase(found);
  return true;
}

EventId Timeline::add_event() {
  events_.emplace(++last_id_, Point{});
  return last_id_;
}

bool Timeline::remove_event(EventId id) { return events_.erase(id) > 0; }

void Timeline::enqueue(StreamId id, Work work) {
  Queue& queue = *streams_.at(id);
  if (const auto delay = delays_.find(id); delay != delays_.end()) {
    work.fixed_ns += delay->second;
    delays_.erase(delay);
  }
  queue.items.push_back({Item::Kind::work, std::move(work), 0, 0});
}

void Timeline::record(StreamId stream, EventId id) {
  Point& point = events_.at(id);
  Item item;
  item.kind = Item::Kind::record;
  item.event = id;
  item.generation = ++point.recorded;
  streams_.at(stream)->items.push_back(std::move(item));
}

void Timeline::await(StreamId stream, EventId id) {
  Item item;
  item.kind = Item::Kind::await;
  item.event = id;
  item.generation = events_.at(id).recorded;
  streams_.at(stream)->items.push_back(std::move(item));
}

// Takes what costs no time off the front of a queue, and starts the work behind it; true when anything changed.
bool Timeline::step(Queue& queue) {
  bool has_changed = false;
  while (!queue.is_running && !queue.items.empty()) {
    Item& item = queue.items.front();
    const auto point = item.kind == Item::Kind::work ? events_.end() : events_.find(item.event);
    if (item.kind == Item::Kind::record) {
      if (point != events_.end() && item.generation > point->second.happened) {
        point->second.happened = item.generation;
        point->second.at = now_;
      }
      queue.items.pop_front();
    } else if (item.kind == Item::Kind::await) {
      if (point != events_.end() && point->second.happened < item.generation) return has_changed;
      queue.items.pop_front();
    } else {
      Work& work = item.work;
      if (is_lost && is_lost(work.gpu, now_)) {
        if (work.meeting && queue.has_come) --work.meeting->arrived;
        queue.has_come = false;
        queue.items.pop_front();
        has_changed = true;
        continue;
      }
      if (is_hung && is_hung(work.gpu)) return has_changed;
      if (work.may_begin && !work.may_begin()) return has_changed;
      if (work.meeting) {
        if (!queue.has_come) {
          queue.has_come = true;
          ++work.meeting->arrived;
          has_changed = true;
        }
        if (work.meeting->arrived < work.meeting->expected) return has_changed;
        if (work.meeting->others && !work.meeting->others(now_)) return has_changed;
      }
      if (on_begin) work.scale = on_begin(work, now_);
      if (work.begun) work.begun(now_);
      queue.has_come = false;
      queue.is_running = true;
      queue.began = now_;
      queue.fixed_until = now_ + work.fixed_ns + (work.meeting ? work.meeting->longer_ns : 0);
      queue.left = work.amount * work.scale;
      queue.is_flowing = false;
      running_.push_back(&queue);
      if (work.fixed_ns <= 0) start_flow(queue);
    }
    has_changed = true;
  }
  return has_changed;
}

bool Timeline::start_what_can() {
  bool has_any = false;
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    for (Queue* queue : order_) {
      if (!queue->is_running && !queue->items.empty()) has_changed = step(*queue) || has_changed;
    }
    has_any = has_any || has_changed;
  }
  return has_any;
}

void Timeline::start_flow(Queue& queue) {
  if (queue.left <= 0) return;
  const Work& work = queue.items.front().work;
  queue.flow.path = work.path;
  queue.flow.rate_cap = work.rate_cap;
  queue.is_flowing = true;
  if (resources_.enter(queue.flow)) share_again();
}

void Timeline::share_again() {
  std::vector<Flow*> flows;
  for (Queue* queue : running_) {
    if (queue->is_flowing) flows.push_back(&queue->flow);
  }
  resources_.share(flows);
}

double Timeline::next_end() const {
  double next = kNever;
  for (const Queue* queue : running_) {
    if (queue->is_flowing) {
      if (queue->flow.rate > 0) next = std::min(next, now_ + queue->left / queue->flow.rate);
    } else {
      next = std::min(next, std::max(now_, queue->fixed_until));
    }
  }
  return next;
}

void Timeline::finish(Queue& queue) {
  if (queue.is_flowing && resources_.leave(queue.flow)) {
    queue.is_flowing = false;
    share_again();
  }
  queue.is_flowing = false;
  queue.is_running = false;
  Work work = std::move(queue.items.front().work);
  queue.items.pop_front();
  if (on_end) on_end(work, queue.began, now_);
  if (work.act && !(is_lost && is_lost(work.gpu, now_))) work.act();
}

void Timeline::advance_to(double next) {
  const double passed = next - now_;
  now_ = next;
  // A billionth of what there was is rounding, not work.
  for (Queue* queue : running_) {
    if (queue->is_flowing) queue->left -= queue->flow.rate * passed;
  }
  std::vector<Queue*> ended;
  for (Queue* queue : running_) {
    if (queue->is_flowing) {
      if (queue->left <= queue->flow.rate * 1e-3) ended.push_back(queue);  // within a picosecond
    } else if (queue->fixed_until <= now_) {
      if (queue->left > 0) {
        start_flow(*queue);
      } else {
        ended.push_back(queue);
      }
    }
  }
  for (Queue* queue : ended) {
    std::erase(running_, queue);
    finish(*queue);
  }
}

void Timeline::run() {
  while (true) {
    start_what_can();
    if (running_.empty()) return;
    const double next = next_end();
    if (next == kNever) return;
    advance_to(next);
  }
}

bool Timeline::is_idle(StreamId id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() || found->second->items.empty();
}

std::size_t Timeline::queued(StreamId id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? 0 : found->second->items.size();
}

bool Timeline::is_gpu_idle(int gpu) const {
  return std::ranges::all_of(order_, [&](const Queue* queue) { return queue->gpu != gpu || queue->items.empty(); });
}

bool Timeline::has_happened(EventId id) const {
  const auto found = events_.find(id);
  return found == events_.end() || found->second.happened >= found->second.recorded;
}

double Timeline::time_ns(EventId id) const {
  const auto found = events_.find(id);
  return found == events_.end() ? 0 : found->second.at;
}

}  // namespace rackproof::simulator
