// GPUs that hang. What is theirs is not given back: the driver would wait for work that never ends, and the process, which
// ends soon, gives all of it back at once.
#pragma once

#include <atomic>
#include <cstdint>

namespace rackproof {

namespace detail {
inline std::atomic<std::uint64_t> abandoned_gpus{0};  // a bit each, by CUDA's index
}

inline void abandon_gpu(int gpu) { detail::abandoned_gpus |= std::uint64_t{1} << gpu; }
inline bool is_abandoned(int gpu) { return (detail::abandoned_gpus >> gpu & 1) != 0; }
// Memory of the host that GPUs reach is given back only when all of them are done.
inline bool is_any_abandoned() { return detail::abandoned_gpus != 0; }

}  // namespace rackproof
