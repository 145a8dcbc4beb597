#include "checks/infiniband/port_counters.h"

namespace rackproof {
namespace {

// Widths of the PortCounters attribute, which the kernel asks for (drivers/infiniband/core/sysfs.c). Those of
// hw_counters are the driver's, and start again from 0.
constexpr std::int64_t k4Bits = 15;
constexpr std::int64_t k8Bits = 255;
constexpr std::int64_t k16Bits = 65535;
constexpr std::int64_t k32Bits = 4294967295;

constexpr RisingCounter kCounters[] = {
    {"symbol_errors", "counters/symbol_error", k16Bits},
    {"link_recoveries", "counters/link_error_recovery", k8Bits},
    {"link_downed", "counters/link_downed", k8Bits},
    {"receive_errors", "counters/port_rcv_errors", k16Bits},
    {"remote_physical_errors", "counters/port_rcv_remote_physical_errors", k16Bits},
    {"transmit_discards", "counters/port_xmit_discards", k16Bits},
    {"transmit_waits", "counters/port_xmit_wait", k32Bits},
    {"link_integrity_errors", "counters/local_link_integrity_errors", k4Bits},
    {"buffer_overruns", "counters/excessive_buffer_overrun_errors", k4Bits},
    {"management_drops", "counters/VL15_dropped", k16Bits},
    {"out_of_sequence", "hw_counters/out_of_sequence"},
    {"out_of_buffer", "hw_counters/out_of_buffer"},
    {"duplicate_requests", "hw_counters/duplicate_request"},
    {"ack_timeouts", "hw_counters/local_ack_timeout_err"},
    {"sequence_errors", "hw_counters/packet_seq_err"},
    {"implied_sequence_errors", "hw_counters/implied_nak_seq_err"},
    {"rnr_retries", "hw_counters/rnr_nak_retry_err"},
    {"adaptive_retransmits", "hw_counters/roce_adp_retrans"},
    {"adaptive_timeouts", "hw_counters/roce_adp_retrans_to"},
    {"slow_restarts", "hw_counters/roce_slow_restart"},
    {"ecn_marked_packets", "hw_counters/np_ecn_marked_roce_packets"},
    {"cnp_sent", "hw_counters/np_cnp_sent"},
    {"cnp_handled", "hw_counters/rp_cnp_handled"},
    {"cnp_ignored", "hw_counters/rp_cnp_ignored"},
    {"icrc_errors", "hw_counters/rx_icrc_encapsulated"},
};

}  // namespace

std::span<const RisingCounter> port_counters() { return kCounters; }

}  // namespace rackproof
