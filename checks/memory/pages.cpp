#include "checks/memory/pages.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "checks/api/last_word.h"

namespace rackproof {

Mapping::Mapping(std::size_t bytes, bool huge_pages) : begin_(nullptr), bytes_(bytes) {
  begin_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (begin_ == MAP_FAILED) {
    throw Trouble{"no memory for an array of " + std::to_string(bytes) + " bytes: " + std::strerror(errno)};
  }
  // Advice alone: a kernel without huge pages answers EINVAL, and the figures are then those of small pages.
  if (huge_pages) ::madvise(begin_, bytes, MADV_HUGEPAGE);
}

Mapping::Mapping(Mapping&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Mapping::~Mapping() {
  if (begin_ != nullptr) ::munmap(begin_, bytes_);
}

Placement placement(const Mapping& mapping, int node, std::size_t at_most) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t pages = mapping.bytes() / page;
  const std::size_t asked = std::min(pages, at_most);
  std::vector<void*> addresses;
  for (std::size_t i = 0; i < asked; ++i) {
    addresses.push_back(reinterpret_cast<char*>(mapping.begin()) + i * pages / asked * page);
  }
  std::vector<int> where(asked, -1);
  // Without nodes to move to, move_pages only reports where each page is, or why it is nowhere (a negative error).
  if (asked > 0 && ::syscall(SYS_move_pages, 0, asked, addresses.data(), nullptr, where.data(), 0) != 0) {
    return {.asked = 0, .misplaced = 0, .refusal = std::string("move_pages: ") + std::strerror(errno)};
  }
  return {.asked = static_cast<std::int64_t>(asked),
          .misplaced = static_cast<std::int64_t>(asked) - std::ranges::count(where, node),
          .refusal = ""};
}

}  // namespace rackproof
