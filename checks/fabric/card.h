// A rank's card: how its partners reach it, on each of its rails.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rackproof {

struct RailCard {
  std::string rail;  // "" where UCX chooses among all devices
  bool has_rdma = false;
  std::string address;  // of its UCX worker: any bytes
  bool operator==(const RailCard&) const = default;
};

std::string encode_card(const std::vector<RailCard>&);
// Throws Trouble for what is no card of this version.
std::vector<RailCard> decode_card(std::string_view);

}  // namespace rackproof
