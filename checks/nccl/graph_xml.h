// What NCCL made of the node: its topology and its graphs, as it writes them to XML files.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checks/nccl/collective.h"

namespace rackproof {

struct NcclNvlinks {
  std::string target;        // PCI address of a GPU, an NVSwitch or a CPU; "fffffff:ffff:ff" where a VM hides it
  std::string target_class;  // "0x068000": NVSwitch, "0x030200": GPU
  int count = 0;
};

struct NcclGpu {
  std::string address;  // "0000:17:00.0"
  int index = -1;       // CUDA's
  int rank = -1;
  int compute = 0;  // compute capability times 10
  std::vector<NcclNvlinks> nvlinks;
  int links() const;
};

struct NcclNet {
  std::string name;     // "mlx5_0"
  std::string address;  // of its PCI function; empty where NCCL knows none
  double gbs = 0;       // 0: NCCL does not know
};

struct NcclTopology {
  std::vector<NcclGpu> gpus;
  std::vector<NcclNet> nets;
};

struct NcclGraph {
  int id = -1;  // 0 ring, 1 tree, 2 collnet chain, 3 NVLS, 4 collnet direct
  int channels = 0;
  double channel_gbs = 0;  // speedintra, of each channel
  double between_gbs = 0;  // speedinter, likewise: what a channel gets between nodes
  std::string type_intra;  // path that it goes over: "NVL", "PIX", "PHB", "SYS"
};

// NCCL's XML has no prolog and no entities. Names that are not known here are passed over. Throw Trouble with the
// file's name for what is no such file.
NcclTopology parse_topology(const std::string& text, const std::string& name);
std::vector<NcclGraph> parse_graphs(const std::string& text, const std::string& name);

// What NCCL takes one NVLink to carry, GB/s each direction, by compute capability times 10; 0: it has none.
double nvlink_budget_gbs(int compute);

// The bandwidth that NCCL itself believes in, in terms of busbw: channels times speed of its ring; for an all-reduce
// that of NVLS where that is more, since a switch that adds up carries each byte once where a ring carries it twice.
struct NcclBudget {
  double gbs = 0;
  int channels = 0;
  std::string graph;  // "ring" or "NVLS"
};
std::optional<NcclBudget> budget_of(std::span<const NcclGraph>, Collective, int ranks, int compute);
// The same of a ring that leaves the node: its channels at the speed that they have between nodes.
std::optional<NcclBudget> budget_between_nodes(std::span<const NcclGraph>);

}  // namespace rackproof
