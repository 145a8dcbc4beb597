#include "checks/nccl/telling.h"

#include <algorithm>

namespace rackproof {
namespace {

constexpr std::size_t kBytes = kToldWords * sizeof(std::int64_t);
constexpr std::size_t kFloats = kBytes / sizeof(float);

Extents extents_of_words(int ranks) {
  const auto all = static_cast<std::size_t>(ranks);
  return {.bytes = all * kBytes, .part = kFloats, .sent = kFloats, .received = all * kFloats};
}

}  // namespace

Telling::Telling(const std::vector<Gpu>& gpus, Communicators& comms)
    : comms_(comms), got_here_(static_cast<std::size_t>(comms.world().ranks) * kBytes) {
  for (const Gpu& gpu : gpus) {
    gpus_.push_back(gpu.index);
    given_.emplace_back(gpu.index, kBytes);
    got_.emplace_back(gpu.index, got_here_.bytes());
  }
}

void Telling::tell(const std::vector<ToldWords>& own, const std::vector<cudaStream_t>& streams) {
  own_ = own;
  for (std::size_t i = 0; i < gpus_.size(); ++i) {
    use_gpu(gpus_[i]);
    cuda_call(cudaMemcpyAsync(given_[i].get(), own_[i].data(), kBytes, cudaMemcpyHostToDevice, streams[i]),
              "cudaMemcpyAsync", gpus_[i]);
  }
  align(streams);
  use_gpu(gpus_.front());
  cuda_call(cudaMemcpyAsync(got_here_.get(), got_.front().get(), got_here_.bytes(), cudaMemcpyDeviceToHost,
                            streams.front()),
            "cudaMemcpyAsync", gpus_.front());
}

std::vector<ToldWords> Telling::told() const {
  std::vector<ToldWords> all(got_here_.bytes() / kBytes);
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::copy_n(got_here_.get<std::int64_t>() + i * kToldWords, kToldWords, all[i].begin());
  }
  return all;
}

void Telling::align(const std::vector<cudaStream_t>& streams) {
  std::vector<const float*> sent;
  std::vector<float*> received;
  for (std::size_t i = 0; i < gpus_.size(); ++i) {
    sent.push_back(given_[i].get<float>());
    received.push_back(got_[i].get<float>());
  }
  comms_.enqueue(Collective::all_gather, extents_of_words(comms_.world().ranks), sent, received, streams);
}

}  // namespace rackproof
