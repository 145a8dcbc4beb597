// What two partners say to each other between samples: small tagged messages, and waits that end.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "checks/fabric/wire.h"

namespace rackproof {

using Clock = std::chrono::steady_clock;

// Upper eight bits of a tag; below them the round (16), a number (16: the word, or the sample) and the sender's rank
// (24).
enum class TagKind : std::uint64_t { hello = 1, alive, gone, word, data, ping, pong };
constexpr ucp_tag_t make_tag(TagKind kind, int round, std::uint64_t number, int rank) {
  return static_cast<std::uint64_t>(kind) << 56 | (static_cast<std::uint64_t>(round) & 0xFFFF) << 40 |
         (number & 0xFFFF) << 24 | (static_cast<std::uint64_t>(rank) & 0xFFFFFF);
}
constexpr ucp_tag_t kWholeTag = ~ucp_tag_t{0};

// One sentence between partners, copied as it is: both sides are the same program.
struct Message {
  enum class Word : std::uint32_t { greet = 1, order, ready, end, ack, finish, bye };
  std::uint32_t layout = sizeof(Message);  // first, so that another version is noticed
  Word word{};
  // order: one sample
  std::uint32_t sample = 0;
  std::uint32_t both = 0;  // directions at once
  std::uint64_t size = 0, window = 0, every = 0;
  std::int64_t nanoseconds = 0;  // for how long messages are started
  std::uint64_t most = 0;        // that are started at all
  // end, ack
  std::uint64_t count = 0, verified = 0, wrong = 0, wrong_at = 0;
  // finish: what the driver makes of all samples
  std::int64_t kept = 0;
  double median = 0, low = 0, high = 0, worst = 0;
  std::int64_t amount = 0, elapsed = 0;
  std::uint32_t steady = 0;
  // greet
  std::uint64_t address = 0;  // of the room that may be written to (put) or read from (get)
  std::uint32_t key_length = 0;
  char key[512] = {};
};
static_assert(std::is_trivially_copyable_v<Message>);

// A wait for a partner that lasts as long as something still moves.
class Patience {
 public:
  // `meanwhile`, where there is one, is called now and then once nothing moves.
  Patience(std::chrono::nanoseconds silence, const std::function<void()>& meanwhile)
      : silence_(silence), meanwhile_(meanwhile) {}
  // Cheap enough to be asked in every turn; `signs` is any number that changes with each sign of life.
  bool is_over(std::uint64_t signs);
  void begin_again();

 private:
  std::chrono::nanoseconds silence_;
  const std::function<void()>& meanwhile_;
  Clock::time_point end_ = Clock::time_point::max();  // set in the first quiet turn
  Clock::time_point next_look_{};
  std::uint64_t signs_ = 0;
  std::uint32_t turns_ = 0;
};

class Talk {
 public:
  // `meanwhile`: what else has to be done while this rank waits.
  Talk(Wire& wire, int own, int partner, int round, std::chrono::nanoseconds patience, std::function<void()> meanwhile)
      : wire_(wire),
        own_(own),
        partner_(partner),
        round_(round),
        patience_(patience),
        meanwhile_(std::move(meanwhile)) {}

  void say(const Message&);
  // This word, when it has come.
  std::optional<Message> heard(Message::Word);
  // Waits for it. Throws PartnerLost.
  Message await(Message::Word, const char* what);

  bool is_silent() const { return sending_.open == 0; }  // nothing said is still on its way

  Wire& wire() { return wire_; }
  int own() const { return own_; }
  int partner() const { return partner_; }
  int round() const { return round_; }
  Patience patience() const { return {patience_, meanwhile_}; }
  [[noreturn]] void give_up(const char* what) const;

 private:
  Wire& wire_;
  int own_, partner_, round_;
  std::chrono::nanoseconds patience_;
  std::function<void()> meanwhile_;
  Requests sending_;
  std::deque<Message> said_;  // UCX reads them until they are sent
};

}  // namespace rackproof
