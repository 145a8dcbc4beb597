// What fio says of one job: its JSON on stdout and, for data that did not verify, the sentences on stderr.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rackproof {

struct FioLatency {  // from submission to completion
  std::int64_t count = 0;
  double mean_ns = 0;
  double max_ns = 0;
  // Absent where fio printed none, or too few requests were made for it to mean anything: a percentile needs at least
  // one request beyond it.
  std::optional<double> p50_ns;
  std::optional<double> p99_ns;
  std::optional<double> p999_ns;
};

struct FioDirection {
  std::int64_t bytes = 0;
  std::int64_t milliseconds = 0;
  double iops = 0;
  FioLatency latency;

  // Little's law: requests in flight = rate × mean time in flight.
  double queue_depth() const { return iops * latency.mean_ns / 1e9; }
};

struct FioResult {
  std::string version;
  int error = 0;  // an errno
  std::int64_t total_errors = 0;
  FioDirection read;
  FioDirection write;
};

// The first JSON object in fio's output; text may stand before and after it. Throws Trouble for anything else.
FioResult parse_fio(std::string_view output);

struct VerifyFailures {
  // The least there are: after a block with a damaged header fio leaves out the rest of that request.
  std::int64_t blocks = 0;
  std::optional<std::int64_t> lowest_offset;  // in the file
  std::string example;                        // what fio says of the block it met first: "crc32c: verify failed"
};
VerifyFailures verify_failures(std::string_view errors);

// Whether an errno speaks of the storage itself and not of what was asked of it.
bool is_storage_error(int error);

// fio's own reason for a run that failed, one line: the first line of stderr, else what the JSON or the exit says.
std::string fio_reason(std::string_view output, std::string_view errors, int exit_code);

}  // namespace rackproof
