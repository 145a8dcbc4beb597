#include <catch2/catch.hpp>

#include "checks/api/last_word.h"
#include "checks/nccl/graph_xml.h"

using namespace rackproof;

namespace {

// As NCCL writes it: no prolog, tabs or blanks as they come, attributes in either kind of quotes, and names that nobody here
// knows.
constexpr const char* kTopology = R"(<system version="1" name='node7'>
  <cpu host_hash="0x1d2c3b4a59687786" numaid="0" affinity="0000ffff,ffffffff" arch="x86_64" vendor="  Shanghai  " familyid="6" modelid="143">
    <pci busid="0000:15:00.0" class="0x060400" vendor="0x1000" device="0xc030" link_speed="32.0 GT/s PCIe" link_width="16">
      <pcilink target="0000:3d:00.0"/>
      <pci busid="0000:17:00.0" class="0x030200" link_speed="" link_width="0">
        <gpu dev="0" sm="90" rank="0" gdr="1" mlopart="3">
          <nvlink target="0000:EB:00.0" count="4" tclass="0x068000"/>
          <nvlink target="0000:ec:00.0" count="5" tclass="0x068000"/>
          <c2c bw="400000" count="1"/>
        </gpu>
      </pci>
      <pci busid="0000:18:00.0" class="0x030200"><gpu dev="1" sm="90" rank="1"><nvlink target="fffffff:ffff:ff" count="18" tclass="0x068000"/></gpu></pci>
      <pci busid="0000:19:00.0" class="0x020700">
        <nic>
          <net name="mlx5_0" dev="0" latency="0.000000" speed="400000" port="1" guid="0x1" maxconn="131072" gdr="1" rail="2" keep="1"/>
        </nic>
      </pci>
    </pci>
    <nic><net name="eth0" dev="1" speed="-1"/></nic>
    <surprise><pci busid="0000:1a:00.0"><gpu dev="2"/></pci></surprise>
  </cpu>
</system>
)";

constexpr const char* kGraphs = R"(<graphs version="1">
  <graph id="0" pattern="4" crossnic="0" nchannels="12" speedintra="30" speedinter="30" latencyinter="0" typeintra="NVL" typeinter="PIX" samechannels="1">
    <channel><gpu dev="0" rank="0"/><gpu dev="0x1000000000000001" rank="1"/></channel>
  </graph>
  <graph id="1" pattern="1" crossnic="0" nchannels="12" speedintra="30" speedinter="30" typeintra="NVL" typeinter="PIX" samechannels="1"/>
  <graph id="2" pattern="3" crossnic="0" nchannels="0" speedintra="0" speedinter="0" typeintra="LOC" typeinter="LOC" samechannels="1"/>
  <graph id="3" pattern="5" crossnic="0" nchannels="8" speedintra="40" speedinter="40" typeintra="NVL" typeinter="PIX" samechannels="1"/>
</graphs>
)";

}  // namespace

TEST_CASE("nccl.allreduce: a topology is read whatever else stands in it") {
  const NcclTopology topology = parse_topology(kTopology, "topology");
  REQUIRE(topology.gpus.size() == 3);
  const NcclGpu& gpu = topology.gpus.front();
  CHECK(gpu.address == "0000:17:00.0");
  CHECK(gpu.rank == 0);
  CHECK(gpu.compute == 90);
  CHECK(gpu.links() == 9);
  CHECK(gpu.nvlinks.front().target == "0000:eb:00.0");
  CHECK(gpu.nvlinks.front().target_class == "0x068000");
  CHECK(topology.gpus[1].links() == 18);
  CHECK(topology.gpus[2].address == "0000:1a:00.0");
  CHECK(topology.gpus[2].rank == -1);
  CHECK(topology.gpus[2].links() == 0);

  REQUIRE(topology.nets.size() == 2);
  CHECK(topology.nets[0].name == "mlx5_0");
  CHECK(topology.nets[0].address == "0000:19:00.0");
  CHECK(topology.nets[0].gbs == 50);
  CHECK(topology.nets[1].address.empty());
  CHECK(topology.nets[1].gbs == 0);
}

TEST_CASE("nccl.allreduce: what is no XML of NCCL is said") {
  for (const char* none : {"", "<system version=\"1\">", "<graphs version=\"1\"/>", "no XML", "<system"}) {
    CAPTURE(none);
    CHECK_THROWS_AS(parse_topology(none, "file"), Trouble);
  }
  CHECK_THROWS_AS(parse_graphs("<system version=\"1\"/>", "file"), Trouble);
  CHECK(parse_topology("<system version=\"1\"/>", "file").gpus.empty());
  std::string deep = "<system>";
  for (int i = 0; i < 10'000; ++i) deep += "<pci>";
  for (int i = 0; i < 10'000; ++i) deep += "</pci>";
  CHECK(parse_topology(deep + "</system>", "file").gpus.empty());
}

TEST_CASE("nccl.allreduce: the budget is the ring's, or that of NVLS for an all-reduce") {
  const auto graphs = parse_graphs(kGraphs, "graphs");
  REQUIRE(graphs.size() == 4);
  CHECK(graphs[0].type_intra == "NVL");

  const auto gather = budget_of(graphs, Collective::all_gather, 8, 90);
  REQUIRE(gather);
  CHECK(gather->gbs == 360);
  CHECK(gather->channels == 12);
  CHECK(gather->graph == "ring");

  const auto reduce = budget_of(graphs, Collective::all_reduce, 8, 90);
  REQUIRE(reduce);
  CHECK(reduce->gbs == Approx(8 * 40 * 1.75 * 0.85));
  CHECK(reduce->graph == "NVLS");

  // Without NVLS the ring's, whatever the collective; no usable graph, no budget.
  CHECK(budget_of(std::span(graphs).first(2), Collective::all_reduce, 8, 80)->gbs == 360);
  CHECK_FALSE(budget_of(std::span(graphs).subspan(2, 1), Collective::all_reduce, 8, 90));
  CHECK_FALSE(budget_of({}, Collective::all_reduce, 8, 90));
}

TEST_CASE("nccl.allreduce: NVLinks are reckoned as NCCL reckons them") {
  CHECK(12 * nvlink_budget_gbs(80) == 240);
  CHECK(18 * nvlink_budget_gbs(90) == Approx(370.8));
  CHECK(18 * nvlink_budget_gbs(100) == Approx(721.8));
  CHECK(nvlink_budget_gbs(0) == 0);
}
