#include "checks/nccl/collective.h"

#include <algorithm>
#include <string>
#include <utility>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

using enum Collective;

constexpr std::pair<std::string_view, Collective> kWords[] = {
    {"allreduce", all_reduce}, {"allgather", all_gather}, {"reducescatter", reduce_scatter},
    {"alltoall", all_to_all},  {"broadcast", broadcast},  {"sendrecv", send_receive},
};

constexpr std::size_t kFloat = 4;
constexpr std::size_t kVector = 4;  // floats

bool has_parts(Collective what) { return what == all_gather || what == reduce_scatter || what == all_to_all; }

}  // namespace

Collective parse_collective(std::string_view word) {
  for (const auto& [name, what] : kWords) {
    if (name == word) return what;
  }
  throw Trouble{"there is no collective '" + std::string(word) + "'"};
}

std::string_view to_text(Collective what) {
  switch (what) {
    case all_reduce:
      return "all-reduce";
    case all_gather:
      return "all-gather";
    case reduce_scatter:
      return "reduce-scatter";
    case all_to_all:
      return "all-to-all";
    case broadcast:
      return "broadcast";
    case send_receive:
      return "send and receive";
  }
  return "collective";
}

double bus_factor(Collective what, int ranks) {
  const double n = ranks;
  if (what == all_reduce) return 2 * (n - 1) / n;
  return has_parts(what) ? (n - 1) / n : 1;
}

double leaving_factor(Collective what, int ranks, int ours) {
  if (what == send_receive || ranks < 2) return 0;
  // Each rank has a part for every rank elsewhere.
  if (what == all_to_all) return static_cast<double>(ours) * (ranks - ours) / (ranks - 1);
  return 1;
}

bool has_in_place(Collective what) { return what != all_to_all && what != send_receive; }

std::size_t whole_vectors(std::size_t floats) { return (floats + kVector - 1) / kVector * kVector; }

Extents extents_of(Collective what, int ranks, std::size_t bytes) {
  const auto n = static_cast<std::size_t>(ranks);
  const std::size_t floats = std::max<std::size_t>(1, bytes / kFloat);
  if (!has_parts(what)) return {floats * kFloat, whole_vectors(floats), floats, floats};
  const std::size_t part = std::max(kVector, floats / n / kVector * kVector);
  const std::size_t whole = part * n;
  return {whole * kFloat, part, what == all_gather ? part : whole, what == reduce_scatter ? part : whole};
}

InPlace in_place(Collective what, const Extents& extents, int rank) {
  const std::size_t own = extents.part * static_cast<std::size_t>(rank);
  const std::size_t length = whole_vectors(std::max(extents.sent, extents.received));
  if (what == all_gather) return {own, 0, length};
  if (what == reduce_scatter) return {0, own, length};
  return {0, 0, length};
}

}  // namespace rackproof
