// A private folder into which NCCL writes its topology and its graphs while it starts; gone when this goes.
#pragma once

#include <optional>
#include <string>

namespace rackproof {

class DumpFolder {
 public:
  // Sets NCCL_TOPO_DUMP_FILE and NCCL_GRAPH_DUMP_FILE of this process, which NCCL reads once: before its first call.
  DumpFolder();
  DumpFolder(const DumpFolder&) = delete;
  DumpFolder& operator=(const DumpFolder&) = delete;
  ~DumpFolder();

  // Forgets what was written, before the next start.
  void clear();
  // nullopt: NCCL did not write it.
  std::optional<std::string> topology() const;
  std::optional<std::string> graphs() const;

 private:
  std::string folder_;
};

}  // namespace rackproof
