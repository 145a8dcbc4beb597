#include "runner/slurm_topology.h"

#include <sstream>

#include "runner/input_error.h"
#include "runner/node_set.h"

namespace rackproof {
namespace {

struct Switch {
  std::string name;
  std::string level;
  std::string nodes;
};

Switch switch_in(const std::string& line) {
  Switch found;
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    if (word.starts_with("SwitchName=")) found.name = word.substr(11);
    if (word.starts_with("Level=")) found.level = word.substr(6);
    if (word.starts_with("Nodes=")) found.nodes = word.substr(6);
  }
  return found;
}

}  // namespace

std::map<std::string, SlurmPlace, std::less<>> parse_topology(std::string_view text) {
  std::map<std::string, SlurmPlace, std::less<>> places;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    const Switch found = switch_in(line);
    if (found.name.empty() || (found.level != "0" && found.level != "1")) continue;
    std::vector<std::string> nodes;
    try {
      nodes = expand_nodes(found.nodes);
    } catch (const InputError&) {
      continue;  // "(null)": a switch on which no node hangs
    }
    for (const std::string& node : nodes) (found.level == "0" ? places[node].leaf : places[node].rack) = found.name;
  }
  return places;
}

}  // namespace rackproof
