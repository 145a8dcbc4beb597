// What a rank puts on the table before collectives over many nodes: how many GPUs it brings, and the unique id of NCCL for
// each round whose group it leads.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace rackproof {

struct GroupCard {
  int gpus = 0;
  std::map<std::size_t, std::string> ids;  // by round: the bytes of ncclUniqueId
  std::string place;                       // where its RollCall hears
  std::string cannot;                      // why it takes part in nothing; empty: it does

  bool operator==(const GroupCard&) const = default;
};

std::string to_text(const GroupCard&);
// Throws Trouble for what is no card. An id comes back as it was but for zeros at its end.
GroupCard parse_group_card(std::string_view);

}  // namespace rackproof
