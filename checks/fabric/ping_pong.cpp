#include "checks/fabric/ping_pong.h"

#include <algorithm>
#include <limits>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

// What one reading of the clock takes, the least of many: each round trip holds one.
std::int64_t clock_cost() {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < 1000; ++i) {
    const auto one = Clock::now();
    const auto next = Clock::now();
    least = std::min(least, std::chrono::duration_cast<std::chrono::nanoseconds>(next - one).count());
  }
  return least;
}

constexpr std::int64_t kTime = 50'000'000;       // ns of one sample
constexpr char kMore = 0, kLast = 1, kDone = 2;  // the first byte of a ping: of this sample, of all

}  // namespace

PingPong::PingPong(Lobby& lobby, Wire& wire, std::size_t size, int own, int partner, int round,
                   std::chrono::nanoseconds patience)
    : lobby_(lobby),
      wire_(wire),
      talk_(wire, own, partner, round, patience, [this] { lobby_.attend(); }),
      sent_(size),
      received_(size),
      clock_cost_(clock_cost()) {}

void PingPong::send(TagKind kind, char first) {
  sent_[0] = first;
  ucp_request_param_t param = sending_.told_here();
  ++sending_.open;
  sending_.began(ucp_tag_send_nbx(wire_.to(talk_.partner()), sent_.data(), sent_.size(),
                                  make_tag(kind, talk_.round(), 0, talk_.own()), &param));
  Patience patience = talk_.patience();
  while (sending_.open > 0) {
    wire_.progress();
    if (patience.is_over(0)) talk_.give_up("to take a message");
  }
}

char PingPong::receive(TagKind kind) {
  ucp_request_param_t param{};
  param.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FIELD_MEMORY_TYPE;
  param.memory_type = UCS_MEMORY_TYPE_HOST;
  param.user_data = &receiving_;
  param.cb.recv = [](void* request, ucs_status_t status, const ucp_tag_recv_info_t*, void* requests) {
    static_cast<Requests*>(requests)->ended(status);
    ucp_request_free(request);
  };
  ++receiving_.open;
  receiving_.began(ucp_tag_recv_nbx(wire_.worker(), received_.data(), received_.size(),
                                    make_tag(kind, talk_.round(), 0, talk_.partner()), kWholeTag, &param));
  Patience patience = talk_.patience();
  while (receiving_.open > 0) {
    if (wire_.progress() > 0) continue;
    if (patience.is_over(0)) talk_.give_up("in the middle of a sample");
    wire_.to(talk_.partner());  // throws when it has failed
  }
  return received_[0];
}

Sample PingPong::take(Batch& batch) {
  const auto start = Clock::now();
  auto before = start;
  std::int64_t elapsed = 0;
  do {
    send(TagKind::ping, kMore);
    receive(TagKind::pong);
    const auto now = Clock::now();
    const std::int64_t trip = std::chrono::duration_cast<std::chrono::nanoseconds>(now - before).count();
    batch.push_back(std::max<std::int64_t>(trip - clock_cost_, 1));
    before = now;
    elapsed = std::chrono::duration_cast<std::chrono::nanoseconds>(now - start).count();
  } while (elapsed < kTime);
  send(TagKind::ping, kLast);  // not timed
  receive(TagKind::pong);
  return {.amount = std::ssize(batch), .nanoseconds = elapsed};
}

Pinged PingPong::ping(const SamplerBounds& bounds) {
  talk_.await(Message::Word::ready, "to begin round trips");
  Pinged pinged;
  const Estimate estimate = sample(
      [&] {
        lobby_.attend();
        Batch& batch = pinged.batches.emplace_back();
        return take(batch);
      },
      bounds);
  send(TagKind::ping, kDone);
  receive(TagKind::pong);
  const auto kept = static_cast<std::ptrdiff_t>(estimate.samples.n);
  pinged.batches.erase(pinged.batches.begin(), pinged.batches.end() - kept);
  pinged.is_steady = estimate.samples.steady;
  return pinged;
}

void PingPong::pong() {
  talk_.say({.word = Message::Word::ready});
  char said = kMore;
  while (said != kDone) {
    said = receive(TagKind::ping);
    send(TagKind::pong, said);
    if (said == kLast) lobby_.attend();
  }
}

bool PingPong::has_ended() { return sending_.open == 0 && receiving_.open == 0 && talk_.is_silent(); }

}  // namespace rackproof
