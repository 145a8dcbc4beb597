#include "checks/gpu/burn_gpu.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "checks/gpu/cuda_wait.h"
#include "checks/gpu/operands.h"

namespace rackproof {
namespace {

constexpr std::size_t kSlots = 2;

std::size_t digest_bytes(const BurnPlan& plan) { return sizeof(Digest) * static_cast<std::size_t>(plan.products()); }

}  // namespace

BurningGpu::Slot::Slot(int gpu, int beats) : opened(gpu), closed(gpu) {
  for (int beat = 0; beat < beats; ++beat) {
    begins.emplace_back(gpu);
    ends.emplace_back(gpu);
  }
}

BurningGpu::BurningGpu(const Gpu& gpu, const BurnSetup& setup)
    : gpu_(gpu),
      setup_(setup),
      stream_(gpu.index),
      library_(gpu.index),
      gemm_(library_, *setup.precision, setup.plan.size, setup.plan.batch),
      a_(gpu.index, setup.plan.operand_bytes(*setup.precision)),
      b_(gpu.index, setup.plan.operand_bytes(*setup.precision)),
      products_(gpu.index, setup.plan.product_bytes(*setup.precision) * static_cast<std::size_t>(setup.plan.batch)),
      workspace_(gpu.index, setup.workspace),
      scratch_(gpu.index, sizeof(Digest) * digest_scratch(gpu.multiprocessors, setup.plan.batch)),
      digests_(gpu.index, digest_bytes(setup.plan)),
      entries_(gpu.index, sizeof(std::uint64_t) * kReferences),
      landed_(digest_bytes(setup.plan) * static_cast<std::size_t>(setup.beats) * kSlots),
      landed_entries_(sizeof(std::uint64_t) * kReferences),
      entries_landed_(gpu.index) {
  const std::size_t of_slot = static_cast<std::size_t>(setup.plan.products()) * static_cast<std::size_t>(setup.beats);
  for (std::size_t i = 0; i < kSlots; ++i) {
    slots_.emplace_back(gpu.index, setup.beats);
    slots_.back().landed = landed_.get<Digest>() + i * of_slot;
  }
}

BurningGpu::~BurningGpu() {
  if (rest_of_beat_ == nullptr || is_abandoned(gpu_.index)) return;
  if (cudaSetDevice(gpu_.index) == cudaSuccess) cudaGraphExecDestroy(rest_of_beat_);
}

Products BurningGpu::products() const {
  return {products_.get(), setup_.plan.product_bytes(*setup_.precision), setup_.plan.batch, setup_.precision->out};
}

void BurningGpu::enqueue_digests(int call) {
  digest_products(stream_, products(), gpu_.multiprocessors, scratch_.get<Digest>(),
                  digests_.get<Digest>() + call * setup_.plan.batch);
}

void BurningGpu::record_graph() {
  use_gpu(gpu_.index);
  cuda_call(cudaStreamBeginCapture(stream_.get(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture", gpu_.index);
  for (int call = 1; call < setup_.plan.calls; ++call) {
    gemm_.enqueue(stream_, setup_.algorithm, a_.get(), b_.get(), products_.get(), workspace_);
    enqueue_digests(call);
  }
  cudaGraph_t graph = nullptr;
  cuda_call(cudaStreamEndCapture(stream_.get(), &graph), "cudaStreamEndCapture", gpu_.index);
  const cudaError_t code = cudaGraphInstantiate(&rest_of_beat_, graph, 0);
  cudaGraphDestroy(graph);
  cuda_call(code, "cudaGraphInstantiate", gpu_.index);
}

void BurningGpu::fill(const Seeds& seeds) {
  fill_operand(stream_, a_.get(), setup_.plan.elements(), setup_.precision->in, seeds.a);
  fill_operand(stream_, b_.get(), setup_.plan.elements(), setup_.precision->in, seeds.b);
}

void BurningGpu::prepare(const Seeds& seeds) {
  fill(seeds);
  gemm_.enqueue(stream_, setup_.algorithm, a_.get(), b_.get(), products_.get(), workspace_);
  enqueue_digests(0);
  pause_device(stream_, 1000);
  if (setup_.plan.calls > 1) {
    record_graph();
    cuda_call(cudaGraphLaunch(rest_of_beat_, stream_.get()), "cudaGraphLaunch", gpu_.index);
  }
  enqueue_entries(seeds);
}

void BurningGpu::enqueue_window(std::int64_t pause_before_ns, std::int64_t pause_behind_ns) {
  Slot& slot = slots_[next_slot_];
  slot.opened.record(stream_);
  if (pause_before_ns > 0) pause_device(stream_, pause_before_ns);
  const auto products_of_beat = static_cast<std::size_t>(setup_.plan.products());
  for (std::size_t beat = 0; beat < slot.begins.size(); ++beat) {
    slot.begins[beat].record(stream_);
    gemm_.enqueue(stream_, setup_.algorithm, a_.get(), b_.get(), products_.get(), workspace_);
    slot.ends[beat].record(stream_);
    enqueue_digests(0);
    if (rest_of_beat_ != nullptr) cuda_call(cudaGraphLaunch(rest_of_beat_, stream_.get()), "cudaGraphLaunch", gpu_.index);
    cuda_call(cudaMemcpyAsync(slot.landed + beat * products_of_beat, digests_.get(), digests_.bytes(),
                              cudaMemcpyDeviceToHost, stream_.get()),
              "cudaMemcpyAsync", gpu_.index);
  }
  if (pause_behind_ns > 0) pause_device(stream_, pause_behind_ns);
  slot.closed.record(stream_);
  in_flight_.push_back(next_slot_);
  next_slot_ = (next_slot_ + 1) % kSlots;
}

BurningGpu::Window BurningGpu::take_window(DigestTally& tally) {
  const Slot& slot = slots_[in_flight_.front()];
  in_flight_.pop_front();
  use_gpu(gpu_.index);
  Window window;
  const auto beats = static_cast<std::int64_t>(slot.begins.size());
  const auto flop_of_call = static_cast<std::int64_t>(setup_.plan.flop()) * setup_.plan.batch;
  Sample sample;
  int beats_of_sample = 0;
  for (std::size_t beat = 0; beat < slot.begins.size(); ++beat) {
    sample.amount += flop_of_call;
    sample.nanoseconds += nanoseconds_between(slot.begins[beat], slot.ends[beat]);
    if (++beats_of_sample < setup_.beats_of_sample) continue;
    window.samples.push_back(std::exchange(sample, {}));
    beats_of_sample = 0;
  }
  if (window.samples.empty()) window.samples.push_back(sample);
  window.total_ns = nanoseconds_between(slot.opened, slot.closed);
  window.products = beats * setup_.plan.products();
  for (std::int64_t i = 0; i < window.products; ++i) {
    tally.add(slot.landed[i].hash);
    window.not_finite += static_cast<std::int64_t>(slot.landed[i].not_finite);
  }
  return window;
}

void BurningGpu::enqueue_entries(const Seeds& seeds) {
  gather_entries(stream_, products(), static_cast<std::uint32_t>(setup_.plan.size), seeds.entries, kReferences,
                 entries_.get<std::uint64_t>());
  cuda_call(cudaMemcpyAsync(landed_entries_.get(), entries_.get(), entries_.bytes(), cudaMemcpyDeviceToHost, stream_.get()),
            "cudaMemcpyAsync", gpu_.index);
  entries_landed_.record(stream_);
}

std::vector<std::uint64_t> BurningGpu::read_entries() const {
  const auto* const first = landed_entries_.get<std::uint64_t>();
  return {first, first + kReferences};
}

std::vector<unsigned char> BurningGpu::read_product() {
  constexpr std::size_t kStaged = 64 << 20;
  constexpr std::chrono::seconds kPatience{30};
  std::vector<unsigned char> product(setup_.plan.product_bytes(*setup_.precision));
  const PinnedMemory staged(std::min(kStaged, product.size()));
  for (std::size_t at = 0; at < product.size(); at += staged.bytes()) {
    const std::size_t bytes = std::min(staged.bytes(), product.size() - at);
    use_gpu(gpu_.index);
    cuda_call(cudaMemcpyAsync(staged.get(), products_.get<unsigned char>() + at, bytes, cudaMemcpyDeviceToHost,
                              stream_.get()),
              "cudaMemcpyAsync", gpu_.index);
    entries_landed_.record(stream_);
    need(entries_landed_, kPatience, "reading a product");
    std::memcpy(product.data() + at, staged.get(), bytes);
  }
  return product;
}

}  // namespace rackproof
