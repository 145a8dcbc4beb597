// The body of infiniband.fabric: looks whether there is a fabric, asks it, and compares.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "checks/api/check.h"
#include "checks/infiniband/fabric_cabling.h"
#include "checks/infiniband/fabric_report.h"
#include "checks/infiniband/fabric_tools.h"

namespace rackproof {
namespace {

constexpr double kLongestWindow = 24 * 3600;  // s
constexpr double kLongestPatience = 3600;     // s
constexpr std::size_t kLargestCabling = 64u << 20;
constexpr std::size_t kMostComplaints = 20;

std::string read_cabling(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kLargestCabling + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) throw Trouble{"the cabling " + path + " cannot be read"};
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kLargestCabling) throw Trouble{"the cabling " + path + " is larger than 64 MiB"};
  return text;
}

std::chrono::milliseconds milliseconds_of(Context& context, const char* parameter, double least, double most) {
  const double seconds = context.param<double>(parameter);
  if (!(seconds >= least && seconds <= most)) {
    throw Trouble{std::string("the parameter '") + parameter + "' is not between " + shortest(least) + " s and " +
                  shortest(most) + " s"};
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

FabricTools tools_for(Context& context) {
  FabricTools tools{.adapter = context.param<std::string>("adapter"),
                    .port = context.param<std::int64_t>("port"),
                    .node_names = context.param<std::string>("node_names"),
                    .at_most = milliseconds_of(context, "patience", 1, kLongestPatience)};
  // Taken for an option by the programs.
  if (tools.adapter.starts_with('-')) throw Trouble{"the parameter 'adapter' is no name of an adapter"};
  if (tools.port < 0 || tools.port > 254) throw Trouble{"the parameter 'port' is not between 0 and 254"};
  return tools;
}

// Whether there is a fabric to ask, from here. Throws Skip where there is none, Trouble where it cannot be reached.
void find_fabric(Context& context, const FabricTools& tools) {
  if (!context.sysroot().is_real()) throw Skip{"a captured or invented machine has no fabric that could be asked"};
  if (!FabricTools::are_installed()) {
    if (context.sysroot().list("/sys/class/infiniband").empty()) throw Skip{"this machine has no InfiniBand port"};
    throw Skip{"the programs of infiniband-diags (ibnetdiscover, iblinkinfo, ibqueryerrors, ibstat) are not installed"};
  }
  std::vector<LocalPort> ports = tools.local_ports();
  std::erase_if(ports, [](const LocalPort& port) { return !port.is_infiniband(); });
  if (ports.empty()) throw Skip{"this machine has no InfiniBand port"};
  std::erase_if(ports, [&](const LocalPort& port) {
    return (!tools.adapter.empty() && port.adapter != tools.adapter) || (tools.port > 0 && port.number != tools.port);
  });
  if (ports.empty()) throw Trouble{"this machine has InfiniBand ports, but not the one that was asked for"};
  if (ports.front().type == "simulator") context.simulated("ibsim");
  if (std::ranges::none_of(ports, [](const LocalPort& port) { return port.physical == "LinkUp"; })) {
    const LocalPort& port = ports.front();
    throw Trouble{"no InfiniBand port here has a link: " + port.adapter + " port " + std::to_string(port.number) + " is " +
                  port.state + ", " + port.physical};
  }
}

void note_complaints(Context& context, const std::vector<std::string>& complaints) {
  context.measure("unanswered", FabricReport::kFabric, static_cast<double>(complaints.size()));
  for (std::size_t at = 0; at < std::min(complaints.size(), kMostComplaints); ++at) context.note(complaints[at]);
}

// Without counters the links and the cabling are evidence all the same; a limit on a counter then finds none.
void read_counters(Context& context, const FabricTools& tools, std::chrono::milliseconds window, FabricEvidence& evidence) {
  try {
    evidence.before = tools.counters(evidence.fabric);
    if (window.count() == 0) return;
    std::this_thread::sleep_for(window);
    evidence.after = tools.counters(evidence.fabric);
  } catch (const Trouble& trouble) {
    evidence.before.reset();
    context.note("no counter is measured: " + trouble.why);
  }
}

void measure_fabric(Context& context) {
  const auto window = milliseconds_of(context, "window", 0, kLongestWindow);
  const FabricTools tools = tools_for(context);
  find_fabric(context, tools);
  const auto file = context.param<std::string>("cabling");
  const auto expected = file.empty() ? std::vector<ExpectedLink>{} : parse_cabling(read_cabling(file), file);

  FabricTools::Discovery discovery = tools.discover();
  FabricEvidence evidence{.fabric = std::move(discovery.fabric), .findings = {}, .before = {}, .after = {}};
  FabricNames names(evidence.fabric);
  if (!file.empty()) {
    const Cabling cabling = resolve(expected, evidence.fabric, names, file);
    for (const std::string& remark : cabling.remarks) context.note(remark);
    evidence.findings = compare(cabling.links, evidence.fabric, names);
  }
  read_counters(context, tools, window, evidence);
  FabricReport(context, evidence, names).tell();
  note_complaints(context, discovery.complaints);
}

}  // namespace
}  // namespace rackproof

void rackproof_run(rackproof::Context& context) { rackproof::measure_fabric(context); }
