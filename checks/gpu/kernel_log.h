// The kernel's log, and the errors of GPUs (Xid) and NVSwitches (SXid) that the driver writes there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/api/sysroot.h"

namespace rackproof {

struct KernelLog {
  std::optional<std::string> text;  // one message a line, "[seconds since start] message"; none: see `why_not`
  std::string source;               // "/dev/kmsg"
  std::string why_not;
  double now_s = 0;  // since start, as the stamps; 0: not known
};

// On the real machine what the kernel still holds of its log; below a sysroot /var/log/kern.log.
KernelLog read_kernel_log(const SysRoot&);

// A record of /dev/kmsg as a line of the text above: "6,812,600125000,-;message" → "[600.125000] message". Empty when
// it is none.
std::string kmsg_line(std::string_view record);

struct Xid {
  std::string address;  // as it stands there: "0000:17:00", or with a function "0000:c4:00.0"
  std::int64_t code = 0;
  bool of_switch = false;
  std::optional<double> stamp_s;  // since start
};

std::vector<Xid> find_xids(std::string_view log);

// Whether it is of the device at a PCI address.
bool is_of(const Xid&, std::string_view address);

// Codes that a program can cause by itself, on a GPU without any fault: NVIDIA's device plugin for Kubernetes passes over
// them. 13 graphics engine exception, 31 page fault, 43 stopped processing, 45 clean-up after such an error,
// 68 video processor exception, 109 context switch timeout.
bool is_of_program(std::int64_t code);

}  // namespace rackproof
