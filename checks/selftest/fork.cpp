// Ends well, and leaves a process behind that holds the pipe open.
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "checks/selftest/answer.h"

namespace {

// Bounded, so that nothing stays for ever where no runner clears up.
constexpr unsigned kSeconds = 30;

void leave_child(rackproof::Context& context) {
  const bool own_session = context.param<bool>("own_session");
  const pid_t pid = ::fork();
  if (pid < 0) throw rackproof::Trouble{std::string("no new process: ") + std::strerror(errno)};
  if (pid == 0) {
    if (own_session) ::setsid();
    ::sleep(kSeconds);
    ::_exit(0);
  }
  context.measure(rackproof::selftest::right_answer());
}

constexpr rackproof_parameter kParameters[] = {
    {"own_session", "boolean", "false", nullptr, "the process left behind also leaves the process group"},
    {},
};
constexpr const char* kByHand[] = {"time rackproof-check ./selftest.fork.so | cat", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.fork", .layer = "selftest", .summary = "Leaves a process that holds the pipe",
                .method = "Forks a process that sleeps for 30 s with every descriptor open, states answer = 42 and "
                          "ends well. It shows that the end of the check is awaited, not the end of the stream.",
                .parameters = kParameters, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = rackproof::entry<leave_child>)
