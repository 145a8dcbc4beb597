// What nodes, ports and cables of a fabric are called: by name where only one node has it, else by GUID.
#pragma once

#include <map>
#include <string>

#include "checks/infiniband/fabric_model.h"

namespace rackproof {

class FabricNames {
 public:
  explicit FabricNames(const Fabric&);

  // A node that the fabric does not show, and what the cabling calls it.
  void add_absent(std::uint64_t node, const std::string& name);
  bool is_absent(std::uint64_t node) const { return absent_.contains(node); }

  std::string node(std::uint64_t) const;          // "node07 mlx5_0"
  std::string end(const FabricEnd&) const;        // "node07 mlx5_0 port 1"
  std::string node_id(std::uint64_t) const;       // "hca:node07_mlx5_0"
  std::string port_id(const FabricEnd&) const;    // "hca:node07_mlx5_0/1"
  std::string cable_id(const FabricEnd& a, const FabricEnd& b) const;    // "cable:node07_mlx5_0/1=leaf02/3"
  std::string cable_name(const FabricEnd& a, const FabricEnd& b) const;  // "node07 mlx5_0 port 1 to leaf02 port 3"

 private:
  std::string key(std::uint64_t node) const;

  struct Called {
    std::string name;
    std::string key;
    const char* prefix;
  };
  std::map<std::uint64_t, Called> called_;
  std::map<std::uint64_t, std::string> absent_;
};

std::string guid_text(std::uint64_t);  // "0x0002c902004048f0"

}  // namespace rackproof
