#include "graphs/sentences.h"

#include <fmt/format.h>

#include <cstring>

namespace rackproof {
namespace {

std::string signal_name(std::int64_t number) {
  const char* name = ::sigabbrev_np(static_cast<int>(number));
  return name == nullptr ? fmt::format("signal {}", number) : fmt::format("SIG{}", name);
}

std::string with_last_error(std::string text, const Ending& ending) {
  if (!ending.last_error.empty()) text += fmt::format("; its last word on stderr: {}", ending.last_error);
  return text;
}

}  // namespace

std::string name_of_device(const Run& run, std::string_view node, std::string_view id) {
  const KnownDevice* known = run.find_device(node, id);
  if (known == nullptr || known->name.empty()) return std::string(id);
  return fmt::format("{} ({})", id, known->name);
}

std::string relation_of(const Limit& limit) {
  std::string bound;
  if (const auto* fixed = std::get_if<FixedBound>(&limit.bound)) {
    bound = to_text(fixed->value);
  } else {
    const auto& share = std::get<ShareBound>(limit.bound);
    bound = fmt::format("{} % of {}{}{}", share.percent, share.step, share.step.empty() ? "" : ".", share.metric);
  }
  switch (limit.relation) {
    case Relation::at_least: return ">= " + bound;
    case Relation::at_most: return "<= " + bound;
    case Relation::equal: return "== " + bound;
    case Relation::within: return fmt::format("within {} % of {}", limit.tolerance, bound);
  }
  return bound;
}

std::string to_text(std::chrono::milliseconds time) {
  const auto ms = time.count();
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (ms < 120'000) return fmt::format("{:g} s", static_cast<double>(ms) / 1e3);
  return fmt::format("{:g} min", static_cast<double>(ms) / 60e3);
}

std::string describe(const Ending& ending, const Step& step) {
  using How = Ending::How;
  switch (ending.how) {
    case How::exited:
      if (ending.code == 0) return "";
      return with_last_error(fmt::format("exited with status {}", ending.code), ending);
    case How::signalled: return with_last_error(fmt::format("died of {}", signal_name(ending.code)), ending);
    case How::timed_out:
      return with_last_error(fmt::format("did not end within its {} and was ended by {}", to_text(step.timeout),
                                         signal_name(ending.code)),
                             ending);
    case How::stopped: return ending.why;
    case How::unkillable:
      return fmt::format("did not end within its {} and does not end on SIGKILL: the kernel holds it",
                         to_text(step.timeout));
    case How::not_started: return "could not be started: " + ending.why;
  }
  return "";
}

}  // namespace rackproof
