#include "checks/fabric/payload.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace rackproof {
namespace {

constexpr std::size_t kWord = sizeof(std::uint32_t);
constexpr std::size_t kStamp = sizeof(std::uint64_t);
constexpr std::size_t kBlock = 1024;  // words that are compared before it is asked whether any was wrong

// Odd, so that no two of the first 2^32 words are alike; the shift carries every bit of the index into the low half.
constexpr std::uint32_t kStep = 0x9E3779B1u;
constexpr std::uint32_t kPatternStep = 0x85EBCA77u;

constexpr std::uint32_t word_at(std::uint32_t index, std::uint32_t pattern) {
  const std::uint32_t sum = index * kStep + pattern * kPatternStep;
  return sum ^ (sum >> 15);
}

// Whether any of these words is wrong. In rows of a known length, which the compiler makes vectors of.
bool differs(const std::byte* bytes, std::size_t words, std::uint32_t index, std::uint32_t pattern) {
  constexpr std::size_t kRow = 16;
  std::uint32_t differing[kRow] = {};
  std::uint32_t sum[kRow];
  for (std::size_t i = 0; i < kRow; ++i) {
    sum[i] = (index + static_cast<std::uint32_t>(i)) * kStep + pattern * kPatternStep;
  }
  std::size_t at = 0;
  for (; at + kRow <= words; at += kRow) {
    std::uint32_t row[kRow];
    std::memcpy(row, bytes + at * kWord, sizeof row);
    for (std::size_t i = 0; i < kRow; ++i) {
      differing[i] |= row[i] ^ sum[i] ^ (sum[i] >> 15);
      sum[i] += kStep * static_cast<std::uint32_t>(kRow);
    }
  }
  std::uint32_t any = 0;
  for (const std::uint32_t each : differing) any |= each;
  for (; at < words; ++at) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes + at * kWord, kWord);
    any |= word ^ word_at(index + static_cast<std::uint32_t>(at), pattern);
  }
  return any != 0;
}

std::uint32_t word_in(std::span<const std::byte> message, std::size_t index) {
  std::uint32_t word = 0;
  std::memcpy(&word, message.data() + index * kWord, std::min(kWord, message.size() - index * kWord));
  return word;
}

// The bytes of a word that lie within the message: its last word may be cut.
std::uint32_t kept(std::uint32_t word, std::size_t bytes) {
  std::uint32_t result = 0;
  std::memcpy(&result, &word, std::min(kWord, bytes));
  return result;
}

}  // namespace

void fill_payload(std::span<std::byte> message, std::uint32_t pattern) {
  for (std::size_t at = 0; at < message.size(); at += kWord) {
    const std::uint32_t word = word_at(static_cast<std::uint32_t>(at / kWord), pattern);
    std::memcpy(message.data() + at, &word, std::min(kWord, message.size() - at));
  }
}

void stamp_payload(std::span<std::byte> message, std::uint64_t stamp) {
  if (message.size() >= kStamp) std::memcpy(message.data(), &stamp, kStamp);
}

std::optional<std::size_t> first_wrong_byte(std::span<const std::byte> message, std::uint32_t pattern,
                                            std::uint64_t stamp) {
  std::size_t begin = 0;
  if (message.size() >= kStamp) {
    std::byte expected[kStamp];
    std::memcpy(expected, &stamp, kStamp);
    const auto wrong = std::mismatch(std::begin(expected), std::end(expected), message.begin());
    if (wrong.first != std::end(expected)) return static_cast<std::size_t>(wrong.first - std::begin(expected));
    begin = kStamp / kWord;
  }
  const std::size_t whole = message.size() / kWord;
  std::size_t suspect = whole;  // where to look byte by byte: what differs, or else the cut last word
  for (std::size_t block = begin; block < whole; block += kBlock) {
    const std::size_t words = std::min(kBlock, whole - block);
    if (!differs(message.data() + block * kWord, words, static_cast<std::uint32_t>(block), pattern)) continue;
    suspect = block;
    break;
  }
  for (std::size_t i = suspect; i * kWord < message.size(); ++i) {
    const std::size_t left = message.size() - i * kWord;
    const std::uint32_t difference =
        kept(word_in(message, i), left) ^ kept(word_at(static_cast<std::uint32_t>(i), pattern), left);
    if (difference == 0) continue;
    std::byte bytes[kWord];
    std::memcpy(bytes, &difference, kWord);
    const auto* wrong = std::find_if(bytes, bytes + kWord, [](std::byte byte) { return byte != std::byte{}; });
    return i * kWord + static_cast<std::size_t>(wrong - bytes);
  }
  return std::nullopt;
}

std::uint64_t marked_every(double share) {
  if (!(share > 0)) return 0;
  return static_cast<std::uint64_t>(std::llround(1 / std::min(share, 1.0))) | 1;
}

}  // namespace rackproof
