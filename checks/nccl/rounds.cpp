#include "checks/nccl/rounds.h"

#include <algorithm>
#include <thread>

#include "checks/gpu/words.h"
#include "checks/nccl/rounds_rank.h"

namespace rackproof {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPause = std::chrono::microseconds(50);
// What others still do once a GPU is lost.
constexpr auto kGrace = std::chrono::milliseconds(200);

constexpr std::size_t kSmall = 64 << 10;  // up to here a collective takes less than an event's resolution is good for

int repeats_of(std::size_t bytes, bool is_in_place) { return bytes <= kSmall && !is_in_place ? kRepeats : 1; }

// Three buffers of this length, or two and the outputs: in place, the first is worked in, and the other two hold what
// it is set back to.
std::size_t input_length(Collective what, const Extents& extents) {
  return whole_vectors(has_in_place(what) ? std::max(extents.sent, extents.received) : extents.sent);
}

}  // namespace

std::size_t Rounds::need(Collective what, int ranks, std::size_t bytes) {
  const Extents extents = extents_of(what, ranks, bytes);
  const auto repeats = static_cast<std::size_t>(repeats_of(extents.bytes, false));
  std::size_t last = repeats * whole_vectors(extents.received);
  if (has_in_place(what)) last = std::max(last, input_length(what, extents));
  return (kInputs * input_length(what, extents) + last) * sizeof(float);
}

std::size_t Rounds::need_for_all(const Gpu& gpu) {
  return kInputs * hash_partials(gpu.multiprocessors) * sizeof(std::uint64_t) + (1 << 20);
}

Rounds::Rounds(const std::vector<Gpu>& gpus, Communicators& comms, Collective what, std::size_t memory,
               std::uint64_t seed, std::chrono::milliseconds at_most)
    : comms_(comms), what_(what), seed_(seed), at_most_(at_most) {
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    const auto local = static_cast<int>(i);
    ranks_.push_back(std::make_unique<Rank>(gpus[i], local, comms.world().first + local, memory));
  }
  if (comms.world().ranks > static_cast<int>(gpus.size())) telling_ = std::make_unique<Telling>(gpus, comms);
}

Rounds::~Rounds() = default;

RankOutput Rounds::output_of(const Rank& rank) const {
  return {static_cast<int>(what_), comms_.world().ranks, rank.rank, extents_.part, extents_.received};
}

float* Rounds::input(const Rank& rank, int which) const {
  return rank.data.get<float>() + input_length(what_, extents_) * static_cast<std::size_t>(which);
}

float* Rounds::output(const Rank& rank) const { return input(rank, kInputs); }

Round Rounds::begin(std::size_t bytes, bool is_in_place) {
  extents_ = extents_of(what_, comms_.world().ranks, bytes);
  is_in_place_ = is_in_place;
  repeats_ = repeats_of(extents_.bytes, is_in_place);
  done_ = 0;
  queued_ = 0;
  is_preparing_ = true;
  gate_.open();
  for (const auto& rank : ranks_) prepare(*rank);
  wait();
  is_preparing_ = false;
  for (const auto& rank : ranks_) std::copy_n(rank->sums_here.get<std::uint64_t>(), kInputs, rank->right);
  // The first time NCCL connects, which may not be waited for behind a gate.
  return run(1, false);
}

