#include <catch2/catch.hpp>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "checks/api/last_word.h"
#include "checks/api/tool.h"

using namespace rackproof;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

ToolRun shell(const std::string& script) { return {.argv = {"sh", "-c", script}, .directory = ""}; }

std::string trouble_of(const ToolRun& run) {
  try {
    run_tool(run);
  } catch (const Trouble& trouble) {
    return trouble.why;
  }
  return "";
}

// A folder with programs, and PATH and the current folder as they were when it goes.
class Programs {
 public:
  Programs() : path_(std::getenv("PATH")), here_(fs::current_path()) {
    char name[] = "/tmp/rackproof-tool-XXXXXX";
    if (::mkdtemp(name) == nullptr) FAIL("no temporary folder");
    folder_ = name;
  }
  ~Programs() {
    ::setenv("PATH", path_.c_str(), 1);
    fs::current_path(here_);
    fs::remove_all(folder_);
  }
  std::string add(const std::string& name, const std::string& content, unsigned mode = 0755) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << content;
    fs::permissions(folder_ / name, fs::perms(mode));
    return (folder_ / name).string();
  }
  std::string folder() const { return folder_.string(); }
  void search(const std::string& path) const { ::setenv("PATH", path.c_str(), 1); }

 private:
  std::string path_;
  fs::path here_;
  fs::path folder_;
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

std::string children() {
  std::string pids;
  std::getline(std::ifstream("/proc/thread-self/children"), pids);
  return pids;
}

}  // namespace

TEST_CASE("tool: output, errors and exit status") {
  const ToolResult result = run_tool(shell("echo out; echo err >&2; exit 7"));
  CHECK(result.exit_code == 7);
  CHECK(result.signal == 0);
  CHECK(result.output == "out\n");
  CHECK(result.errors == "err\n");
  CHECK_FALSE(result.timed_out);
  CHECK_FALSE(result.truncated);
}

TEST_CASE("tool: arguments arrive as they are, and stdin is empty") {
  CHECK(run_tool({.argv = {"printf", "%s|%s", "a b; $HOME `id`", ""}, .directory = ""}).output ==
        "a b; $HOME `id`|");

  int text[2];
  REQUIRE(::pipe(text) == 0);
  REQUIRE(::write(text[1], "for the check, not for the tool", 31) == 31);
  ::close(text[1]);
  const int before = ::dup(STDIN_FILENO);
  ::dup2(text[0], STDIN_FILENO);
  CHECK(run_tool({.argv = {"cat"}, .directory = ""}).output.empty());
  ::dup2(before, STDIN_FILENO);
  ::close(before);
  ::close(text[0]);
}

TEST_CASE("tool: a signal is not an exit status") {
  const ToolResult result = run_tool(shell("echo before; kill -KILL $$"));
  CHECK(result.signal == SIGKILL);
  CHECK(result.exit_code == -1);
  CHECK(result.output == "before\n");
  CHECK_FALSE(result.timed_out);
}

TEST_CASE("tool: SIGPIPE has its usual meaning again, although the check ignores it") {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  CHECK(run_tool(shell("kill -PIPE $$")).signal == SIGPIPE);
  ::signal(SIGPIPE, before);
}

TEST_CASE("tool: it is killed when its time is up, and what it said is kept") {
  ToolRun run = shell("echo begun; trap '' TERM; exec sleep 60");
  run.at_most = 300ms;
  const ToolResult result = run_tool(run);
  CHECK(result.timed_out);
  CHECK(result.signal == SIGKILL);
  CHECK(result.exit_code == -1);
  CHECK(result.output == "begun\n");
}

TEST_CASE("tool: output beyond the bound is dropped, and does not stop it") {
  ToolRun run{.argv = {"head", "-c", "5000000", "/dev/zero"}, .directory = ""};
  run.at_most_bytes = 1000;
  ToolResult result = run_tool(run);
  CHECK(result.exit_code == 0);
  CHECK(result.output == std::string(1000, '\0'));
  CHECK(result.truncated);

  run.at_most_bytes = 5000000;
  result = run_tool(run);
  CHECK(result.output.size() == 5000000);
  CHECK_FALSE(result.truncated);

  result = run_tool(shell("head -c 300000 /dev/zero >&2"));
  CHECK(result.exit_code == 0);
  CHECK(result.errors.size() == 65536);
  CHECK_FALSE(result.truncated);
}

