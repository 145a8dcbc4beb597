#include "checks/gpu/gate.h"

#include "checks/gpu/launch.h"

namespace rackproof {
namespace {

constexpr unsigned long long kAtMostNs = 10'000'000'000ULL;

}  // namespace

// One thread that reads host memory until it changes. %globaltimer counts nanoseconds on every GPU.
extern "C" __global__ void rackproof_gate(const volatile unsigned int* flag, unsigned long long at_most_ns) {
#ifdef __CUDA_ARCH__
  unsigned long long begin = 0;
  unsigned long long now = 0;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(begin));
  do {
    asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
  } while (*flag == 0 && now - begin < at_most_ns);
#else
  static_cast<void>(flag), static_cast<void>(at_most_ns);
#endif
}

Gate::Gate() : flag_(sizeof(unsigned int)) { close(); }

void Gate::hold(const Stream& stream) {
  launch(rackproof_gate, {1, 1}, stream, flag_.get<unsigned int>(), kAtMostNs);
}

void Gate::open() { *flag_.get<volatile unsigned int>() = 1; }

void Gate::close() { *flag_.get<volatile unsigned int>() = 0; }

}  // namespace rackproof
