// What a marked message holds, so that its receiver can tell whether it came as it was sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace rackproof {

// Words that follow from `pattern` alone, so that a stale, shifted or torn message is not taken for the right one.
void fill_payload(std::span<std::byte> message, std::uint32_t pattern);

// Writes into its first eight bytes which message this is; a shorter message has no room for that.
void stamp_payload(std::span<std::byte> message, std::uint64_t stamp);

// Where the first byte stands that is not what was filled in and stamped.
std::optional<std::size_t> first_wrong_byte(std::span<const std::byte> message, std::uint32_t pattern,
                                            std::uint64_t stamp);

// Every how many messages one is marked for `share` (0.05: every 21st): an odd number, so that the marks wander over
// the places of a window. 0: none.
std::uint64_t marked_every(double share);

}  // namespace rackproof
