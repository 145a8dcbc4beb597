#include "runner/text_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "checks/api/utf8.h"

namespace rackproof {
namespace {

constexpr std::size_t kLargestFile = 1u << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The whole file, or its first kLargestFile + 1 bytes; -1 with errno. Pipes are read too: a recipe may be generated.
ssize_t read_bounded(const std::string& file, std::string& text) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return -1;
  text.resize(kLargestFile + 1);
  std::size_t filled = 0;
  ssize_t got = 0;
  while (filled < text.size()) {
    got = ::read(fd, text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  const int why = errno;
  ::close(fd);
  errno = why;
  text.resize(filled);
  return got < 0 ? -1 : static_cast<ssize_t>(filled);
}

// YAML 1.2, production 1 (c-printable), without the C1 controls' one exception, U+0085, that nobody types.
bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return (first < 0x20 && first != '\t' && first != '\n' && first != '\r') || first == 0x7F;
  return first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
}

}  // namespace

void check_text(std::string_view file, std::string_view text) {
  Place place{file, 1, 1};
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    const std::size_t length = utf8_sequence(text);
    if (length == 0) refuse(place, fmt::format("byte 0x{:02x} is not UTF-8, in which this file must be", byte));
    if (byte == 0) refuse(place, "a NUL byte: this is not a text file");
    if (is_control(text.substr(0, length))) {
      refuse(place, fmt::format("a control character (0x{:02x}) may not stand in YAML",
                                static_cast<unsigned char>(text[length - 1])));
    }
    if (byte == '\r' && !text.substr(1).starts_with('\n')) {
      refuse(place, "a carriage return without a line feed: lines end with a line feed, alone or after one");
    }
    ++place.column;
    if (byte == '\n') place = {file, place.line + 1, 1};
    text.remove_prefix(length);
  }
}

std::string read_text_file(const std::string& file, const Place& asked_from) {
  std::string text;
  const Place itself{file, 0, 0};
  if (read_bounded(file, text) < 0) {
    const std::string why = errno == EISDIR ? "is a directory, not a file" : std::strerror(errno);
    if (asked_from.line == 0) refuse(itself, why);
    refuse(asked_from, fmt::format("cannot read '{}': {}", file, why));
  }
  if (text.size() > kLargestFile) refuse(itself, "is larger than 1 MiB, which no recipe or limits file is");
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  check_text(file, text);
  return text;
}

}  // namespace rackproof
