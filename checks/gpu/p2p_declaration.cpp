// gpu.p2p: how fast and how well each GPU of a node reaches each other one.
#include "checks/api/check.h"

void rackproof_run(rackproof::Context&);

namespace {

constexpr rackproof_parameter kParameters[] = {
    {"gpus", "text", "*", nullptr, "which GPUs, by PCI address, as a shell glob: \"0000:17:*\""},
    {"tests", "choice all|pairs|together|latency", "all", nullptr,
     "pairs: each alone and both ways; together: all GPUs at once"},
    {"size", "quantity", "1 GiB", "B", "largest copy; a sixteenth of the free memory where that is less"},
    {},
};

constexpr rackproof_metric kMetrics[] = {
    {"bandwidth", "GB/s", "higher", "path: copy while nothing else is on its way"},
    {"both", "GB/s", "higher", "path: copy while the opposite one is on its way too; of this direction alone"},
    {"shift", "GB/s", "higher", "path: copy while every GPU sends to one and receives from one"},
    {"latency", "ns", "lower", "path: one dependent load over it"},
    {"pair_share", "%", "higher", "path: its bandwidth, of the lesser 'peer' of its two GPUs"},
    {"wrong_copies", "count", "lower", "path: copies that arrived with a wrong bit"},
    {"peer", "GB/s", "higher", "GPU: median bandwidth of the paths from it and to it"},
    {"peer_share", "%", "higher", "GPU: 'peer', of the median over all GPUs"},
    {"alltoall_out", "GB/s", "higher", "GPU: sent to all its peers while every GPU sends to all"},
    {"alltoall_in", "GB/s", "higher", "GPU: received from all its peers meanwhile"},
    {"peers", "count", "exact", "GPU: others whose memory it reaches directly"},
    {"nvlinks", "count", "exact", "GPU: NVLinks that are up, as NVML says"},
    {},
};

constexpr const char* kByHand[] = {
    "nvidia-smi topo -p2p r; nvidia-smi topo -m; nvidia-smi nvlink -s",
    "nvbandwidth -t device_to_device_memcpy_write_ce",
    "nvbandwidth -t device_to_device_latency_sm",
    nullptr,
};

}  // namespace

RACKPROOF_CHECK(.name = "gpu.p2p", .layer = "gpu",
                .summary = "Bandwidth and latency from each GPU of a node to each other one, every copy verified",
                .method =
                    "Copies by the copy engines from GPU to GPU, held until all are queued and timed by events on the "
                    "device: each pair alone, both directions at once, all GPUs in a ring of each distance, and all to all. "
                    "Each copy is compared with what was sent on the GPU that received it, before its place is used again. "
                    "Latency is a random pointer chase over the peer's memory.",
                .parameters = kParameters, .metrics = kMetrics, .by_hand = kByHand,
                .run = rackproof::entry<rackproof_run>)