void Rounds::prepare(Rank& rank) {
  const RankOutput what = output_of(rank);
  // What is first launched later, so that it is loaded now: to load it, a driver waits for all that its GPU does, and that
  // may be a collective which does not end.
  gate_.hold(rank.stream);
  auto* const wrong = rank.wrong.get<WrongElements>();
  clear_wrong(rank.stream, wrong, Rank::kChecked);
  RankOutput nothing = what;
  nothing.received = 0;
  find_wrong(rank.stream, output(rank), nothing, seed_, nullptr, 0, wrong);
  for (int i = 0; i < kInputs; ++i) {
    const std::uint64_t seed = seed_ + static_cast<std::uint64_t>(i);
    fill_expected(rank.stream, output(rank), what, seed);
    hash_words(rank.stream, reinterpret_cast<const std::uint64_t*>(output(rank)), whole_vectors(what.received) / 2,
               rank.gpu.multiprocessors, rank.partials[i].get<std::uint64_t>(), rank.sums.get<std::uint64_t>() + i);
  }
  const InPlace place = in_place(what_, extents_, rank.rank);
  for (int i = 0; i < kInputs; ++i) {
    const std::uint64_t seed = seed_ + static_cast<std::uint64_t>(i);
    if (is_in_place_) {
      fill_given(rank.stream, input(rank, 1 + i), place.length, place.sent_at, extents_.sent, seed, rank.rank);
    } else {
      fill_given(rank.stream, input(rank, i), input_length(what_, extents_), 0, extents_.sent, seed, rank.rank);
    }
  }
  // Nothing of it may be there already, and behind each output stands what must not be touched.
  if (!is_in_place_) {
    fill_given(rank.stream, output(rank), whole_vectors(what.received) * static_cast<std::size_t>(repeats_), 0, 0,
               seed_, rank.rank);
  }
  cuda_call(cudaMemcpyAsync(rank.sums_here.get(), rank.sums.get(), kInputs * sizeof(std::uint64_t),
                            cudaMemcpyDeviceToHost, rank.stream.get()),
            "cudaMemcpyAsync", rank.gpu.index);
  rank.finished.record(rank.stream);
}

Round Rounds::run() { return run(kIterations, true); }

Round Rounds::run(int iterations, bool is_gated) {
  struct Opened {
    Gate& gate;
    ~Opened() { gate.open(); }
  };
  queued_ = 0;
  {
    gate_.close();
    const Opened at_the_end{gate_};
    for (const auto& rank : ranks_) {
      clear_wrong(rank->stream, rank->wrong.get<WrongElements>(), Rank::kChecked);
      if (is_gated) gate_.hold(rank->stream);
    }
    // Gates of several nodes open when they do: only what is behind this is timed alike.
    if (telling_) telling_->align(streams());
    for (int i = 0; i < iterations; ++i) queue_iteration(i);
    for (const auto& rank : ranks_) {
      cuda_call(cudaMemcpyAsync(rank->wrong_here.get(), rank->wrong.get(), rank->wrong.bytes(), cudaMemcpyDeviceToHost,
                                rank->stream.get()),
                "cudaMemcpyAsync", rank->gpu.index);
      rank->finished.record(rank->stream);
    }
  }
  wait();

  Round round;
  for (int i = 0; i < iterations; ++i) {
    const auto at = static_cast<std::size_t>(i);
    auto& times = round.ns.emplace_back();
    for (const auto& rank : ranks_) times.push_back(nanoseconds_between(rank->starts[at], rank->ends[at]) / repeats_);
    for (const auto& rank : ranks_) {
      for (int k = 0; k < repeats_; ++k) {
        const WrongElements& wrong = rank->wrong_here.get<WrongElements>()[i * kRepeats + k];
        if (wrong.count == 0) continue;
        const auto seed = seed_ + static_cast<std::uint64_t>((done_ + i) % kInputs);
        round.mismatches.push_back(
            {static_cast<std::size_t>(rank->local), done_ + i + 1, wrong, output_of(*rank), seed});
      }
    }
  }
  done_ += iterations;
  queued_ = 0;
  return round;
}

void Rounds::queue_iteration(int number) {
  const int which = (done_ + number) % kInputs;
  const auto at = static_cast<std::size_t>(number);
  std::vector<const float*> sent;
  std::vector<float*> received;
  for (const auto& rank : ranks_) {
    const InPlace place = in_place(what_, extents_, rank->rank);
    float* const data = input(*rank, is_in_place_ ? 0 : which);
    if (is_in_place_) {
      use_gpu(rank->gpu.index);
      cuda_call(cudaMemcpyAsync(data, input(*rank, 1 + which), place.length * sizeof(float), cudaMemcpyDeviceToDevice,
                                rank->stream.get()),
                "cudaMemcpyAsync", rank->gpu.index);
    }
    sent.push_back(is_in_place_ ? data + place.sent_at : data);
    received.push_back(is_in_place_ ? data + place.received_at : output(*rank));
    rank->starts[at].record(rank->stream);
  }
  queued_ = number + 1;
  for (int k = 0; k < repeats_; ++k) {
    comms_.enqueue(what_, extents_, sent, received, streams());
    for (float*& one : received) one += whole_vectors(extents_.received);
  }
  for (const auto& rank : ranks_) {
    rank->ends[at].record(rank->stream);
    verify(*rank, number);
  }
}

