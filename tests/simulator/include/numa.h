// What the checks use of libnuma, for machines where it is not installed: the same signatures, implemented by the
// simulator's libnuma.
#pragma once

#include <cstddef>

extern "C" {
int numa_available(void);
void numa_tonode_memory(void* start, size_t size, int node);
int numa_move_pages(int pid, unsigned long count, void** pages, const int* nodes, int* status, int flags);
}
