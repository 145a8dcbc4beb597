#include "checks/fabric/exchange.h"

#include <algorithm>
#include <limits>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

constexpr std::chrono::milliseconds kEnding{500};
constexpr std::uint64_t kAnyNumber = std::numeric_limits<std::uint64_t>::max();

std::size_t room_for(const ExchangeChoice& choice) {
  const Marks marks = Marks::of(choice.every, choice.asked.window, 0);
  return static_cast<std::size_t>(marks.room()) * choice.asked.size;
}

std::int64_t since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

}  // namespace

Exchange::Exchange(Lobby& lobby, Wire& wire, MessageMemory& memory, const ExchangeChoice& choice, int own, int partner,
                   int round, bool is_first, std::chrono::nanoseconds patience)
    : lobby_(lobby),
      wire_(wire),
      choice_(choice),
      is_first_(is_first),
      talk_(wire, own, partner, round, patience, [this] { attend(); }),
      out_(wire, memory, room_for(choice)),
      in_(wire, memory, room_for(choice)),
      keeper_(talk_, in_) {}

void Exchange::attend() {
  if (!is_load_) lobby_.attend();  // which belongs to another thread than the load's
}

void Exchange::greet() {
  Message greeting{.word = Message::Word::greet};
  greeting.size = choice_.asked.size;
  greeting.window = choice_.asked.window;
  greeting.every = choice_.every;
  greeting.sample = static_cast<std::uint32_t>(choice_.op);
  greeting.both = static_cast<std::uint32_t>(choice_.directions);
  if (is_one_sided(choice_.op)) {
    const Room& room = choice_.op == Op::get ? out_ : in_;
    const std::string key = room.key();
    if (key.size() > sizeof greeting.key) throw Trouble{"UCX's key to memory is longer than this check takes"};
    greeting.address = room.address();
    greeting.key_length = static_cast<std::uint32_t>(key.size());
    std::ranges::copy(key, greeting.key);
  }
  talk_.say(greeting);
  const Message theirs = talk_.await(Message::Word::greet, "to agree what to measure");
  if (theirs.size != greeting.size || theirs.window != greeting.window || theirs.every != greeting.every ||
      theirs.sample != greeting.sample || theirs.both != greeting.both) {
    throw PartnerLost{"measures with other parameters"};
  }
  if (is_one_sided(choice_.op)) {
    const std::string key(theirs.key, std::min<std::size_t>(theirs.key_length, sizeof theirs.key));
    far_.emplace(wire_.to(talk_.partner()), theirs.address, key);
  }
  mover_.emplace(talk_, choice_.op == Op::get ? in_ : out_, far_ ? &*far_ : nullptr);
}

Exchanged Exchange::run() {
  greet();
  Exchanged result;
  // Who starts the messages of the first member's direction.
  const bool moves_first = is_first_ != (choice_.op == Op::get);
  const auto direction = [&](bool is_of_first) {
    const bool moves = moves_first == is_of_first;
    const Part part{.moves = moves, .keeps = !moves};
    Moved moved = moves ? lead(part) : follow(part);
    if (is_first_ == is_of_first) result.alone = sent(moved);
  };
  direction(true);
  if (choice_.directions != Directions::one) direction(false);
  if (choice_.directions == Directions::both) {
    const Part part{.moves = true, .keeps = true};
    Moved moved = is_first_ ? lead(part) : follow(part);
    result.together = sent(moved);
  }
  return result;
}

Message Exchange::order(const Pace& pace, std::uint64_t every, std::int64_t nanoseconds, std::uint64_t most,
                        Part part) {
  Message order{.word = Message::Word::order, .sample = ++samples_};
  order.both = part.moves && part.keeps ? 1 : 0;
  order.size = pace.size;
  order.window = pace.window;
  order.every = every;
  order.nanoseconds = nanoseconds;
  order.most = most;
  return order;
}

