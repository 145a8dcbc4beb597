// Begins a line that never ends.
#include <unistd.h>

#include <string>
#include <string_view>

#include "checks/selftest/answer.h"

namespace {

constexpr std::size_t kBytes = std::size_t{16} << 20;

void never_end_a_line(int events, const char* const*) {
  std::string line = "{\"report\":\"note\",\"text\":\"";
  line.resize(kBytes, 'x');
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(events, rest.data(), rest.size());
    if (written < 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

constexpr const char* kByHand[] = {"rackproof-check ./selftest.huge-line.so | wc", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.huge-line", .layer = "selftest", .summary = "Writes 16 MiB without a newline",
                .method = "Begins a note and goes on for 16 MiB without ending it. It shows that a line has a bound.",
                .parameters = nullptr, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = never_end_a_line)
