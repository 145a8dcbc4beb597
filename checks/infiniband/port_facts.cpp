#include "checks/infiniband/port_facts.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "checks/api/pci.h"

namespace rackproof {
namespace {

constexpr std::size_t kHalfGid = 20;  // "fe80:0000:0000:0000:"
constexpr std::size_t kMostGids = 8;  // told; a RoCE port may have hundreds

void add_text(Facts& facts, const char* fact, const std::optional<std::string>& text) {
  if (text && !text->empty()) facts.emplace_back(fact, *text);
}

void add_number(Facts& facts, const char* fact, const std::optional<std::int64_t>& number) {
  if (number) facts.emplace_back(fact, *number);
}

// "0000:0000:0000:0000:0000:0000:0000:0000", and "fe80:…:0000" whose last half names no port, are empty places.
bool is_empty_gid(std::string_view gid) {
  return gid.size() < kHalfGid || gid.substr(kHalfGid).find_first_not_of("0:") == gid.npos;
}

struct Gid {
  int index = 0;
  std::string text;
};

std::vector<Gid> gids(const SysRoot& root, const AdapterPort& port) {
  std::vector<Gid> found;
  const std::string folder = port.folder() + "/gids";
  for (const std::string& name : root.list(folder)) {
    Gid gid{.text = root.text(folder + "/" + name).value_or("")};
    const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), gid.index);
    const bool is_index = code == std::errc{} && end == name.data() + name.size();
    if (is_index && !is_empty_gid(gid.text)) found.push_back(std::move(gid));
  }
  std::ranges::sort(found, {}, &Gid::index);
  return found;
}

// "0: fe80:…:1111 (RoCE v2)"
std::string to_text(const SysRoot& root, const AdapterPort& port, const Gid& gid) {
  const std::string index = std::to_string(gid.index);
  const auto type = root.text(port.folder() + "/gid_attrs/types/" + index);
  return index + ": " + gid.text + (type && !type->empty() ? " (" + *type + ")" : "");
}

}  // namespace

Facts adapter_facts(const SysRoot& root, const AdapterPort& port) {
  Facts facts{{"adapter", port.adapter}};
  const std::string folder = port.adapter_folder();
  add_text(facts, "adapter_type", root.text(folder + "/hca_type"));
  add_text(facts, "board", root.text(folder + "/board_id"));
  add_text(facts, "firmware", root.text(folder + "/fw_ver"));
  add_text(facts, "node_guid", root.text(folder + "/node_guid"));
  add_text(facts, "system_guid", root.text(folder + "/sys_image_guid"));
  add_text(facts, "node_type", root.text(folder + "/node_type"));
  if (!port.pci.empty()) add_text(facts, "driver", root.link_name(pci_attribute(port.pci, "driver")));
  return facts;
}

Facts port_facts(const SysRoot& root, const AdapterPort& port) {
  Facts facts;
  const std::string folder = port.folder();
  const auto link_layer = root.text(folder + "/link_layer");
  add_text(facts, "link_layer", link_layer);
  add_number(facts, "lid", root.integer(folder + "/lid"));
  add_number(facts, "lid_mask_bits", root.integer(folder + "/lid_mask_count"));
  add_number(facts, "sm_lid", root.integer(folder + "/sm_lid"));
  add_number(facts, "sm_service_level", root.integer(folder + "/sm_sl"));
  add_text(facts, "capability_mask", root.text(folder + "/cap_mask"));
  const std::vector<Gid> all = gids(root, port);
  if (all.empty()) return facts;
  // On InfiniBand the second half of GID 0 is the port's GUID.
  const Gid& first = all.front();
  if (link_layer == "InfiniBand" && first.index == 0) facts.emplace_back("port_guid", first.text.substr(kHalfGid));
  std::string told;
  for (std::size_t i = 0; i < std::min(all.size(), kMostGids); ++i) {
    told += (i == 0 ? "" : ", ") + to_text(root, port, all[i]);
  }
  facts.emplace_back("gids", told);
  facts.emplace_back("gid_count", static_cast<std::int64_t>(all.size()));
  return facts;
}

std::string make_of(const SysRoot& root, const AdapterPort& port) {
  const std::string layer = root.text(port.folder() + "/link_layer").value_or("");
  for (const char* file : {"/board_id", "/hca_type"}) {
    if (const auto make = root.text(port.adapter_folder() + file); make && !make->empty()) return layer + " " + *make;
  }
  if (port.pci.empty()) return layer;
  return layer + " " + root.text(pci_attribute(port.pci, "vendor")).value_or("") + ":" +
         root.text(pci_attribute(port.pci, "device")).value_or("");
}

}  // namespace rackproof