Pace Exchange::find_pace(Part part) {
  Probes probes(choice_.asked);
  while (true) {
    const Pace pace{probes.size(), std::min(choice_.asked.window, probes.count())};
    const Message once = order(pace, 0, std::numeric_limits<std::int64_t>::max(), probes.count(), part);
    if (probes.is_enough(run_sample(once, part, true).nanoseconds)) return fitting_pace(probes.speed(), choice_.asked);
  }
}

Message Exchange::end_direction(const Measured& measured) {
  Message finish{.word = Message::Word::finish};
  put_into(finish, measured);
  talk_.say(finish);
  return talk_.await(Message::Word::bye, "to end a direction");
}

Exchange::Moved Exchange::lead(Part part) {
  Pace pace = find_pace(part), used = pace;
  tally_ = {};
  Measured measured;
  measured.estimate = sample(
      [&] {
        attend();
        const Sample took = run_sample(order(pace, choice_.every, kSampleTime, kAnyNumber, part), part, true);
        used = pace;
        pace = adjusted_pace(pace, static_cast<std::size_t>(took.amount), took.nanoseconds, choice_.asked);
        return took;
      },
      choice_.bounds);
  measured.pace = used;
  measured.tally = tally_;
  const Message bye = end_direction(measured);
  Moved moved{.mine = measured, .theirs = std::nullopt};
  if (part.keeps) moved.theirs = measured_in(bye);
  return moved;
}

Exchange::Moved Exchange::follow(Part part) {
  std::vector<Sample> samples;
  Pace pace;
  tally_ = {};
  Patience patience = talk_.patience();
  while (true) {
    attend();
    if (const auto order = talk_.heard(Message::Word::order)) {
      pace = {static_cast<std::size_t>(order->size), order->window};
      if (pace.size > choice_.asked.size || pace.window > choice_.asked.window) {
        throw PartnerLost{"asks for more than was agreed"};
      }
      const Sample took = run_sample(*order, part, false);
      if (order->most == kAnyNumber) samples.push_back(took);
      patience.begin_again();
      continue;
    }
    if (const auto finish = talk_.heard(Message::Word::finish)) {
      Moved moved{.mine = std::nullopt, .theirs = measured_in(*finish)};
      Message bye{.word = Message::Word::bye};
      if (part.moves && !samples.empty()) {
        moved.mine = Measured{last_of(samples, finish->kept, finish->steady != 0), pace, tally_};
        put_into(bye, *moved.mine);
      }
      talk_.say(bye);
      return moved;
    }
    wire_.to(talk_.partner());
    if (patience.is_over(0)) talk_.give_up("between two samples");
  }
}

void Exchange::prepare_load() {
  greet();
  const Part part{.moves = true, .keeps = true};
  if (is_first_) {
    load_pace_ = find_pace(part);
    end_direction({});
  } else {
    follow(part);
  }
}

Sample Exchange::load(const std::atomic<bool>& stop) {
  is_load_ = true;
  const Part part{.moves = true, .keeps = true};
  const std::int64_t for_ever = std::numeric_limits<std::int64_t>::max();
  const Message begin = is_first_ ? order(load_pace_, 0, for_ever, kAnyNumber, part)
                                  : talk_.await(Message::Word::order, "to begin the load");
  return run_sample(begin, part, is_first_, &stop);
}

Flow Exchange::flow_of(const Message& order) const {
  return {.op = choice_.op,
          .sample = order.sample,
          .size = static_cast<std::size_t>(order.size),
          .window = order.window,
          .marks = Marks::of(order.every, order.window, order.sample)};
}

// The side whose data go over fills them in, where they were not filled in like that before.
void Exchange::prepare(const Flow& flow, Part part) {
  const bool is_source = choice_.op == Op::get ? part.keeps : part.moves;
  if (!is_source || (flow.size == filled_size_ && flow.marks.room() <= filled_places_)) return;
  fill_places(out_, flow);
  filled_size_ = flow.size;
  filled_places_ = flow.marks.room();
}

