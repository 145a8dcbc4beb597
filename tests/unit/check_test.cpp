#include <catch2/catch.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "checks/api/check.h"
#include "checks/api/tool.h"

using namespace rackproof;

namespace {

constexpr rackproof_parameter kParameters[] = {
    {"size", "quantity", "8 GiB", "MiB", "a quantity"},
    {"ratio", "quantity", "0.5", nullptr, "a quantity without a unit"},
    {"odd", "quantity", "1", "parsec", "a quantity in a unit that does not exist"},
    {"count", "integer", "-3", nullptr, "an integer"},
    {"direct", "boolean", "true", nullptr, "a boolean"},
    {"engine", "choice auto|io_uring|psync", "auto", nullptr, "a choice"},
    {"path", "path", "/var/tmp", nullptr, "a path"},
    {"name", "text", nullptr, nullptr, "a text that must be given"},
    {},
};
constexpr rackproof_metric kMetrics[] = {
    {"rate", "GB/s", "higher", "a rate"},
    {"errors", "count", "lower", "a count"},
    {},
};
constexpr rackproof_check kCheck{.abi = RACKPROOF_ABI,
                                 .name = "test.check",
                                 .layer = "test",
                                 .summary = "",
                                 .method = "",
                                 .parameters = kParameters,
                                 .metrics = kMetrics,
                                 .by_hand = nullptr,
                                 .run = nullptr};

using Args = std::vector<const char*>;
using Lines = std::vector<std::string>;

// What a check with this body writes.
Lines said_by(void (*body)(Context&), Args args = {}, const rackproof_check& check = kCheck) {
  args.push_back(nullptr);
  const int file = ::memfd_create("reports", MFD_CLOEXEC);
  run_check(check, file, args.data(), body);
  std::string all(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)), '\0');
  if (::pread(file, all.data(), all.size(), 0) != static_cast<ssize_t>(all.size())) all.clear();
  ::close(file);
  CHECK((all.empty() || all.back() == '\n'));
  Lines lines;
  std::istringstream text(all);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

Lines done() { return {R"({"report":"done"})"}; }
Lines trouble(const std::string& why) { return {encode(Troubled{why})}; }

struct Environment {
  explicit Environment(const char* sysroot) { ::setenv("RACKPROOF_SYSROOT", sysroot, 1); }
  ~Environment() { ::unsetenv("RACKPROOF_SYSROOT"); }
};

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() {
    if (::pipe(ends) != 0) FAIL("no pipe");
  }
  std::string read_all() const {
    std::string all;
    char block[4096];
    ssize_t got = 0;
    while ((got = ::read(ends[0], block, sizeof block)) > 0) all.append(block, static_cast<std::size_t>(got));
    ::close(ends[0]);
    return all;
  }
};

}  // namespace

TEST_CASE("check: parameters have their defaults, each of its type") {
  CHECK(said_by(
            [](Context& context) {
              CHECK(context.param<double>("size") == 8192);  // in the declared unit
              CHECK(context.param<double>("ratio") == 0.5);
              CHECK(context.param<std::int64_t>("count") == -3);
              CHECK(context.param<bool>("direct"));
              CHECK(context.param<std::string>("engine") == "auto");
              CHECK(context.param<std::string>("path") == "/var/tmp");
            },
            {}) == done());
}

TEST_CASE("check: given parameters replace the defaults") {
  CHECK(said_by(
            [](Context& context) {
              CHECK(context.param<double>("size") == 512);
              CHECK(context.param<std::int64_t>("count") == 9223372036854775807);
              CHECK_FALSE(context.param<bool>("direct"));
              CHECK(context.param<std::string>("engine") == "psync");
              CHECK(context.param<std::string>("path") == "");
              CHECK(context.param<std::string>("name") == "a=b c");
            },
            {"sizes=1", "size=0.5 GiB", "count=9223372036854775807", "direct=false", "engine=psync", "path=",
             "name=a=b c"}) == done());
}

