// fabric.bandwidth: how fast data go from node to node through UCX. The declaration stands apart from the body, which
// needs UCX.
#include "checks/api/check.h"
#include "checks/fabric/shared_rows.h"

void rackproof_run(rackproof::Context&);

namespace {

using namespace rackproof::fabric_rows;

constexpr rackproof_parameter kParameters[] = {
    {"op", "choice tag|put|get|am", "tag", nullptr, "How: tagged messages, writes, reads, or active messages"},
    kSize, kWindow, kDirections, kTransports, kDevice, kRails, kVerify, kPatience, kTime,
    {},
};

constexpr rackproof_metric kMetrics[] = {
    kBandwidth, kBandwidthWorst, kBandwidthBoth, kBandwidthBothWorst, kReached, kRdma, kVerifyErrors, kVerified,
    {},
};

constexpr const char* kByHand[] = {
    "ucx_perftest                                    # on one node",
    "ucx_perftest NODE -t tag_bw -s 1048576 -n 10000 # on the other; ucp_put_bw, ucp_get, ucp_am_bw",
    "UCX_LOG_LEVEL=info …                            # shows the lanes: tag(rc_mlx5/mlx5_0:1)",
    nullptr,
};

}  // namespace

RACKPROOF_CHECK(
        .name = "fabric.bandwidth", .layer = "fabric",
        .summary = "How fast data go from node to node, pair by pair, and over what",
        .method =
            "Two ranks measure one path: first one of them sends, then the other, then both at once. Messages are kept "
            "under way for 100 ms a sample, and a sample ends when the partner says that all have arrived. A share of "
            "the "
            "messages is verified in that time. Over which transports and devices they went is what UCX says of the "
            "endpoint. All waits end: a partner that is silent costs its own pair.",
        .parameters = kParameters, .metrics = kMetrics, .by_hand = kByHand, .run = rackproof::entry<rackproof_run>)
