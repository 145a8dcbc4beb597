#include "checks/infiniband/fabric_names.h"

#include <array>
#include <cstdio>

namespace rackproof {
namespace {

const char* prefix_of(FabricKind kind) {
  switch (kind) {
    case FabricKind::adapter: return "hca:";
    case FabricKind::fabric_switch: return "switch:";
    case FabricKind::router: return "router:";
  }
  return "";
}

// Blanks, and what a glob or the ids themselves use, become '_'.
std::string key_of(const std::string& name) {
  std::string key;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_special = byte <= ' ' || byte == 0x7f || std::string_view("[]*?\\\"'=<>").find(c) != std::string_view::npos;
    key.push_back(is_special ? '_' : c);
  }
  return key;
}

}  // namespace

std::string guid_text(std::uint64_t guid) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%016llx", static_cast<unsigned long long>(guid));
  return text.data();
}

FabricNames::FabricNames(const Fabric& fabric) {
  std::map<std::string, int> bearers;
  for (const auto& [guid, node] : fabric.nodes) ++bearers[key_of(node.name)];
  for (const auto& [guid, node] : fabric.nodes) {
    const std::string key = key_of(node.name);
    const bool is_unique = !key.empty() && bearers[key] == 1;
    called_[guid] = {.name = is_unique ? node.name : node.name.empty() ? guid_text(guid) : node.name + " " + guid_text(guid),
                     .key = is_unique ? key : guid_text(guid),
                     .prefix = prefix_of(node.kind)};
  }
}

void FabricNames::add_absent(std::uint64_t node, const std::string& name) { absent_[node] = name; }

std::string FabricNames::node(std::uint64_t guid) const {
  if (const auto found = called_.find(guid); found != called_.end()) return found->second.name;
  const auto absent = absent_.find(guid);
  return absent == absent_.end() ? guid_text(guid) : absent->second;
}

std::string FabricNames::key(std::uint64_t guid) const {
  const auto found = called_.find(guid);
  return found == called_.end() ? key_of(node(guid)) : found->second.key;
}

std::string FabricNames::end(const FabricEnd& end) const { return node(end.node) + " port " + std::to_string(end.port); }

std::string FabricNames::node_id(std::uint64_t guid) const {
  const auto found = called_.find(guid);
  return (found == called_.end() ? "absent:" : found->second.prefix) + key(guid);
}

std::string FabricNames::port_id(const FabricEnd& end) const { return node_id(end.node) + "/" + std::to_string(end.port); }

std::string FabricNames::cable_id(const FabricEnd& a, const FabricEnd& b) const {
  return "cable:" + key(a.node) + "/" + std::to_string(a.port) + "=" + key(b.node) + "/" + std::to_string(b.port);
}

std::string FabricNames::cable_name(const FabricEnd& a, const FabricEnd& b) const { return end(a) + " to " + end(b); }

}  // namespace rackproof
