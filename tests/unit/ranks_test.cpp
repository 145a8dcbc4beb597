#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "checks/api/hex.h"
#include "checks/api/last_word.h"
#include "checks/api/ranks.h"

using namespace rackproof;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

template <class Work>
std::string trouble_of(Work work) {
  try {
    work();
  } catch (const Trouble& trouble) {
    return trouble.why;
  }
  return "";
}

std::string trouble_of_rounds(const std::string& text) {
  return trouble_of([&] { parse_rounds(text); });
}

// In rackproof-cards' place: gives each connection the same answer, and keeps what was asked.
class Cards {
 public:
  explicit Cards(std::string answer) : answer_(std::move(answer)) {
    char name[] = "/tmp/rackproof-ranks-XXXXXX";
    if (::mkdtemp(name) == nullptr) FAIL("no temporary folder");
    folder_ = name;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, path().size());
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) FAIL("no socket");
    ::listen(listener_, 8);
    ::setenv("RACKPROOF_RANK", "1", 1);
    ::setenv("RACKPROOF_ROUNDS", "0=rp01,1=rp02", 1);
    ::setenv("RACKPROOF_CARDS", path().c_str(), 1);
    server_ = std::thread([this] { serve(); });
  }
  Cards(const Cards&) = delete;
  Cards& operator=(const Cards&) = delete;
  ~Cards() {
    end();
    fs::remove_all(folder_);
    for (const char* name : {"RACKPROOF_RANK", "RACKPROOF_ROUNDS", "RACKPROOF_CARDS"}) ::unsetenv(name);
  }

  std::string path() const { return folder_ + "/cards"; }
  // Everything that was asked. Nobody listens afterwards.
  std::string end() {
    if (server_.joinable()) {
      ::shutdown(listener_, SHUT_RDWR);
      server_.join();
      ::close(listener_);
    }
    return asked_;
  }

 private:
  void serve() {
    for (int connection; (connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0; ::close(connection)) {
      char block[4096];
      std::string line;
      while (!line.ends_with('\n')) {
        const ssize_t got = ::read(connection, block, sizeof block);
        if (got <= 0) break;
        line.append(block, static_cast<std::size_t>(got));
      }
      asked_ += line;
      for (std::string_view rest = answer_; !rest.empty();) {
        const ssize_t sent = ::send(connection, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent <= 0) break;
        rest.remove_prefix(static_cast<std::size_t>(sent));
      }
    }
  }

  std::string folder_;
  std::string answer_;
  std::string asked_;
  int listener_ = -1;
  std::thread server_;
};

}  // namespace

TEST_CASE("Rounds are read and written alike") {
  const std::string text = "0=node01,3=node04|-|3=node04,5=node06,1=a.b-c_2";
  const auto rounds = parse_rounds(text);
  REQUIRE(rounds.size() == 3);
  CHECK(rounds[0] == Group{{0, "node01"}, {3, "node04"}});
  CHECK(rounds[1].empty());
  CHECK(rounds[2] == Group{{3, "node04"}, {5, "node06"}, {1, "a.b-c_2"}});
  CHECK(to_text(rounds) == text);
  CHECK(parse_rounds("").empty());
  CHECK(to_text({}).empty());
  CHECK(parse_rounds("-") == std::vector<Group>{Group{}});
  CHECK(to_text({Group{}}) == "-");
}

TEST_CASE("What is no round is refused with the piece that is none") {
  CHECK(trouble_of_rounds("node01") == "'node01' is no member of a round: RANK=NODE");
  CHECK(trouble_of_rounds("0=") == "'0=' is no member of a round: RANK=NODE");
  CHECK(trouble_of_rounds("-1=node01") == "'-1=node01' is no member of a round: RANK=NODE");
  CHECK(trouble_of_rounds("0x=node01") == "'0x=node01' is no member of a round: RANK=NODE");
  CHECK(trouble_of_rounds("99999999999=node01") == "'99999999999=node01' is no member of a round: RANK=NODE");
  CHECK(trouble_of_rounds("0=a,|1=b") == "'' is no member of a round: RANK=NODE");
  CHECK(trouble_of_rounds("0=a|") == "'' is no member of a round: RANK=NODE");
  CHECK(trouble_of_rounds("0=a,0=b") == "rank 0 is twice in one round");
}

