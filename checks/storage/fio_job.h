// The fio command lines of the check: what is asked of fio, apart from running it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rackproof {

// What all jobs of a run have in common.
struct FioTarget {
  std::string file;
  std::int64_t bytes = 0;
  std::string engine;
};

// A load that runs for a time.
struct FioLoad {
  std::string name;  // in sentences: "random read"
  std::string rw;    // fio's word for it: "randread"
  std::int64_t block_bytes = 0;
  int depth = 1;
  int jobs = 1;

  bool writes() const { return rw == "write" || rw == "randwrite"; }
  bool operator==(const FioLoad&) const = default;
};

struct FioTiming {
  std::int64_t milliseconds = 0;
  std::int64_t sample_ms = 0;
  std::string log_prefix;
};

// One write of 4 KiB: whether the engine works at all.
std::vector<std::string> probe_command(const FioTarget&);
// Writes the whole file, in blocks that carry their offset and a crc32c.
std::vector<std::string> layout_command(const FioTarget&);
// Reads it back and compares; the same job, so that fio knows what it wrote.
std::vector<std::string> verify_command(const FioTarget&);
std::vector<std::string> load_command(const FioTarget&, const FioLoad&, const FioTiming&);

// Two dozen samples a run, each 50 to 500 ms.
std::int64_t sample_length_ms(std::int64_t run_ms);

// How many requests are really in flight: psync has one a job, whatever is asked.
int depth_in_flight(const std::string& engine, const FioLoad&);

struct EngineChoice {
  std::string engine;              // empty: none works
  std::vector<std::string> passed_over;  // "io_uring: Operation not permitted", in the order they were tried
};
// `wanted` is "auto" or an engine. `why_not` tries one and gives nullopt when it works.
EngineChoice choose_engine(const std::string& wanted,
                           const std::function<std::optional<std::string>(const std::string&)>& why_not);

}  // namespace rackproof
