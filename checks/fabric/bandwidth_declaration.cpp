// fabric.bandwidth: how fast data go from node to node through UCX. The declaration stands apart from the body, which
// needs UCX.
#include "checks/api/check.h"

void rackproof_run(rackproof::Context&);

namespace {

constexpr rackproof_parameter kParameters[] = {
    {"op", "choice tag|put|get|am", "tag", nullptr, "How: tagged messages, writes, reads, or active messages"},
    {"size", "quantity", "1 MiB", "B", "Of a message; a slow path gets smaller ones, and the size is a fact"},
    {"window", "integer", "32", nullptr, "Messages under way at once; fewer on a slow path"},
    {"directions", "choice one|each|both", "both", nullptr,
     "one: the first of a pair sends; each: one after the other; both: and then both at once"},
    {"transports", "text", "all", nullptr, "What UCX may use (UCX_TLS): \"rc\", \"tcp\""},
    {"device", "text", "all", nullptr, "Devices that UCX may use (UCX_NET_DEVICES): \"mlx5_0:1,mlx5_1:1\""},
    {"rails", "choice each|all", "all", nullptr, "each: the devices one by one; all: together, as UCX shares them out"},
    {"verify", "quantity", "5 %", "%", "Share of the messages that are verified; 0 %: none"},
    {"patience", "quantity", "30 s", "s", "How long a partner may be silent before it counts as not reached"},
    {"time", "quantity", "10 s", "s", "Of samples at most, for each direction of a pair"},
    {},
};

constexpr rackproof_metric kMetrics[] = {
    {"bandwidth", "GB/s", "higher", "from this rank to its partner, while nothing goes the other way"},
    {"bandwidth_worst", "GB/s", "higher", "of its samples the slowest"},
    {"bandwidth_both", "GB/s", "higher", "from this rank to its partner, while as much as can goes the other way"},
    {"bandwidth_both_worst", "GB/s", "higher", "of its samples the slowest"},
    {"reached", "count", "exact", "1: the partner answered to the end; 0: it did not"},
    {"rdma", "count", "exact", "1: all that UCX really uses for large messages is RDMA; 0: some is not"},
    {"verify_errors", "count", "lower", "verified messages that did not come as they were sent"},
    {"verified", "count", "higher", "messages that were verified"},
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