TEST_CASE("tool: a process that it leaves behind, with the pipe open, keeps nobody waiting") {
  const ToolResult result = run_tool(shell("sleep 60 & echo $!"));
  CHECK(result.exit_code == 0);
  CHECK_FALSE(result.timed_out);
  const pid_t left = std::stoi(result.output);
  CHECK(::kill(left, SIGKILL) == 0);  // it was still there
}

TEST_CASE("tool: a program that cannot be started is Trouble that names it") {
  const Programs programs;
  CHECK(trouble_of({.argv = {"rackproof-no-such-program"}, .directory = ""}) ==
        "rackproof-no-such-program: not found in PATH");
  const std::string garbage = programs.add("garbage", "\x7f no program");
  CHECK(trouble_of({.argv = {garbage}, .directory = ""}) == garbage + ": Exec format error");
  const std::string plain = programs.add("plain", "#!/bin/sh\n", 0644);
  CHECK(trouble_of({.argv = {plain}, .directory = ""}) == plain + ": not found in PATH");
  const std::string orphan = programs.add("orphan", "#!/no/such/interpreter\n");
  CHECK(trouble_of({.argv = {orphan}, .directory = ""}) == orphan + ": No such file or directory");
}

TEST_CASE("tool: it runs in the folder that is asked for") {
  const Programs programs;
  ToolRun run{.argv = {"pwd", "-P"}, .directory = programs.folder()};
  CHECK(run_tool(run).output == fs::canonical(programs.folder()).string() + "\n");
  run.directory = programs.folder() + "/nowhere";
  CHECK(trouble_of(run).ends_with(": No such file or directory"));
}

TEST_CASE("tool: relative and empty entries of PATH are passed over") {
  const Programs programs;
  programs.add("rackproof-tool", "#!/bin/sh\necho wrong\n");
  programs.add("bin/rackproof-tool", "#!/bin/sh\necho wrong\n");
  const std::string right = programs.add("right/rackproof-tool", "#!/bin/sh\necho right\n");
  fs::current_path(programs.folder());

  for (const char* path : {".", "bin", ":", "", "./bin:.:bin:", "no/such"}) {
    INFO(path);
    programs.search(path);
    CHECK(find_tool("rackproof-tool").empty());
  }
  programs.search("::.:bin:/no/such:" + programs.folder() + "/right:" + programs.folder());
  CHECK(find_tool("rackproof-tool") == right);
  CHECK(run_tool({.argv = {"rackproof-tool"}, .directory = ""}).output == "right\n");
}

TEST_CASE("tool: a folder or a file that may not be executed is passed over") {
  const Programs programs;
  fs::create_directories(programs.folder() + "/first/rackproof-tool");
  programs.add("second/rackproof-tool", "", 0644);
  const std::string right = programs.add("third/rackproof-tool", "#!/bin/sh\n");
  programs.search(programs.folder() + "/first:" + programs.folder() + "/second:" + programs.folder() + "/third");
  CHECK(find_tool("rackproof-tool") == right);
  CHECK(find_tool(programs.folder() + "/first").empty());
}

TEST_CASE("tool: without PATH the usual folders are searched") {
  const Programs programs;
  ::unsetenv("PATH");
  CHECK_FALSE(find_tool("sh").empty());
}

TEST_CASE("tool: no descriptor and no child stays") {
  const std::string children_before = children();
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 5; ++i) run_tool({.argv = {"true"}, .directory = ""});
  trouble_of({.argv = {"rackproof-no-such-program"}, .directory = ""});
  trouble_of({.argv = {"true"}, .directory = "/no/such/folder"});
  CHECK(open_descriptors() == before);
  CHECK(children() == children_before);
}

TEST_CASE("tool: it dies with the check") {
  int alive[2];
  REQUIRE(::pipe(alive) == 0);
  const pid_t check = ::fork();
  REQUIRE(check >= 0);
  if (check == 0) {
    // The tool inherits this end, so that its end of file means: check and tool are gone.
    ::dup2(alive[1], 9);
    ::close(alive[0]);
    ::close(alive[1]);
    run_tool(shell("echo ready >&9; exec sleep 60"));
    ::_exit(0);
  }
  ::close(alive[1]);
  char word[6] = {};
  REQUIRE(::read(alive[0], word, sizeof word) == 6);
  ::kill(check, SIGKILL);
  ::waitpid(check, nullptr, 0);
  pollfd end{alive[0], POLLIN, 0};
  CHECK(::poll(&end, 1, 60'000) == 1);
  CHECK(::read(alive[0], word, sizeof word) == 0);
  ::close(alive[0]);
}
