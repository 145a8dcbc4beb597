#include "checks/pcie/host_memory.h"

#include <numa.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "checks/api/last_word.h"
#include "checks/gpu/cuda_handles.h"

namespace rackproof {
namespace {

std::size_t page_bytes() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

std::string size_text(std::size_t bytes) { return std::to_string(bytes >> 20) + " MiB of host memory"; }

}  // namespace

bool can_place_memory() { return ::numa_available() >= 0; }

HostMemory::HostMemory(std::size_t bytes, int node, int gpu) : bytes_(bytes), node_(node), gpu_(gpu) {
  void* const data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) throw Trouble{"the kernel gives no " + size_text(bytes) + ": " + std::strerror(errno)};
  // The node is preferred, not imposed: where it is full the kernel takes another, and placement() says so.
  if (node >= 0) ::numa_tonode_memory(data, bytes, node);
  auto* const each = static_cast<volatile char*>(data);
  for (std::size_t at = 0; at < bytes; at += page_bytes()) each[at] = 0;
  try {
    use_gpu(gpu);
    cuda_call(cudaHostRegister(data, bytes, cudaHostRegisterPortable | cudaHostRegisterMapped), "cudaHostRegister", gpu);
  } catch (...) {
    ::munmap(data, bytes);
    throw;
  }
  data_ = data;
}

HostMemory::HostMemory(HostMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_), node_(other.node_), gpu_(other.gpu_) {}

HostMemory::~HostMemory() {
  if (data_ == nullptr || is_any_abandoned()) return;
  // Memory that stays pinned must stay: something may still write to it.
  if (cudaSetDevice(gpu_) != cudaSuccess || cudaHostUnregister(data_) != cudaSuccess) return;
  ::munmap(data_, bytes_);
}

PagePlacement HostMemory::placement(std::size_t at_most_pages) const {
  const std::size_t pages = bytes_ / page_bytes();
  const std::size_t asked = std::min(pages, at_most_pages);
  if (node_ < 0 || asked == 0) return {.refusal = "no node was asked for"};
  std::vector<void*> where(asked);
  std::vector<int> nodes(asked, -1);
  for (std::size_t i = 0; i < asked; ++i) where[i] = get<char>() + pages * i / asked * page_bytes();
  // Without target nodes nothing is moved.
  if (::numa_move_pages(0, asked, where.data(), nullptr, nodes.data(), 0) != 0) {
    return {.refusal = std::string("move_pages: ") + std::strerror(errno)};
  }
  return {.asked = static_cast<std::int64_t>(asked),
          .misplaced = std::ranges::count_if(nodes, [&](int node) { return node != node_; })};
}

}  // namespace rackproof
