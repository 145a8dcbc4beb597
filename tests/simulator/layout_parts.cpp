#include "tests/simulator/layout_parts.h"

namespace rackproof::simulator {
namespace {

std::string last_of(const std::string& place) { return place.substr(place.rfind('/') + 1); }

// An entry of /sys/class: a folder of the device, and a link to it. Gives back the folder.
std::string add_class(LayoutTree& tree, const std::string& kind, const std::string& name, const std::string& place) {
  const std::string inner = place + "/" + kind + "/" + name;
  tree.link("/sys/class/" + kind + "/" + name, "../../devices/" + inner);
  tree.link("/sys/devices/" + inner + "/device", "../../../" + last_of(place));
  return "/sys/devices/" + inner + "/";
}

// 400 Gb/s for what reaches more than half of it, and so on down.
int line_rate_gbits(double gbs) {
  for (const int rate : {100, 200, 400}) {
    if (gbs * 8 <= rate) return rate;
  }
  return 800;
}

}  // namespace

void lay_out_nic(LayoutTree& tree, const Profile& profile, const SimulatedNic& nic, const std::string& place) {
  const auto number = static_cast<int>(&nic - profile.nics.data());
  const int rate = line_rate_gbits(nic.gbs);
  const char* names = rate == 100 ? "EDR" : rate == 200 ? "HDR" : rate == 400 ? "NDR" : "XDR";
  const std::string adapter = add_class(tree, "infiniband", nic.name, place);
  tree.file(adapter + "hca_type", rate >= 400 ? "MT4129" : "MT4123");
  tree.file(adapter + "fw_ver", rate >= 400 ? "28.39.1002" : "20.39.1002");
  tree.file(adapter + "board_id", "SIM0000000001");
  tree.file(adapter + "node_guid", "0200:0000:0000:000" + std::to_string(number % 10));
  const std::string port = adapter + "ports/1/";
  tree.file(port + "link_layer", "InfiniBand");
  tree.file(port + "state", "4: ACTIVE");
  tree.file(port + "phys_state", "5: LinkUp");
  tree.file(port + "rate", std::to_string(rate) + " Gb/sec (4X " + names + ")");
  tree.file(port + "lid", std::to_string(number + 1));
  for (const char* counter :
       {"symbol_error", "link_error_recovery", "link_downed", "port_rcv_errors", "port_rcv_remote_physical_errors",
        "port_xmit_discards", "local_link_integrity_errors", "excessive_buffer_overrun_errors"}) {
    tree.file(port + "counters/" + counter, "0");
  }
  for (const char* counter : {"out_of_sequence", "local_ack_timeout_err", "packet_seq_err", "rnr_nak_retry_err"}) {
    tree.file(port + "hw_counters/" + counter, "0");
  }

  const std::string net = add_class(tree, "net", "ib" + std::to_string(number), place);
  tree.file(net + "address", "02:00:00:00:00:0" + std::to_string(number % 10));
  tree.file(net + "operstate", "up");
  tree.file(net + "mtu", "4092");
  tree.file(net + "speed", std::to_string(rate * 1000));
  tree.file(net + "carrier_changes", "1");
  for (const char* counter : {"rx_errors", "tx_errors", "rx_dropped", "tx_dropped", "rx_missed_errors"}) {
    tree.file(net + "statistics/" + counter, "0");
  }
  tree.link("/sys/devices/" + place + "/driver", "../../../../../bus/pci/drivers/mlx5_core");
}

void lay_out_disk(LayoutTree& tree, const SimulatedDisk& disk, const std::string& place, int number) {
  const std::string controller = "/sys/devices/" + place + "/nvme/" + disk.name + "/";
  tree.file(controller + "model", disk.model);
  tree.file(controller + "serial", "SIM" + disk.name);
  tree.file(controller + "firmware_rev", "1.0");
  const std::string block = disk.name + "n1";
  const std::string inner = place + "/nvme/" + disk.name + "/" + block;
  const std::string device = "259:" + std::to_string(number);
  tree.link("/sys/block/" + block, "../devices/" + inner);
  tree.link("/sys/class/block/" + block, "../../devices/" + inner);
  tree.link("/sys/dev/block/" + device, "../../devices/" + inner);
  const std::string folder = "/sys/devices/" + inner + "/";
  tree.link(folder + "device", "../../" + disk.name);
  tree.file(folder + "dev", device);
  tree.file(folder + "size", "7501476528");  // sectors of 512 bytes: 3.84 TB
  tree.file(folder + "removable", "0");
  tree.file(folder + "stat", "0 0 0 0 0 0 0 0 0 0 0");
  tree.file(folder + "queue/rotational", "0");
  tree.file(folder + "queue/logical_block_size", "512");
  tree.file(folder + "queue/physical_block_size", "4096");
  tree.file(folder + "queue/scheduler", "[none] mq-deadline");
  tree.link("/sys/devices/" + place + "/driver", "../../../../../bus/pci/drivers/nvme");
  // What lies at a path is on this disk: the first one holds the root.
  if (number == 0) {
    tree.file("/proc/self/mountinfo", "29 1 " + device + " / / rw,relatime shared:1 - ext4 /dev/" + block + " rw");
  }
}

}  // namespace rackproof::simulator