TEST_CASE("Bytes are written as hexadecimal digits and read back") {
  const std::string bytes{'\0', '\n', '\x7f', '\xff', 'a'};
  CHECK(to_hex(bytes) == "000a7fff61");
  CHECK(from_hex("000a7fff61") == bytes);
  CHECK(from_hex("") == "");
  CHECK_FALSE(from_hex("0"));
  CHECK_FALSE(from_hex("0g"));
  CHECK_FALSE(from_hex("0A"));
}

TEST_CASE("A rank knows its place from the environment") {
  CHECK_FALSE(Ranks::are_several());
  CHECK(trouble_of([] { Ranks::from_environment(); }) ==
        "it runs on several nodes at once: start it from a recipe with rackproof run --on slurm, or --on mpi");
  const Cards cards("ok\n");
  CHECK(Ranks::are_several());
  const Ranks ranks = Ranks::from_environment();
  CHECK(ranks.own() == 1);
  CHECK(ranks.rounds() == parse_rounds("0=rp01,1=rp02"));
  ::setenv("RACKPROOF_RANK", "one", 1);
  CHECK(trouble_of([] { Ranks::from_environment(); }) == "RACKPROOF_RANK is 'one', which is no rank");
  ::setenv("RACKPROOF_RANK", "1", 1);
  ::unsetenv("RACKPROOF_CARDS");
  CHECK(trouble_of([] { Ranks::from_environment(); }) == "RACKPROOF_CARDS names no socket of rackproof-cards");
}

TEST_CASE("A card is put as digits, up to 64 KiB") {
  Cards cards("ok\n");
  Ranks ranks = Ranks::from_environment();
  const std::string largest(64 << 10, '\xab');
  ranks.put_card(largest);
  CHECK(trouble_of([&] { ranks.put_card(largest + "x"); }) == "a card of 65537 bytes; 65536 fit");
  CHECK(cards.end() == "put " + to_hex(largest) + "\n");
}

TEST_CASE("A card that is not taken is trouble") {
  Cards cards("error this rank has put its card already\n");
  Ranks ranks = Ranks::from_environment();
  CHECK(trouble_of([&] { ranks.put_card("x"); }) ==
        "rackproof-cards did not take the card: error this rank has put its card already");
}

TEST_CASE("The card of another rank arrives whole") {
  const std::string largest(64 << 10, '\xcd');
  Cards cards("card " + to_hex(largest) + "\n");
  Ranks ranks = Ranks::from_environment();
  CHECK(ranks.card_of(7, 1500ms) == largest);
  CHECK(cards.end() == "get 7 1500\n");
}

TEST_CASE("A rank without a card has none, which is no trouble") {
  Cards cards("none it has put no card in this time\n");
  Ranks ranks = Ranks::from_environment();
  CHECK_FALSE(ranks.card_of(7, -1ms));
  CHECK(cards.end() == "get 7 0\n");
}

TEST_CASE("An answer that is none is trouble, and so is silence") {
  for (const char* answer : {"card 0\n", "card xy\n", "what\n", "\n"}) {
    const Cards cards(answer);
    Ranks ranks = Ranks::from_environment();
    CHECK(trouble_of([&] { ranks.card_of(0, 0ms); }).starts_with("rackproof-cards answers '"));
  }
  Cards cards("card 00");
  Ranks ranks = Ranks::from_environment();
  CHECK(trouble_of([&] { ranks.card_of(0, 0ms); }) ==
        "rackproof-cards at " + cards.path() + ": it ended the conversation");
  cards.end();
  CHECK(trouble_of([&] { ranks.card_of(0, 0ms); }) == "rackproof-cards at " + cards.path() + ": Connection refused");
}
