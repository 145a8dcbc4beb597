#include "checks/fabric/wire.h"

#include <stdio.h>
#include <ucs/config/global_opts.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "checks/api/keep.h"
#include "checks/api/last_word.h"

namespace rackproof {
namespace {

constexpr std::chrono::milliseconds kClosing{500};  // how long an endpoint may take to close

template <class Print>
std::string printed(Print print) {
  char* text = nullptr;
  std::size_t size = 0;
  FILE* memory = ::open_memstream(&text, &size);
  if (memory == nullptr) throw Trouble{"no memory to read what UCX says of itself"};
  print(memory);
  ::fclose(memory);
  std::string result(text, size);
  ::free(text);
  return result;
}

void modify(ucp_config_t* config, const char* name, const std::string& value) {
  if (value.empty()) return;
  if (ucp_config_modify(config, name, value.c_str()) != UCS_OK) {
    throw Trouble{std::string("UCX does not take '") + value + "' as UCX_" + name};
  }
}

// UCX would write warnings about each endpoint of a dead partner; what matters of them is reported. Who sets
// UCX_LOG_LEVEL gets what was asked for.
void quieten() {
  if (::getenv("UCX_LOG_LEVEL") == nullptr) ucs_global_opts_set_value("LOG_LEVEL", "fatal");
}

}  // namespace

void throw_lost(ucs_status_t status) { throw PartnerLost{std::string("was lost: ") + ucs_status_string(status)}; }

void require(ucs_status_t status, const char* call) {
  if (status != UCS_OK) throw Trouble{std::string(call) + ": " + ucs_status_string(status)};
}

void Requests::began(ucs_status_ptr_t request) {
  if (UCS_PTR_IS_PTR(request)) return;
  ended(UCS_PTR_STATUS(request));
}

ucp_request_param_t Requests::told_here() {
  ucp_request_param_t param{};
  param.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FIELD_MEMORY_TYPE;
  param.memory_type = UCS_MEMORY_TYPE_HOST;
  param.user_data = this;
  param.cb.send = [](void* request, ucs_status_t status, void* requests) {
    static_cast<Requests*>(requests)->ended(status);
    ucp_request_free(request);
  };
  return param;
}

Wire::Wire(const WireChoice& choice) : rail_(choice.rail) {
  quieten();
  ucp_config_t* config = nullptr;
  require(ucp_config_read(nullptr, nullptr, &config), "ucp_config_read");
  const std::unique_ptr<ucp_config_t, void (*)(ucp_config_t*)> held(config, ucp_config_release);
  modify(config, "NET_DEVICES", choice.rail);
  modify(config, "TLS", choice.transports);

  ucp_params_t params{};
  params.field_mask = UCP_PARAM_FIELD_FEATURES | UCP_PARAM_FIELD_ESTIMATED_NUM_EPS;
  params.features = choice.features;
  params.estimated_num_eps = 2;
  if (const ucs_status_t status = ucp_init(&params, config, &context_); status != UCS_OK) {
    throw Trouble{"UCX finds nothing to send over" +
                  (choice.transports.empty() ? "" : " with the transports '" + choice.transports + "'") +
                  (choice.rail.empty() ? "" : " on '" + choice.rail + "'") + ": " + ucs_status_string(status)};
  }
  resources_ = parse_resources(printed([&](FILE* to) { ucp_context_print_info(context_, to); }));

  ucp_worker_params_t worker{};
  worker.field_mask = UCP_WORKER_PARAM_FIELD_THREAD_MODE;
  worker.thread_mode = UCS_THREAD_MODE_SINGLE;
  require(ucp_worker_create(context_, &worker, &worker_), "ucp_worker_create");
  ucp_address_t* address = nullptr;
  std::size_t length = 0;
  require(ucp_worker_get_address(worker_, &address, &length), "ucp_worker_get_address");
  address_.assign(reinterpret_cast<const char*>(address), length);
  ucp_worker_release_address(worker_, address);
}

Wire::~Wire() {
  for (auto& [rank, partner] : partners_) close(*partner);
  // An endpoint that could not be closed may have operations under way into memory of ours; the process is about to
  // end.
  const bool is_clean = given_up_.empty() && std::ranges::none_of(partners_, [](const auto& each) {
                          return each.second->endpoint != nullptr;
                        });
  if (!is_clean) {
    for (auto& [rank, partner] : partners_) keep_for_good(partner);
    for (auto& partner : given_up_) keep_for_good(partner);
    return;
  }
  if (worker_ != nullptr) ucp_worker_destroy(worker_);
  if (context_ != nullptr) ucp_cleanup(context_);
}

RailCard Wire::card() const {
  const bool has_rdma = std::ranges::any_of(resources_, [](const Lane& lane) { return is_rdma(lane.transport); });
  return {.rail = rail_, .has_rdma = has_rdma, .address = address_};
}

bool Wire::moves(ucs_memory_type_t type) const {
  ucp_context_attr_t facts{};
  facts.field_mask = UCP_ATTR_FIELD_MEMORY_TYPES;
  return ucp_context_query(context_, &facts) == UCS_OK && (facts.memory_types & UCS_BIT(type)) != 0;
}

void Wire::connect(int rank, const RailCard& theirs) {
  auto& partner = partners_[rank];
  if (partner != nullptr && partner->failed == UCS_OK) return;
  if (partner != nullptr) give_up(rank);
  partners_[rank] = std::make_unique<Partner>();
  Partner& fresh = *partners_[rank];
  // Shared memory cannot tell errors, and UCX would silently take TCP instead; over TCP it would use fewer lanes. An
  // RDMA transport without it ends the whole process when a partner dies.
  fresh.is_told = card().has_rdma && theirs.has_rdma;
  ucp_ep_params_t params{};
  params.field_mask =
      UCP_EP_PARAM_FIELD_REMOTE_ADDRESS | UCP_EP_PARAM_FIELD_ERR_HANDLING_MODE | UCP_EP_PARAM_FIELD_ERR_HANDLER;
  params.address = reinterpret_cast<const ucp_address_t*>(theirs.address.data());
  params.err_mode = fresh.is_told ? UCP_ERR_HANDLING_MODE_PEER : UCP_ERR_HANDLING_MODE_NONE;
  params.err_handler.arg = &fresh;
  params.err_handler.cb = [](void* lost, ucp_ep_h, ucs_status_t status) {
    static_cast<Partner*>(lost)->failed = status;
  };
  if (const ucs_status_t status = ucp_ep_create(worker_, &params, &fresh.endpoint); status != UCS_OK) {
    fresh.endpoint = nullptr;
    fresh.failed = status;
  }
}

ucp_ep_h Wire::to(int rank) {
  const auto found = partners_.find(rank);
  if (found == partners_.end()) throw PartnerLost{"was given up"};
  if (found->second->failed != UCS_OK) throw_lost(found->second->failed);
  return found->second->endpoint;
}

void Wire::give_up(int rank) {
  const auto found = partners_.find(rank);
  if (found == partners_.end()) return;
  if (found->second->is_told) close(*found->second);
  given_up_.push_back(std::move(found->second));
  partners_.erase(found);
}

std::vector<Lane> Wire::lanes(int rank) {
  ucp_ep_h endpoint = to(rank);
  return parse_lanes(printed([&](FILE* out) { ucp_ep_print_info(endpoint, out); }));
}

// Leaves the endpoint set where it does not close in time.
void Wire::close(Partner& partner) {
  if (partner.endpoint == nullptr) return;
  ucp_request_param_t param{};
  if (partner.is_told) {
    param.op_attr_mask = UCP_OP_ATTR_FIELD_FLAGS;
    param.flags = UCP_EP_CLOSE_FLAG_FORCE;
  }
  ucs_status_ptr_t closing = ucp_ep_close_nbx(partner.endpoint, &param);
  if (UCS_PTR_IS_PTR(closing)) {
    const auto end = std::chrono::steady_clock::now() + kClosing;
    while (ucp_request_check_status(closing) == UCS_INPROGRESS && std::chrono::steady_clock::now() < end) progress();
    const bool has_closed = ucp_request_check_status(closing) != UCS_INPROGRESS;
    ucp_request_free(closing);
    if (!has_closed) return;
  }
  partner.endpoint = nullptr;
}

}  // namespace rackproof
