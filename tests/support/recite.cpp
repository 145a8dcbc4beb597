// A check for tests that says what stands in a file, byte for byte, so that a test can put any words into its mouth.
// At a FIFO that nobody writes to it waits for ever.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "checks/api/abi.h"

namespace {

// Bounded, so that nothing stays for ever where it is not cleared up.
constexpr unsigned kSeconds = 300;

void recite(int events, const char* const* args) {
  constexpr std::string_view kFile = "file=";
  constexpr std::string_view kStay = "stay_ms=";
  std::string path;
  unsigned stay_ms = 0;
  for (; *args != nullptr; ++args) {
    const std::string_view arg = *args;
    if (arg.starts_with(kFile)) path = arg.substr(kFile.size());
    if (arg.starts_with(kStay)) stay_ms = static_cast<unsigned>(std::atoi(*args + kStay.size()));
    if (arg == "company=true" && ::fork() == 0) {
      ::sleep(kSeconds);
      ::_exit(0);
    }
  }
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(events, text.data() + done, text.size() - done);
    if (written <= 0) return;
    done += static_cast<std::size_t>(written);
  }
  ::usleep(1000 * stay_ms);
}

constexpr rackproof_parameter kParameters[] = {
    {"file", "path", nullptr, nullptr, "what it says"},
    {"stay_ms", "integer", "0", nullptr, "how long it stays after it has spoken"},
    {"company", "boolean", "false", nullptr, "first leaves a process in its group that sleeps"},
    {},
};
constexpr rackproof_metric kMetrics[] = {
    {"answer", "count", "exact", "a number"},
    {"rate", "GB/s", "higher", "a rate"},
    {},
};
constexpr const char* kByHand[] = {"cat FILE", nullptr};

}  // namespace

const rackproof_check* rackproof_check_entry(void) {
  static const rackproof_check declared{.abi = RACKPROOF_ABI,
                                        .name = "test.recite",
                                        .layer = "test",
                                        .summary = "Says what stands in a file",
                                        .method = "Writes a file to the stream of reports.",
                                        .parameters = kParameters,
                                        .metrics = kMetrics,
                                        .by_hand = kByHand,
                                        .run = recite};
  return &declared;
}
