#include "runner/slurm_topology.h"

#include <catch2/catch.hpp>

using namespace rackproof;

TEST_CASE("where nodes hang is read from Slurm: the leaf, and the switch above it", "[slurm]") {
  const auto places = parse_topology(
      "SwitchName=leaf1 Level=0 LinkSpeed=1 Nodes=rp[01-02]\n"
      "SwitchName=leaf2 Level=0 LinkSpeed=1 Nodes=rp03\n"
      "SwitchName=rack1 Level=1 LinkSpeed=1 Nodes=rp[01-03] Switches=leaf[1-2]\n"
      "SwitchName=top Level=2 LinkSpeed=1 Nodes=rp[01-03] Switches=rack1\n");
  REQUIRE(places.size() == 3);
  CHECK(places.at("rp01") == SlurmPlace{"leaf1", "rack1"});
  CHECK(places.at("rp02") == SlurmPlace{"leaf1", "rack1"});
  CHECK(places.at("rp03") == SlurmPlace{"leaf2", "rack1"});
}

TEST_CASE("what is no line of a topology is passed over", "[slurm]") {
  CHECK(parse_topology("").empty());
  CHECK(parse_topology("slurm_load_topo: error\nSwitchName=leaf9 Level=0 LinkSpeed=1 Nodes=(null)\nLevel=0 Nodes=a\n").empty());
  CHECK(parse_topology("SwitchName=leaf1 Level=0 Nodes=a[").empty());
}
