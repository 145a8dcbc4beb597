// rackproof-cards: the one process of a rank that PMIx knows. It carries the cards by which the checks on different nodes
// find each other, so that no check needs to link PMIx, and none that crashes is missed by the launcher.
//
//   rackproof-cards SOCKET    listens there, writes "rank R of N", and serves until its standard input ends
//
// Killed, it takes the whole step with it under Slurm: it is ended by its standard input, and bounds its own ending.

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "checks/api/last_word.h"
#include "checks/api/ranks.h"
#include "checks/ranks/conversation.h"

namespace {

using namespace rackproof;

constexpr int kUsage = 2;
// For PMIx to begin and to end, whatever has become of the launcher; SIGALRM ends the process then.
constexpr unsigned kBeginSeconds = 60;
constexpr unsigned kEndSeconds = 10;

int fail(const std::string& what, const char* why) {
  std::fprintf(stderr, "rackproof-cards: %s: %s\n", what.c_str(), why);
  return 1;
}

// The socket, or -1 and errno. Nobody else may connect, not even between bind and chmod.
int listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  path.copy(address.sun_path, path.size());
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return -1;
  const mode_t before = ::umask(0177);
  const bool is_bound = ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::umask(before);
  return is_bound && ::listen(listener, 64) == 0 ? listener : -1;
}

// False where the launcher does not say.
bool number_of_ranks(const pmix_proc_t& own, std::uint32_t& ranks) {
  pmix_proc_t everyone = own;
  everyone.rank = PMIX_RANK_WILDCARD;
  pmix_value_t* value = nullptr;
  if (PMIx_Get(&everyone, PMIX_JOB_SIZE, nullptr, 0, &value) != PMIX_SUCCESS) return false;
  ranks = value->data.uint32;
  PMIX_VALUE_RELEASE(value);
  return true;
}

// Everybody whom this rank will meet is asked for a card at the start: a node that dies later, in the middle of the rounds,
// then holds nobody up. Slurm stops for half a minute at each question to a node that is gone, and answers none itself.
void ask_ahead(CardTable& table) {
  const char* const rounds = std::getenv("RACKPROOF_ROUNDS");
  if (rounds == nullptr) return;
  try {
    for (const Group& group : parse_rounds(rounds)) {
      for (const Member& member : group) table.ask_for(static_cast<pmix_rank_t>(member.rank));
    }
  } catch (const Trouble& trouble) {
    std::fprintf(stderr, "rackproof-cards: RACKPROOF_ROUNDS: %s\n", trouble.why.c_str());
  }
}

void serve(int listener, CardTable& table) {
  while (true) {
    pollfd ready[2] = {{STDIN_FILENO, POLLIN, 0}, {listener, POLLIN, 0}};
    if (::poll(ready, 2, -1) < 0) continue;
    char block[512];
    if (ready[0].revents != 0 && ::read(STDIN_FILENO, block, sizeof block) <= 0) return;
    if (ready[1].revents == 0) continue;
    const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0) std::thread(converse, connection, std::ref(table)).detach();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: rackproof-cards SOCKET\n");
    return kUsage;
  }
  const std::string path = argv[1];
  // A signal to the group of whoever started it must pass it by: see above.
  ::setpgid(0, 0);
  ::alarm(kBeginSeconds);
  pmix_proc_t own;
  if (const pmix_status_t status = PMIx_Init(&own, nullptr, 0); status != PMIX_SUCCESS) {
    return fail("no PMIx here (srun --mpi=pmix and mpirun bring it)", PMIx_Error_string(status));
  }
  std::uint32_t ranks = 0;
  if (!number_of_ranks(own, ranks)) return fail("PMIx", "it does not know the number of ranks");
  const int listener = listen_at(path);
  if (listener < 0) return fail(path, std::strerror(errno));
  ::alarm(0);
  std::printf("rank %u of %u\n", own.rank, ranks);
  std::fflush(stdout);

  auto& table = *new CardTable(own, ranks);  // for as long as PMIx may answer, which is longer than main
  ask_ahead(table);
  serve(listener, table);

  ::unlink(path.c_str());
  ::alarm(kEndSeconds);
  PMIx_Finalize(nullptr, 0);
  ::_exit(0);
}
