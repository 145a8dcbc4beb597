// Rows of the tables that the checks of paths declare alike.
#pragma once

#include "checks/api/check.h"

namespace rackproof::fabric_rows {

inline constexpr rackproof_parameter kSize = {
    "size", "quantity", "1 MiB", "B", "Of a message; a slow path gets smaller ones, and the size is a fact"};
inline constexpr rackproof_parameter kWindow = {"window", "integer", "32", nullptr,
                                                "Messages under way at once; fewer on a slow path"};
inline constexpr rackproof_parameter kDirections = {
    "directions", "choice one|each|both", "both", nullptr,
    "one: the first of a pair sends; each: one after the other; both: and then both at once"};
inline constexpr rackproof_parameter kTransports = {"transports", "text", "all", nullptr,
                                                    "What UCX may use (UCX_TLS): \"rc\", \"tcp\""};
inline constexpr rackproof_parameter kDevice = {
    "device", "text", "all", nullptr, "Devices that UCX may use (UCX_NET_DEVICES): \"mlx5_0:1,mlx5_1:1\""};
inline constexpr rackproof_parameter kRails = {"rails", "choice each|all", "all", nullptr,
                                               "each: the devices one by one; all: together, as UCX uses them"};
inline constexpr rackproof_parameter kVerify = {"verify", "quantity", "5 %", "%",
                                                "Share of the messages that are verified; 0 %: none"};
inline constexpr rackproof_parameter kPatience = {
    "patience", "quantity", "30 s", "s", "How long a partner may be silent before it counts as not reached"};
inline constexpr rackproof_parameter kTime = {"time", "quantity", "10 s", "s",
                                              "Of samples at most, for each direction of a pair"};

inline constexpr rackproof_metric kReached = {"reached", "count", "exact",
                                              "1: the partner answered to the end; 0: it did not"};
inline constexpr rackproof_metric kRdma = {"rdma", "count", "exact",
                                           "1: all that UCX really uses for such messages is RDMA; 0: some is not"};

// What a stream of messages is measured by.
inline constexpr rackproof_metric kBandwidth = {"bandwidth", "GB/s", "higher",
                                                "from this rank to its partner, while nothing goes the other way"};
inline constexpr rackproof_metric kBandwidthWorst = {"bandwidth_worst", "GB/s", "higher", "of its samples the slowest"};
inline constexpr rackproof_metric kBandwidthBoth = {
    "bandwidth_both", "GB/s", "higher", "from this rank to its partner, while as much as can goes the other way"};
inline constexpr rackproof_metric kBandwidthBothWorst = {"bandwidth_both_worst", "GB/s", "higher",
                                                         "of its samples the slowest"};
inline constexpr rackproof_metric kVerifyErrors = {"verify_errors", "count", "lower",
                                                   "verified messages that did not come as they were sent"};
inline constexpr rackproof_metric kVerified = {"verified", "count", "higher", "messages that were verified"};

}  // namespace rackproof::fabric_rows
