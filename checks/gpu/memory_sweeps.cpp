#include "checks/gpu/memory_sweeps.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace rackproof {
namespace {

// Pairs of constants: every bit beside its complement, at distances of 1, 2, 4 … 32; then all of them alike.
constexpr std::uint64_t kConstants[][2] = {
    {0, 0x5555555555555555ULL},
    {0x3333333333333333ULL, 0x0f0f0f0f0f0f0f0fULL},
    {0x00ff00ff00ff00ffULL, 0x0000ffff0000ffffULL},
    {0x00000000ffffffffULL, 0x6996966996696996ULL},  // the last: parity, so that no distance looks like another
};

std::string hex(std::uint64_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
  return text;
}

std::string hex16(std::uint64_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%016llx", static_cast<unsigned long long>(number));
  return text;
}

std::string where(std::uint64_t byte, const std::vector<std::size_t>& chunks) {
  std::string text = "offset " + hex(byte);
  std::uint64_t begin = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (byte < begin + chunks[i]) return text + " (chunk " + std::to_string(i) + " + " + hex(byte - begin) + ")";
    begin += chunks[i];
  }
  return text;
}

}  // namespace

std::vector<Sweep> sweeps_of_pass(std::uint64_t pass) {
  std::vector<Sweep> sweeps;
  const Pattern own{Pattern::own_address, 0, false};
  const Pattern random{Pattern::random, 1 + pass, false};
  const auto turned = [](Pattern pattern) {
    pattern.inverted = !pattern.inverted;
    return pattern;
  };
  for (const auto& [pattern, dwells] : {std::pair{own, false}, std::pair{random, true}}) {
    sweeps.push_back({Sweep::write, pattern, false, false});
    sweeps.push_back({Sweep::invert, pattern, false, dwells});
    sweeps.push_back({Sweep::verify, turned(pattern), true, dwells});
  }
  for (const std::uint64_t word : kConstants[pass % std::size(kConstants)]) {
    const Pattern constant{Pattern::constant, word, false};
    sweeps.push_back({Sweep::write, constant, false, false});
    sweeps.push_back({Sweep::invert, constant, false, false});
    sweeps.push_back({Sweep::invert, turned(constant), true, false});
    sweeps.push_back({Sweep::verify, constant, true, false});
  }
  return sweeps;
}

std::string to_text(const Sweep& sweep) {
  std::string text;
  switch (sweep.pattern.kind) {
    case Pattern::own_address: text = "own address"; break;
    case Pattern::random: text = "random words"; break;
    case Pattern::constant: text = "constant " + hex16(sweep.pattern.seed); break;
    case Pattern::triad: text = "triad"; break;
  }
  if (sweep.pattern.inverted) text += " inverted";
  if (sweep.after_dwell) text += " after a dwell";
  return text + (sweep.downward ? ", downward" : ", upward");
}

void Mismatches::add(const MismatchRecord& record, const Sweep& sweep) {
  count += record.count;
  bits |= record.bits;
  for (std::size_t i = 0; i < std::min<std::uint64_t>(record.count, kMostMismatches); ++i) {
    const auto is_known = [&](const Named& one) { return one.at.place == record.named[i].place; };
    if (named.size() < kMostMismatches && std::ranges::none_of(named, is_known)) {
      named.push_back({record.named[i], to_text(sweep)});
    }
  }
}

std::string to_text(const Mismatches& found, const std::vector<std::size_t>& chunks) {
  std::string text = std::to_string(found.count) + (found.count == 1 ? " wrong word" : " wrong words") +
                     " in memory (bits " + hex16(found.bits) + " over all)";
  for (std::size_t i = 0; i < found.named.size(); ++i) {
    const Mismatches::Named& one = found.named[i];
    text += (i == 0 ? ": at " : "; at ") + where(8 * one.at.place, chunks) + " " + hex16(one.at.found) + " instead of " +
            hex16(one.at.expected) + ", bits " + hex(one.at.found ^ one.at.expected) + " (" + one.during + ")";
  }
  return text;
}

}  // namespace rackproof