TEST_CASE("check: a parameter's wrong text is Trouble that quotes it") {
  const auto size = [](Context& context) { context.param<double>("size"); };
  CHECK(said_by(size, {"size=8 GiX"}) == trouble("the parameter 'size': '8 GiX' has an unknown unit 'GiX'"));
  CHECK(said_by(size, {"size="}) == trouble("the parameter 'size': '' does not begin with a number"));
  CHECK(said_by(size, {"size=5 s"}) == trouble("the parameter 'size' is not an amount of data"));
  CHECK(said_by(size, {"size=5"}) == trouble("the parameter 'size' is not an amount of data"));
  CHECK(said_by([](Context& context) { context.param<double>("ratio"); }, {"ratio=1 s"}) ==
        trouble("the parameter 'ratio' is not a count"));
  CHECK(said_by([](Context& context) { context.param<double>("odd"); }) ==
        trouble("the parameter 'odd' is declared in an unknown unit"));

  const auto count = [](Context& context) { context.param<std::int64_t>("count"); };
  for (const std::string text : {"", "1.5", "1 ", "0x10", "9223372036854775808", "many"}) {
    CHECK(said_by(count, {("count=" + text).c_str()}) ==
          trouble("the parameter 'count' is '" + text + "', not an integer"));
  }
  const auto direct = [](Context& context) { context.param<bool>("direct"); };
  for (const std::string text : {"", "yes", "True", "1"}) {
    CHECK(said_by(direct, {("direct=" + text).c_str()}) ==
          trouble("the parameter 'direct' is '" + text + "', neither true nor false"));
  }
  const auto engine = [](Context& context) { context.param<std::string>("engine"); };
  for (const std::string text : {"", "libaio", "auto|psync", "psyn", "io_uring|"}) {
    CHECK(said_by(engine, {("engine=" + text).c_str()}) ==
          trouble("the parameter 'engine' is '" + text + "', none of auto|io_uring|psync"));
  }
}

TEST_CASE("check: a parameter that is not declared, or not given, is Trouble") {
  CHECK(said_by([](Context& context) { context.param<bool>("hidden"); }, {"hidden=true"}) ==
        trouble("the check reads the parameter 'hidden', which it does not declare"));
  CHECK(said_by([](Context& context) { context.param<std::string>("name"); }) ==
        trouble("the parameter 'name' was not given"));
  constexpr rackproof_check bare{.abi = RACKPROOF_ABI, .name = "bare", .layer = nullptr, .summary = nullptr,
                                 .method = nullptr, .parameters = nullptr, .metrics = nullptr, .by_hand = nullptr,
                                 .run = nullptr};
  CHECK(said_by([](Context& context) { context.param<bool>("direct"); }, {}, bare) ==
        trouble("the check reads the parameter 'direct', which it does not declare"));
  CHECK(said_by([](Context& context) { context.measure("rate", "", 1); }, {}, bare) ==
        trouble("the check measured 'rate', which it does not declare"));
}

TEST_CASE("check: reports are written in order, and Done is the last word") {
  CHECK(said_by([](Context& context) {
          context.device({.id = "d", .kind = "gpu", .name = "", .parent = "", .facts = {}});
          context.link({.from = "a", .to = "d", .kind = "pcie", .facts = {}});
          context.measure("rate", "d", 45);
          context.measure({.metric = "rate", .device = "", .value = 1, .unit = "ms", .samples = {}, .counted = {}});
          context.fault("d", "data-mismatch", "1 byte");
          context.note("a note");
        }) == Lines{R"({"report":"device","id":"d","kind":"gpu"})",
                    R"({"report":"link","from":"a","to":"d","kind":"pcie"})",
                    R"({"report":"measurement","metric":"rate","device":"d","value":45.0,"unit":"GB/s"})",
                    R"({"report":"measurement","metric":"rate","value":1.0,"unit":"ms"})",
                    R"({"report":"fault","device":"d","code":"data-mismatch","text":"1 byte"})",
                    R"({"report":"note","text":"a note"})", R"({"report":"done"})"});
}

TEST_CASE("check: a metric that is not declared is never written") {
  const Lines refused = trouble("the check measured 'speed', which it does not declare");
  CHECK(said_by([](Context& context) { context.measure("speed", "", 1); }) == refused);
  CHECK(said_by([](Context& context) {
          context.measure({.metric = "speed", .device = "", .value = 1, .unit = "GB/s", .samples = {}, .counted = {}});
        }) == refused);
}

TEST_CASE("check: whatever is thrown becomes one last word") {
  CHECK(said_by([](Context&) { throw Skip{"no GPU"}; }) == Lines{R"({"report":"skip","why":"no GPU"})"});
  CHECK(said_by([](Context&) { throw Trouble{"busy"}; }) == trouble("busy"));
  CHECK(said_by([](Context&) { throw std::bad_alloc(); }) == trouble("out of memory"));
  CHECK(said_by([](Context&) { throw std::runtime_error("lost\nway"); }) == trouble("lost\nway"));
  CHECK(said_by([](Context&) { throw 42; }) == trouble("stopped by an exception of unknown type"));
  CHECK(said_by([](Context& context) {
          context.note("so far");
          throw Skip{"enough"};
        }) == Lines{encode(Note{"so far"}), encode(Skipped{"enough"})});
}

