// infiniband.fabric: every switch, adapter and cable of the fabric that this machine is plugged into, beside what the
// cabling plan says, and the errors of every link.
#include "checks/api/check.h"

void rackproof_run(rackproof::Context&);

namespace {

constexpr rackproof_parameter kParameters[] = {
    {"cabling", "text", "", nullptr, "file of the links that should be: see the page; or what ibnetdiscover once printed"},
    {"window", "quantity", "10 s", "s", "time over which errors are counted; 0 s: only what they stand at is read"},
    {"adapter", "text", "", nullptr, "the local adapter to look from (\"mlx5_0\"); else the first with a link"},
    {"port", "integer", "0", nullptr, "the port of that adapter; 0: the first with a link"},
    {"node_names", "text", "", nullptr, "file of names by GUID, as infiniband-diags takes with --node-name-map"},
    {"patience", "quantity", "60 s", "s", "time that each of the programs may take"},
    {},
};

constexpr rackproof_metric kMetrics[] = {
    {"switches", "count", "higher", "switches in the fabric"},
    {"adapters", "count", "higher", "host channel adapters in the fabric"},
    {"links", "count", "higher", "links between two ports"},
    {"unanswered", "count", "lower", "complaints of the discovery about what did not answer"},
    {"counters_unread", "count", "lower", "queries for counters that nobody answered"},
    {"links_missing", "count", "lower", "of the cabling, not there, with an end that leads nowhere (a cable's own: 1)"},
    {"links_moved", "count", "lower", "of the cabling, not there, with an end that leads elsewhere"},
    {"links_crossed", "count", "lower", "of the cabling, with both ends in places of others that are crossed too"},
    {"links_unexpected", "count", "lower", "there, and in no place of a link of the cabling"},
    {"links_narrower", "count", "lower", "with fewer lanes than the cabling says"},
    {"links_slower", "count", "lower", "with slower lanes than the cabling says"},
    {"links_below_capable", "count", "lower", "narrower or slower than their two ends could be"},
    {"width", "lanes", "higher", "lanes of a link"},
    {"width_capable", "lanes", "bound", "lanes that both its ends support"},
    {"speed", "Gb/s", "higher", "signalling rate of one lane"},
    {"speed_capable", "Gb/s", "bound", "the one that both its ends support"},
    {"errors", "count", "lower", "what link_downed, receive_errors, link_integrity_errors, buffer_overruns rose by"},
    {"symbol_errors", "count", "lower", "minor errors on the lanes, both ends, in the window (as all that follow)"},
    {"link_recoveries", "count", "lower", "times the link retrained and came back"},
    {"link_downed", "count", "lower", "times the link went down"},
    {"receive_errors", "count", "lower", "packets received with an error"},
    {"remote_physical_errors", "count", "lower", "packets received that were marked bad on the way"},
    {"relay_errors", "count", "lower", "packets received that a switch could not forward"},
    {"transmit_discards", "count", "lower", "packets not sent because the port was down or congested"},
    {"transmit_constraint_errors", "count", "lower", "packets not sent because of a partition or the like"},
    {"receive_constraint_errors", "count", "lower", "packets received and discarded for such a reason"},
    {"link_integrity_errors", "count", "lower", "times local physical errors passed their threshold"},
    {"buffer_overruns", "count", "lower", "times the receive buffer overran"},
    {"management_drops", "count", "lower", "packets of subnet management (VL 15) dropped for want of room"},
    {"transmit_waits", "count", "lower", "ticks in which there was something to send and nothing could be sent"},
    {"symbol_errors_total", "count", "lower", "the same, since the counters were cleared (as all that follow)"},
    {"link_recoveries_total", "count", "lower", "times the link retrained and came back"},
    {"link_downed_total", "count", "lower", "times the link went down"},
    {"receive_errors_total", "count", "lower", "packets received with an error"},
    {"remote_physical_errors_total", "count", "lower", "packets received that were marked bad on the way"},
    {"relay_errors_total", "count", "lower", "packets received that a switch could not forward"},
    {"transmit_discards_total", "count", "lower", "packets not sent because the port was down or congested"},
    {"transmit_constraint_errors_total", "count", "lower", "packets not sent because of a partition or the like"},
    {"receive_constraint_errors_total", "count", "lower", "packets received and discarded for such a reason"},
    {"link_integrity_errors_total", "count", "lower", "times local physical errors passed their threshold"},
    {"buffer_overruns_total", "count", "lower", "times the receive buffer overran"},
    {"management_drops_total", "count", "lower", "packets of subnet management dropped"},
    {"transmit_waits_total", "count", "lower", "ticks in which nothing could be sent"},
    {},
};

constexpr const char* kByHand[] = {
    "ibnetdiscover > golden.topology",
    "iblinkinfo -l",
    "ibqueryerrors --threshold-file /dev/null; sleep 10; !!",
    nullptr,
};

}  // namespace

RACKPROOF_CHECK(.name = "infiniband.fabric", .layer = "fabric",
                .summary = "Every switch, adapter and link of the InfiniBand fabric, beside the cabling plan, and their errors",
                .method =
                    "Asks ibnetdiscover for the nodes and links, iblinkinfo for the state of each port and for what its two "
                    "ends could do, and ibqueryerrors for every error counter, at the beginning and at the end of the time "
                    "'window'. Compares with the file 'cabling', if one is given. One node is enough for the whole fabric.",
                .parameters = kParameters, .metrics = kMetrics, .by_hand = kByHand,
                .run = rackproof::entry<rackproof_run>)
