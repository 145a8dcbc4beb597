// Memory straight from the kernel, and the question where its pages lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace rackproof {

// Private memory that no page stands behind until it is written.
class Mapping {
 public:
  Mapping(std::size_t bytes, bool huge_pages);  // throws Trouble when the kernel refuses
  Mapping(Mapping&&) noexcept;
  Mapping& operator=(Mapping&&) = delete;
  ~Mapping();

  double* begin() const { return static_cast<double*>(begin_); }
  std::size_t bytes() const { return bytes_; }

 private:
  void* begin_;
  std::size_t bytes_;
};

struct Placement {
  std::int64_t asked = 0;
  std::int64_t misplaced = 0;  // on another node, or not in memory
  std::string refusal;         // why the kernel would not tell; then nothing is known
};

// Asks for pages spread evenly over the memory, `at_most` of them.
Placement placement(const Mapping&, int node, std::size_t at_most);

}  // namespace rackproof
