// gpu.memory: rates of each GPU's own memory, and whether it keeps what is written into it.
#include "checks/api/check.h"

void rackproof_run(rackproof::Context&);

namespace {

constexpr rackproof_parameter kParameters[] = {
    {"gpus", "text", "*", nullptr, "which GPUs, by PCI address, as a shell glob: \"0000:17:*\""},
    {"tests", "choice all|bandwidth|patterns", "all", nullptr, "what is done"},
    {"together", "boolean", "true", nullptr, "all GPUs at once; otherwise one after the other"},
    {"share", "quantity", "95 %", "%", "of the free memory that the patterns are written to"},
    {"passes", "integer", "1", nullptr, "over all patterns, at the least"},
    {"duration", "quantity", "0 s", "s", "go on with passes until so much time was spent on the device"},
    {"dwell", "quantity", "0 s", "s", "leave the memory alone for so long between writing random words and looking at them"},
    {},
};

constexpr rackproof_metric kMetrics[] = {
    {"copy", "GB/s", "higher", "c = a; bytes read and written"},
    {"triad", "GB/s", "higher", "c = a + 3 b; bytes read and written"},
    {"read", "GB/s", "higher", "sum over a; bytes read"},
    {"write", "GB/s", "higher", "c set; bytes written"},
    {"pattern_rate", "GB/s", "higher", "bytes read and written by the pattern test, median over its sweeps"},
    {"pattern_errors", "count", "lower", "words that were not what had been written, over all sweeps"},
    {"tested", "GB", "higher", "memory that the patterns were written to"},
    {"tested_share", "%", "higher", "of all memory of the GPU"},
    {"tested_of_free", "%", "higher", "of the memory that was free"},
    {},
};

constexpr const char* kByHand[] = {
    "nvbandwidth -t device_local_copy   # counts each byte once: half of 'copy'",
    "dcgmi diag -r memory,memory_bandwidth",
    nullptr,
};

}  // namespace

RACKPROOF_CHECK(.name = "gpu.memory", .layer = "gpu",
                .summary = "Bandwidth of each GPU's own memory, and a pattern test of nearly all of it",
                .method =
                    "Copy, triad, read and write over arrays far larger than the L2 cache, 16 bytes a load, bytes counted "
                    "as STREAM does, timed by events on the device, results verified. Then patterns over nearly all free "
                    "memory: own address, random words and their complement, moving inversions; each word that is not what "
                    "was written is counted, the first ones named.",
                .parameters = kParameters, .metrics = kMetrics, .by_hand = kByHand,
                .run = rackproof::entry<rackproof_run>)
