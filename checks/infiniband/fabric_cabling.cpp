#include "checks/infiniband/fabric_cabling.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "checks/api/last_word.h"
#include "checks/infiniband/fabric_text.h"
#include "checks/infiniband/fabric_topology.h"

namespace rackproof {
namespace {

constexpr int kMostPorts = 254;  // of the InfiniBand specification

[[noreturn]] void refuse(const std::string& file, int line, const std::string& why) {
  throw Trouble{file + ":" + std::to_string(line) + ": " + why};
}

// Words between blanks; what stands between quotes is one word. A word that begins with # ends the line.
std::vector<std::string> cabling_words(std::string_view line, const std::string& file, int number) {
  std::vector<std::string> words;
  while (true) {
    line = trimmed(line);
    if (line.empty() || line.starts_with('#')) return words;
    if (line.starts_with('"')) {
      const std::size_t end = line.find('"', 1);
      if (end == line.npos) refuse(file, number, "a quote is not closed");
      words.emplace_back(line.substr(1, end - 1));
      line.remove_prefix(end + 1);
    } else {
      const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
      words.emplace_back(line.substr(0, end));
      line.remove_prefix(end);
    }
  }
}

ExpectedNode expected_node(const std::string& word) {
  if (word.starts_with("0x")) {
    if (const auto guid = guid_in(word)) return {{}, guid};
  }
  return {word, {}};
}

ExpectedLink parse_line(const std::vector<std::string>& words, const std::string& file, int number) {
  constexpr const char* kForm = "a line is: node port  node port  and, if it is known, the rate: 4xNDR";
  if (words.size() < 4 || words.size() > 6) refuse(file, number, kForm);
  if (words[0].empty() || words[2].empty()) refuse(file, number, "a node without a name");
  const auto port = [&](const std::string& word) {
    const auto value = number_in<int>(word);
    if (!value || *value < 1 || *value > kMostPorts) refuse(file, number, "'" + word + "' is no number of a port; " + kForm);
    return *value;
  };
  ExpectedLink link{.a = expected_node(words[0]), .a_port = port(words[1]), .b = expected_node(words[2]),
                    .b_port = port(words[3]), .rate = {}, .line = number};
  for (std::size_t at = 4; at < words.size(); ++at) {
    const auto rate = parse_link_rate(words[at]);
    if (!rate) refuse(file, number, "'" + words[at] + "' is no rate; such are 4xNDR, 4x and NDR");
    if (rate->lanes) link.rate.lanes = rate->lanes;
    if (rate->lane_gbits) link.rate.lane_gbits = rate->lane_gbits;
  }
  return link;
}

// The nodes by which the cabling is found again.
class NodeFinder {
 public:
  NodeFinder(const Fabric& fabric, FabricNames& names, const std::string& file) : fabric_(fabric), names_(names), file_(file) {
    for (const auto& [guid, node] : fabric.nodes) by_name_[node.name].push_back(guid);
  }

  std::uint64_t find(const ExpectedNode& wanted, int line, std::vector<std::string>& remarks) {
    if (wanted.guid) {
      if (const auto owner = fabric_.owner_of(*wanted.guid)) return *owner;
    }
    const auto found = wanted.name.empty() ? by_name_.end() : by_name_.find(wanted.name);
    if (found != by_name_.end() && found->second.size() == 1) {
      const std::uint64_t guid = found->second.front();
      if (wanted.guid && remarked_.insert(guid).second) {
        remarks.push_back(wanted.name + " has the GUID " + guid_text(guid) + " and not " + guid_text(*wanted.guid) +
                          " any more");
      }
      return guid;
    }
    if (found != by_name_.end() && !wanted.guid) {
      refuse(file_, line, std::to_string(found->second.size()) + " nodes of the fabric are called '" + wanted.name +
                              "': name this one by its GUID, as 0x…");
    }
    const std::string called = !wanted.name.empty() ? wanted.name : guid_text(*wanted.guid);
    const auto [place, is_new] = absent_.emplace(called, std::numeric_limits<std::uint64_t>::max() - absent_.size());
    if (is_new) names_.add_absent(place->second, called);
    return place->second;
  }

 private:
  const Fabric& fabric_;
  FabricNames& names_;
  const std::string& file_;
  std::map<std::string, std::vector<std::uint64_t>> by_name_;
  std::map<std::string, std::uint64_t> absent_;
  std::set<std::uint64_t> remarked_;
};

std::vector<ExpectedLink> from_topology(std::string_view text) {
  const Fabric golden = parse_topology(text);
  std::map<std::string, int> bearers;
  for (const auto& [guid, node] : golden.nodes) ++bearers[node.name];
  const auto node = [&](std::uint64_t guid) {
    const std::string& name = golden.nodes.at(guid).name;
    return ExpectedNode{bearers[name] == 1 ? name : "", guid};
  };
  std::vector<ExpectedLink> links;
  for (const FabricLink& link : golden.links) {
    links.push_back({node(link.a.node), link.a.port, node(link.b.node), link.b.port, link.rate, 0});
  }
  return links;
}

}  // namespace

std::vector<ExpectedLink> parse_cabling(std::string_view text, const std::string& file) {
  std::vector<ExpectedLink> links;
  if (is_topology(text)) {
    links = from_topology(text);
  } else {
    int number = 0;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const auto words = cabling_words(text.substr(0, end), file, ++number);
      if (!words.empty()) links.push_back(parse_line(words, file, number));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }
  if (links.empty()) throw Trouble{file + " names no link"};
  return links;
}

Cabling resolve(const std::vector<ExpectedLink>& expected, const Fabric& fabric, FabricNames& names, const std::string& file) {
  NodeFinder finder(fabric, names, file);
  Cabling cabling;
  std::map<FabricEnd, int> named_in;
  for (const ExpectedLink& link : expected) {
    const FabricEnd a{finder.find(link.a, link.line, cabling.remarks), link.a_port};
    const FabricEnd b{finder.find(link.b, link.line, cabling.remarks), link.b_port};
    for (const FabricEnd& end : {a, b}) {
      const auto [place, is_new] = named_in.emplace(end, link.line);
      if (!is_new) {
        refuse(file, link.line, names.end(end) + " has a cable already, by line " + std::to_string(place->second));
      }
    }
    cabling.links.push_back({a, b, link.rate});
    fabric.order_ends(cabling.links.back());
  }
  return cabling;
}

}  // namespace rackproof
