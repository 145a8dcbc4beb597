#include "checks/gpu/kernel_log.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace rackproof {
namespace {

constexpr const char* kMessages = "/dev/kmsg";
constexpr const char* kFile = "/var/log/kern.log";
constexpr std::size_t kMostBytes = 64u << 20;  // more than any kernel's buffer
constexpr std::size_t kCut = (1u << 20) - 1;   // SysRoot reads a mebibyte, less its last newline

template <class Number>
std::optional<Number> number_at(std::string_view text) {
  Number number{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc{} ? std::optional(number) : std::nullopt;
}

// Each read gives one record; EPIPE: records were overwritten meanwhile, and reading goes on with the oldest there is.
KernelLog read_messages() {
  KernelLog log{.text = {}, .source = kMessages, .why_not = {}};
  const int file = ::open(kMessages, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) {
    log.why_not = std::string(kMessages) + ": " + std::strerror(errno);
    return log;
  }
  std::string text;
  std::array<char, 8192> record;  // the kernel's own bound on one
  while (text.size() < kMostBytes) {
    const ssize_t got = ::read(file, record.data(), record.size());
    if (got < 0 && (errno == EINTR || errno == EPIPE)) continue;
    if (got < 0 && errno != EAGAIN) log.why_not = std::string(kMessages) + ": " + std::strerror(errno);
    if (got <= 0) break;
    if (std::string line = kmsg_line({record.data(), static_cast<std::size_t>(got)}); !line.empty()) {
      text += line + "\n";
    }
  }
  ::close(file);
  if (!log.why_not.empty()) return log;
  log.text = std::move(text);
  timespec now{};
  if (::clock_gettime(CLOCK_MONOTONIC, &now) == 0) {
    log.now_s = static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
  }
  return log;
}

// "… [  600.125000] NVRM: …": what stands in the last brackets before the message.
std::optional<double> stamp_before(std::string_view line) {
  const std::size_t end = line.rfind(']');
  const std::size_t begin = end == line.npos ? end : line.rfind('[', end);
  if (begin == line.npos) return std::nullopt;
  std::string_view inside = line.substr(begin + 1, end - begin - 1);
  inside.remove_prefix(std::min(inside.find_first_not_of(' '), inside.size()));
  return number_at<double>(inside);
}

// "(PCI:0000:17:00): 79, …", or without "PCI:" from older drivers.
std::optional<Xid> xid_at(std::string_view text) {
  if (!text.starts_with('(')) return std::nullopt;
  const std::size_t end = text.find("): ");
  if (end == text.npos) return std::nullopt;
  std::string_view address = text.substr(1, end - 1);
  if (address.starts_with("PCI:")) address.remove_prefix(4);
  const auto code = number_at<std::int64_t>(text.substr(end + 3));
  if (!code || address.empty()) return std::nullopt;
  return Xid{.address = std::string(address), .code = *code, .of_switch = false, .stamp_s = {}};
}

}  // namespace

std::string kmsg_line(std::string_view record) {
  const std::size_t semicolon = record.find(';');
  if (semicolon == record.npos) return "";
  std::string_view head = record.substr(0, semicolon);
  std::string_view message = record.substr(semicolon + 1);
  message = message.substr(0, message.find('\n'));
  for (int field = 0; field < 2; ++field) {
    const std::size_t comma = head.find(',');
    if (comma == head.npos) return "";
    head.remove_prefix(comma + 1);
  }
  const auto us = number_at<std::int64_t>(head);
  if (!us) return "";
  std::string fraction = std::to_string(*us % 1'000'000);
  fraction.insert(0, 6 - fraction.size(), '0');
  return "[" + std::to_string(*us / 1'000'000) + "." + fraction + "] " + std::string(message);
}

KernelLog read_kernel_log(const SysRoot& root) {
  if (root.is_real()) return read_messages();
  KernelLog log{.text = root.text(kFile), .source = root.directory() + kFile, .why_not = {}};
  if (!log.text) log.why_not = log.source + " is not there";
  if (log.text && log.text->size() >= kCut) {
    log.text.reset();
    log.why_not = log.source + " is longer than 1 MiB";
  }
  return log;
}

std::vector<Xid> find_xids(std::string_view log) {
  std::vector<Xid> found;
  while (!log.empty()) {
    const std::size_t end = std::min(log.find('\n'), log.size());
    const std::string_view line = log.substr(0, end);
    log.remove_prefix(std::min(end + 1, log.size()));
    // Only the driver's own lines: a program may write the word to the log too.
    for (const std::string_view mark : {"NVRM: Xid ", ": SXid "}) {
      const std::size_t at = line.find(mark);
      if (at == line.npos) continue;
      std::optional<Xid> xid = xid_at(line.substr(at + mark.size()));
      if (!xid) continue;
      xid->of_switch = mark.starts_with(':');
      if (xid->of_switch && line.find("nvidia-nvswitch") == line.npos) continue;
      xid->stamp_s = stamp_before(line.substr(0, at));
      found.push_back(std::move(*xid));
    }
  }
  return found;
}

bool is_of(const Xid& xid, std::string_view address) {
  if (!address.starts_with(xid.address)) return false;
  return address.size() == xid.address.size() || address[xid.address.size()] == '.';
}

bool is_of_program(std::int64_t code) {
  constexpr std::array<std::int64_t, 6> kCodes{13, 31, 43, 45, 68, 109};
  return std::ranges::find(kCodes, code) != kCodes.end();
}

}  // namespace rackproof
