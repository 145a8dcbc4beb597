#include "tests/simulator/nccl_xml.h"

#include <algorithm>
#include <cmath>

#include "checks/api/quantity.h"
#include "tests/simulator/node_files.h"

namespace rackproof::simulator {
namespace {

// Of one link, GB/s, as NCCL reckons (its src/graph/topo.h).
double link_budget(const GpuKind& kind) {
  return kind.compute_major >= 10 ? 40.1 : kind.compute_major >= 9 ? 20.6 : 20;
}

std::string quoted(const std::string& name, const std::string& value) { return " " + name + "=\"" + value + "\""; }
std::string quoted(const std::string& name, std::int64_t value) { return quoted(name, std::to_string(value)); }

std::string link_of(const Port& port) {
  std::string speed = shortest(port.speed_gts);
  if (speed.find('.') == std::string::npos) speed += ".0";
  return quoted("link_speed", speed + " GT/s PCIe") + quoted("link_width", port.width);
}

bool is_down(const Machine& machine, int gpu, int link) {
  return std::ranges::any_of(machine.faults(), [&](const Fault& one) {
    return one.kind == FaultKind::nvlink_down && one.target == gpu && one.index == link;
  });
}

std::string gpu_xml(const Machine& machine, int gpu, int rank, const std::string& indent) {
  const Profile& profile = machine.profile();
  std::string text = indent + "<pci" + quoted("busid", profile.gpus[static_cast<std::size_t>(gpu)].address) +
                     quoted("class", "0x030200") + quoted("vendor", "0x10de") + link_of(profile.slot) + ">\n";
  text += indent + "  <gpu" + quoted("dev", rank) +
          quoted("sm", profile.kind.compute_major * 10 + profile.kind.compute_minor) + quoted("rank", rank) +
          quoted("gdr", 1) + ">\n";
  for (int i = 0; i < profile.nvswitches; ++i) {
    int count = 0;
    for (int link = i; link < profile.kind.nvlinks; link += profile.nvswitches)
      count += is_down(machine, gpu, link) ? 0 : 1;
    if (count == 0) continue;
    text += indent + "    <nvlink" + quoted("target", nvswitch_address(i)) + quoted("count", count) +
            quoted("tclass", "0x068000") + "/>\n";
  }
  return text + indent + "  </gpu>\n" + indent + "</pci>\n";
}

std::string nic_xml(const Profile& profile, const SimulatedNic& nic, std::size_t number, const std::string& indent) {
  // Mbit/s of the link: what the profile reaches is a little less.
  const double links = std::ceil(nic.gbs * 8 / 100) * 100'000;
  return indent + "<pci" + quoted("busid", nic.address) + quoted("class", "0x020700") + quoted("vendor", "0x15b3") +
         link_of(profile.slot) + ">\n" + indent + "  <nic>\n" + indent + "    <net" + quoted("name", nic.name) +
         quoted("dev", static_cast<std::int64_t>(number)) + quoted("latency", "0.000000") +
         quoted("speed", static_cast<std::int64_t>(links)) + quoted("port", 1) + quoted("maxconn", 131072) +
         quoted("gdr", 1) + "/>\n" + indent + "  </nic>\n" + indent + "</pci>\n";
}

std::string parts_xml(const Machine& machine, const std::vector<int>& gpus, int number, const std::string& indent) {
  const Profile& profile = machine.profile();
  std::string text;
  for (std::size_t rank = 0; rank < gpus.size(); ++rank) {
    if (gpus[rank] < 0 || profile.gpus[static_cast<std::size_t>(gpus[rank])].upstream != number) continue;
    text += gpu_xml(machine, gpus[rank], static_cast<int>(rank), indent);
  }
  for (std::size_t i = 0; i < profile.nics.size(); ++i) {
    if (profile.nics[i].upstream == number) text += nic_xml(profile, profile.nics[i], i, indent);
  }
  return text;
}

std::string graph_xml(int id, int pattern, int channels, double gbs, double inter_gbs, const std::string& path,
                      const std::vector<int>& gpus) {
  std::string text = "  <graph" + quoted("id", id) + quoted("pattern", pattern) + quoted("crossnic", 0) +
                     quoted("nchannels", channels) + quoted("speedintra", shortest(gbs)) +
                     quoted("speedinter", shortest(inter_gbs)) + quoted("latencyinter", 0) + quoted("typeintra", path) +
                     quoted("typeinter", "LOC") + quoted("samechannels", 1) + ">\n";
  for (int channel = 0; channel < channels; ++channel) {
    text += "    <channel>\n";
    for (std::size_t rank = 0; rank < gpus.size(); ++rank) {
      text += "      <gpu" + quoted("dev", rank == 0 ? "0" : "0x" + std::to_string(rank)) +
              quoted("rank", static_cast<std::int64_t>(rank)) + "/>\n";
    }
    text += "    </channel>\n";
  }
  return text + "  </graph>\n";
}

}  // namespace

std::string topology_xml(const Machine& machine, const std::vector<int>& gpus) {
  const Profile& profile = machine.profile();
  std::string text = "<system" + quoted("version", 1) + ">\n";
  for (int numa = 0; numa < profile.sockets; ++numa) {
    text += "  <cpu" + quoted("host_hash", "0x1d2c3b4a59687786") + quoted("numaid", numa) +
            quoted("affinity", "ffffffff") + quoted("arch", "x86_64") + quoted("vendor", "GenuineIntel") +
            quoted("familyid", 6) + quoted("modelid", 143) + ">\n";
    for (std::size_t i = 0; i < profile.switches.size(); ++i) {
      const SimulatedSwitch& above = profile.switches[i];
      if (above.numa != numa) continue;
      if (above.is_root_port) {
        text += parts_xml(machine, gpus, static_cast<int>(i), "    ");
        continue;
      }
      text += "    <pci" + quoted("busid", above.address) + quoted("class", "0x060400") + link_of(above.uplink) +
              ">\n" + parts_xml(machine, gpus, static_cast<int>(i), "      ") + "    </pci>\n";
    }
    text += "  </cpu>\n";
  }
  return text + "</system>\n";
}

// What NCCL's search makes of such nodes: on H100 rings of 12 channels at 30 and NVLS of 8 at 40, on B200 of 16 at 45
// and 8 at 80; one GPU with fewer links costs channels of the rings, and NVLS steps down to 30. Between nodes it is a ring
// for each adapter, at the adapter's rate.
std::string graphs_xml(const Machine& machine, const std::vector<int>& gpus) {
  const Profile& profile = machine.profile();
  const GpuKind& kind = profile.kind;
  const bool has_nvlinks = kind.nvlinks > 0;
  double share = 1;
  for (const int gpu : gpus) share = std::min(share, has_nvlinks && gpu >= 0 ? machine.nvlink_share(gpu) : 1);
  int channels = profile.nccl.channels;
  double speed = profile.nccl.channel_gbs;
  const bool is_between_nodes = std::ranges::count(gpus, -1) > 0 && !profile.nics.empty();
  if (is_between_nodes) {
    channels = static_cast<int>(static_cast<double>(profile.nics.size()) * share);
    speed = std::floor(profile.nics.front().gbs);
  } else if (has_nvlinks) {
    const double all = kind.nvlinks * link_budget(kind) * share;
    channels = std::min(channels, static_cast<int>(all / speed));
  }
  const std::string path = has_nvlinks ? "NVL" : "PHB";
  std::string text = "<graphs" + quoted("version", 1) + ">\n";
  text += graph_xml(0, 4, channels, speed, speed, path, gpus);
  text += graph_xml(1, 1, channels, speed, speed, path, gpus);
  if (profile.nvswitches > 0 && kind.compute_major >= 9) {
    const double nvls = (kind.compute_major >= 10 ? 80 : 40) * (share < 1 ? 0.75 : 1);
    text += graph_xml(3, 5, 8, nvls, is_between_nodes ? speed : nvls, path, {gpus.front()});
  }
  return text + "</graphs>\n";
}

}  // namespace rackproof::simulator
