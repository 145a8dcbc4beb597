// What starts processes on many nodes: Slurm, or an MPI launcher. It gives the nodes, where they hang, and the argv that
// starts one agent on each.
#pragma once

#include <string>
#include <vector>

namespace rackproof {

struct EngineRequest {
  enum class Kind { none, slurm, mpi };
  Kind kind = Kind::none;
  std::string nodes;      // a set, "node[01-16]"; empty: all of the allocation, partition or hostfile
  std::string partition;  // of Slurm
  std::string hostfile;   // of MPI
};

struct ClusterNode {
  std::string name;
  std::string host;           // what the engine reaches it by
  std::string leaf = {};      // the switch it hangs on; empty: not known
  std::string rack = {};      // the switch above that one; empty: not known
  std::string unusable = {};  // why the engine will not start anything on it; empty: it will
};

class Engine {
 public:
  // Asks the engine for its nodes. Throws InputError for what cannot be run on.
  explicit Engine(const EngineRequest&);

  const std::vector<ClusterNode>& nodes() const { return nodes_; }
  // Nodes by their index; the rank of a process is its place in `chosen`, which is in the order of the nodes. Slurm passes
  // the environment of this process on; MPI has to be told its variables: "NAME=value" each.
  std::vector<std::string> command(const std::vector<std::size_t>& chosen, const std::vector<std::string>& argv,
                                   const std::vector<std::string>& environment, bool ranks_meet) const;
  // What the launch itself must find in its environment: "NAME=value" each.
  std::vector<std::string> variables(const std::vector<std::size_t>& chosen) const;
  // "srun" or "mpirun", for sentences.
  const char* name() const;

 private:
  void ask_slurm(const EngineRequest&);
  void ask_mpi(const EngineRequest&);
  void ask_topology();

  EngineRequest::Kind kind_;
  std::string program_;
  std::vector<ClusterNode> nodes_;
};

// Whether this process must first get an allocation: it is not inside one, and Slurm is asked for.
bool needs_allocation(const EngineRequest&);
// The argv that starts `argv` again inside an allocation of those nodes that Slurm can give.
std::vector<std::string> in_allocation(const EngineRequest&, const std::vector<std::string>& argv);

}  // namespace rackproof
