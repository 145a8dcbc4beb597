#include "checks/gpu/gemm_digests.h"

#include "checks/gpu/burn_entries.h"
#include "checks/gpu/launch.h"

namespace {

// Sums that one thread adds up.
constexpr unsigned int kFolded = 64;

// How many elements of a word are infinite or NaN: all bits of their exponent are set.
#ifdef __CUDACC__
__device__
#endif
inline unsigned int
count_not_finite(unsigned long long word, int format) {
  if (format == static_cast<int>(rackproof::Format::fp64)) return (word >> 52 & 0x7ff) == 0x7ff ? 1 : 0;
  unsigned int count = 0;
  if (format == static_cast<int>(rackproof::Format::bf16)) {
    for (unsigned int at = 7; at < 64; at += 16) count += (word >> at & 0xff) == 0xff ? 1 : 0;
  } else {
    for (unsigned int at = 23; at < 64; at += 32) count += (word >> at & 0xff) == 0xff ? 1 : 0;
  }
  return count;
}

}  // namespace

// gridDim.y products; the threads of a row share one. Each writes {hash, count} of what it saw.
extern "C" __global__ void rackproof_digest_products(const ulonglong2* first, unsigned long long pairs, int format,
                                                     ulonglong2* partial) {
  const unsigned long long thread = static_cast<unsigned long long>(blockIdx.x) * blockDim.x + threadIdx.x;
  const unsigned long long threads = static_cast<unsigned long long>(gridDim.x) * blockDim.x;
  const ulonglong2* const product = first + blockIdx.y * pairs;
  ulonglong2 sum;
  sum.x = 0;
  sum.y = 0;
  for (unsigned long long i = thread; i < pairs; i += threads) {
    const ulonglong2 two = product[i];
    sum.x += rackproof_word(two.x, 2 * i) + rackproof_word(two.y, 2 * i + 1);
    sum.y += count_not_finite(two.x, format) + count_not_finite(two.y, format);
  }
  partial[blockIdx.y * threads + thread] = sum;
}

// Adds up kFolded neighbours at a time, of gridDim.y products with `each` sums.
extern "C" __global__ void rackproof_fold_digests(const ulonglong2* partial, unsigned int each, ulonglong2* smaller) {
  const unsigned int thread = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned int folded = (each + kFolded - 1) / kFolded;
  if (thread >= folded) return;
  const ulonglong2* const mine = partial + static_cast<unsigned long long>(blockIdx.y) * each;
  ulonglong2 sum;
  sum.x = 0;
  sum.y = 0;
  for (unsigned int i = thread * kFolded; i < (thread + 1) * kFolded && i < each; ++i) {
    sum.x += mine[i].x;
    sum.y += mine[i].y;
  }
  smaller[static_cast<unsigned long long>(blockIdx.y) * folded + thread] = sum;
}

extern "C" __global__ void rackproof_gather_entries(const unsigned char* first, unsigned int bytes, unsigned int size,
                                                    unsigned int batch, unsigned long long seed, unsigned int how_many,
                                                    unsigned long long* entries) {
  const unsigned int n = blockIdx.x * blockDim.x + threadIdx.x;
  if (n >= how_many) return;
  const rackproof::Entry entry = rackproof::entry_at(seed, n, size, batch);
  const unsigned long long place =
      (static_cast<unsigned long long>(entry.product) * size + entry.column) * size + entry.row;  // by columns
  unsigned long long bits = 0;
  for (unsigned int i = 0; i < bytes; ++i) bits |= static_cast<unsigned long long>(first[place * bytes + i]) << (8 * i);
  entries[n] = bits;
}

// One thread that sleeps.
extern "C" __global__ void rackproof_idle(unsigned long long nanoseconds) {
#ifdef __CUDA_ARCH__
  unsigned long long begin = 0;
  unsigned long long now = 0;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(begin));
  do {
    asm volatile("nanosleep.u32 20000;");
    asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
  } while (now - begin < nanoseconds);
#else
  static_cast<void>(nanoseconds);
#endif
}

namespace rackproof {
namespace {

constexpr unsigned int kThreads = 256;

// Threads of the whole GPU, shared out among the products: eight blocks fill a multiprocessor.
unsigned int blocks_of_product(int multiprocessors, int products) {
  const int blocks = multiprocessors * 8 / products;
  return blocks < 1 ? 1 : static_cast<unsigned int>(blocks);
}

// launch() has but one dimension.
template <class... Parameters, class... Arguments>
void launch_for_each(void (*kernel)(Parameters...), unsigned int blocks, int products, const Stream& stream,
                     Arguments... arguments) {
  use_gpu(stream.gpu());
  const auto start = [&](Parameters... converted) {
    void* addresses[] = {const_cast<void*>(static_cast<const volatile void*>(&converted))..., nullptr};
    cuda_call(cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(blocks, static_cast<unsigned int>(products)),
                               dim3(kThreads), addresses, 0, stream.get()),
              "cudaLaunchKernel", stream.gpu());
  };
  start(static_cast<Parameters>(arguments)...);
}

unsigned int folded(unsigned int each) { return (each + kFolded - 1) / kFolded; }

auto* pairs_of(Digest* digests) { return reinterpret_cast<ulonglong2*>(digests); }

}  // namespace

std::size_t digest_scratch(int multiprocessors, int products) {
  unsigned int each = blocks_of_product(multiprocessors, products) * kThreads;
  std::size_t all = each;
  while (each > 1) all += each = folded(each);
  return all * static_cast<std::size_t>(products);
}

void digest_products(const Stream& stream, const Products& products, int multiprocessors, Digest* scratch,
                     Digest* digests) {
  static_assert(sizeof(Digest) == sizeof(ulonglong2));
  const unsigned int blocks = blocks_of_product(multiprocessors, products.count);
  launch_for_each(rackproof_digest_products, blocks, products.count, stream,
                  static_cast<const ulonglong2*>(products.first), products.bytes_each / 16,
                  static_cast<int>(products.format), pairs_of(scratch));
  for (unsigned int each = blocks * kThreads; each > 1;) {
    const unsigned int next = folded(each);
    Digest* const behind = scratch + static_cast<std::size_t>(each) * static_cast<std::size_t>(products.count);
    launch_for_each(rackproof_fold_digests, (next + kThreads - 1) / kThreads, products.count, stream,
                    pairs_of(scratch), each, pairs_of(next == 1 ? digests : behind));
    scratch = behind;
    each = next;
  }
}

void gather_entries(const Stream& stream, const Products& products, std::uint32_t size, std::uint64_t seed,
                    std::uint32_t how_many, std::uint64_t* entries) {
  launch(rackproof_gather_entries, {(how_many + kThreads - 1) / kThreads, kThreads}, stream,
         static_cast<const unsigned char*>(products.first), bytes_of(products.format), size, products.count, seed,
         how_many, reinterpret_cast<unsigned long long*>(entries));
}

void pause_device(const Stream& stream, std::int64_t nanoseconds) {
  launch(rackproof_idle, {1, 1}, stream, nanoseconds);
}

}  // namespace rackproof
