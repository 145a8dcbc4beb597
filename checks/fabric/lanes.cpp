#include "checks/fabric/lanes.h"

#include <algorithm>
#include <iterator>
#include <sstream>

namespace rackproof {
namespace {

constexpr std::string_view kRdma[] = {"rc", "dc", "ud", "gga", "srd"};
constexpr std::string_view kMemory[] = {"self", "sysv", "posix", "cma", "knem", "xpmem"};

bool has_role(const Lane& lane, std::string_view role) {
  std::istringstream words(lane.roles);
  for (std::string word; words >> word;) {
    if (word.substr(0, word.find('#')) == role) return true;
  }
  return false;
}

// "tcp/eth0.0" of an endpoint: the path index behind the last dot is none of the device's name.
Lane lane_of(std::string_view text, bool has_path_index) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {};
  std::string_view device = text.substr(slash + 1);
  if (has_path_index) device = device.substr(0, device.rfind('.'));
  return {.transport = std::string(text.substr(0, slash)), .device = std::string(device), .roles = ""};
}

template <class Wanted>
std::vector<Lane> those(const std::vector<Lane>& lanes, Wanted wanted) {
  std::vector<Lane> found;
  std::ranges::copy_if(lanes, std::back_inserter(found), wanted);
  return found;
}

}  // namespace

// "#   lane[0]:  1:tcp/lo.0 md[1]   -> md[1]/tcp/sysdev[255] rma_bw#0 am am_bw#0"
std::vector<Lane> parse_lanes(std::string_view endpoint) {
  std::vector<Lane> lanes;
  std::istringstream lines{std::string(endpoint)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string mark, number, resource, word;
    if (!(words >> mark >> number >> resource) || mark != "#" || !number.starts_with("lane[")) continue;
    const auto colon = resource.find(':');
    if (colon == std::string::npos) continue;
    Lane lane = lane_of(std::string_view(resource).substr(colon + 1), true);
    while (words >> word && word != "->") {
    }
    words >> word;  // of the other side
    while (words >> word) lane.roles += (lane.roles.empty() ? "" : " ") + word;
    if (!lane.transport.empty()) lanes.push_back(std::move(lane));
  }
  return lanes;
}

// "#   resource 1  :  md 1  dev 1  flags -- tcp/lo"
std::vector<Lane> parse_resources(std::string_view context) {
  std::vector<Lane> resources;
  std::istringstream lines{std::string(context)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string mark, kind, word, last;
    if (!(words >> mark >> kind) || mark != "#" || kind != "resource") continue;
    while (words >> word) last = word;
    Lane lane = lane_of(last, false);
    if (!lane.transport.empty()) resources.push_back(std::move(lane));
  }
  return resources;
}

std::vector<Lane> lanes_for(LaneUse use, const std::vector<Lane>& lanes) {
  const auto with = [&](std::string_view role) {
    return those(lanes, [&](const Lane& lane) { return has_role(lane, role); });
  };
  if (use == LaneUse::one_sided) {
    // A lane for puts and gets alone has no role in the text; one that does active messages too is only called by
    // these.
    return those(lanes,
                 [](const Lane& lane) { return lane.roles.empty() || has_role(lane, "rma") || has_role(lane, "am"); });
  }
  std::vector<Lane> found;
  if (use == LaneUse::large) found = with("rma_bw");
  if (use == LaneUse::large && found.empty()) found = with("am_bw");
  return found.empty() ? with("am") : found;
}

bool is_rdma(std::string_view transport) {
  return std::ranges::find(kRdma, transport.substr(0, transport.find('_'))) != std::end(kRdma);
}

bool all_rdma(const std::vector<Lane>& lanes) {
  return !lanes.empty() && std::ranges::all_of(lanes, [](const Lane& lane) { return is_rdma(lane.transport); });
}

std::string to_text(const std::vector<Lane>& lanes) {
  std::vector<std::string> names;
  for (const Lane& lane : lanes) names.push_back(lane.transport + "/" + lane.device);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string device_id(const Lane& lane) {
  if (std::ranges::find(kMemory, lane.transport) != std::end(kMemory)) return "";
  const auto colon = lane.device.rfind(':');
  if (is_rdma(lane.transport) && colon != std::string::npos) {
    return "ib:" + lane.device.substr(0, colon) + "/" + lane.device.substr(colon + 1);
  }
  return "net:" + lane.device;
}

std::vector<std::string> rails_of(const std::vector<Lane>& resources) {
  std::vector<std::string> ports, interfaces;
  for (const Lane& lane : resources) {
    if (device_id(lane).empty() || lane.device == "lo") continue;
    std::vector<std::string>& names = is_rdma(lane.transport) ? ports : interfaces;
    if (std::ranges::find(names, lane.device) == names.end()) names.push_back(lane.device);
  }
  return ports.empty() ? interfaces : ports;
}

}  // namespace rackproof
