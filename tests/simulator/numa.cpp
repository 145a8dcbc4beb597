// The stand-in libnuma: memory is ordinary memory, and the simulated machine remembers on which of its NUMA nodes it was
// put. It knows nothing of any real machine.
#include <numa.h>

#include <cerrno>

#include "tests/simulator/machine.h"

using rackproof::simulator::Machine;

extern "C" {

int numa_available(void) { return Machine::here() == nullptr ? -1 : 0; }

void numa_tonode_memory(void* start, size_t size, int node) {
  Machine* const machine = Machine::here();
  if (machine == nullptr || node < 0 || node >= machine->profile().sockets) return;
  const std::scoped_lock lock(machine->mutex);
  machine->memory().place(start, size, node);
}

int numa_move_pages(int, unsigned long count, void** pages, const int* nodes, int* status, int) {
  Machine* const machine = Machine::here();
  if (machine == nullptr || nodes != nullptr) {
    errno = ENOSYS;  // here nothing is moved
    return -1;
  }
  const std::scoped_lock lock(machine->mutex);
  for (unsigned long i = 0; i < count; ++i) status[i] = machine->memory().numa_of(pages[i]);
  return 0;
}

}  // extern "C"
