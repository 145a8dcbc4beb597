// One rail of this rank: a UCX context and worker on chosen devices, and an endpoint to each partner.
#pragma once

#include <ucp/api/ucp.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checks/fabric/card.h"
#include "checks/fabric/lanes.h"

namespace rackproof {

// The partner of this round does not answer, or its endpoint failed. It costs this round and no other.
struct PartnerLost {
  std::string why;  // without its name: "did not answer within 30 s"
};

// Operations under way: UCX calls back when each ends. It must stay where it is until `open` is 0.
struct Requests {
  std::uint64_t open = 0;
  std::uint64_t done = 0;
  ucs_status_t failed = UCS_OK;

  void ended(ucs_status_t status) {
    --open;
    ++done;
    if (status != UCS_OK && failed == UCS_OK) failed = status;
  }
  // What a call of UCX gave back for the operation that it began: pending, done at once, or refused.
  void began(ucs_status_ptr_t);
  // The part of a call's parameters that makes it report here.
  ucp_request_param_t told_here();
};

struct WireChoice {
  std::string rail;        // UCX_NET_DEVICES; empty: as UCX chooses
  std::string transports;  // UCX_TLS; empty: as UCX chooses
  std::uint64_t features = UCP_FEATURE_TAG;
};

class Wire {
 public:
  explicit Wire(const WireChoice&);  // throws Trouble
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire();

  RailCard card() const;
  const std::vector<Lane>& resources() const { return resources_; }
  // Whether UCX, as it was built, moves such memory.
  bool moves(ucs_memory_type_t) const;

  unsigned progress() { return ucp_worker_progress(worker_); }
  ucp_worker_h worker() { return worker_; }
  ucp_context_h context() { return context_; }

  // Makes an endpoint to a partner, unless there is one that has not failed.
  void connect(int rank, const RailCard& theirs);
  // Throws PartnerLost when it has failed or was given up.
  ucp_ep_h to(int rank);
  // From now on nothing is expected of this partner; a later connect() makes a fresh endpoint.
  void give_up(int rank);
  std::vector<Lane> lanes(int rank);
  bool is_told_errors(int rank) { return partners_.at(rank)->is_told; }

 private:
  struct Partner {
    ucp_ep_h endpoint = nullptr;
    bool is_told = false;  // UCX says when it fails; elsewhere only our patience does
    ucs_status_t failed = UCS_OK;
  };
  void close(Partner&);

  std::string rail_;
  ucp_context_h context_ = nullptr;
  ucp_worker_h worker_ = nullptr;
  std::string address_;
  std::vector<Lane> resources_;
  std::map<int, std::unique_ptr<Partner>> partners_;
  std::vector<std::unique_ptr<Partner>> given_up_;  // UCX may still call back about them
};

[[noreturn]] void throw_lost(ucs_status_t);
// Throws Trouble: "ucp_init: No such device".
void require(ucs_status_t, const char* call);

}  // namespace rackproof
