// infiniband.ports: the state of each port of an InfiniBand or RoCE adapter, its rate against its slot, and its errors.
#include "checks/api/check.h"

void rackproof_run(rackproof::Context&);

namespace {

constexpr rackproof_parameter kParameters[] = {
    {"devices", "text", "*", nullptr, "which ports, by adapter and number, as a shell glob: \"mlx5_[0-7]/1\""},
    {"link_layer", "choice all|InfiniBand|Ethernet", "all", nullptr, "Ethernet: RoCE"},
    {"window", "quantity", "1 s", "s", "how long to look, and to count; 0 s: one look, and no counter is measured"},
    {},
};

constexpr rackproof_metric kMetrics[] = {
    {"adapters", "count", "higher", "adapters that were looked at"},
    {"ports", "count", "higher", "ports that were looked at"},
    {"ports_active", "count", "higher", "ports that were ACTIVE in every look"},
    {"controllers_without_driver", "count", "lower", "InfiniBand controllers on PCI of which no driver made an adapter"},
    {"state", "count", "exact", "number of the logical state: 1 DOWN, 2 INIT, 3 ARMED, 4 ACTIVE; the last that was not 4, if "
     "any look showed such"},
    {"physical_state", "count", "exact", "number of the physical state: 2 Polling, 3 Disabled, 4 training, 5 LinkUp, 6 error "
     "recovery; the last that was not 5, if any look showed such"},
    {"state_changes", "count", "lower", "how often two looks after each other showed different states"},
    {"rate", "Gb/s", "higher", "lowest rate seen while there was a link"},
    {"rate_alike", "Gb/s", "bound", "highest rate of the ports here whose adapters are of the same make"},
    {"width", "lanes", "higher", "lanes of the link at that rate"},
    {"pcie_bandwidth", "Gb/s", "higher", "what the adapter's slot carries in each direction, after line encoding"},
    {"rate_share", "%", "lower", "rate as a share of pcie_bandwidth: over 100 % the slot is too narrow for the port"},
    {"mtu", "B", "exact", "of the network interface of a RoCE port"},
    {"errors", "count", "lower", "state_changes, and what link_downed, receive_errors, link_integrity_errors and "
     "buffer_overruns rose by, as far as the port counts them"},
    {"symbol_errors", "count", "lower", "minor link errors on the lanes, in the window (as all that follow)"},
    {"link_recoveries", "count", "lower", "times the link retrained and came back"},
    {"link_downed", "count", "lower", "times the link went down"},
    {"receive_errors", "count", "lower", "packets received with an error"},
    {"remote_physical_errors", "count", "lower", "packets received that were marked bad on the way"},
    {"transmit_discards", "count", "lower", "packets not sent because the port was down or congested"},
    {"transmit_waits", "count", "lower", "ticks in which there was something to send and nothing could be sent"},
    {"link_integrity_errors", "count", "lower", "times local physical errors passed their threshold"},
    {"buffer_overruns", "count", "lower", "times the receive buffer overran"},
    {"management_drops", "count", "lower", "packets of subnet management (VL 15) dropped for want of room"},
    {"out_of_sequence", "count", "lower", "packets received out of sequence"},
    {"out_of_buffer", "count", "lower", "packets dropped because no receive was posted"},
    {"duplicate_requests", "count", "lower", "requests received twice"},
    {"ack_timeouts", "count", "lower", "acknowledgements that did not come in time"},
    {"sequence_errors", "count", "lower", "packets that the other side refused as out of sequence"},
    {"implied_sequence_errors", "count", "lower", "acknowledgements that showed an earlier one to be lost"},
    {"rnr_retries", "count", "lower", "packets that the other side was not ready for"},
    {"adaptive_retransmits", "count", "lower", "adaptive retransmissions of RoCE"},
    {"adaptive_timeouts", "count", "lower", "time-outs of those"},
    {"slow_restarts", "count", "lower", "slow restarts of RoCE"},
    {"ecn_marked_packets", "count", "lower", "RoCE packets received with the mark of congestion"},
    {"cnp_sent", "count", "lower", "congestion notifications sent back for those"},
    {"cnp_handled", "count", "lower", "congestion notifications that slowed a sender here"},
    {"cnp_ignored", "count", "lower", "congestion notifications that did not"},
    {"icrc_errors", "count", "lower", "RoCE packets received with a wrong invariant checksum"},
    {},
};

constexpr const char* kByHand[] = {
    "grep . /sys/class/infiniband/*/ports/*/{state,phys_state,rate,link_layer,lid,sm_lid}",
    "grep . /sys/class/infiniband/mlx5_0/ports/1/{,hw_}counters/*; sleep 1; !!",
    "grep . /sys/class/infiniband/mlx5_0/device/current_link_{speed,width}",
    "ibstat; rdma link; show_gids",
    nullptr,
};

}  // namespace

RACKPROOF_CHECK(.name = "infiniband.ports", .layer = "fabric",
                .summary = "State, rate and errors of each InfiniBand or RoCE port, and whether its slot can carry it",
                .method =
                    "Reads /sys/class/infiniband: the counters of each port, then its states, its rate and the link of "
                    "its PCIe slot again and again over the time 'window', then the counters once more. Needs no library "
                    "and no privilege, and sends nothing.",
                .parameters = kParameters, .metrics = kMetrics, .by_hand = kByHand,
                .run = rackproof::entry<rackproof_run>)
