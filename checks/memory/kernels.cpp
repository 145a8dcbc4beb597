#include "checks/memory/kernels.h"

#include <string>

#include "checks/api/last_word.h"

namespace rackproof {

const Kernels& choose_kernels(std::string_view instructions) {
  const bool any = instructions == "auto";
  if (any || instructions == "avx512") {
    if (const Kernels* kernels = avx512_kernels()) return *kernels;
  }
  if (any || instructions == "avx2") {
    if (const Kernels* kernels = avx2_kernels()) return *kernels;
  }
  if (any || instructions == "portable") return kPortableKernels;
  throw Trouble{"this CPU has no kernel for the instructions '" + std::string(instructions) + "'"};
}

std::string_view to_text(Operation operation) {
  switch (operation) {
    case Operation::copy: return "copy";
    case Operation::triad: return "triad";
    case Operation::read: return "read";
    case Operation::write: return "write";
  }
  return "";
}

std::int64_t bytes_per_element(Operation operation) {
  switch (operation) {
    case Operation::copy: return 16;
    case Operation::triad: return 24;
    case Operation::read:
    case Operation::write: return 8;
  }
  return 0;
}

}  // namespace rackproof
