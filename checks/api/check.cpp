#include "checks/api/check.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <exception>
#include <new>

namespace rackproof {
namespace {

constexpr std::string_view kChoice = "choice ";

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

bool is_among(std::string_view choices, std::string_view text) {
  while (true) {
    const std::size_t bar = choices.find('|');
    if (choices.substr(0, bar) == text) return true;
    if (bar == choices.npos) return false;
    choices.remove_prefix(bar + 1);
  }
}

}  // namespace

bool write_line(int fd, std::string line) {
  line.push_back('\n');
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

Context::Context(const rackproof_check& declaration, int events, const char* const* args)
    : declaration_(declaration), events_(events), args_(args), sysroot_(SysRoot::from_environment()) {}

const rackproof_parameter& Context::declared(std::string_view name) const {
  for (const auto* p = declaration_.parameters; p != nullptr && p->name != nullptr; ++p) {
    if (name == p->name) return *p;
  }
  throw Trouble{"the check reads the parameter " + quoted(name) + ", which it does not declare"};
}

std::string_view Context::given(const rackproof_parameter& parameter) const {
  const std::string_view name = parameter.name;
  for (const char* const* arg = args_; arg != nullptr && *arg != nullptr; ++arg) {
    const std::string_view text = *arg;
    if (text.size() > name.size() && text.starts_with(name) && text[name.size()] == '=') {
      return text.substr(name.size() + 1);
    }
  }
  if (parameter.default_value == nullptr) throw Trouble{"the parameter " + quoted(name) + " was not given"};
  return parameter.default_value;
}

template <>
std::string Context::param<std::string>(std::string_view name) const {
  const rackproof_parameter& parameter = declared(name);
  const std::string_view text = given(parameter);
  const std::string_view type = parameter.type == nullptr ? "" : parameter.type;
  if (type.starts_with(kChoice) && !is_among(type.substr(kChoice.size()), text)) {
    throw Trouble{"the parameter " + quoted(name) + " is " + quoted(text) + ", none of " +
                  std::string(type.substr(kChoice.size()))};
  }
  return std::string(text);
}

template <>
std::int64_t Context::param<std::int64_t>(std::string_view name) const {
  const std::string_view text = given(declared(name));
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) {
    throw Trouble{"the parameter " + quoted(name) + " is " + quoted(text) + ", not an integer"};
  }
  return value;
}

template <>
bool Context::param<bool>(std::string_view name) const {
  const std::string_view text = given(declared(name));
  if (text == "true") return true;
  if (text == "false") return false;
  throw Trouble{"the parameter " + quoted(name) + " is " + quoted(text) + ", neither true nor false"};
}

template <>
double Context::param<double>(std::string_view name) const {
  const rackproof_parameter& parameter = declared(name);
  QuantityError error;
  const auto quantity = parse_quantity(given(parameter), error);
  if (!quantity) throw Trouble{"the parameter " + quoted(name) + ": " + error.text};
  const Unit* unit = parameter.unit == nullptr ? find_unit("count") : find_unit(parameter.unit);
  if (unit == nullptr) throw Trouble{"the parameter " + quoted(name) + " is declared in an unknown unit"};
  const auto value = convert(*quantity, *unit);
  if (!value) throw Trouble{"the parameter " + quoted(name) + " is not " + std::string(to_text(unit->dimension))};
  return *value;
}

void Context::measure(const Measurement& measurement) {
  for (const auto* m = declaration_.metrics; m != nullptr && m->name != nullptr; ++m) {
    if (measurement.metric == m->name) return say(measurement);
  }
  throw Trouble{"the check measured " + quoted(measurement.metric) + ", which it does not declare"};
}

void Context::measure(std::string_view metric, std::string_view device, double value) {
  for (const auto* m = declaration_.metrics; m != nullptr && m->name != nullptr; ++m) {
    if (metric != m->name) continue;
    return say(Measurement{.metric = std::string(metric),
                           .device = std::string(device),
                           .value = value,
                           .unit = m->unit,
                           .samples = {},
                           .counted = {}});
  }
  throw Trouble{"the check measured " + quoted(metric) + ", which it does not declare"};
}

void Context::fault(std::string_view device, std::string_view code, std::string_view text) {
  say(Fault{std::string(device), std::string(code), std::string(text)});
}

void Context::note(std::string_view text) { say(Note{std::string(text)}); }

void Context::simulated(std::string_view by) { say(Simulated{std::string(by)}); }

void Context::say(const Report& report) {
  const std::scoped_lock lock(writing_);
  // A reader that is gone cannot be told anything more; the runner's guard and the death signal end this process.
  if (!write_line(events_, encode(report))) throw Trouble{"nobody reads the reports any more"};
}

void run_check(const rackproof_check& declaration, int events, const char* const* args,
               void (*body)(Context&)) noexcept {
  // Otherwise a reader that goes away ends the check by SIGPIPE, and no destructor clears up after it.
  ::signal(SIGPIPE, SIG_IGN);
  const auto last_word = [events](const Report& report) { write_line(events, encode(report)); };
  try {
    Context context(declaration, events, args);
    body(context);
    last_word(Done{});
  } catch (const Skip& skip) {
    last_word(Skipped{skip.why});
  } catch (const Trouble& trouble) {
    last_word(Troubled{trouble.why});
  } catch (const std::bad_alloc&) {
    last_word(Troubled{"out of memory"});
  } catch (const std::exception& error) {
    last_word(Troubled{error.what()});
  } catch (...) {
    last_word(Troubled{"stopped by an exception of unknown type"});
  }
}

}  // namespace rackproof
