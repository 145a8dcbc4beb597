#include "checks/fabric/talk.h"

#include <thread>

#include "checks/api/last_word.h"
#include "checks/api/quantity.h"

namespace rackproof {
namespace {

constexpr std::chrono::milliseconds kQuiet{100};  // without anything that moves

}  // namespace

bool Patience::is_over(std::uint64_t signs) {
  if (signs != signs_) {
    signs_ = signs;
    turns_ = 0;
    end_ = Clock::time_point::max();
    return false;
  }
  // The clock costs more than a turn; and who waits long lets others have the processor.
  if (++turns_ % 256 != 0) return false;
  if (turns_ > 1u << 16) std::this_thread::yield();
  const auto now = Clock::now();
  if (end_ == Clock::time_point::max()) {
    end_ = now + silence_;
    next_look_ = now + kQuiet;
  }
  if (meanwhile_ && now > next_look_) {
    meanwhile_();
    next_look_ = now + kQuiet;
  }
  return now > end_;
}

void Patience::begin_again() {
  end_ = Clock::now() + silence_;
  turns_ = 0;
}

void Talk::say(const Message& message) {
  if (sending_.open == 0) said_.clear();
  said_.push_back(message);
  ucp_request_param_t param = sending_.told_here();
  ++sending_.open;
  sending_.began(ucp_tag_send_nbx(wire_.to(partner_), &said_.back(), sizeof(Message),
                                  make_tag(TagKind::word, round_, static_cast<std::uint64_t>(message.word), own_),
                                  &param));
}

std::optional<Message> Talk::heard(Message::Word word) {
  ucp_tag_recv_info_t info;
  const ucp_tag_t tag = make_tag(TagKind::word, round_, static_cast<std::uint64_t>(word), partner_);
  ucp_tag_message_h waiting = ucp_tag_probe_nb(wire_.worker(), tag, kWholeTag, 1, &info);
  if (waiting == nullptr) return std::nullopt;
  Message message;
  if (info.length != sizeof(Message)) throw PartnerLost{"speaks another version of this check"};
  ucp_request_param_t param{};
  ucs_status_ptr_t receiving = ucp_tag_msg_recv_nbx(wire_.worker(), &message, sizeof message, waiting, &param);
  if (UCS_PTR_IS_ERR(receiving)) throw_lost(UCS_PTR_STATUS(receiving));
  if (UCS_PTR_IS_PTR(receiving)) {
    // All of it lies here already or is on its way in pieces; what takes longer than patience has been lost.
    const auto end = Clock::now() + patience_;
    while (ucp_request_check_status(receiving) == UCS_INPROGRESS) {
      wire_.progress();
      if (Clock::now() > end) give_up("in the middle of a word");
    }
    ucp_request_free(receiving);
  }
  if (message.layout != sizeof(Message)) throw PartnerLost{"speaks another version of this check"};
  return message;
}

Message Talk::await(Message::Word word, const char* what) {
  Patience patience = this->patience();
  while (true) {
    wire_.progress();
    if (const auto message = heard(word)) return *message;
    if (patience.is_over(0)) give_up(what);
    wire_.to(partner_);  // throws when it has failed
  }
}

void Talk::give_up(const char* what) const {
  const Quantity seconds{std::chrono::duration<double>(patience_).count(), find_unit("s")};
  throw PartnerLost{"did not answer within " + to_text(seconds) + " (" + what + ")"};
}

}  // namespace rackproof