void Rounds::verify(Rank& rank, int number) {
  const int which = (done_ + number) % kInputs;
  const std::uint64_t seed = seed_ + static_cast<std::uint64_t>(which);
  const InPlace place = in_place(what_, extents_, rank.rank);
  const float* at = is_in_place_ ? input(rank, 0) + place.received_at : output(rank);
  WrongElements* const wrong = rank.wrong.get<WrongElements>() + number * kRepeats;
  std::uint64_t* sum = nullptr;
  if (extents_.bytes > kSmall) {
    sum = rank.sums.get<std::uint64_t>() + number;
    hash_words(rank.stream, reinterpret_cast<const std::uint64_t*>(at), whole_vectors(extents_.received) / 2,
               rank.gpu.multiprocessors, rank.partials[which].get<std::uint64_t>(), sum);
  }
  for (int k = 0; k < repeats_; ++k) {
    find_wrong(rank.stream, at, output_of(rank), seed, sum, rank.right[which], wrong + k);
    at += whole_vectors(extents_.received);
  }
}

void Rounds::wait() {
  const auto deadline = Clock::now() + at_most_;
  auto give_up = deadline;
  std::vector<bool> is_done(ranks_.size(), false);
  std::string why;
  while (true) {
    for (std::size_t i = 0; i < ranks_.size(); ++i) {
      if (is_done[i]) continue;
      const int gpu = ranks_[i]->gpu.index;
      cudaError_t code = cudaSetDevice(gpu);
      if (code == cudaSuccess) code = cudaEventQuery(ranks_[i]->finished.get());
      if (code == cudaSuccess) is_done[i] = true;
      if (code == cudaSuccess || code == cudaErrorNotReady || !why.empty()) continue;
      why = CudaError(code, "cudaEventQuery", gpu).what();
      give_up = std::min(deadline, Clock::now() + kGrace);
    }
    if (std::ranges::all_of(is_done, [](bool one) { return one; })) return;
    if (why.empty()) comms_.look();
    if (Clock::now() >= give_up) {
      Stopped stopped{progress(), why};
      for (std::size_t i = 0; is_preparing_ && why.empty() && i < ranks_.size(); ++i) {
        if (!is_done[i]) stopped.not_ready.push_back(i);
      }
      throw stopped;
    }
    std::this_thread::sleep_for(kPause);
  }
}

std::vector<cudaStream_t> Rounds::streams() const {
  std::vector<cudaStream_t> all;
  for (const auto& rank : ranks_) all.push_back(rank->stream.get());
  return all;
}

std::vector<ToldWords> Rounds::tell(const std::vector<ToldWords>& own) {
  if (!telling_) return own;
  telling_->tell(own, streams());
  for (const auto& rank : ranks_) rank->finished.record(rank->stream);
  wait();
  return telling_->told();
}

bool Rounds::is_idle_within(std::chrono::milliseconds at_most) {
  const auto deadline = Clock::now() + at_most;
  for (const auto& rank : ranks_) {
    if (cudaSetDevice(rank->gpu.index) != cudaSuccess) return false;
    while (cudaStreamQuery(rank->stream.get()) == cudaErrorNotReady) {
      if (Clock::now() >= deadline) return false;
      std::this_thread::sleep_for(kPause);
    }
  }
  return true;
}

std::vector<RankProgress> Rounds::progress() {
  std::vector<RankProgress> all;
  for (const auto& rank : ranks_) {
    RankProgress one{.is_lost = false, .entered = done_, .left = done_};
    const auto count = [&](const std::vector<CudaEvent>& events, int& reached) {
      for (int i = 0; i < queued_; ++i) {
        const cudaError_t code = cudaEventQuery(events[static_cast<std::size_t>(i)].get());
        if (code == cudaErrorNotReady) return;
        if (code != cudaSuccess) {
          one.is_lost = true;
          return;
        }
        ++reached;
      }
    };
    if (cudaSetDevice(rank->gpu.index) != cudaSuccess) one.is_lost = true;
    const cudaError_t code = cudaEventQuery(rank->finished.get());
    if (code != cudaSuccess && code != cudaErrorNotReady) one.is_lost = true;
    count(rank->starts, one.entered);
    count(rank->ends, one.left);
    all.push_back(one);
  }
  return all;
}

}  // namespace rackproof
