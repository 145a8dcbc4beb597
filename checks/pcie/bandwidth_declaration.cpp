// pcie.bandwidth: how fast each GPU copies from and to the host. The declaration stands apart from the body, which needs
// CUDA and libnuma.
#include "checks/api/check.h"

void rackproof_run(rackproof::Context&);

namespace {

constexpr rackproof_parameter kParameters[] = {
    {"gpus", "text", "*", nullptr, "which GPUs, by address, as a shell glob: \"0000:17:*\""},
    {"phases", "choice all|alone|switch|node", "all", nullptr,
     "each GPU alone; all of one uplink at once; all of the node at once. The last two include what they are compared with"},
    {"size", "quantity", "64 MiB", "B", "bytes of one copy; less where memory is short"},
    {"at_least", "quantity", "0 s", "s", "how long the copies of each figure take at the least, by the GPU's clock"},
    {"at_most", "quantity", "2 s", "s", "after how long a figure that is not steady is given up"},
    {"far", "boolean", "true", nullptr, "whether host memory on the far NUMA node is measured too"},
    {},
};

constexpr rackproof_metric kMetrics[] = {
    {"h2d", "GB/s", "higher", "host to device, this GPU alone, host memory on the GPU's own NUMA node"},
    {"d2h", "GB/s", "higher", "device to host, likewise"},
    {"both", "GB/s", "higher", "both directions at once, alone: the sum of the two"},
    {"both_h2d", "GB/s", "higher", "of that, host to device"},
    {"both_d2h", "GB/s", "higher", "of that, device to host"},
    {"h2d_far", "GB/s", "higher", "host to device, alone, host memory on the far NUMA node"},
    {"d2h_far", "GB/s", "higher", "device to host, likewise"},
    {"h2d_switch", "GB/s", "higher", "host to device, this GPU while all GPUs of its uplink copy"},
    {"d2h_switch", "GB/s", "higher", "device to host, likewise"},
    {"h2d_switch_share", "%", "higher", "h2d_switch of the same GPU's h2d"},
    {"d2h_switch_share", "%", "higher", "d2h_switch of the same GPU's d2h"},
    {"uplink_h2d", "GB/s", "higher", "sum of h2d_switch over the GPUs of one uplink; of the port below the root port"},
    {"uplink_d2h", "GB/s", "higher", "likewise of d2h_switch"},
    {"h2d_all", "GB/s", "higher", "host to device, this GPU while all GPUs of the node copy"},
    {"d2h_all", "GB/s", "higher", "device to host, likewise"},
    {"h2d_all_share", "%", "higher", "h2d_all of the same GPU's h2d"},
    {"d2h_all_share", "%", "higher", "d2h_all of the same GPU's d2h"},
    {"h2d_total", "GB/s", "higher", "sum of h2d_all over the node"},
    {"d2h_total", "GB/s", "higher", "sum of d2h_all over the node"},
    {"latency", "ns", "lower", "one dependent load of the GPU from near host memory, at random places"},
    {"latency_far", "ns", "lower", "likewise from far host memory"},
    {"h2d_errors", "count", "lower", "copies host to device that came out wrong"},
    {"d2h_errors", "count", "lower", "copies device to host that came out wrong"},
    {"copies", "count", "higher", "copies that were verified, both directions"},
    {"pages_misplaced", "count", "lower", "of the pages of host memory that were asked for, those not on the node they should be on"},
    {"width_under_load", "lanes", "higher", "narrowest link seen while copies ran, as the device says it"},
    {"speed_under_load", "GT/s", "higher", "lowest speed seen while copies ran"},
    {"replays", "count", "lower", "packets that were sent again over the GPU's link meanwhile, as NVML counts them"},
    {"link_errors_corrected", "count", "lower", "errors of the GPU's link that were put right meanwhile, as both its ends count them"},
    {},
};

constexpr const char* kByHand[] = {
    "nvbandwidth -t host_to_device_memcpy_ce -t device_to_host_memcpy_ce -t host_to_device_bidirectional_memcpy_ce",
    "nvbandwidth -t all_to_host_memcpy_ce -t host_to_all_memcpy_ce   # one GPU's rate while the others disturb it",
    "numactl --membind=1 nvbandwidth -t host_to_device_memcpy_ce     # host memory on node 1",
    "nvbandwidth -t host_device_latency_sm",
    "nvidia-smi --query-gpu=pci.bus_id,pcie.link.gen.current,pcie.link.width.current --format=csv -l 1   # meanwhile",
    nullptr,
};

}  // namespace

RACKPROOF_CHECK(.name = "pcie.bandwidth", .layer = "pcie",
                .summary = "Copies between each GPU and pinned host memory: alone, together, near and far, every one verified",
                .method =
                    "Queues bursts of eight asynchronous copies behind a gate on the GPU, with an event between any two, "
                    "so that each copy is one sample; bursts go on until the rate is steady and at least twelve samples "
                    "are kept. Every copy is verified by a 64-bit hash that the GPU computes before its place is used "
                    "again. GPUs together begin through one gate, and only copies made while all of them copied count.",
                .parameters = kParameters, .metrics = kMetrics, .by_hand = kByHand,
                .run = rackproof::entry<rackproof_run>)
