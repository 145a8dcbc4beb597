#include "checks/gpu/burn_setup.h"

#include <algorithm>

#include "checks/gpu/cuda_wait.h"

namespace rackproof {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 60s;
// The most that cuBLAS asks for on Hopper and later, by its manual.
constexpr std::size_t kWorkspace = 32 << 20;
// A product of these would be too coarse a unit of time.
constexpr double kLongestProductNs = 50e6;
constexpr int kTriedProducts = 4;

// Half of what is free: digests, workspace and the driver need some too.
std::size_t room_of(const Gpu& gpu) {
  std::size_t free = 0;
  std::size_t total = 0;
  use_gpu(gpu.index);
  cuda_call(cudaMemGetInfo(&free, &total), "cudaMemGetInfo", gpu.index);
  return free / 2;
}

std::string megabytes(std::size_t bytes) { return std::to_string(bytes / 1'000'000) + " MB"; }

void put_out(Context& context, BurnMember& member, const std::string& code, const std::string& why) {
  member.is_out = true;
  context.fault(member.gpu.id, code, member.gpu.id + ": " + why);
}

struct Roomy {
  BurnMember* member = nullptr;
  std::size_t room = 0;
};

std::vector<Roomy> rooms(Context& context, std::span<BurnMember* const> members) {
  std::vector<Roomy> all;
  for (BurnMember* const member : members) {
    try {
      all.push_back({member, room_of(member->gpu)});
    } catch (const CudaError& error) {
      put_out(context, *member, "gpu-lost", error.what());
    }
  }
  return all;
}

// How long one product takes; the first ones, with a clock that still rises, do not count.
double time_product(const BurnMember& member, const BurnSetup& setup, const Seeds& seeds) {
  BurningGpu burning(member.gpu, setup);
  burning.prepare(seeds);
  need(burning.entries_landed(), kPatience, "the first product");
  double ns = 0;
  for (int i = 0; i < 3; ++i) {
    burning.enqueue_window();
    need(burning.oldest_end(), kPatience, "some products");
    DigestTally tally;
    ns = static_cast<double>(burning.take_window(tally).samples.front().nanoseconds) / kTriedProducts;
  }
  return ns;
}

std::optional<cublasLtMatmulAlgo_t> algorithm_for(const BurnMember& member, const BurnSetup& setup) {
  const Cublas library(member.gpu.index);
  return Gemm(library, *setup.precision, setup.plan.size, setup.plan.batch).best_algorithm(setup.workspace);
}

// What the first GPU finds out for all of them; nullopt: not supported.
std::optional<BurnSetup> try_on(const BurnMember& member, const Precision& precision, std::int64_t size,
                                std::size_t room, const BurnWish& wish) {
  BurnSetup setup{.precision = &precision, .plan = {.size = size}, .algorithm = {}, .workspace = std::min(kWorkspace, room / 8),
                  .beats = kTriedProducts, .beats_of_sample = kTriedProducts};
  double ns = 0;
  while (true) {
    const auto algorithm = algorithm_for(member, setup);
    if (!algorithm) return std::nullopt;
    setup.algorithm = *algorithm;
    ns = time_product(member, setup, wish.seeds);
    if (wish.size > 0 || ns <= kLongestProductNs || setup.plan.size <= 1024) break;
    setup.plan.size /= 2;
  }
  setup.plan = planned(precision, setup.plan.size, room, ns, wanted_beat_ns(wish.pulse_s * 1e9));
  std::optional<cublasLtMatmulAlgo_t> of_batch = algorithm_for(member, setup);
  if (!of_batch) {
    // One at a time it can: that was just tried.
    setup.plan.calls = std::min(setup.plan.calls * setup.plan.batch, kMostCalls);
    setup.plan.batch = 1;
    of_batch = setup.algorithm;
  }
  setup.algorithm = *of_batch;
  const double beat_ns = ns * setup.plan.products();
  setup.beats_of_sample = beats_of_window(beat_ns, wish.duration_s * 1e9);
  setup.beats = wish.pulse_s > 0 ? std::max(1, static_cast<int>(wish.pulse_s * 1e9 / beat_ns)) : setup.beats_of_sample;
  return setup;
}

}  // namespace

std::optional<BurnSetup> set_up(Context& context, const Precision& precision, std::span<BurnMember* const> of_a_kind,
                                const BurnWish& wish) {
  std::vector<Roomy> all = rooms(context, of_a_kind);
  if (all.empty()) return std::nullopt;
  // By what most of them have: one GPU that somebody else has filled must not make the others compute something small.
  std::ranges::sort(all, {}, &Roomy::room);
  const std::size_t usual = all[all.size() / 2].room;
  const std::int64_t size = wish.size > 0 ? wish.size : fitting_size(precision, usual);
  const BurnPlan least{.size = size, .batch = 2};
  const std::size_t needed = 2 * least.operand_bytes(precision) + 2 * least.product_bytes(precision);
  if (size == 0 || needed > usual) {
    throw Trouble{std::string(precision.name) + ": half of the free memory of a GPU, " + megabytes(usual) +
                  ", does not hold two operands and two products" +
                  (size == 0 ? "" : " of " + std::to_string(size) + " by " + std::to_string(size))};
  }
  std::erase_if(all, [&](const Roomy& one) {
    if (one.room >= needed) return false;
    put_out(context, *one.member, "memory-full",
            "only " + megabytes(2 * one.room) + " of its memory are free, and " + megabytes(2 * needed) + " are needed");
    return true;
  });
  const std::size_t room = all.front().room;
  std::ranges::sort(all, {}, [](const Roomy& one) { return one.member->gpu.address; });
  for (const Roomy& one : all) {
    try {
      std::optional<BurnSetup> setup = try_on(*one.member, precision, size, room, wish);
      if (!setup) {
        context.note(std::string(precision.name) + " is not measured: cuBLAS " + cublas_version() +
                     " has no product of it for " + one.member->gpu.id);
      }
      return setup;
    } catch (const CudaError& error) {
      put_out(context, *one.member, error.is_final() ? "gpu-lost" : "cuda-error", error.what());
    } catch (const CublasError& error) {
      put_out(context, *one.member, "cublas-error", error.what());
    } catch (const Trouble& late) {
      put_out(context, *one.member, "gpu-hung", late.why);
    }
  }
  return std::nullopt;
}

}  // namespace rackproof
