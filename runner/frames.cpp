#include "runner/frames.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

namespace rackproof {
namespace {

// Slurm may hold its step up for some 15 s; what is stuck for this long is stuck.
constexpr int kTakenWithin = 60'000;  // ms

// "@rackproof 12 345 + text": rank, number, and whether more of the line follows.
constexpr std::string_view kMark = "@rackproof ";

template <class Number>
bool take_number(std::string_view& rest, Number& number) {
  const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  const auto length = static_cast<std::size_t>(end - rest.data());
  if (code != std::errc{} || length == rest.size() || *end != ' ') return false;
  rest.remove_prefix(length + 1);
  return true;
}

// A frame is shorter than what a pipe takes at once (PIPE_BUF) when poll() calls it writable.
bool is_taken(int fd) {
  pollfd ready{fd, POLLOUT, 0};
  while (true) {
    const int found = ::poll(&ready, 1, kTakenWithin);
    if (found < 0 && errno == EINTR) continue;
    return found > 0;
  }
}

}  // namespace

bool FrameWriter::send(std::string_view line) {
  do {
    std::string frame = fmt::format("{}{} {} ", kMark, rank_, next_++);
    const std::size_t room = kLongestFrame - frame.size() - 3;
    const std::size_t now = std::min(room, line.size());
    frame += now < line.size() ? "+ " : ". ";
    frame += line.substr(0, now);
    frame += '\n';
    line.remove_prefix(now);
    for (std::string_view rest = frame; !rest.empty();) {
      if (!is_taken(fd_)) return false;
      const ssize_t written = ::write(fd_, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  } while (!line.empty());
  return true;
}

std::optional<FrameReader::Taken> FrameReader::take(std::string_view line) {
  if (!line.starts_with(kMark)) return std::nullopt;
  std::string_view rest = line.substr(kMark.size());
  Taken taken;
  std::uint64_t number = 0;
  if (!take_number(rest, taken.rank) || !take_number(rest, number) || rest.size() < 2) return std::nullopt;
  Rank& rank = ranks_[taken.rank];
  if (number != rank.next) rank.is_lost = true;
  taken.is_lost = rank.is_lost;
  if (rank.is_lost) {
    rank.partial = {};
    return taken;
  }
  ++rank.next;
  rank.partial += rest.substr(2);
  if (rest.front() == '.') taken.line = std::exchange(rank.partial, {});
  return taken;
}

}  // namespace rackproof
