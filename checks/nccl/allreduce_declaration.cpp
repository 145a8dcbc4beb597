// nccl.allreduce: how fast all GPUs of a node, or of several, exchange data through NCCL. The declaration stands apart from the body,
// which needs CUDA and NCCL.
#include "checks/api/check.h"

void rackproof_run(rackproof::Context&);

namespace {

constexpr rackproof_parameter kParameters[] = {
    {"collective", "choice allreduce|allgather|reducescatter|alltoall|broadcast|sendrecv", "allreduce", nullptr,
     "What the ranks do"},
    {"sizes", "text", "8 B, 1 MiB, 128 MiB, 1 GiB, 8 GiB", nullptr,
     "Sizes, between commas; those for which a GPU has no room are left out, and the largest power of two that fits is "
     "measured in their place"},
    {"gpus", "text", "*", nullptr, "GPUs that take part: a shell glob over their PCI addresses"},
    {"timeout", "quantity", "30 s", "s", "How long a round of eight iterations may take before it counts as hung"},
    {"init_timeout", "quantity", "120 s", "s", "How long NCCL, and the cards of other nodes, may take"},
    {"seed", "integer", "1", nullptr, "Of the data"},
    {},
};

constexpr rackproof_metric kMetrics[] = {
    {"busbw", "GB/s", "higher",
     "at the largest size: bytes / time, times the factor that compares it with a link's rate"},
    {"algbw", "GB/s", "higher", "at the largest size: bytes / time"},
    {"busbw_inplace", "GB/s", "higher", "busbw at the largest size, input and output in the same memory"},
    {"busbw_1mib", "GB/s", "higher", "busbw at 1 MiB"},
    {"busbw_128mib", "GB/s", "higher", "busbw at 128 MiB"},
    {"busbw_1gib", "GB/s", "higher", "busbw at 1 GiB"},
    {"busbw_8gib", "GB/s", "higher", "busbw at 8 GiB"},
    {"largest_size", "MiB", "higher", "the largest size that was measured"},
    {"latency", "us", "lower", "time of one collective at the smallest size, of several back to back"},
    {"alpha", "us", "lower", "time that a collective takes beside its bytes, from the line through all sizes"},
    {"asymptotic", "GB/s", "higher", "busbw that the same line comes to for ever larger sizes"},
    {"ranks", "count", "exact", "GPUs that took part"},
    {"skew", "us", "lower", "at the largest size: how much later than the first the last rank enters"},
    {"lateness", "us", "lower", "at the largest size: how much later than the first this rank enters"},
    {"time", "us", "lower", "at the largest size: from this rank's entry to its exit"},
    {"element_errors", "count", "lower", "elements of this rank's output that were wrong, of all sizes"},
    {"budget", "GB/s", "higher", "bandwidth that NCCL itself reckons with: channels times speed of its graph"},
    {"budget_share", "%", "higher", "busbw against the budget"},
    {"channels", "count", "higher", "channels of that graph"},
    {"reached", "count", "exact", "1 where the nodes of a group came together and every size was measured, else 0"},
    {"verify_errors", "count", "lower", "of a group: elements that were wrong, over all its ranks and sizes"},
    {"nics", "count", "exact", "of a group of nodes: adapters of its first node that NCCL uses"},
    {"busbw_per_nic", "GB/s", "higher",
     "of a group of nodes: what leaves a node at that busbw, over the adapters of its first node"},
    {"nvlinks", "count", "exact", "NVLinks that NCCL found at this GPU"},
    {},
};

constexpr const char* kByHand[] = {
    "NCCL_DEBUG=INFO all_reduce_perf -g 8 -b 8 -e 8G -f 8 -c 1",
    "NCCL_TOPO_DUMP_FILE=topology.xml NCCL_GRAPH_DUMP_FILE=graphs.xml all_reduce_perf -g 8 -b 1G -e 1G",
    nullptr,
};

}  // namespace

RACKPROOF_CHECK(
        .name = "nccl.allreduce", .layer = "nccl",
        .summary = "Collectives of NCCL on one node or over many, every element verified",
        .method =
            "One process drives a rank on each GPU. Iterations are queued behind a gate, so that no launch is in "
            "what is timed, and each is timed by events on every rank: from the first entry to the last exit. "
            "Data are whole numbers whose sum is exact in any order; each output is hashed on the device, compared "
            "with what must come out, and searched for the wrong element where it differs. A collective that does "
            "not end is aborted, and the rank that the others wait for is named. The bandwidth that NCCL itself "
            "reckons with is read from the graphs that it writes. Started as one of several ranks, the GPUs of all nodes "
            "of a group make one communicator in each round, and its first node reports of the group; a node that does "
            "not come costs its own group alone.",
        .parameters = kParameters, .metrics = kMetrics, .by_hand = kByHand, .run = rackproof::entry<rackproof_run>)
