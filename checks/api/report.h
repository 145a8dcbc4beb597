// One fact that a check states, and the line of JSON in which it crosses from the check's process to the runner.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace rackproof {

using FactValue = std::variant<std::string, std::int64_t, double>;
// A property of a device or link: name [a-z_]+, unit in the name where it has one ("size_bytes").
using Facts = std::vector<std::pair<std::string, FactValue>>;

// A part of the machine. Ids are stable over checks and runs: "pci:0000:17:00.0" for whatever sits on PCI (a GPU and a
// NIC too), "package:0", "numa:0", "block:nvme0n1", "net:eth0", "machine".
struct Device {
  std::string id;
  std::string kind;    // "machine", "package", "numa", "pci", "bridge", "gpu", "nic", "block", "net", …
  std::string name;    // what a person calls it: "Samsung PM9A3", "AMD EPYC 9654"
  std::string parent;  // id of the device it is part of; empty: the node itself
  Facts facts;
  bool operator==(const Device&) const = default;
};

// A data path between two devices, reported once, from the side nearer to the CPU.
struct Link {
  std::string from;
  std::string to;
  std::string kind;  // "pcie", "nvlink", "ib", "memory", "storage"
  Facts facts;       // "speed_gts", "width_lanes", "bandwidth_gbs", …
  bool operator==(const Link&) const = default;
};

// What the samples behind a median looked like, all in the unit of the measurement.
struct Samples {
  std::int64_t n = 0;
  double low = 0;  // order-statistic 95 % interval of the median
  double high = 0;
  double worst = 0;
  bool steady = true;  // false: the time bound came before a steady state, so the figure cannot satisfy a limit
  bool operator==(const Samples&) const = default;
};

// The integers behind a rate, summed over the kept samples.
struct Counted {
  std::int64_t amount = 0;  // bytes or operations
  std::int64_t nanoseconds = 0;
  std::int64_t directions = 1;  // 2: `amount` is the sum of both directions
  bool operator==(const Counted&) const = default;
};

struct Measurement {
  std::string metric;
  std::string device;  // empty: the node as a whole
  double value = 0;    // may be NaN in evidence from a broken check; judged as an error
  std::string unit;
  std::optional<Samples> samples;
  std::optional<Counted> counted;
};
bool operator==(const Measurement&, const Measurement&);  // NaN equals NaN here: the same evidence

// Something that is wrong in itself, whatever any limit says: wrong data, a lost device.
struct Fault {
  std::string device;
  std::string code;  // short, stable, kebab-case: "data-mismatch"
  std::string text;  // one sentence with the figures
  bool operator==(const Fault&) const = default;
};

struct Note {
  std::string text;
  bool operator==(const Note&) const = default;
};

// The evidence of this trial does not come from this machine's hardware.
struct Simulated {
  std::string by;  // "sysroot /srv/captured/node7"
  bool operator==(const Simulated&) const = default;
};

// The last word is one of these three. There is none for "passed".
struct Done {
  bool operator==(const Done&) const = default;
};
struct Skipped {
  std::string why;  // it does not apply here
  bool operator==(const Skipped&) const = default;
};
struct Troubled {
  std::string why;  // it could not do its work
  bool operator==(const Troubled&) const = default;
};

using Report = std::variant<Device, Link, Measurement, Fault, Note, Simulated, Done, Skipped, Troubled>;

bool is_last_word(const Report&);

// One line without its newline. Text that is not UTF-8 has its bad bytes replaced by U+FFFD; NaN becomes null.
std::string encode(const Report&);

}  // namespace rackproof