void Exchange::finish_moving() {
  if (choice_.op == Op::put) {
    ucp_request_param_t param = flushing_.told_here();
    ++flushing_.open;
    flushing_.began(ucp_ep_flush_nbx(wire_.to(talk_.partner()), &param));
    Patience patience = talk_.patience();
    while (flushing_.open > 0) {
      wire_.progress();
      if (patience.is_over(0)) talk_.give_up("to take what was written");
    }
  }
  if (choice_.op == Op::get) add(tally_, mover_->tally());
  Message end{.word = Message::Word::end};
  end.count = mover_->started();
  talk_.say(end);
}

Sample Exchange::run_sample(const Message& order, Part part, bool leads, const std::atomic<bool>* stop) {
  const Flow flow = flow_of(order);
  prepare(flow, part);
  if (part.keeps) keeper_.begin(flow);
  if (part.keeps) keeper_.tend();
  if (part.moves) mover_->begin(flow);
  if (leads) {
    talk_.say(order);
    talk_.await(Message::Word::ready, "to begin a sample");
  } else {
    talk_.say({.word = Message::Word::ready});
  }

  const auto start = Clock::now();
  bool is_moving = part.moves, is_acknowledged = !part.moves, has_kept = !part.keeps;
  std::optional<std::uint64_t> promised;  // how many the partner started
  std::int64_t elapsed = 0;
  Patience patience = talk_.patience();
  while (!is_acknowledged || !has_kept) {
    if (is_moving) {
      const bool is_over = stop != nullptr ? stop->load(std::memory_order_relaxed)
                                           : mover_->started() > 0 && since(start) >= order.nanoseconds;
      // Messages may end as soon as they start, so that a window never fills.
      const std::uint64_t enough = std::min(order.most, mover_->started() + flow.window);
      while (!is_over && mover_->started() < enough && mover_->can_start()) mover_->start();
      if ((is_over || mover_->started() == order.most) && mover_->is_idle()) {
        finish_moving();
        is_moving = false;
      }
    }
    if (!has_kept) keeper_.tend();
    if (wire_.progress() == 0) {
      if (!has_kept && !promised) {
        if (const auto end = talk_.heard(Message::Word::end)) promised = end->count;
      }
      if (!is_moving && !is_acknowledged) {
        if (const auto ack = talk_.heard(Message::Word::ack)) {
          is_acknowledged = true;
          elapsed = since(start);
          add(tally_, {ack->verified, ack->wrong, ack->wrong_at});
        }
      }
      if (patience.is_over((part.moves ? mover_->ended() : 0) + keeper_.arrived())) {
        talk_.give_up(is_moving ? "in the middle of a sample" : "at the end of a sample");
      }
    }
    wire_.to(talk_.partner());  // throws when it has failed
    // What UCX did not carry must not count as carried, however soon it was done with it.
    if (part.moves && mover_->failure() != UCS_OK) throw_lost(mover_->failure());
    in_.memory().check();
    if (promised && !has_kept && (is_one_sided(choice_.op) || keeper_.arrived() >= *promised)) {
      keeper_.settle(*promised);
      Message ack{.word = Message::Word::ack};
      ack.verified = keeper_.tally().verified;
      ack.wrong = keeper_.tally().wrong;
      ack.wrong_at = keeper_.tally().wrong_at;
      talk_.say(ack);
      has_kept = true;
    }
  }
  return {.amount = part.moves ? static_cast<std::int64_t>(mover_->started() * flow.size) : 0, .nanoseconds = elapsed};
}

bool Exchange::has_ended() {
  const auto end = Clock::now() + kEnding;
  while (Clock::now() < end) {
    wire_.progress();
    if (keeper_.is_idle() && (!mover_ || mover_->is_idle()) && flushing_.open == 0 && talk_.is_silent()) return true;
  }
  return false;
}

}  // namespace rackproof
