// fabric.gpu-bandwidth: how fast data go from the memory of a GPU on one node into that of one on another, through UCX.
// The declaration stands apart from the body, which needs UCX and CUDA.
#include "checks/api/check.h"
#include "checks/fabric/shared_rows.h"

void rackproof_run(rackproof::Context&);

namespace {

using namespace rackproof::fabric_rows;

constexpr rackproof_parameter kParameters[] = {
    {"gpu", "text", "*", nullptr, "Whose memory, by PCI address: \"0000:17:00.0\"; of several each rail takes the next"},
    {"op", "choice tag|put|get", "tag", nullptr, "How: tagged messages, writes, or reads"},
    kSize, kWindow, kDirections, kTransports, kDevice, kRails, kVerify, kPatience, kTime,
    {},
};

constexpr rackproof_metric kMetrics[] = {
    kBandwidth, kBandwidthWorst, kBandwidthBoth, kBandwidthBothWorst, kReached, kRdma, kVerifyErrors, kVerified,
    {},
};

constexpr const char* kByHand[] = {
    "ucx_perftest                                            # on one node",
    "ucx_perftest NODE -t tag_bw -s 1048576 -n 10000 -m cuda # on the other; ucp_put_bw, ucp_get",
    "ucx_info -v                                             # whether UCX was built --with-cuda",
    "UCX_LOG_LEVEL=info …                                    # shows the lanes: tag(rc_mlx5/mlx5_0:1)",
    nullptr,
};

}  // namespace

RACKPROOF_CHECK(
        .name = "fabric.gpu-bandwidth", .layer = "fabric",
        .summary = "How fast data go from GPU to GPU of two nodes, pair by pair, and over what",
        .method =
            "As fabric.bandwidth, with the messages in memory of GPUs: adapters that reach it (GPUDirect RDMA) read "
            "and write it themselves. Messages that are verified are copied to the host for that, within the timed "
            "work.",
        .parameters = kParameters, .metrics = kMetrics, .by_hand = kByHand, .run = rackproof::entry<rackproof_run>)