TEST_CASE("check: facts come from the root that the environment names") {
  const auto body = [](Context& context) { context.note(context.sysroot().is_real() ? "real" : "invented"); };
  const Lines real{R"({"report":"note","text":"real"})", R"({"report":"done"})"};
  CHECK(said_by(body) == real);
  {
    const Environment empty("");
    CHECK(said_by(body) == real);
  }
  {
    const Environment captured("/usr/");
    CHECK(said_by(body) == Lines{R"({"report":"note","text":"invented"})", R"({"report":"done"})"});
  }
  const Environment nowhere("/no/such/folder");
  CHECK(said_by(body) == trouble("the sysroot /no/such/folder cannot be opened: No such file or directory"));
}

TEST_CASE("check: rackproof-check marks simulated evidence, though the check itself says nothing") {
  const Environment captured("/usr/");
  const ToolResult said = run_tool({.argv = {RACKPROOF_CHECK_PROGRAM, RACKPROOF_CHECK_DIRECTORY "/selftest.silent.so"},
                                    .directory = {}});
  CHECK(said.output == "{\"report\":\"simulated\",\"by\":\"sysroot /usr\"}\n");
}

TEST_CASE("check: a reader that went away ends the check by an exception, not by a signal") {
  static bool cleared_up;
  cleared_up = false;
  Pipe pipe;
  ::close(pipe.ends[0]);
  const Args args{nullptr};
  run_check(kCheck, pipe.ends[1], args.data(), [](Context& context) {
    struct Cleaner {
      ~Cleaner() { cleared_up = true; }
    } cleaner;
    context.note("is anybody there?");
    FAIL("a note that nobody reads was taken for written");
  });
  CHECK(cleared_up);
  CHECK_FALSE(write_line(pipe.ends[1], "x"));
  ::close(pipe.ends[1]);
}

TEST_CASE("check: a line longer than a pipe is written whole") {
  const std::string line(1 << 20, 'x');
  Pipe pipe;
  std::string read;
  std::thread reader([&] { read = pipe.read_all(); });
  CHECK(write_line(pipe.ends[1], line));
  ::close(pipe.ends[1]);
  reader.join();
  CHECK(read == line + "\n");
}

TEST_CASE("check: a line whose writing is interrupted is written whole") {
  static std::atomic<int> interruptions;
  interruptions = 0;
  struct sigaction action {};
  action.sa_handler = [](int) { ++interruptions; };  // without SA_RESTART: the write returns what it wrote so far
  struct sigaction before {};
  REQUIRE(::sigaction(SIGUSR1, &action, &before) == 0);

  const std::string line(1 << 20, 'x');
  Pipe pipe;
  const auto capacity = ::fcntl(pipe.ends[1], F_GETPIPE_SZ);
  const pthread_t writer = ::pthread_self();
  std::string read;
  std::thread reader([&] {
    for (int waiting = 0; waiting < capacity; std::this_thread::yield()) ::ioctl(pipe.ends[0], FIONREAD, &waiting);
    ::pthread_kill(writer, SIGUSR1);
    while (interruptions == 0) std::this_thread::yield();
    read = pipe.read_all();
  });
  CHECK(write_line(pipe.ends[1], line));
  ::close(pipe.ends[1]);
  reader.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  CHECK(read == line + "\n");
}

TEST_CASE("check: lines of several threads do not mix") {
  Pipe pipe;
  std::string read;
  std::thread reader([&] { read = pipe.read_all(); });
  const Args args{nullptr};
  run_check(kCheck, pipe.ends[1], args.data(), [](Context& context) {
    std::vector<std::thread> threads;
    for (const char letter : {'a', 'b', 'c', 'd'}) {
      // Longer than PIPE_BUF, below which the kernel itself keeps a write whole.
      threads.emplace_back([&context, letter] {
        for (int i = 0; i < 20; ++i) context.note(std::string(100000, letter));
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  ::close(pipe.ends[1]);
  reader.join();
  std::istringstream lines(read);
  int whole = 0;
  for (std::string line; std::getline(lines, line);) {
    for (const char letter : {'a', 'b', 'c', 'd'}) whole += line == encode(Note{std::string(100000, letter)}) ? 1 : 0;
  }
  CHECK(whole == 80);
}
