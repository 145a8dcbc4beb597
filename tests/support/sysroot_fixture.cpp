#include "tests/support/sysroot_fixture.h"

#include <stdlib.h>

#include <fstream>
#include <stdexcept>

namespace rackproof::testing {
namespace {

namespace fs = std::filesystem;

std::string last_of(std::string_view place) { return std::string(place.substr(place.rfind('/') + 1)); }

}  // namespace

SysrootFixture::SysrootFixture() {
  std::string pattern = (fs::temp_directory_path() / "rackproof-sysroot-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  directory_ = pattern;
}

SysrootFixture::~SysrootFixture() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void SysrootFixture::file(std::string_view path, std::string_view text) {
  const fs::path at = directory_ / fs::path(path).relative_path();
  fs::create_directories(at.parent_path());
  std::ofstream(at) << text << '\n';
}

void SysrootFixture::link(std::string_view path, std::string_view target) {
  const fs::path at = directory_ / fs::path(path).relative_path();
  fs::create_directories(at.parent_path());
  fs::create_symlink(target, at);
}

void SysrootFixture::remove(std::string_view path) { fs::remove_all(directory_ / fs::path(path).relative_path()); }

void add_pci(SysrootFixture& root, const PciFunction& function) {
  const std::string folder = "/sys/devices/" + std::string(function.place) + "/";
  root.file(folder + "class", function.class_code);
  root.file(folder + "vendor", function.vendor);
  root.file(folder + "device", function.device);
  root.file(folder + "numa_node", function.place.starts_with("pci0000:80") ? "1" : "0");
  root.link("/sys/bus/pci/devices/" + last_of(function.place), "../../../devices/" + std::string(function.place));
  if (function.current_speed.empty()) return;
  root.file(folder + "current_link_speed", function.current_speed);
  root.file(folder + "current_link_width", std::to_string(function.current_width));
  root.file(folder + "max_link_speed", function.max_speed);
  root.file(folder + "max_link_width", std::to_string(function.max_width));
}

namespace {

// An entry of /sys/class: a folder of a device, and a link to it.
std::string add_class(SysrootFixture& root, std::string_view kind, std::string_view name, const std::string& place) {
  const std::string inner = place + "/" + std::string(kind) + "/" + std::string(name);
  const std::string folder = "/sys/devices/" + inner + "/";
  root.link("/sys/class/" + std::string(kind) + "/" + std::string(name), "../../devices/" + inner);
  root.link(folder + "device", "../../../" + last_of(place));
  return folder;
}

// `inner`: the disk's folder below /sys/devices; `device`: of what it is a disk, seen from that folder.
void add_disk(SysrootFixture& root, const std::string& inner, std::string_view device, std::string_view sectors) {
  const std::string folder = "/sys/devices/" + inner + "/";
  root.link("/sys/block/" + last_of(inner), "../devices/" + inner);
  root.file(folder + "size", sectors);
  root.file(folder + "removable", "0");
  root.file(folder + "queue/rotational", "0");
  root.file(folder + "queue/logical_block_size", "512");
  if (!device.empty()) root.link(folder + "device", device);
}

void add_controller(SysrootFixture& root, const std::string& place, const std::string& name, std::string_view model) {
  const std::string folder = "/sys/devices/" + place + "/nvme/" + name + "/";
  root.file(folder + "model", model);
  root.file(folder + "serial", "S" + name);
  root.file(folder + "firmware_rev", "1.0");
}

void add_disks(SysrootFixture& root) {
  const std::string sata = "pci0000:00/0000:00:1f.2";
  const std::string single = "pci0000:00/0000:00:03.0/0000:18:00.0";
  const std::string shared = "pci0000:00/0000:00:04.0/0000:19:00.0";
  add_controller(root, single, "nvme0", "EXAMPLE 3.84TB            ");
  add_disk(root, single + "/nvme/nvme0/nvme0n1", "../../nvme0", "7501476528");

  add_controller(root, shared, "nvme1", "EXAMPLE dual port");
  const std::string subsystem = "virtual/nvme-subsystem/nvme-subsys1";
  root.file("/sys/devices/" + subsystem + "/model", "EXAMPLE dual port");
  root.link("/sys/devices/" + subsystem + "/nvme1", "../../../" + shared + "/nvme/nvme1");
  add_disk(root, subsystem + "/nvme1n1", "../../nvme-subsys1", "7501476528");
  // One path to it, which is no disk of its own.
  add_disk(root, shared + "/nvme/nvme1/nvme1c1n1", "../../nvme1", "7501476528");
  root.file("/sys/devices/" + shared + "/nvme/nvme1/nvme1c1n1/hidden", "1");

  const std::string target = sata + "/ata1/host0/target0:0:0/0:0:0:0";
  root.file("/sys/devices/" + target + "/model", "EXAMPLE HDD");
  add_disk(root, target + "/block/sda", "../../../0:0:0:0", "1953525168");
  const std::string drive = sata + "/ata2/host1/target1:0:0/1:0:0:0";
  root.file("/sys/devices/" + drive + "/model", "EXAMPLE DVD");
  add_disk(root, drive + "/block/sr0", "../../../1:0:0:0", "2097151");
  root.remove("/sys/devices/" + drive + "/block/sr0/removable");
  root.file("/sys/devices/" + drive + "/block/sr0/removable", "1");
  add_disk(root, "virtual/block/loop0", "", "0");
}

void add_network(SysrootFixture& root) {
  const std::string adapter = "pci0000:80/0000:80:01.0/0000:81:00.0/0000:82:00.0/0000:83:00.0";
  const std::string card = "pci0000:80/0000:80:01.0/0000:81:00.0/0000:82:01.0/0000:84:00.0";
  const std::string eth0 = add_class(root, "net", "eth0", card);
  root.file(eth0 + "address", "02:00:00:00:00:01");
  root.file(eth0 + "operstate", "up");
  root.file(eth0 + "mtu", "9000");
  root.file(eth0 + "speed", "100000");
  const std::string ib0 = add_class(root, "net", "ib0", adapter);
  root.file(ib0 + "operstate", "down");
  root.file(ib0 + "mtu", "4092");
  root.file(ib0 + "speed", "-1");
  root.file("/sys/devices/virtual/net/lo/mtu", "65536");
  root.link("/sys/class/net/lo", "../../devices/virtual/net/lo");

  const std::string mlx0 = add_class(root, "infiniband", "mlx5_0", adapter);
  root.file(mlx0 + "hca_type", "MT4129");
  root.file(mlx0 + "fw_ver", "28.39.1002");
  root.file(mlx0 + "ports/1/link_layer", "InfiniBand");
  root.file(mlx0 + "ports/1/state", "4: ACTIVE");
  root.file(mlx0 + "ports/1/rate", "400 Gb/sec (4X NDR)");
  const std::string mlx1 = add_class(root, "infiniband", "mlx5_1", card);
  root.file(mlx1 + "ports/1/link_layer", "Ethernet");
}

}  // namespace

void add_pci_tree(SysrootFixture& root) {
  constexpr std::string_view kBridge = "0x060400";
  constexpr std::string_view kGen5 = "32.0 GT/s PCIe";
  constexpr std::string_view kGen3 = "8.0 GT/s PCIe";
  constexpr std::string_view kGen4 = "16.0 GT/s PCIe";
  const PciFunction functions[] = {
      {.place = "pci0000:00/0000:00:00.0", .class_code = "0x060000", .vendor = "0x8086"},
      {"pci0000:00/0000:00:01.0", kBridge, "0x8086", "0x352a", kGen5, 8, kGen5, 16},
      {"pci0000:00/0000:00:01.0/0000:17:00.0", "0x030200", "0x10de", "0x2330", kGen5, 8, kGen5, 16},
      {"pci0000:00/0000:00:03.0", kBridge, "0x8086", "0x352a", kGen4, 4, kGen5, 16},
      {"pci0000:00/0000:00:03.0/0000:18:00.0", "0x010802", "0x144d", "0xa80a", kGen4, 4, kGen4, 4},
      {"pci0000:00/0000:00:04.0", kBridge, "0x8086", "0x352a", kGen4, 4, kGen5, 16},
      {"pci0000:00/0000:00:04.0/0000:19:00.0", "0x010802", "0x144d", "0xa80a", kGen4, 4, kGen4, 4},
      // The text form of older kernels.
      {"pci0000:00/0000:00:1c.0", kBridge, "0x8086", "0xa338", "5 GT/s", 1, "8 GT/s", 1},
      {"pci0000:00/0000:00:1c.0/0000:02:00.0", kBridge, "0x1a03", "0x1150", "5 GT/s", 1, "5 GT/s", 1},
      {.place = "pci0000:00/0000:00:1c.0/0000:02:00.0/0000:03:00.0", .class_code = "0x030000", .vendor = "0x1a03"},
      {.place = "pci0000:00/0000:00:1f.2", .class_code = "0x010601", .vendor = "0x8086"},
      {"pci0000:00/0000:00:1f.3", "0x040300", "0x8086", "0xa348", "Unknown", 0, "Unknown", 255},
      {"pci0000:80/0000:80:01.0", kBridge, "0x8086", "0x352a", kGen4, 16, kGen5, 16},
      {"pci0000:80/0000:80:01.0/0000:81:00.0", kBridge, "0x1000", "0xc030", kGen4, 16, kGen4, 16},
      {"pci0000:80/0000:80:01.0/0000:81:00.0/0000:82:00.0", kBridge, "0x1000", "0xc030", kGen3, 16, kGen5, 16},
      {"pci0000:80/0000:80:01.0/0000:81:00.0/0000:82:00.0/0000:83:00.0", "0x020700", "0x15b3", "0x1021", kGen3, 16,
       kGen5, 16},
      {"pci0000:80/0000:80:01.0/0000:81:00.0/0000:82:01.0", kBridge, "0x1000", "0xc030", kGen5, 8, kGen5, 8},
      {"pci0000:80/0000:80:01.0/0000:81:00.0/0000:82:01.0/0000:84:00.0", "0x020000", "0x15b3", "0x1021", kGen5, 8,
       kGen5, 16},
      // A virtual function reads zeros for its link.
      {"pci0000:80/0000:80:01.0/0000:81:00.0/0000:82:01.0/0000:84:00.1", "0x020000", "0x15b3", "0x101e", "Unknown", 0,
       kGen5, 16},
      // A slot with nothing in it.
      {"pci0000:80/0000:80:02.0", kBridge, "0x8086", "0x352a", "2.5 GT/s PCIe", 0, kGen5, 16},
  };
  for (const PciFunction& function : functions) add_pci(root, function);
  const std::string gpu = "/sys/devices/pci0000:00/0000:00:01.0/0000:17:00.0/";
  root.link(gpu + "driver", "../../../../bus/pci/drivers/nvidia");
  root.file(gpu + "power/runtime_status", "suspended");
  root.file("/proc/driver/nvidia/gpus/0000:17:00.0/information", "Model: \t\t Example GPU 80GB\nIRQ:   \t\t 42");
  root.file("/sys/bus/pci/slots/3/address", "0000:17:00");
  root.link("/sys/bus/pci/devices/0000:84:00.1/physfn", "../0000:84:00.0");
  add_disks(root);
  add_network(root);
}

void add_cpus(SysrootFixture& root) {
  const std::string cpu = "/sys/devices/system/cpu/";
  for (const std::string name : {"online", "possible", "present"}) root.file(cpu + name, "0-7");
  std::string info;
  for (int number = 0; number < 8; ++number) {
    const int package = number / 4;
    const int core = number % 4 / 2;
    const std::string topology = cpu + "cpu" + std::to_string(number) + "/topology/";
    const std::string pair = number % 4 < 2 ? "3" : "c";
    root.file(topology + "physical_package_id", std::to_string(package));
    root.file(topology + "core_id", std::to_string(core));
    root.file(topology + "package_cpus", package == 0 ? "0f" : "f0");
    root.file(topology + "core_cpus", package == 0 ? "0" + pair : pair + "0");
    info += "processor\t: " + std::to_string(number) + "\nmodel name\t: Example CPU 9000\n\n";
  }
  root.file("/proc/cpuinfo", info);
  root.file("/sys/devices/system/node/online", "0-1");
  for (const std::string node : {"0", "1"}) {
    const std::string folder = "/sys/devices/system/node/node" + node + "/";
    root.file(folder + "cpumap", node == "0" ? "0f" : "f0");
    root.file(folder + "cpulist", node == "0" ? "0-3" : "4-7");
    root.file(folder + "meminfo", "Node " + node + " MemTotal:       16777216 kB");
    root.file(folder + "distance", node == "0" ? "10 21" : "21 10");
  }
}

void add_error_counters(SysrootFixture& root) {
  const std::string gpu = "/sys/bus/pci/devices/0000:17:00.0/";
  root.file(gpu + "aer_dev_correctable",
            "RxErr 1\nBadTLP 4\nBadDLLP 0\nRollover 0\nTimeout 0\nNonFatalErr 0\nCorrIntErr 0\nHeaderOF 0\n"
            "TOTAL_ERR_COR 3");
  root.file(gpu + "aer_dev_nonfatal", "Undefined 0\nDLP 0\nTOTAL_ERR_NONFATAL 2");
  root.file(gpu + "aer_dev_fatal", "Undefined 0\nDLP 0\nTOTAL_ERR_FATAL 1");
  root.file("/sys/bus/pci/devices/0000:18:00.0/aer_dev_correctable", "RxErr 0\nTOTAL_ERR_COR 0");
  for (const std::string controller : {"mc0", "mc1"}) {
    root.file("/sys/devices/system/edac/mc/" + controller + "/ce_count", controller == "mc0" ? "12" : "0");
    root.file("/sys/devices/system/edac/mc/" + controller + "/ue_count", controller == "mc0" ? "0" : "1");
  }
  root.file("/sys/devices/system/edac/mc/power/control", "auto");
  for (int number = 0; number < 8; ++number) {
    const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(number) + "/thermal_throttle/";
    root.file(folder + "core_throttle_count", std::to_string(number));
    root.file(folder + "core_throttle_total_time_ms", std::to_string(10 * number));
    root.file(folder + "package_throttle_count", number < 4 ? "0" : "5");
  }
  const std::string eth0 = "/sys/class/net/eth0/";
  root.file(eth0 + "statistics/rx_errors", "6");
  root.file(eth0 + "statistics/tx_errors", "7");
  root.file(eth0 + "statistics/rx_dropped", "8");
  root.file(eth0 + "statistics/tx_dropped", "9");
  root.file(eth0 + "carrier_changes", "11");
  root.file("/sys/class/net/lo/statistics/rx_errors", "0");
  const std::string port = "/sys/class/infiniband/mlx5_0/ports/1/";
  root.file(port + "counters/symbol_error", "13");
  root.file(port + "counters/link_downed", "14");
  root.file(port + "counters/link_error_recovery", "255");
  root.file(port + "counters/port_rcv_errors", "N/A (no PMA)");
  root.file(port + "hw_counters/out_of_sequence", "70000");
}

void add_identity(SysrootFixture& root) {
  root.file("/proc/sys/kernel/osrelease", "6.1.0-example");
  root.file("/usr/lib/os-release", "NAME=\"Example\"\nPRETTY_NAME=\"Example Linux 1\"\nID=example");
  root.link("/etc/os-release", "../usr/lib/os-release");
  root.file("/sys/class/dmi/id/sys_vendor", "Example Systems");
  root.file("/sys/class/dmi/id/product_name", "Two Socket");
  root.file("/sys/class/dmi/id/product_serial", "SN0001");
}

}  // namespace rackproof::testing
