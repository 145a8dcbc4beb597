#include "checks/storage/fio_result.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

using nlohmann::json;

std::string_view next_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

// fio prints a lone brace at either end of its report, and may print notes and warnings around it.
std::string_view json_part(std::string_view output) {
  const std::size_t begin = output.starts_with("{\n") ? 0 : output.find("\n{\n");
  if (begin == output.npos) throw Trouble{"fio printed no JSON"};
  const std::size_t end = output.find("\n}", begin);
  if (end == output.npos) throw Trouble{"fio's JSON is cut off after " + std::to_string(output.size()) + " bytes"};
  return output.substr(begin, end + 2 - begin);
}

FioLatency latency_of(const json& said) {
  FioLatency latency{.count = said.at("N").get<std::int64_t>(),
                     .mean_ns = said.at("mean").get<double>(),
                     .max_ns = said.at("max").get<double>(),
                     .p50_ns = {},
                     .p99_ns = {},
                     .p999_ns = {}};
  const auto percentiles = said.find("percentile");
  if (percentiles == said.end()) return latency;
  const auto read = [&](const char* name, std::int64_t at_least) -> std::optional<double> {
    const auto found = percentiles->find(name);
    if (found == percentiles->end() || latency.count < at_least) return std::nullopt;
    return found->get<double>();
  };
  latency.p50_ns = read("50.000000", 2);
  latency.p99_ns = read("99.000000", 100);
  latency.p999_ns = read("99.900000", 1000);
  return latency;
}

FioDirection direction_of(const json& said) {
  return {.bytes = said.at("io_bytes").get<std::int64_t>(),
          .milliseconds = said.at("runtime").get<std::int64_t>(),
          .iops = said.at("iops").get<double>(),
          .latency = latency_of(said.at("lat_ns"))};
}

}  // namespace

FioResult parse_fio(std::string_view output) {
  const std::string_view part = json_part(output);
  try {
    const json said = json::parse(part);
    const json& jobs = said.at("jobs");
    if (jobs.size() != 1) throw Trouble{"fio reports on " + std::to_string(jobs.size()) + " jobs, not on one"};
    const json& job = jobs.at(0);
    return {.version = said.at("fio version").get<std::string>(),
            .error = job.at("error").get<int>(),
            .total_errors = job.value("total_err", std::int64_t{0}),
            .read = direction_of(job.at("read")),
            .write = direction_of(job.at("write"))};
  } catch (const json::exception& error) {
    throw Trouble{std::string("fio's JSON is not as expected: ") + error.what()};
  }
}

VerifyFailures verify_failures(std::string_view text) {
  VerifyFailures failures;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    // "crc32c: verify failed at file F offset N, …", "verify: bad header crc …, … at file F offset N, …"
    const std::size_t file = line.find(" at file ");
    if (line.substr(0, file).find("verify") == line.npos || file == line.npos) continue;
    ++failures.blocks;
    if (failures.example.empty()) failures.example = line.substr(0, file);
    const std::size_t word = line.find(" offset ", file);
    if (word == line.npos) continue;
    const char* digits = line.data() + word + std::strlen(" offset ");
    std::int64_t offset = 0;
    if (std::from_chars(digits, line.data() + line.size(), offset).ec != std::errc{}) continue;
    failures.lowest_offset = std::min(offset, failures.lowest_offset.value_or(offset));
  }
  return failures;
}

bool is_storage_error(int error) {
  switch (error) {
    case EIO:
    case ENODEV:
    case ENXIO:
    case ENODATA:    // a medium error
    case EREMOTEIO:  // a target error
    case EILSEQ:     // a protection error
    case EBADMSG:
    case ETIMEDOUT:
    case ENOLINK:    // the transport
      return true;
    default:
      return false;
  }
}

std::string fio_reason(std::string_view output, std::string_view errors, int exit_code) {
  while (!errors.empty()) {
    const std::string_view line = next_line(errors);
    if (!line.empty()) return std::string(line);
  }
  try {
    const int error = parse_fio(output).error;
    if (error != 0) return std::strerror(error);
  } catch (const Trouble& trouble) {
    return "exit " + std::to_string(exit_code) + ", " + trouble.why;
  }
  return "exit " + std::to_string(exit_code);
}

}  // namespace rackproof
