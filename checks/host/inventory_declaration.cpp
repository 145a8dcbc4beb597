// host.inventory: what the machine is made of. The declaration stands apart from the body, which needs hwloc.
#include "checks/api/check.h"

void rackproof_run(rackproof::Context&);

namespace {

constexpr rackproof_parameter kParameters[] = {{}};

constexpr rackproof_metric kMetrics[] = {
    {"packages", "count", "exact", "CPU packages (sockets)"},
    {"cores", "count", "exact", "cores that are online"},
    {"threads", "count", "exact", "logical CPUs that are online"},
    {"numa_nodes", "count", "exact", "NUMA nodes"},
    {"memory", "GiB", "exact", "memory of all NUMA nodes, without what firmware and kernel keep to themselves"},
    {"pci_devices", "count", "exact", "PCI functions of any class, bridges too, without virtual functions"},
    {"gpus", "count", "exact", "GPUs on PCI; the graphics of a management controller is none"},
    {"nvswitches", "count", "exact", "NVSwitch chips"},
    {"accelerators", "count", "exact", "processing accelerators other than GPUs"},
    {"nics", "count", "exact", "functions of network controllers, InfiniBand too: each port of a card is one"},
    {"nvme", "count", "exact", "NVMe controllers"},
    {"block_devices", "count", "exact", "disks"},
    {"net_devices", "count", "exact", "network interfaces of hardware"},
    {"infiniband", "count", "exact", "ports whose link layer is InfiniBand"},
    {},
};

constexpr const char* kByHand[] = {
    "lscpu; lstopo-no-graphics",
    "grep MemTotal /sys/devices/system/node/node*/meminfo",
    "lspci -tvnn",
    "lsblk -d -o NAME,SIZE,ROTA,MODEL",
    "ip -br link; ibstat",
    nullptr,
};

}  // namespace

RACKPROOF_CHECK(.name = "host.inventory", .layer = "host",
                .summary = "CPUs, memory, PCI devices, disks and network interfaces, and how they hang together",
                .method =
                    "hwloc reads packages, cores and NUMA nodes from /sys; PCI devices, disks, network interfaces and "
                    "InfiniBand ports are read from /sys directly. Each part is reported as a device with what it is "
                    "part of, and counted by kind.",
                .parameters = kParameters, .metrics = kMetrics, .by_hand = kByHand,
                .run = rackproof::entry<rackproof_run>)
