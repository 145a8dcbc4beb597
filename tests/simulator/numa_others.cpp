// What other libraries ask of libnuma where this stand-in takes its place: UCX does not load without. It is told of one node
// with all processors, since it asks about the machine that its processes really run on.
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

extern "C" {

struct bitmask {
  unsigned long size;  // bits
  unsigned long* maskp;
};

}  // extern "C"

namespace {

constexpr unsigned long kBits = sizeof(unsigned long) * CHAR_BIT;
constexpr unsigned long kMostNodes = 1024;

bitmask* new_mask(unsigned long bits) {
  auto* const mask = static_cast<bitmask*>(std::malloc(sizeof(bitmask)));
  if (mask == nullptr) return nullptr;
  *mask = {bits, static_cast<unsigned long*>(std::calloc((bits + kBits - 1) / kBits, sizeof(unsigned long)))};
  return mask;
}

void set(bitmask* mask, unsigned long bit) {
  if (mask != nullptr && mask->maskp != nullptr && bit < mask->size) mask->maskp[bit / kBits] |= 1UL << (bit % kBits);
}

bitmask* node_zero() {
  bitmask* const mask = new_mask(kMostNodes);
  set(mask, 0);
  return mask;
}

}  // namespace

extern "C" {

bitmask* numa_all_nodes_ptr = node_zero();

int numa_num_configured_cpus(void) { return static_cast<int>(::sysconf(_SC_NPROCESSORS_CONF)); }
int numa_max_node(void) { return 0; }
int numa_distance(int, int) { return 10; }  // what a node is from itself

bitmask* numa_allocate_cpumask(void) { return new_mask(static_cast<unsigned long>(numa_num_configured_cpus())); }
bitmask* numa_allocate_nodemask(void) { return new_mask(kMostNodes); }
bitmask* numa_get_run_node_mask(void) { return node_zero(); }

void numa_bitmask_free(bitmask* mask) {
  if (mask != nullptr) std::free(mask->maskp);
  std::free(mask);
}

int numa_bitmask_isbitset(const bitmask* mask, unsigned int bit) {
  return bit < mask->size && (mask->maskp[bit / kBits] >> (bit % kBits) & 1) != 0 ? 1 : 0;
}

int numa_node_to_cpus(int node, bitmask* cpus) {
  for (unsigned long cpu = 0; node == 0 && cpu < cpus->size; ++cpu) set(cpus, cpu);
  return node == 0 ? 0 : -1;
}

long mbind(void* start, unsigned long bytes, int mode, const unsigned long* nodes, unsigned long most, unsigned flags) {
  return ::syscall(SYS_mbind, start, bytes, mode, nodes, most, flags);
}

long get_mempolicy(int* mode, unsigned long* nodes, unsigned long most, void* at, unsigned flags) {
  return ::syscall(SYS_get_mempolicy, mode, nodes, most, at, flags);
}

}  // extern "C"
