// fabric.latency: how long a small message takes from node to node through UCX. The declaration stands apart from the
// body, which needs UCX.
#include "checks/api/check.h"
#include "checks/fabric/shared_rows.h"

void rackproof_run(rackproof::Context&);

namespace {

using namespace rackproof::fabric_rows;

constexpr rackproof_parameter kParameters[] = {
    {"size", "quantity", "8 B", "B", "Of the message that goes back and forth"},
    {"load", "boolean", "true", nullptr, "Measure again while data go both ways beside it"},
    {"load_size", "quantity", "256 KiB", "B", "Of a message of the load"},
    {"load_window", "integer", "8", nullptr, "Messages of the load that are under way at once"},
    kTransports, kDevice, kRails, kPatience,
    {"time", "quantity", "5 s", "s", "Of samples at most, idle and under load"},
    {},
};

constexpr rackproof_metric kMetrics[] = {
    {"latency", "us", "lower", "half of a round trip, while nothing else goes over the path"},
    {"latency_p99", "us", "lower", "of a hundred round trips one takes longer"},
    {"latency_p999", "us", "lower", "of a thousand round trips one takes longer"},
    {"latency_worst", "us", "lower", "half of the longest round trip"},
    {"latency_loaded", "us", "lower", "half of a round trip, while data go both ways"},
    {"latency_loaded_p99", "us", "lower", "of a hundred of those one takes longer"},
    {"latency_loaded_p999", "us", "lower", "of a thousand of those one takes longer"},
    {"latency_loaded_worst", "us", "lower", "half of the longest of those"},
    {"load_bandwidth", "GB/s", "higher", "what this rank sent as load meanwhile"},
    kReached, kRdma,
    {},
};

constexpr const char* kByHand[] = {
    "ucx_perftest                                  # on one node",
    "ucx_perftest NODE -t tag_lat -s 8 -R 50       # on the other; -R 99 for another percentile",
    nullptr,
};

}  // namespace

RACKPROOF_CHECK(
        .name = "fabric.latency", .layer = "fabric",
        .summary = "How long a small message takes from node to node, idle and under load",
        .method =
            "A message goes back and forth between two ranks, and each round trip is timed; half of it is the latency. "
            "Each percentile is the median of those of at least twelve samples of 50 ms. Then the same while a second "
            "thread on each side keeps both directions busy over an endpoint of its own. All waits end: a partner that "
            "is "
            "silent costs its own pair.",
        .parameters = kParameters, .metrics = kMetrics, .by_hand = kByHand, .run = rackproof::entry<rackproof_run>)
