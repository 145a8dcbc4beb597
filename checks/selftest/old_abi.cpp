// Was built for another version of the contract.
#include <cstdint>

#include "checks/api/abi.h"

namespace {

// Only the first field means the same in every version: whoever reads on finds no pointer here.
struct OlderDeclaration {
  std::uint32_t abi;
  std::uint32_t other_things[31];
};

}  // namespace

const rackproof_check* rackproof_check_entry(void) {
  alignas(rackproof_check) static const OlderDeclaration declared{
      .abi = 0, .other_things = {0xdeadbeef, 0xdeadbeef, 0xdeadbeef, 0xdeadbeef, 0xdeadbeef, 0xdeadbeef, 0xdeadbeef}};
  return reinterpret_cast<const rackproof_check*>(&declared);
}
