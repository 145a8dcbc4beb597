// Which sizes are measured: those that are asked for, as far as the GPUs have room.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rackproof {

// "8 B, 1 MiB, 1 GiB" → bytes, rising, each once. Throws Trouble with the part that is no size.
std::vector<std::size_t> parse_sizes(std::string_view text);

struct SizePlan {
  std::vector<std::size_t> measured;  // rising
  std::vector<std::size_t> left_out;  // no room
  std::size_t added = 0;              // in place of what was left out: the largest power of two that fits; 0: none
};

// `need` gives the memory that a size takes on each GPU.
SizePlan plan_sizes(const std::vector<std::size_t>& wanted, std::size_t room,
                    const std::function<std::size_t(std::size_t bytes)>& need);

// "1 GiB", "8 B": exact where it is a whole number of the unit.
std::string size_text(std::size_t bytes);

}  // namespace rackproof
