#include "checks/gpu/operands.h"

#include "checks/gpu/launch.h"

// A thread makes the elements of 16 bytes at a time, and the next ones a whole grid further on.
extern "C" __global__ void rackproof_fill_operand(uint4* matrix, unsigned long long quads, int format,
                                                  unsigned long long seed) {
  const auto kind = static_cast<rackproof::Format>(format);
  const auto bytes = static_cast<unsigned int>(rackproof::bytes_of(kind));
  const unsigned long long step = static_cast<unsigned long long>(gridDim.x) * blockDim.x;
  for (unsigned long long i = static_cast<unsigned long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < quads; i += step) {
    unsigned long long halves[2] = {0, 0};
    for (unsigned int at = 0; at < 16; at += bytes) {
      const unsigned long long index = i * (16 / bytes) + at / bytes;
      unsigned long long bits = 0;
      if (kind == rackproof::Format::fp64) {
        const double value = rackproof::random_element(kind, seed, index);
        memcpy(&bits, &value, sizeof bits);
      } else {
        const auto value = static_cast<float>(rackproof::random_element(kind, seed, index));
        switch (kind) {
          case rackproof::Format::tf32: bits = rackproof::rounded_bits(value, 13); break;
          case rackproof::Format::bf16: bits = rackproof::rounded_bits(value, 16) >> 16; break;
          case rackproof::Format::fp8: bits = rackproof::to_e4m3(value); break;
          default: bits = rackproof::bits_of(value);
        }
      }
      halves[at / 8] |= bits << (at % 8 * 8);
    }
    uint4 out;
    out.x = static_cast<unsigned int>(halves[0]);
    out.y = static_cast<unsigned int>(halves[0] >> 32);
    out.z = static_cast<unsigned int>(halves[1]);
    out.w = static_cast<unsigned int>(halves[1] >> 32);
    matrix[i] = out;
  }
}

namespace rackproof {

void fill_operand(const Stream& stream, void* matrix, std::size_t count, Format format, std::uint64_t seed) {
  constexpr Shape kShape{1024, 256};
  launch(rackproof_fill_operand, kShape, stream, static_cast<uint4*>(matrix), count * bytes_of(format) / 16,
         static_cast<int>(format), seed);
}

}  // namespace rackproof
