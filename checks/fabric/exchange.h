// All that two partners measure of the bandwidth between them in one round on one rail: one direction, then the other,
// then both at once. Whoever starts the messages of a direction leads it; for both at once, the group's first member.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "checks/api/sampler.h"
#include "checks/fabric/flow.h"
#include "checks/fabric/lobby.h"
#include "checks/fabric/measured.h"
#include "checks/fabric/pace.h"

namespace rackproof {

enum class Directions { one, each, both };

struct ExchangeChoice {
  Op op = Op::tag;
  Pace asked;
  std::uint64_t every = 0;  // messages, of which one is verified; 0: none
  Directions directions = Directions::both;
  SamplerBounds bounds;
};

// Of the direction in which this rank sends.
struct Exchanged {
  std::optional<Measured> alone;
  std::optional<Measured> together;  // while the other direction was at work too
};

class Exchange {
 public:
  // The partner has been met.
  Exchange(Lobby&, Wire&, MessageMemory&, const ExchangeChoice&, int own, int partner, int round, bool is_first,
           std::chrono::nanoseconds patience);

  Exchanged run();  // throws PartnerLost

  // As a load beside which something else is measured: agrees with the partner how much is under way, and then keeps
  // both directions busy until `stop`. What this rank sent meanwhile.
  void prepare_load();
  Sample load(const std::atomic<bool>& stop);
  // Whether UCX uses nothing of this any more; waits a little for it. Else this must not be destroyed.
  bool has_ended();

 private:
  struct Part {
    bool moves = false;
    bool keeps = false;
  };
  // What one side makes of a direction in which it started the messages.
  struct Moved {
    std::optional<Measured> mine;
    std::optional<Measured> theirs;
  };
  void attend();
  void greet();
  Pace find_pace(Part);
  Moved lead(Part);
  Message end_direction(const Measured&);
  Moved follow(Part);
  Sample run_sample(const Message& order, Part, bool leads, const std::atomic<bool>* stop = nullptr);
  void finish_moving();
  Message order(const Pace&, std::uint64_t every, std::int64_t nanoseconds, std::uint64_t most, Part);
  Flow flow_of(const Message& order) const;
  void prepare(const Flow&, Part);
  std::optional<Measured>& sent(Moved& moved) { return choice_.op == Op::get ? moved.theirs : moved.mine; }

  Lobby& lobby_;
  Wire& wire_;
  ExchangeChoice choice_;
  bool is_first_;
  Talk talk_;
  Room out_;  // what this rank's data leave from
  Room in_;   // where its partner's arrive
  std::optional<FarRoom> far_;
  std::optional<Mover> mover_;
  Keeper keeper_;
  Requests flushing_;
  Pace load_pace_;
  bool is_load_ = false;
  std::uint32_t samples_ = 0;
  std::size_t filled_size_ = 0;
  std::uint64_t filled_places_ = 0;
  Tally tally_;  // of the messages that this rank started
};

}  // namespace rackproof
