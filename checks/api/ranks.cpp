#include "checks/api/ranks.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <set>

#include "checks/api/hex.h"
#include "checks/api/last_word.h"

namespace rackproof {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kLargestCard = 64 << 10;  // bytes
constexpr std::size_t kLongestAnswer = 2 * kLargestCard + 16;
// rackproof-cards answers when its own time is over; this is for the way there and back on a busy machine.
constexpr milliseconds kGrace{5'000};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::optional<int> rank_in(std::string_view text) {
  int rank = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), rank);
  if (code != std::errc{} || end != text.data() + text.size() || rank < 0) return std::nullopt;
  return rank;
}

// Takes what stands before the first `mark` out of `rest`; all of it, and null for `rest`, where there is none.
std::string_view next_before(char mark, std::optional<std::string_view>& rest) {
  const std::size_t end = rest->find(mark);
  const std::string_view first = rest->substr(0, end);
  if (end == first.npos) {
    rest.reset();
  } else {
    rest->remove_prefix(end + 1);
  }
  return first;
}

Group parse_group(std::string_view text) {
  Group group;
  std::set<int> seen;
  for (std::optional<std::string_view> rest = text; rest;) {
    const std::string_view member = next_before(',', rest);
    const std::size_t equals = member.find('=');
    const auto rank = rank_in(member.substr(0, equals));
    if (!rank || equals == member.npos || equals + 1 == member.size()) {
      throw Trouble{"'" + std::string(member) + "' is no member of a round: RANK=NODE"};
    }
    if (!seen.insert(*rank).second) throw Trouble{"rank " + std::to_string(*rank) + " is twice in one round"};
    group.push_back({*rank, std::string(member.substr(equals + 1))});
  }
  return group;
}

// One question to rackproof-cards, over a connection of its own.
class Question {
 public:
  Question(const std::string& path, milliseconds at_most) : path_(path), deadline_(Clock::now() + at_most) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) fail("the path is too long for a socket");
    path.copy(address.sun_path, path.size());
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) fail(std::strerror(errno));
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      const int why = errno;
      ::close(socket_);
      fail(std::strerror(why));
    }
  }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;
  ~Question() { ::close(socket_); }

  std::string answer_to(std::string_view request) {
    while (!request.empty()) {
      wait_for(POLLOUT);
      const ssize_t sent = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) request.remove_prefix(static_cast<std::size_t>(sent));
      if (sent < 0 && errno != EAGAIN && errno != EINTR) fail(std::strerror(errno));
    }
    std::string answer;
    char block[4096];
    while (!answer.ends_with('\n')) {
      wait_for(POLLIN);
      const ssize_t got = ::recv(socket_, block, sizeof block, MSG_DONTWAIT);
      if (got == 0 || answer.size() > kLongestAnswer) fail("it ended the conversation");
      if (got > 0) answer.append(block, static_cast<std::size_t>(got));
      if (got < 0 && errno != EAGAIN && errno != EINTR) fail(std::strerror(errno));
    }
    answer.pop_back();
    return answer;
  }

 private:
  void wait_for(short events) {
    const auto left = std::chrono::ceil<milliseconds>(deadline_ - Clock::now()).count();
    pollfd ready{socket_, events, 0};
    if (left <= 0) fail("no answer in time");
    ::poll(&ready, 1, static_cast<int>(left));
  }
  [[noreturn]] void fail(const std::string& why) { throw Trouble{"rackproof-cards at " + path_ + ": " + why}; }

  const std::string& path_;
  const Clock::time_point deadline_;
  int socket_ = -1;
};

}  // namespace

bool Ranks::are_several() { return std::getenv("RACKPROOF_RANK") != nullptr; }

Ranks Ranks::from_environment() {
  if (!are_several()) {
    throw Trouble{"it runs on several nodes at once: start it from a recipe with rackproof run --on slurm, or --on mpi"};
  }
  Ranks ranks;
  const std::string own = variable("RACKPROOF_RANK");
  const auto rank = rank_in(own);
  if (!rank) throw Trouble{"RACKPROOF_RANK is '" + own + "', which is no rank"};
  ranks.own_ = *rank;
  ranks.rounds_ = parse_rounds(variable("RACKPROOF_ROUNDS"));
  ranks.socket_ = variable("RACKPROOF_CARDS");
  if (ranks.socket_.empty()) throw Trouble{"RACKPROOF_CARDS names no socket of rackproof-cards"};
  return ranks;
}

void Ranks::put_card(std::string_view card) {
  if (card.size() > kLargestCard) throw Trouble{"a card of " + std::to_string(card.size()) + " bytes; 65536 fit"};
  const std::string answer = Question(socket_, kGrace).answer_to("put " + to_hex(card) + "\n");
  if (answer != "ok") throw Trouble{"rackproof-cards did not take the card: " + answer};
}

std::optional<std::string> Ranks::card_of(int rank, milliseconds at_most) {
  const milliseconds patience = std::max(at_most, milliseconds{0});
  const std::string answer =
      Question(socket_, patience + kGrace)
          .answer_to("get " + std::to_string(rank) + " " + std::to_string(patience.count()) + "\n");
  if (answer.starts_with("none")) return std::nullopt;
  auto card = answer.starts_with("card ") ? from_hex(answer.substr(5)) : std::nullopt;
  if (!card) throw Trouble{"rackproof-cards answers '" + answer.substr(0, 80) + "'"};
  return card;
}

std::vector<Group> parse_rounds(std::string_view text) {
  std::vector<Group> rounds;
  if (text.empty()) return rounds;
  for (std::optional<std::string_view> rest = text; rest;) {
    const std::string_view round = next_before('|', rest);
    rounds.push_back(round == "-" ? Group{} : parse_group(round));
  }
  return rounds;
}

std::string to_text(const std::vector<Group>& rounds) {
  std::string text;
  for (const Group& group : rounds) {
    if (&group != &rounds.front()) text += '|';
    if (group.empty()) text += '-';
    for (const Member& member : group) {
      if (&member != &group.front()) text += ',';
      text += std::to_string(member.rank) + "=" + member.node;
    }
  }
  return text;
}

}  // namespace rackproof
