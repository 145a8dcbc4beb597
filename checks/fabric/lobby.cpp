#include "checks/fabric/lobby.h"

#include <algorithm>
#include <thread>

#include "checks/api/last_word.h"
#include "checks/api/quantity.h"

namespace rackproof {
namespace {

constexpr std::chrono::milliseconds kBetweenCalls{300};
constexpr std::chrono::milliseconds kGlance{50};  // for a card, while others may be asking
constexpr std::chrono::microseconds kPause{100};
constexpr ucp_tag_t kKindOfTag = ~ucp_tag_t{0} << 56;

const char kNothing = 0;  // what a call holds: its tag says it all

std::string seconds(std::chrono::nanoseconds time) {
  return to_text(Quantity{std::chrono::duration<double>(time).count(), find_unit("s")});
}

}  // namespace

Lobby::Lobby(Ranks& ranks, Wires& wires, std::chrono::nanoseconds patience)
    : ranks_(ranks), wires_(wires), patience_(patience) {
  std::vector<RailCard> rails;
  for (const auto& wire : wires) rails.push_back(wire->card());
  ranks.put_card(encode_card(rails));
}

std::optional<std::vector<RailCard>> Lobby::card_of(int rank, std::chrono::milliseconds at_most) {
  if (const auto found = cards_.find(rank); found != cards_.end()) return found->second;
  const auto card = ranks_.card_of(rank, at_most);
  if (!card) return std::nullopt;
  return cards_[rank] = decode_card(*card);
}

// All ranks were started together, so a card that has not come long after this rank's start will not come.
void Lobby::await_card(int rank) {
  const auto end = std::max(began_ + patience_, Clock::now() + std::chrono::nanoseconds(kGlance));
  while (!card_of(rank, kGlance)) {
    attend();
    if (Clock::now() > end) throw PartnerLost{"did not start within " + seconds(patience_)};
  }
}

bool Lobby::connect(std::size_t wire, int rank) {
  const auto card = card_of(rank, kGlance);
  if (!card || wire >= card->size()) return false;
  wires_[wire]->connect(rank, (*card)[wire]);
  return true;
}

void Lobby::call(std::size_t wire, TagKind kind, int rank, int round) {
  ucp_request_param_t param = calling_->told_here();
  ++calling_->open;
  calling_->began(
      ucp_tag_send_nbx(wires_[wire]->to(rank), &kNothing, 1, make_tag(kind, round, 0, ranks_.own()), &param));
}

void Lobby::hear(std::size_t wire) {
  Wire& on = *wires_[wire];
  on.progress();
  for (const TagKind kind : {TagKind::hello, TagKind::alive, TagKind::gone}) {
    ucp_tag_recv_info_t info;
    while (ucp_tag_message_h waiting = ucp_tag_probe_nb(on.worker(), make_tag(kind, 0, 0, 0), kKindOfTag, 1, &info)) {
      char nothing = 0;
      ucp_request_param_t param{};
      ucs_status_ptr_t request =
          ucp_tag_msg_recv_nbx(on.worker(), &nothing, std::min<std::size_t>(info.length, 1), waiting, &param);
      if (UCS_PTR_IS_PTR(request)) ucp_request_free(request);
      const int rank = static_cast<int>(info.sender_tag & 0xFFFFFF);
      const Place asked{static_cast<int>(info.sender_tag >> 40 & 0xFFFF), wire};
      if (kind == TagKind::alive) alive_.insert(rank);
      if (kind == TagKind::gone) gone_.insert({rank, asked});
      if (kind != TagKind::hello) continue;
      if (asked >= here_) greeted_.insert({rank, asked});
      if (asked == here_ || !connect(wire, rank)) continue;
      try {
        call(wire, asked > here_ ? TagKind::alive : TagKind::gone, rank, asked.first);
      } catch (const PartnerLost&) {
        // It asked and is gone: its own round will tell.
      }
    }
  }
}

void Lobby::attend() {
  for (std::size_t wire = 0; wire < wires_.size(); ++wire) {
    if (wires_[wire].get() != lent_) hear(wire);
  }
}

void Lobby::meet(std::size_t wire, int partner, int round) {
  here_ = {round, wire};
  await_card(partner);
  if (!connect(wire, partner)) throw PartnerLost{"has no such rail"};
  auto end = Clock::now() + patience_;
  Clock::time_point next_call{};
  while (true) {
    if (Clock::now() >= next_call) {
      call(wire, TagKind::hello, partner, round);
      next_call = Clock::now() + kBetweenCalls;
    }
    attend();
    if (greeted_.contains({partner, here_})) return;
    if (gone_.contains({partner, here_})) throw PartnerLost{"had given up waiting for this rank"};
    if (alive_.erase(partner) > 0) end = Clock::now() + patience_;
    if (Clock::now() > end) throw PartnerLost{"did not answer within " + seconds(patience_) + " (to meet)"};
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace rackproof
