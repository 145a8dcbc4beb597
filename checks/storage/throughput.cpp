#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "checks/api/check.h"
#include "checks/api/tool.h"
#include "checks/storage/fio_job.h"
#include "checks/storage/fio_result.h"
#include "checks/storage/fio_runs.h"
#include "checks/storage/interval_log.h"
#include "checks/storage/load_report.h"
#include "checks/storage/log_folder.h"
#include "checks/storage/place.h"
#include "checks/storage/scratch_file.h"

namespace rackproof {
namespace {

using std::chrono::milliseconds;
constexpr std::int64_t kMi = std::int64_t{1} << 20;
// What the slowest disk worth a throughput check does.
constexpr std::int64_t kSlowestBytesPerSecond = 20'000'000;

struct Wanted {
  std::int64_t bytes;
  milliseconds duration;
  int depth;
  int jobs;
  std::string engine;
  bool writes;
  std::string only;
};

int integer_within(const Context& context, const char* name, std::int64_t low, std::int64_t high) {
  const auto value = context.param<std::int64_t>(name);
  if (value < low || value > high) {
    throw Trouble{std::string(name) + " is " + std::to_string(value) + ", and must be from " + std::to_string(low) +
                  " to " + std::to_string(high)};
  }
  return static_cast<int>(value);
}

Wanted read_parameters(const Context& context) {
  Wanted wanted{.bytes = 0,
                .duration = {},
                .depth = integer_within(context, "queue_depth", 1, 1024),
                .jobs = integer_within(context, "jobs", 1, kMostJobs),
                .engine = context.param<std::string>("engine"),
                .writes = context.param<bool>("writes"),
                .only = context.param<std::string>("only")};
  const double seconds = context.param<double>("duration");
  if (!(seconds >= 1 && seconds <= 3600)) throw Trouble{"duration must be from 1 s to 1 h"};
  wanted.duration = milliseconds(std::llround(seconds * 1000));
  const std::int64_t slice = kMi * wanted.jobs;
  const double bytes = context.param<double>("size");
  if (!(bytes >= static_cast<double>(16 * slice) && bytes <= 1e15)) {
    throw Trouble{"size must be from 16 MiB for each job to 1 PB"};
  }
  wanted.bytes = static_cast<std::int64_t>(bytes) / slice * slice;
  return wanted;
}

// Also what wrote it: "fio-3.33".
std::string lay_out_and_verify(Context& context, FioRuns& runs, const FioTarget& target,
                               const std::string& device) {
  const milliseconds bound = FioRuns::kGrace + milliseconds(target.bytes / (kSlowestBytesPerSecond / 1000));
  const FioResult written = runs.run("writing of the file", layout_command(target), bound);
  if (written.write.bytes != target.bytes) {
    throw Trouble{"fio wrote " + std::to_string(written.write.bytes) + " of " + std::to_string(target.bytes) +
                  " bytes"};
  }
  VerifyFailures failures;
  const FioResult compared = runs.run("reading back", verify_command(target), bound, &failures);
  if (compared.read.bytes != target.bytes && compared.error == 0) {
    throw Trouble{"fio compared " + std::to_string(compared.read.bytes) + " of " + std::to_string(target.bytes) +
                  " bytes"};
  }
  // fio's own count misses some of those that end together; its stderr has a sentence for each.
  const std::int64_t errors = std::max({failures.blocks, compared.total_errors, std::int64_t{compared.error != 0}});
  context.measure("verify_errors", device, static_cast<double>(errors));
  if (errors == 0) return written.version;
  std::string text = "at least " + std::to_string(errors) + (errors == 1 ? " block" : " blocks") +
                     " of 64 KiB read back differently from what was written";
  if (failures.lowest_offset) {
    text += ", the first at byte " + std::to_string(*failures.lowest_offset) + " of the file";
  }
  if (!failures.example.empty()) text += " (" + failures.example + ")";
  context.fault(device, "data-mismatch", text);
  return written.version;
}

bool is_wanted(const Wanted& wanted, const MeasuredLoad& load) {
  return wanted.only == "all" ? wanted.writes || !load.load.writes() : wanted.only == load.choice;
}

// In per cent; nothing for the load of single requests, where the time that fio takes between two counts for much.
std::optional<double> checked_queue_depth(Context& context, const FioTarget& target, const MeasuredLoad& measured,
                                          const FioResult& result) {
  if (measured.choice == "latency") return std::nullopt;
  const FioDirection& done = measured.load.writes() ? result.write : result.read;
  const int in_flight = depth_in_flight(target.engine, measured.load);
  const double error = queue_depth_error(done, in_flight);
  if (error > 10) {
    context.note("the " + measured.load.name + " had " + shortest(std::round(done.queue_depth() * 10) / 10) +
                 " requests in flight by rate and latency, and " + std::to_string(in_flight) +
                 " were asked for: its latencies cannot be trusted");
  }
  return error;
}

void measure_loads(Context& context, FioRuns& runs, const FioTarget& target, const Wanted& wanted, LogFolder& logs,
                   const std::string& device) {
  const FioTiming timing{.milliseconds = wanted.duration.count(),
                         .sample_ms = sample_length_ms(wanted.duration.count()),
                         .log_prefix = logs.prefix()};
  std::optional<double> worst_depth_error;
  for (const MeasuredLoad& measured : all_loads(wanted.depth, wanted.jobs)) {
    if (!is_wanted(wanted, measured)) continue;
    const FioResult result = runs.run(measured.load.name, load_command(target, measured.load, timing),
                                      wanted.duration + FioRuns::kGrace);
    std::vector<std::vector<Sample>> intervals;
    for (const std::string& log : logs.take(measured.load.jobs)) intervals.push_back(parse_bandwidth_log(log));
    for (const Measurement& measurement : measurements_of(measured, device, result, added_up(intervals))) {
      context.measure(measurement);
    }
    worst_depth_error = std::max(worst_depth_error, checked_queue_depth(context, target, measured, result));
  }
  if (worst_depth_error) context.measure("queue_depth_error", device, *worst_depth_error);
}

}  // namespace
}  // namespace rackproof

void rackproof_run(rackproof::Context& context) {
  using namespace rackproof;
  const Wanted wanted = read_parameters(context);
  const StoragePlace place = locate(context, context.param<std::string>("path"));
  if (find_tool("fio").empty()) throw Trouble{"fio: not found in PATH; install the package fio"};
  if (const std::string why = no_room(room_in(place.directory), wanted.bytes); !why.empty()) {
    throw Trouble{"no room in " + place.directory + ": " + why};
  }

  LogFolder logs(place.directory);
  if (logs.has_name()) {
    context.note("no right to make a folder in memory (CAP_SYS_ADMIN): one is used in " + place.directory);
  }
  const ScratchFile file(place.directory, wanted.bytes);
  FioRuns runs(context, place);
  FioTarget target{.file = file.path(), .bytes = wanted.bytes, .engine = ""};
  target.engine = runs.pick_engine(wanted.engine, target);

  const std::string version = lay_out_and_verify(context, runs, target, place.device);
  context.note(version + ", engine " + target.engine +
               ", direct I/O, buffers refilled with random data, offsets other in every run");
  measure_loads(context, runs, target, wanted, logs, place.device);
  runs.measure_device_ratios();
}
