#include "checks/gpu/burn_compare.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "checks/api/quantity.h"

namespace rackproof {
namespace {

using Bytes = std::vector<unsigned char>;

std::optional<Bytes> product_of(BurnLoad& load, BurnRun& run) {
  std::optional<Bytes> product;
  load.guarded(run, [&] { product = run.burning->read_product(); });
  return product;
}

std::string sentence(const BurnSetup& setup, const Difference& found) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string bits;
  for (std::uint64_t left = found.bits; left != 0; left >>= 4) bits.insert(bits.begin(), kDigits[left & 0xf]);
  const auto size = static_cast<std::uint64_t>(setup.plan.size);
  return "; of the last one " + std::to_string(found.entries) + " entries, the first at row " +
         std::to_string(found.first % size) + ", column " + std::to_string(found.first / size) + ": " +
         shortest(entry_value(setup.precision->out, found.found)) + " for " +
         shortest(entry_value(setup.precision->out, found.other)) + ", wrong bits 0x" + bits;
}

bool is_near(const BurnSetup& setup, std::uint64_t bits, const Reference& expected) {
  return std::abs(entry_value(setup.precision->out, bits) - expected.value) <= expected.tolerance;
}

// Of two that differ, 0 or 1: the one that is wrong in the first entry in which they do. Nothing when both may be right.
std::optional<std::size_t> wrong_one(const BurnSetup& setup, const Seeds& seeds, const Difference& found) {
  if (found.entries == 0) return std::nullopt;
  const auto size = static_cast<std::uint64_t>(setup.plan.size);
  const Reference expected =
      reference_of(*setup.precision, seeds, setup.plan.size, found.first % size, found.first / size);
  const bool is_first_near = is_near(setup, found.found, expected);
  if (is_first_near == is_near(setup, found.other, expected)) return std::nullopt;
  return is_first_near ? 1 : 0;
}

void blame(BurnRun& run, std::string where) {
  run.foreign_errors += run.tally.count() - run.tally.unusual();
  if (run.difference.empty()) run.difference = std::move(where);
}

void blame_against(BurnLoad& load, BurnRun& wrong, BurnRun& right) {
  const auto product = product_of(load, wrong);
  const auto expected = product_of(load, right);
  std::string where;
  if (product && expected) {
    const Difference found = difference(*product, *expected, bytes_of(wrong.setup.precision->out));
    if (found.entries > 0) where = sentence(wrong.setup, found);
  }
  blame(wrong, std::move(where));
}

// For GPUs that fall into two camps of the same size; true when it is known now which of these is wrong.
bool settle(BurnLoad& load, const std::vector<BurnRun*>& runs, const std::vector<std::uint64_t>& usual,
            const Seeds& seeds) {
  const auto other = std::ranges::find_if(usual, [&](std::uint64_t hash) { return hash != usual.front(); });
  const auto of_neither = [&](std::uint64_t hash) { return hash != usual.front() && hash != *other; };
  if (std::ranges::any_of(usual, of_neither)) return false;
  BurnRun* const ends[] = {runs.front(), runs[static_cast<std::size_t>(other - usual.begin())]};
  const auto first = product_of(load, *ends[0]);
  const auto second = product_of(load, *ends[1]);
  if (!first || !second) return false;
  const BurnSetup& setup = ends[0]->setup;
  const auto wrong = wrong_one(setup, seeds, difference(*first, *second, bytes_of(setup.precision->out)));
  if (!wrong) return false;
  const std::uint64_t wrong_hash = *wrong == 0 ? usual.front() : *other;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (usual[i] == wrong_hash) blame_against(load, *runs[i], *ends[1 - *wrong]);
  }
  return true;
}

void accuse_all(Context& context, const std::vector<BurnRun*>& runs) {
  std::string all;
  for (const BurnRun* run : runs) all += (all.empty() ? "" : ", ") + run->member.gpu.id;
  for (const BurnRun* run : runs) {
    context.fault(run->member.gpu.id, "data-mismatch",
                  "one of " + all + " computes wrong " + run->setup.precision->name +
                      " products: they differ from the same operands, and there is no majority");
  }
}

}  // namespace

void compare_round(Context& context, BurnLoad& load, std::span<BurnRun> of_a_kind, const Seeds& seeds) {
  std::vector<BurnRun*> runs;
  std::vector<std::uint64_t> usual;
  for (BurnRun& run : of_a_kind) {
    run.own_errors += run.tally.unusual();
    if (run.is_lost || run.tally.count() == 0) continue;
    runs.push_back(&run);
    usual.push_back(run.tally.usual());
  }
  const std::vector<Standing> standings = compare(usual);
  const auto right = std::ranges::find(standings, Standing::agrees);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (standings[i] != Standing::deviates) continue;
    blame_against(load, *runs[i], *runs[static_cast<std::size_t>(right - standings.begin())]);
  }
  const bool is_contested = std::ranges::count(standings, Standing::contested) > 0;
  if (is_contested && !settle(load, runs, usual, seeds)) accuse_all(context, runs);
  for (BurnRun& run : of_a_kind) {
    run.member.products += run.tally.count();
    run.tally = {};
  }
}

}  // namespace rackproof
