#include "checks/storage/block_device.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "checks/api/pci.h"

namespace rackproof {
namespace {

constexpr std::int64_t kSector = 512;  // the kernel counts in these, whatever the disk's own sectors are
constexpr std::size_t kMostDevices = 256;

std::string folder(const std::string& name) { return "/sys/class/block/" + name; }

std::string trimmed(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.pop_back();
  return text;
}

// With NVMe multipath the disk hangs under a virtual subsystem, whose entries lead to the controllers.
std::string controller_of(const SysRoot& root, const std::string& name) {
  std::string pci = last_pci_address(root.link_target(folder(name)).value_or(""));
  if (!pci.empty()) return pci;
  for (const std::string& entry : root.list(folder(name) + "/device")) {
    if (!entry.starts_with("nvme")) continue;
    pci = last_pci_address(root.link_target(folder(name) + "/device/" + entry).value_or(""));
    if (!pci.empty()) break;
  }
  return pci;
}

Facts facts_of(const SysRoot& root, const std::string& name) {
  const std::string place = folder(name);
  Facts facts;
  const auto add_text = [&](const char* fact, const std::string& file) {
    if (const auto text = root.text(place + file); text && !trimmed(*text).empty()) {
      facts.emplace_back(fact, trimmed(*text));
    }
  };
  add_text("model", "/device/model");
  add_text("serial", "/device/serial");
  add_text("firmware", "/device/firmware_rev");
  add_text("volume", "/dm/name");
  add_text("raid_level", "/md/level");
  add_text("backing_file", "/loop/backing_file");
  if (const auto sectors = root.integer(place + "/size")) facts.emplace_back("size_bytes", *sectors * kSector);
  for (const auto& [fact, file] : {std::pair{"rotational", "/queue/rotational"},
                                   std::pair{"logical_block_bytes", "/queue/logical_block_size"},
                                   std::pair{"physical_block_bytes", "/queue/physical_block_size"}}) {
    if (const auto number = root.integer(place + file)) facts.emplace_back(fact, *number);
  }
  add_text("write_cache", "/queue/write_cache");
  // "[none] mq-deadline": the chosen one stands in brackets.
  const std::string schedulers = root.text(place + "/queue/scheduler").value_or("");
  const std::size_t open = schedulers.find('[');
  const std::size_t close = schedulers.find(']');
  if (open != schedulers.npos && close > open) {
    facts.emplace_back("scheduler", schedulers.substr(open + 1, close - open - 1));
  }
  return facts;
}

BlockDevice read_device(const SysRoot& root, const std::string& name) {
  BlockDevice device{.name = name, .lower = root.list(folder(name) + "/slaves"), .is_partition = false, .pci = "",
                     .facts = facts_of(root, name)};
  const std::string place = root.link_target(folder(name)).value_or("");
  if (const std::size_t end = place.rfind('/'); end != place.npos && root.exists(folder(name) + "/partition")) {
    // …/block/nvme0n1/nvme0n1p2: the disk is the folder around its partition.
    device.is_partition = true;
    device.lower = {place.substr(0, end).substr(place.rfind('/', end - 1) + 1)};
  } else {
    device.pci = controller_of(root, name);
  }
  return device;
}

std::string parent_of(const BlockDevice& block) {
  if (block.is_partition) return "block:" + block.lower.front();
  return block.pci.empty() ? "machine" : pci_id(block.pci);
}

}  // namespace

std::string block_device_of(const SysRoot& root, const MountPoint& mount) {
  if (auto name = root.link_name("/sys/dev/block/" + mount.device_number)) return *name;
  // btrfs gives every mount a number of its own, but says which disk it came from.
  if (!mount.source.starts_with("/dev/")) return "";
  const std::string name = mount.source.substr(mount.source.rfind('/') + 1);
  if (root.exists(folder(name))) return name;
  for (const std::string& other : root.list("/sys/class/block")) {
    if (root.text(folder(other) + "/dm/name") == name) return other;
  }
  return "";
}

std::vector<BlockDevice> block_devices_under(const SysRoot& root, const std::string& name) {
  std::vector<BlockDevice> found;
  std::vector<std::string> names{name};
  for (std::size_t i = 0; i < names.size() && i < kMostDevices; ++i) {
    found.push_back(read_device(root, names[i]));
    for (const std::string& below : found.back().lower) {
      if (std::ranges::find(names, below) == names.end()) names.push_back(below);
    }
  }
  return found;
}

std::string common_device(const std::vector<BlockDevice>& devices) {
  std::string name = devices.empty() ? "" : devices.front().name;
  for (const BlockDevice& device : devices) {
    if (device.name == name && device.lower.size() == 1) name = device.lower.front();
  }
  return name;
}

std::optional<BlockCounters> block_counters(const SysRoot& root, const std::string& name) {
  std::istringstream fields(root.text(folder(name) + "/stat").value_or(""));
  // reads, reads merged, sectors read, ms, writes, writes merged, sectors written (Documentation/block/stat.rst)
  std::int64_t number[7] = {};
  for (std::int64_t& field : number) {
    if (!(fields >> field)) return std::nullopt;
  }
  return BlockCounters{.bytes_read = number[2] * kSector, .bytes_written = number[6] * kSector};
}

bool is_memory_disk(std::string_view name) {
  if (name.starts_with("z")) name.remove_prefix(1);
  if (!name.starts_with("ram") || name.size() == 3) return false;
  return std::ranges::all_of(name.substr(3), [](unsigned char c) { return std::isdigit(c) != 0; });
}

Device to_device(const BlockDevice& block) {
  Device device{.id = "block:" + block.name, .kind = "block", .name = block.name, .parent = parent_of(block),
                .facts = block.facts};
  for (const auto& [fact, value] : block.facts) {
    if (fact == "model") device.name = std::get<std::string>(value);
  }
  return device;
}

std::vector<Link> links_of(const BlockDevice& block) {
  const std::string id = "block:" + block.name;
  std::vector<Link> links;
  if (block.is_partition) return links;  // a part of its disk, not a path to it
  for (const std::string& below : block.lower) {
    links.push_back({.from = id, .to = "block:" + below, .kind = "storage", .facts = {}});
  }
  if (block.lower.empty()) {
    links.push_back({.from = parent_of(block), .to = id, .kind = "storage", .facts = {}});
  }
  return links;
}

}  // namespace rackproof
