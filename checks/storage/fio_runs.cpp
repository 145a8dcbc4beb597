#include "checks/storage/fio_runs.h"

#include <cerrno>
#include <cstring>

#include "checks/api/tool.h"

namespace rackproof {
namespace {

// Not the caller's directory: fio would leave a core or a state file there, and hold its filesystem.
ToolResult run_fio(const std::vector<std::string>& argv, FioRuns::Milliseconds at_most, const std::string& name) {
  const ToolResult ended = run_tool({.argv = argv, .at_most = at_most, .directory = "/"});
  if (ended.timed_out) {
    throw Trouble{"fio did not end its " + name + " within " + std::to_string(at_most.count() / 1000) + " s"};
  }
  if (ended.signal != 0) throw Trouble{"fio was ended in its " + name + ": " + ::strsignal(ended.signal)};
  return ended;
}

}  // namespace

std::string FioRuns::pick_engine(const std::string& wanted, FioTarget target) {
  const EngineChoice choice = choose_engine(wanted, [&](const std::string& engine) -> std::optional<std::string> {
    target.engine = engine;
    const ToolResult tried = run_fio(probe_command(target), kGrace, "first write");
    try {
      const FioResult result = parse_fio(tried.output);
      if (tried.exit_code == 0 && result.error == 0 && result.write.bytes > 0) return std::nullopt;
      // The engine works and the disk does not, which the next run will report.
      if (is_storage_error(result.error)) return std::nullopt;
    } catch (const Trouble&) {
      // What it printed instead is in the reason.
    }
    return fio_reason(tried.output, tried.errors, tried.exit_code);
  });
  for (const std::string& why : choice.passed_over) context_.note("engine passed over, " + why);
  if (choice.engine.empty()) throw Trouble{"fio could not write with any engine; " + choice.passed_over.back()};
  return choice.engine;
}

FioResult FioRuns::run(const std::string& name, const std::vector<std::string>& argv, Milliseconds at_most,
                       VerifyFailures* failures) {
  const auto before = counters();
  const ToolResult ended = run_fio(argv, at_most, name);
  const auto after = counters();

  const std::string reason = fio_reason(ended.output, ended.errors, ended.exit_code);
  FioResult result;
  try {
    result = parse_fio(ended.output);
  } catch (const Trouble& trouble) {
    throw Trouble{name + ": " + trouble.why + "; " + reason};
  }
  if (failures != nullptr) *failures = verify_failures(ended.errors);
  const bool is_mismatch = failures != nullptr && result.error == EILSEQ;
  if (is_storage_error(result.error) && !is_mismatch) {
    context_.fault(place_.device, "io-error", "an I/O error ended the " + name + ": " + reason);
  }
  if ((result.error != 0 || ended.exit_code != 0) && !is_mismatch) {
    throw Trouble{"fio stopped its " + name + ": " + reason};
  }

  if (before && after) {
    fio_.bytes_read += result.read.bytes;
    // Before it verifies, fio counts through its writes once more without making them.
    if (failures == nullptr) fio_.bytes_written += result.write.bytes;
    device_.bytes_read += after->bytes_read - before->bytes_read;
    device_.bytes_written += after->bytes_written - before->bytes_written;
  }
  return result;
}

void FioRuns::measure_device_ratios() {
  const auto ratio = [](std::int64_t part, std::int64_t whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
  };
  if (fio_.bytes_read > 0) {
    context_.measure("device_read_ratio", place_.device, ratio(device_.bytes_read, fio_.bytes_read));
  }
  if (fio_.bytes_written > 0) {
    context_.measure("device_write_ratio", place_.device, ratio(device_.bytes_written, fio_.bytes_written));
  }
}

std::optional<BlockCounters> FioRuns::counters() const {
  // The counters of a captured machine stand still while this one works.
  if (place_.block_name.empty() || !context_.sysroot().is_real()) return std::nullopt;
  return block_counters(context_.sysroot(), place_.block_name);
}

}  // namespace rackproof
