#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "runner/frames.h"
#include "runner/tagged_output.h"

using namespace rackproof;

namespace {

// What a writer sends, line by line.
std::vector<std::string> sent(std::size_t rank, const std::vector<std::string>& lines) {
  char path[] = "/tmp/rackproof-frames-XXXXXX";
  const int fd = ::mkstemp(path);
  FrameWriter writer(fd, rank);
  for (const std::string& line : lines) CHECK(writer.send(line));
  ::close(fd);
  std::vector<std::string> frames;
  std::ifstream file(path);
  for (std::string frame; std::getline(file, frame);) frames.push_back(frame);
  ::unlink(path);
  return frames;
}

}  // namespace

TEST_CASE("a line comes out of its frames as it went in, however long, and no frame is longer than an engine keeps whole",
          "[frames]") {
  const std::string line(5000, 'x');
  const auto frames = sent(12, {"short", line, ""});
  FrameReader reader;
  std::vector<std::string> got;
  for (const std::string& frame : frames) {
    CHECK(frame.size() < kLongestFrame);
    const auto taken = reader.take(frame);
    REQUIRE(taken);
    CHECK(taken->rank == 12);
    CHECK_FALSE(taken->is_lost);
    if (taken->line) got.push_back(*taken->line);
  }
  CHECK(got == std::vector<std::string>{"short", line, ""});
}

TEST_CASE("ranks may be mixed frame by frame", "[frames]") {
  const auto a = sent(0, {std::string(3000, 'a')});
  const auto b = sent(1, {std::string(3000, 'b')});
  FrameReader reader;
  std::vector<std::string> got;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (const std::string& frame : {a[i], b[i]}) {
      if (const auto taken = reader.take(frame); taken->line) got.push_back(*taken->line);
    }
  }
  CHECK(got == std::vector<std::string>{std::string(3000, 'a'), std::string(3000, 'b')});
}

TEST_CASE("a frame that is lacking is noticed, and nothing of its rank is believed from there on", "[frames]") {
  auto frames = sent(3, {"one", "two", "three"});
  frames.erase(frames.begin() + 1);
  FrameReader reader;
  CHECK_FALSE(reader.take(frames[0])->is_lost);
  CHECK(reader.take(frames[1])->is_lost);
  CHECK_FALSE(reader.take(frames[1])->line);
}

TEST_CASE("the engine's own words are no frames", "[frames]") {
  FrameReader reader;
  for (const char* line : {"", "srun: error: Node failure on rp03", "@rackproof", "@rackproof x 1 . a", "@rackproof 1 2 "}) {
    INFO(line);
    CHECK_FALSE(reader.take(line));
  }
}

TEST_CASE("lines that mpirun cuts into tagged blocks come out whole", "[frames]") {
  TaggedOutput output;
  const auto take = [&](const char* line) { return output.take(line); };
  CHECK(take("[7,0]<stdout>:one") == "one");
  // Rank 0 is cut in its line, rank 1 says a whole one, and rank 0 goes on.
  CHECK(take("[7,0]<stdout>:beg[7,1]<stdout>:whole") == "whole");
  CHECK(take("[7,0]<stdout>:inning") == "beginning");
  CHECK(take("mpirun noticed something") == "mpirun noticed something");
  CHECK(take("a list[3] of [x,1]<stdout>: no tags") == "a list[3] of [x,1]<stdout>: no tags");
}
