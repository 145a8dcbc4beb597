#include "checks/storage/fio_job.h"

#include <algorithm>

namespace rackproof {
namespace {

// One header for every 64 KiB: a bad sector is told from its neighbours, and the sums cost little.
constexpr const char* kVerifyInterval = "--verify_interval=65536";

std::vector<std::string> command(const FioTarget& target, const char* name) {
  return {"fio", "--output-format=json", "--eta=never", std::string("--name=") + name,
          // One process: its death is the death of all that does I/O.
          "--thread=1",
          "--filename=" + target.file, "--allow_file_create=0", "--fallocate=none",
          "--direct=1", "--ioengine=" + target.engine};
}

std::vector<std::string> with(std::vector<std::string> all, const std::vector<std::string>& more) {
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::vector<std::string> checked_writing(const FioTarget& target, const char* name) {
  return with(command(target, name),
              {"--rw=write", "--bs=1048576", "--iodepth=8", "--size=" + std::to_string(target.bytes),
               "--refill_buffers=1", "--verify=crc32c", kVerifyInterval, "--verify_state_save=0"});
}

}  // namespace

std::vector<std::string> probe_command(const FioTarget& target) {
  return with(command(target, "probe"), {"--rw=write", "--bs=4096", "--size=4096"});
}

std::vector<std::string> layout_command(const FioTarget& target) {
  return with(checked_writing(target, "layout"), {"--do_verify=0", "--end_fsync=1"});
}

std::vector<std::string> verify_command(const FioTarget& target) {
  // Goes on after a mismatch, to find how many there are.
  return with(checked_writing(target, "verify"),
              {"--verify_only=1", "--verify_fatal=0", "--continue_on_error=verify"});
}

std::vector<std::string> load_command(const FioTarget& target, const FioLoad& load, const FioTiming& timing) {
  const std::string slice = std::to_string(target.bytes / load.jobs);
  return with(
      command(target, "load"),
      {"--rw=" + load.rw, "--bs=" + std::to_string(load.block_bytes), "--iodepth=" + std::to_string(load.depth),
       "--numjobs=" + std::to_string(load.jobs), "--group_reporting=1",
       // Each job has a part of the file to itself: no byte is read by two of them.
       "--size=" + slice, "--offset_increment=" + slice,
       "--time_based=1", "--runtime=" + std::to_string(timing.milliseconds) + "ms",
       // Other offsets every run and no map of those done, data that no disk can compress or deduplicate.
       "--randrepeat=0", "--norandommap=1", "--refill_buffers=1",
       // Percentiles of the whole latency: completion latency is an artefact under some engines.
       "--lat_percentiles=1", "--clat_percentiles=0", "--percentile_list=50:99:99.9",
       "--write_bw_log=" + timing.log_prefix, "--log_avg_msec=" + std::to_string(timing.sample_ms)});
}

std::int64_t sample_length_ms(std::int64_t run_ms) { return std::clamp<std::int64_t>(run_ms / 24, 50, 500); }

int depth_in_flight(const std::string& engine, const FioLoad& load) {
  return engine == "psync" ? load.jobs : load.depth * load.jobs;
}

EngineChoice choose_engine(const std::string& wanted,
                           const std::function<std::optional<std::string>(const std::string&)>& why_not) {
  EngineChoice choice;
  const std::vector<std::string> candidates =
      wanted == "auto" ? std::vector<std::string>{"io_uring", "libaio", "psync"} : std::vector<std::string>{wanted};
  for (const std::string& engine : candidates) {
    const auto why = why_not(engine);
    if (!why) {
      choice.engine = engine;
      break;
    }
    choice.passed_over.push_back(engine + ": " + *why);
  }
  return choice;
}

}  // namespace rackproof
