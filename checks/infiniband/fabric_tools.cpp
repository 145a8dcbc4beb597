#include "checks/infiniband/fabric_tools.h"

#include <algorithm>
#include <utility>

#include "checks/api/last_word.h"
#include "checks/api/tool.h"
#include "checks/infiniband/fabric_text.h"
#include "checks/infiniband/fabric_topology.h"

namespace rackproof {
namespace {

constexpr std::size_t kMostOutput = 128u << 20;  // about 300 bytes a port: 400,000 ports
constexpr const char* kTools[] = {"ibstat", "ibnetdiscover", "iblinkinfo", "ibqueryerrors"};

// They lie in /usr/sbin, which is not in everybody's PATH.
std::string path_of(const std::string& tool) {
  const std::string found = find_tool(tool);
  return found.empty() ? find_tool("/usr/sbin/" + tool) : found;
}

std::string first_line(const std::string& text) {
  const auto lines = lines_of(text);
  return lines.empty() ? "without a word" : std::string(trimmed(lines.front()));
}

// `good` are the exit codes with which it ends when it did its work.
ToolResult ask(std::vector<std::string> argv, std::chrono::milliseconds at_most, std::initializer_list<int> good) {
  const std::string tool = argv[0];
  argv[0] = path_of(tool);
  if (argv[0].empty()) argv[0] = tool;
  ToolResult result = run_tool({.argv = std::move(argv), .at_most = at_most, .at_most_bytes = kMostOutput, .directory = {}});
  if (result.timed_out) {
    throw Trouble{tool + " did not end within " + std::to_string(at_most.count() / 1000) + " s"};
  }
  if (result.truncated) throw Trouble{tool + " printed more than " + std::to_string(kMostOutput >> 20) + " MiB"};
  if (std::ranges::find(good, result.exit_code) == good.end()) {
    const std::string how = result.signal != 0 ? "was ended by signal " + std::to_string(result.signal)
                                               : "ended with exit code " + std::to_string(result.exit_code);
    throw Trouble{tool + " " + how + ": " + first_line(result.errors)};
  }
  return result;
}

}  // namespace

std::vector<LocalPort> parse_local_ports(std::string_view text) {
  std::vector<LocalPort> ports;
  LocalPort adapter;
  for (const std::string_view line : lines_of(text)) {
    if (kBlanks.find(line.front()) == kBlanks.npos) {
      const auto name = between(line, "'", "'");
      adapter = {};
      adapter.adapter = name.value_or("");
      continue;
    }
    const std::string_view fact = trimmed(line);
    const std::size_t colon = fact.find(':');
    if (colon == fact.npos) continue;
    const std::string_view name = fact.substr(0, colon);
    const std::string value(trimmed(fact.substr(colon + 1)));
    if (name.ends_with(" type")) adapter.type = value;
    if (name.starts_with("Port ") && value.empty()) {
      ports.push_back(adapter);
      ports.back().number = number_in<int>(name.substr(5)).value_or(0);
    }
    if (ports.empty()) continue;
    if (name == "State") ports.back().state = value;
    if (name == "Physical state") ports.back().physical = value;
    if (name == "Link layer") ports.back().layer = value;
  }
  return ports;
}

bool FabricTools::are_installed() {
  return std::ranges::none_of(kTools, [](const char* tool) { return path_of(tool).empty(); });
}

std::vector<std::string> FabricTools::with_place(std::vector<std::string> argv) const {
  if (!adapter.empty()) argv.insert(argv.end(), {"-C", adapter});
  if (port > 0) argv.insert(argv.end(), {"-P", std::to_string(port)});
  if (!node_names.empty()) argv.insert(argv.end(), {"--node-name-map", node_names});
  return argv;
}

std::vector<LocalPort> FabricTools::local_ports() const { return parse_local_ports(ask({"ibstat"}, at_most, {0}).output); }

FabricTools::Discovery FabricTools::discover() const {
  const ToolResult topology = ask(with_place({"ibnetdiscover"}), at_most, {0});
  Discovery found{parse_topology(topology.output), {}};
  if (found.fabric.nodes.empty()) throw Trouble{"ibnetdiscover found no node: " + first_line(topology.errors)};
  const ToolResult states = ask(with_place({"iblinkinfo", "-l"}), at_most, {0});
  add_port_states(found.fabric, states.output);
  for (const std::string_view line : lines_of(topology.errors)) found.complaints.emplace_back(trimmed(line));
  return found;
}

// Every counter that is not 0, whatever the site's own thresholds say. It ends with 1 where there are such.
CounterReading FabricTools::counters(const Fabric& fabric) const {
  const ToolResult result = ask(with_place({"ibqueryerrors", "--threshold-file", "/dev/null"}), at_most, {0, 1});
  try {
    return parse_counters(result.output, fabric);
  } catch (const Trouble& trouble) {
    throw Trouble{trouble.why + ": " + first_line(result.errors)};
  }
}

}  // namespace rackproof
