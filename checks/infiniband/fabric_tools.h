// Asks the fabric through the programs of infiniband-diags, which are started without a shell and within a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "checks/infiniband/fabric_counters.h"
#include "checks/infiniband/fabric_model.h"

namespace rackproof {

// A port of this machine, as ibstat tells of it.
struct LocalPort {
  std::string adapter;  // "mlx5_0"
  std::string type;     // "MT4129"; "simulator" under ibsim
  int number = 0;
  std::string state;
  std::string physical;
  std::string layer;  // "InfiniBand", "Ethernet"; ibsim says "IB"

  bool is_infiniband() const { return layer != "Ethernet"; }
};

std::vector<LocalPort> parse_local_ports(std::string_view text);

struct FabricTools {
  std::string adapter;   // empty: what the programs take by themselves
  std::int64_t port = 0;
  std::string node_names;  // file of names by GUID; empty: the programs' own
  std::chrono::milliseconds at_most{60'000};  // for each program

  static bool are_installed();

  std::vector<LocalPort> local_ports() const;
  struct Discovery {
    Fabric fabric;
    std::vector<std::string> complaints;  // what did not answer, as the programs say it
  };
  Discovery discover() const;
  CounterReading counters(const Fabric&) const;

 private:
  std::vector<std::string> with_place(std::vector<std::string> argv) const;
};

}  // namespace rackproof
