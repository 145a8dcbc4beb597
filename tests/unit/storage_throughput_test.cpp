#include <catch2/catch.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "checks/api/last_word.h"
#include "checks/storage/fio_job.h"
#include "checks/storage/fio_result.h"
#include "checks/storage/interval_log.h"
#include "checks/storage/load_report.h"
#include "checks/storage/scratch_file.h"
#include "tests/support/text_files.h"

using namespace rackproof;

namespace {

// What fio 3.33 printed, as it was.
std::string golden(const std::string& name) {
  return text_of_file(std::filesystem::path(RACKPROOF_GOLDEN_DIRECTORY) / "fio" / name);
}

std::string trouble_of(const std::string& output) {
  try {
    parse_fio(output);
  } catch (const Trouble& trouble) {
    return trouble.why;
  }
  return "";
}

bool has(const std::vector<std::string>& command, const std::string& option) {
  return std::ranges::find(command, option) != command.end();
}

std::vector<Sample> samples_of(const std::vector<std::int64_t>& megabytes) {
  std::vector<Sample> samples;
  for (const std::int64_t amount : megabytes) samples.push_back({amount * 1'000'000, 100'000'000});
  return samples;
}

const Measurement* find(const std::vector<Measurement>& all, const std::string& metric) {
  const auto found = std::ranges::find(all, metric, &Measurement::metric);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("fio's JSON gives bytes, time and the whole latency", "[storage]") {
  const FioResult result = parse_fio(golden("random_read.json"));
  CHECK(result.version == "fio-3.33");
  CHECK(result.error == 0);
  CHECK(result.read.bytes == 315154432);
  CHECK(result.read.milliseconds == 1001);
  CHECK(result.read.iops == Approx(76865.134865));
  CHECK(result.read.latency.count == 76942);
  CHECK(result.read.latency.mean_ns == Approx(415706.901705));
  CHECK(result.read.latency.max_ns == 6394618);
  CHECK(result.read.latency.p50_ns == 370688.0);
  CHECK(result.read.latency.p99_ns == 602112.0);
  CHECK(result.read.latency.p999_ns == 5144576.0);
  CHECK(result.write.bytes == 0);
  CHECK_FALSE(result.write.latency.p50_ns);
}

TEST_CASE("text before and after fio's JSON is passed over", "[storage]") {
  const std::string output = golden("psync_with_note.json");
  REQUIRE(output.starts_with("note: both iodepth >= 1"));
  CHECK(parse_fio(output).read.bytes == 76353536);
  CHECK(parse_fio("a warning with {braces}\n" + golden("read.json") + "and more\n").read.bytes == 1355808768);
}

TEST_CASE("what is not fio's JSON is Trouble that says so", "[storage]") {
  CHECK(trouble_of("") == "fio printed no JSON");
  CHECK(trouble_of("fio: unrecognized option\n") == "fio printed no JSON");
  CHECK(trouble_of(golden("truncated.json")) == "fio's JSON is cut off after 3000 bytes");
  CHECK(trouble_of("{\n  \"jobs\" : []\n}\n") == "fio reports on 0 jobs, not on one");
  const auto unexpected = Catch::StartsWith("fio's JSON is not as expected");
  CHECK_THAT(trouble_of("{\n  \"fio version\" : \"fio-3.33\"\n}\n"), unexpected);
  CHECK_THAT(trouble_of("{\n  \"jobs\" : 3\n}\n"), unexpected);
  CHECK_THAT(trouble_of("{\n  \"jobs\" : [],\n}\n"), unexpected);
}

TEST_CASE("fio's JSON cut off at any byte is Trouble and never a result", "[storage]") {
  const std::string whole = golden("latency.json");
  const std::size_t last = whole.rfind('}');
  for (std::size_t size = 0; size <= last; size += 7) {
    INFO(size);
    CHECK_FALSE(trouble_of(whole.substr(0, size)).empty());
  }
}

TEST_CASE("a percentile that no request lies beyond is left out", "[storage]") {
  std::string few = golden("latency.json");
  const std::string count = "\"N\" : 17808";
  while (few.find(count) != few.npos) few.replace(few.find(count), count.size(), "\"N\" : 999");
  const FioLatency latency = parse_fio(few).read.latency;
  CHECK(latency.p50_ns);
  CHECK(latency.p99_ns);
  CHECK_FALSE(latency.p999_ns);
}

TEST_CASE("fio's errors keep their errno, and only the storage's are the storage's", "[storage]") {
  const FioResult io_error = parse_fio(golden("io_error.json"));
  CHECK(io_error.error == EIO);
  CHECK(is_storage_error(io_error.error));
  const FioResult no_space = parse_fio(golden("no_space.json"));
  CHECK(no_space.error == ENOSPC);
  CHECK_FALSE(is_storage_error(no_space.error));
  CHECK(fio_reason(golden("no_space.json"), "", 1) == "No space left on device");
  CHECK(fio_reason(golden("no_space.json"), "fio: io_u error\nmore", 1) == "fio: io_u error");
  CHECK(fio_reason("", "", 127) == "exit 127, fio printed no JSON");
}

TEST_CASE("blocks that did not verify are counted, with the lowest offset", "[storage]") {
  const FioResult result = parse_fio(golden("verify_mismatch.json"));
  CHECK(result.error == EILSEQ);
  CHECK(result.total_errors == 2);

  const VerifyFailures failures = verify_failures(
      "crc32c: verify failed at file /proc/self/fd/5 offset 4653056, length 65536 (requested block: offset=4194304, "
      "length=1048576, flags=88)\n"
      "       Expected CRC: 8bb95dfc\n"
      "       Received CRC: 86c90918\n"
      "verify: bad header crc 823ddbe1, calculated d804f0ce at file /proc/self/fd/5 offset 65536, length 65536\n");
  CHECK(failures.blocks == 2);
  CHECK(failures.lowest_offset == 65536);
  CHECK(failures.example == "crc32c: verify failed");
  CHECK(verify_failures("").blocks == 0);
  CHECK(verify_failures("fio: io_u error on file /x: Input/output error: read offset=4096\n").blocks == 0);
}

TEST_CASE("requests in flight follow from rate and whole latency, whatever completion latency says", "[storage]") {
  CHECK(queue_depth_error(parse_fio(golden("random_read.json")).read, 32) < 1);
  CHECK(queue_depth_error(parse_fio(golden("random_write_4_jobs.json")).write, 4 * 32) < 1);
  // There fio says a mean completion latency of 2965 s, which would be 60 million requests in flight.
  CHECK(queue_depth_error(parse_fio(golden("sqthread_poll.json")).read, 32) < 1);
  CHECK(queue_depth_error(parse_fio(golden("random_read.json")).read, 64) == Approx(50).margin(1));
  const FioLoad four_jobs{.name = "random read", .rw = "randread", .block_bytes = 4096, .depth = 32, .jobs = 4};
  CHECK(depth_in_flight("io_uring", four_jobs) == 128);
  CHECK(depth_in_flight("psync", four_jobs) == 4);
  CHECK(queue_depth_error(parse_fio(golden("psync_with_note.json")).read, 1) < 10);
}

TEST_CASE("every load is direct, dies with its process, and leaves no file", "[storage]") {
  const FioTarget target{.file = "/proc/self/fd/5", .bytes = 1 << 30, .engine = "libaio"};
  const FioTiming timing{.milliseconds = 2500, .sample_ms = 104, .log_prefix = "/proc/self/fd/4/phase"};
  const FioLoad load{.name = "random read", .rw = "randread", .block_bytes = 4096, .depth = 16, .jobs = 4};
  const auto command = load_command(target, load, timing);
  for (const auto& each : {command, probe_command(target), layout_command(target), verify_command(target)}) {
    CHECK(each.front() == "fio");
    CHECK(has(each, "--direct=1"));
    CHECK(has(each, "--thread=1"));
    CHECK(has(each, "--allow_file_create=0"));
    CHECK(has(each, "--filename=/proc/self/fd/5"));
    CHECK(has(each, "--ioengine=libaio"));
  }
  for (const char* option : {"--runtime=2500ms", "--log_avg_msec=104", "--write_bw_log=/proc/self/fd/4/phase",
                             "--size=268435456", "--offset_increment=268435456", "--numjobs=4", "--iodepth=16",
                             "--refill_buffers=1", "--randrepeat=0", "--lat_percentiles=1", "--clat_percentiles=0"}) {
    INFO(option);
    CHECK(has(command, option));
  }
  for (const auto& each : {layout_command(target), verify_command(target)}) {
    CHECK(has(each, "--verify_state_save=0"));
    CHECK(has(each, "--size=1073741824"));
  }
}

TEST_CASE("the engine is the first that works, and says what was passed over", "[storage]") {
  const auto only = [](const std::string& works) {
    return [works](const std::string& engine) {
      return engine == works ? std::nullopt : std::optional<std::string>("not permitted");
    };
  };
  CHECK(choose_engine("auto", only("io_uring")).engine == "io_uring");
  const EngineChoice last = choose_engine("auto", only("psync"));
  CHECK(last.engine == "psync");
  CHECK(last.passed_over == std::vector<std::string>{"io_uring: not permitted", "libaio: not permitted"});
  // What was asked for by name is not replaced by something else.
  CHECK(choose_engine("io_uring", only("libaio")).engine.empty());
}

TEST_CASE("the file leaves a tenth of the filesystem free, at most 16 GiB", "[storage]") {
  constexpr std::int64_t kGi = std::int64_t{1} << 30;
  CHECK(no_room({.free_bytes = 11 * kGi, .total_bytes = 100 * kGi}, kGi).empty());
  CHECK(no_room({.free_bytes = 11 * kGi - 1, .total_bytes = 100 * kGi}, kGi) ==
        "11 GiB are free of 100 GiB, and a file of 1 GiB must leave 10 GiB free");
  CHECK(no_room({.free_bytes = 17 * kGi, .total_bytes = 30000 * kGi}, kGi).empty());
  CHECK_FALSE(no_room({.free_bytes = 16 * kGi, .total_bytes = 30000 * kGi}, kGi).empty());
  CHECK_FALSE(no_room({.free_bytes = 0, .total_bytes = 0}, kGi).empty());
}

TEST_CASE("fio's bandwidth log becomes samples", "[storage]") {
  const auto samples = parse_bandwidth_log("125, 1024, 0, 0, 0\n250, 2048, 1, 0, 0\ngarbage\n250, 9, 0, 0, 0\n375, 0");
  REQUIRE(samples.size() == 3);
  CHECK(samples[0].amount == 131072);
  CHECK(samples[0].nanoseconds == 125'000'000);
  CHECK(samples[1].amount == 262144);
  CHECK(samples[2].amount == 0);  // a disk that stands still is a sample too
  CHECK(parse_bandwidth_log("").empty());

  const std::vector<std::vector<Sample>> jobs{samples_of({10, 20, 30}), samples_of({1, 2})};
  const auto sum = added_up(jobs);
  REQUIRE(sum.size() == 2);
  CHECK(sum[0].amount == 11'000'000);
  CHECK(sum[1].amount == 22'000'000);
  CHECK(added_up({}).empty());
}

TEST_CASE("the warm-up is cut from the front until the rest is steady", "[storage]") {
  std::vector<std::int64_t> rates{10, 20, 40, 60, 80};
  for (int i = 0; i < 20; ++i) rates.push_back(100 + i % 3);
  const Estimate warmed_up = steady_part(samples_of(rates));
  CHECK(warmed_up.samples.steady);
  CHECK(warmed_up.median == Approx(1.01e9));
  CHECK(warmed_up.samples.n >= 20);

  const Estimate level = steady_part(samples_of(std::vector<std::int64_t>(24, 100)));
  CHECK(level.samples.n == 24);
  CHECK(level.counted.amount == 2'400'000'000);
  CHECK(level.counted.nanoseconds == 2'400'000'000);
}

TEST_CASE("a rate that never settles, or falls at the end, is unsteady", "[storage]") {
  std::vector<std::int64_t> cliff(18, 600);  // a write cache that fills up
  cliff.insert(cliff.end(), 6, 150);
  CHECK_FALSE(steady_part(samples_of(cliff)).samples.steady);

  std::vector<std::int64_t> falling;
  for (int i = 0; i < 24; ++i) falling.push_back(1000 - 20 * i);
  CHECK_FALSE(steady_part(samples_of(falling)).samples.steady);

  std::vector<std::int64_t> slowly_rising;  // 15 % over the window, its last quarter within 6 % of the median
  for (int i = 0; i < 12; ++i) slowly_rising.push_back(10000 + 125 * i);
  CHECK_FALSE(steady_part(samples_of(slowly_rising)).samples.steady);

  std::vector<std::int64_t> restless;
  for (int i = 0; i < 24; ++i) restless.push_back(i % 2 == 0 ? 70 : 130);
  CHECK_FALSE(steady_part(samples_of(restless)).samples.steady);

  CHECK_FALSE(steady_part(samples_of(std::vector<std::int64_t>(11, 100))).samples.steady);
  CHECK_FALSE(steady_part(samples_of(std::vector<std::int64_t>(24, 0))).samples.steady);
}

TEST_CASE("a load becomes its measurements, in operations for small blocks", "[storage]") {
  const auto loads = all_loads(32, 1);
  const auto by_choice = [&](const std::string& choice) {
    return *std::ranges::find(loads, choice, &MeasuredLoad::choice);
  };
  const auto intervals = samples_of(std::vector<std::int64_t>(24, 30));

  const auto small =
      measurements_of(by_choice("random_read"), "block:x", parse_fio(golden("random_read.json")), intervals);
  REQUIRE(find(small, "read_iops") != nullptr);
  CHECK(find(small, "read_iops")->value == Approx(300e6 / 4096).epsilon(1e-4));
  CHECK(find(small, "read_iops")->samples->steady);
  CHECK(find(small, "read_iops_mean")->value == Approx(76865).epsilon(1e-3));
  CHECK_FALSE(find(small, "read_iops_mean")->samples);
  CHECK(find(small, "read_loaded_p99")->value == Approx(602.112));
  CHECK(find(small, "read_loaded_p99")->unit == "us");

  const auto large = measurements_of(by_choice("read"), "block:x", parse_fio(golden("read.json")), intervals);
  CHECK(large.size() == 2);
  CHECK(find(large, "read")->value == Approx(0.3));
  CHECK(find(large, "read_mean")->value == Approx(1355808768 / 1.026 / 1e9));
  CHECK(find(large, "read_mean")->counted->amount == 1355808768);

  const auto single = measurements_of(by_choice("latency"), "block:x", parse_fio(golden("latency.json")), intervals);
  CHECK(find(single, "read_p99")->value == Approx(87.552));
  CHECK(find(single, "read_max")->value == Approx(8066.999));
  CHECK(find(single, "read_iops") == nullptr);

  const auto writes = measurements_of(by_choice("random_write"), "block:x",
                                      parse_fio(golden("random_write_4_jobs.json")), intervals);
  CHECK(find(writes, "write_iops_mean")->value == Approx(172159.84).epsilon(1e-3));
}

TEST_CASE("without fio's log the rate is its mean and unsteady", "[storage]") {
  const auto measurements = measurements_of(all_loads(32, 1).front(), "block:x", parse_fio(golden("read.json")), {});
  CHECK(find(measurements, "read")->value == Approx(1.3215).epsilon(1e-3));
  CHECK_FALSE(find(measurements, "read")->samples->steady);
}
