// Prints to stdout and stderr as libraries do, and measures well.
#include <unistd.h>

#include <cstdio>
#include <string>

#include "checks/selftest/answer.h"

namespace {

// More than a pipe holds (64 KiB), so that a runner which does not read stderr stops this check for ever.
constexpr int kLines = 4096;

void make_noise(rackproof::Context& context) {
  std::printf("invented-driver: INFO 3 rings, 2 channels\n");
  std::printf("a line without its end");
  std::fflush(stdout);
  // Would count as evidence if it reached the stream of reports.
  rackproof::write_line(STDOUT_FILENO, encode(rackproof::Fault{"", "noise", "stdout reached the stream of reports"}));
  for (int i = 0; i < kLines; ++i) std::fprintf(stderr, "invented-driver: WARN retry %d of %d, 0x%08x\n", i, kLines, i);
  context.measure(rackproof::selftest::right_answer());
}

constexpr const char* kByHand[] = {"rackproof-check ./selftest.stdout-noise.so 2>/dev/null", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.stdout-noise", .layer = "selftest", .summary = "Prints to stdout, then measures",
                .method = "Prints free text and something like a report to stdout, and 200 kB to stderr, then states "
                          "answer = 42 and ends well. It shows that what a library prints neither counts nor harms.",
                .parameters = nullptr, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = rackproof::entry<make_noise>)
