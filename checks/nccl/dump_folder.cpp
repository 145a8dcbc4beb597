#include "checks/nccl/dump_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

std::optional<std::string> text_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace

DumpFolder::DumpFolder() {
  std::error_code none;
  std::string name = std::filesystem::temp_directory_path(none).string();
  if (none) name = "/tmp";
  name += "/rackproof-nccl-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    throw Trouble{"no folder for what NCCL writes: " + name + ": " + std::strerror(errno)};
  }
  folder_ = name;
  ::setenv("NCCL_TOPO_DUMP_FILE", (folder_ + "/topology.xml").c_str(), 1);
  ::setenv("NCCL_GRAPH_DUMP_FILE", (folder_ + "/graphs.xml").c_str(), 1);
}

DumpFolder::~DumpFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void DumpFolder::clear() {
  std::error_code ignored;
  std::filesystem::remove(folder_ + "/topology.xml", ignored);
  std::filesystem::remove(folder_ + "/graphs.xml", ignored);
}

std::optional<std::string> DumpFolder::topology() const { return text_of(folder_ + "/topology.xml"); }
std::optional<std::string> DumpFolder::graphs() const { return text_of(folder_ + "/graphs.xml"); }

}  // namespace rackproof
