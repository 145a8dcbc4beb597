// The C++ face of the contract: what the author of a check includes.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "checks/api/abi.h"
#include "checks/api/last_word.h"
#include "checks/api/quantity.h"
#include "checks/api/report.h"
#include "checks/api/sysroot.h"

namespace rackproof {

// A check's one way to the outside: its parameters, the machine's facts, and its reports. Reports may come from any
// thread. There is no way to say "passed".
class Context {
 public:
  Context(const rackproof_check& declaration, int events, const char* const* args);

  // Integer: std::int64_t. Quantity: double, in the unit that the declaration gives. Text, path, choice: std::string.
  // Boolean: bool. Throws Trouble when the parameter was not declared, or its text does not parse.
  template <class T>
  T param(std::string_view name) const;

  const SysRoot& sysroot() const { return sysroot_; }

  void device(const Device& device) { say(device); }
  void link(const Link& link) { say(link); }
  // Throws Trouble for a metric that the declaration does not name: a recipe could not expect anything of it.
  void measure(const Measurement&);
  // The short form, for one reading without samples, in the metric's declared unit.
  void measure(std::string_view metric, std::string_view device, double value);
  void fault(std::string_view device, std::string_view code, std::string_view text);
  void note(std::string_view text);
  // What is measured is not this machine's hardware: "ibsim". Where a sysroot says so, it is said already.
  void simulated(std::string_view by);

 private:
  const rackproof_parameter& declared(std::string_view name) const;
  std::string_view given(const rackproof_parameter&) const;
  void say(const Report&);

  const rackproof_check& declaration_;
  const int events_;
  const char* const* args_;
  SysRoot sysroot_;
  std::mutex writing_;
};

// Runs `body` and says the last word: Done on a normal return, otherwise what was thrown. Never throws.
void run_check(const rackproof_check&, int events, const char* const* args, void (*body)(Context&)) noexcept;

// Writes the whole line and a newline; false when nobody reads any more.
bool write_line(int fd, std::string line);

template <void (*Body)(Context&)>
void entry(int events, const char* const* args) {
  run_check(*rackproof_check_entry(), events, args, Body);
}

}  // namespace rackproof

// Declares the check of this library from the members of rackproof_check (abi is filled in):
//   RACKPROOF_CHECK(.name = "pcie.link", …, .run = rackproof::entry<measure_links>)
#define RACKPROOF_CHECK(...)                                                  \
  const rackproof_check* rackproof_check_entry(void) {                        \
    static const rackproof_check declared{.abi = RACKPROOF_ABI, __VA_ARGS__}; \
    return &declared;                                                         \
  }
