// The two sides of a flow of messages: who starts each of them, and who is ready for them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "checks/fabric/marks.h"
#include "checks/fabric/room.h"
#include "checks/fabric/talk.h"

namespace rackproof {

enum class Op { tag, put, get, am };
Op parse_op(std::string_view);
constexpr bool is_one_sided(Op op) { return op == Op::put || op == Op::get; }

// One sample's flow, the same on both sides.
struct Flow {
  Op op = Op::tag;
  std::uint32_t sample = 0;
  std::size_t size = 0;
  std::uint64_t window = 1;
  Marks marks;
  std::uint64_t stamp(std::uint64_t sequence) const {
    // What is read by get was written before anybody knew which message it would be.
    return op == Op::get ? 0 : std::uint64_t{sample} << 32 | sequence;
  }
};

// Of an active message.
struct Header {
  ucp_tag_t tag;
  std::uint64_t sequence;
};

// Starts the messages: sends them, writes them, or (get) reads them.
class Mover {
 public:
  // `far` is for put and get, and then must outlive this.
  Mover(Talk&, Room& near, const FarRoom* far);
  Mover(const Mover&) = delete;
  Mover& operator=(const Mover&) = delete;

  void begin(const Flow&);
  bool can_start() const;
  void start();
  std::uint64_t started() const { return started_; }
  std::uint64_t ended() const { return ended_; }
  bool is_idle() const { return started_ == ended_; }
  ucs_status_t failure() const { return failure_; }  // of the first message that UCX gave up; UCS_OK: of none
  const Tally& tally() const { return tally_; }      // of what was read

 private:
  struct Ticket {
    Mover* mover = nullptr;
    std::uint64_t sequence = 0;
    bool is_marked = false;
    bool is_open = false;
  };
  ucs_status_ptr_t start_one(std::span<std::byte> from, std::uint64_t far_place, const ucp_request_param_t&);
  void end(Ticket&, ucs_status_t);

  Talk& talk_;
  Room& near_;
  const FarRoom* far_;
  Flow flow_;
  ucp_ep_h endpoint_ = nullptr;
  ucp_request_param_t param_{};
  Ticket plain_;
  std::vector<Ticket> marked_;
  std::vector<Header> headers_;  // of active messages, one a message of the window
  std::uint64_t started_ = 0;
  std::uint64_t ended_ = 0;
  ucs_status_t failure_ = UCS_OK;
  Tally tally_;
};

// Is ready for them: posts receives, takes active messages, or (put) looks at what was written.
class Keeper {
 public:
  Keeper(Talk&, Room& near);
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  void begin(const Flow&);
  // As many receives as the window asks for.
  void tend();
  std::uint64_t arrived() const { return arrived_; }
  // All `count` have arrived, or are known to have been written: what else there is to verify, and no more receives.
  void settle(std::uint64_t count);
  bool is_idle() const;  // UCX writes into the room no more
  const Tally& tally() const { return tally_; }

 private:
  struct Ticket {
    Keeper* keeper = nullptr;
    void* request = nullptr;  // null while nothing is received with it
    std::uint64_t sequence = 0;
    bool is_marked = false;
  };
  void receive(Ticket&);
  void end(Ticket&, ucs_status_t);
  ucs_status_t take(const Header&, void* data, std::size_t length, bool is_to_be_fetched);
  void fetched(Ticket&);
  std::uint64_t place_of(std::uint64_t sequence) const;

  Talk& talk_;
  Room& near_;
  Flow flow_;
  ucp_tag_t tag_ = 0;
  std::vector<Ticket> tickets_;  // a window of receives, or (active messages) one for each place
  std::vector<Ticket*> free_;
  std::vector<bool> is_filling_;  // by place: a marked message is on its way there
  std::uint64_t posted_ = 0;
  std::uint64_t arrived_ = 0;
  std::uint64_t fetching_ = 0;  // active messages that UCX is writing into the room
  Tally tally_;
};

// What marked messages hold, written once for a size: by the side whose data go over.
void fill_places(Room&, const Flow&);

}  // namespace rackproof
