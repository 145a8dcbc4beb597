#include "checks/fabric/flow.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "checks/api/last_word.h"
#include "checks/fabric/payload.h"

namespace rackproof {
namespace {

constexpr unsigned kActiveMessage = 7;

void verify(const Flow& flow, std::span<const std::byte> message, std::uint64_t sequence, Tally& tally) {
  const auto pattern = static_cast<std::uint32_t>(flow.marks.leaves_from(flow.marks.index(sequence)));
  const auto wrong = first_wrong_byte(message, pattern, flow.stamp(sequence));
  ++tally.verified;
  if (!wrong) return;
  if (tally.wrong++ == 0) tally.wrong_at = *wrong;
}

void verify_place(const Flow& flow, Room& room, std::uint64_t place, std::uint64_t sequence, Tally& tally) {
  const std::span<const std::byte> message = room.memory().read(room.place(place, flow.size));
  if (!message.empty()) verify(flow, message, sequence, tally);
}

void stamp(Room& room, std::span<std::byte> message, std::uint64_t stamp) {
  std::byte first[sizeof stamp];
  if (message.size() < sizeof first) return;
  stamp_payload(first, stamp);
  room.memory().write(message.data(), first);
}

ucp_tag_t data_tag(const Talk& talk, const Flow& flow, int sender) {
  return make_tag(TagKind::data, talk.round(), flow.sample, sender);
}

}  // namespace

Op parse_op(std::string_view text) {
  if (text == "tag") return Op::tag;
  if (text == "put") return Op::put;
  if (text == "get") return Op::get;
  if (text == "am") return Op::am;
  throw Trouble{"there is no operation '" + std::string(text) + "'"};
}

void fill_places(Room& room, const Flow& flow) {
  std::vector<std::byte> message(flow.size);
  for (std::uint64_t place = 0; place < flow.marks.room(); ++place) {
    fill_payload(message, static_cast<std::uint32_t>(place));
    stamp_payload(message, 0);
    room.memory().write(room.place(place, flow.size).data(), message);
  }
}

Mover::Mover(Talk& talk, Room& near, const FarRoom* far) : talk_(talk), near_(near), far_(far) {
  param_.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FIELD_MEMORY_TYPE |
                        UCP_OP_ATTR_FLAG_MULTI_SEND;
  param_.memory_type = near.memory().type();
  param_.cb.send = [](void* request, ucs_status_t status, void* data) {
    auto& ticket = *static_cast<Ticket*>(data);
    ticket.mover->end(ticket, status);
    ucp_request_free(request);
  };
}

void Mover::begin(const Flow& flow) {
  flow_ = flow;
  endpoint_ = talk_.wire().to(talk_.partner());
  started_ = ended_ = 0;
  failure_ = UCS_OK;
  tally_ = {};
  plain_ = {.mover = this};
  marked_.assign(flow.marks.places, Ticket{.mover = this, .is_marked = true});
  headers_.resize(flow.window);
}

bool Mover::can_start() const {
  if (started_ - ended_ >= flow_.window) return false;
  if (!flow_.marks.is_marked(started_)) return true;
  return !marked_[flow_.marks.index(started_) % flow_.marks.places].is_open;
}

void Mover::start() {
  const std::uint64_t sequence = started_++;
  Ticket* ticket = &plain_;
  std::uint64_t from = 0, to = 0;
  if (flow_.marks.is_marked(sequence)) {
    const std::uint64_t index = flow_.marks.index(sequence);
    ticket = &marked_[index % flow_.marks.places];
    ticket->sequence = sequence;
    ticket->is_open = true;
    from = flow_.marks.leaves_from(index);
    to = flow_.marks.arrives_at(index);
  }
  if (flow_.op == Op::get) std::swap(from, to);
  const std::span<std::byte> message = near_.place(from, flow_.size);
  if (ticket->is_marked && flow_.op != Op::get) stamp(near_, message, flow_.stamp(sequence));
  param_.user_data = ticket;
  const ucs_status_ptr_t request = start_one(message, to, param_);
  if (!UCS_PTR_IS_PTR(request)) end(*ticket, UCS_PTR_STATUS(request));
}

ucs_status_ptr_t Mover::start_one(std::span<std::byte> near, std::uint64_t far_place,
                                  const ucp_request_param_t& param) {
  switch (flow_.op) {
    case Op::tag:
      return ucp_tag_send_nbx(endpoint_, near.data(), near.size(), data_tag(talk_, flow_, talk_.own()), &param);
    case Op::put:
      return ucp_put_nbx(endpoint_, near.data(), near.size(), far_->place(far_place, flow_.size), far_->key(), &param);
    case Op::get:
      return ucp_get_nbx(endpoint_, near.data(), near.size(), far_->place(far_place, flow_.size), far_->key(), &param);
    case Op::am: {
      // A header may be read until its message has ended; no more than a window of them is open.
      Header& header = headers_[(started_ - 1) % flow_.window];
      header = {data_tag(talk_, flow_, talk_.own()), started_ - 1};
      return ucp_am_send_nbx(endpoint_, kActiveMessage, &header, sizeof header, near.data(), near.size(), &param);
    }
  }
  return UCS_STATUS_PTR(UCS_ERR_UNSUPPORTED);
}

void Mover::end(Ticket& ticket, ucs_status_t status) {
  ++ended_;
  ticket.is_open = false;
  if (status != UCS_OK) {
    if (failure_ == UCS_OK) failure_ = status;
    return;
  }
  if (!ticket.is_marked || flow_.op != Op::get) return;
  const std::uint64_t place = flow_.marks.arrives_at(flow_.marks.index(ticket.sequence));
  verify_place(flow_, near_, place, ticket.sequence, tally_);
}

Keeper::Keeper(Talk& talk, Room& near) : talk_(talk), near_(near) {}

void Keeper::begin(const Flow& flow) {
  flow_ = flow;
  tag_ = data_tag(talk_, flow, talk_.partner());
  posted_ = arrived_ = 0;
  tally_ = {};
  free_.clear();
  tickets_.assign(flow.op == Op::tag ? flow.window : 0, Ticket{.keeper = this});
  // An ordinary active message takes the ticket in place 0, which any number share: nothing is asked of it.
  if (flow.op == Op::am) tickets_.assign(flow.marks.places + 1, Ticket{.keeper = this});
  for (Ticket& ticket : tickets_) free_.push_back(&ticket);
  is_filling_.assign(flow.marks.places + 1, false);
  if (flow.op != Op::am) return;
  ucp_am_handler_param_t handler{};
  handler.field_mask = UCP_AM_HANDLER_PARAM_FIELD_ID | UCP_AM_HANDLER_PARAM_FIELD_CB | UCP_AM_HANDLER_PARAM_FIELD_ARG;
  handler.id = kActiveMessage;
  handler.arg = this;
  handler.cb = [](void* keeper, const void* header, std::size_t header_length, void* data, std::size_t length,
                  const ucp_am_recv_param_t* param) {
    Header read{};
    if (header_length == sizeof read) std::memcpy(&read, header, sizeof read);
    return static_cast<Keeper*>(keeper)->take(read, data, length, (param->recv_attr & UCP_AM_RECV_ATTR_FLAG_RNDV) != 0);
  };
  require(ucp_worker_set_am_recv_handler(talk_.wire().worker(), &handler), "ucp_worker_set_am_recv_handler");
}

std::uint64_t Keeper::place_of(std::uint64_t sequence) const {
  return flow_.marks.is_marked(sequence) ? flow_.marks.arrives_at(flow_.marks.index(sequence)) : 0;
}

void Keeper::tend() {
  if (flow_.op != Op::tag) return;
  while (!free_.empty() && !is_filling_[place_of(posted_)]) {
    Ticket& ticket = *free_.back();
    free_.pop_back();
    receive(ticket);
  }
}

void Keeper::receive(Ticket& ticket) {
  ticket.sequence = posted_++;
  ticket.is_marked = flow_.marks.is_marked(ticket.sequence);
  const std::uint64_t place = place_of(ticket.sequence);
  if (ticket.is_marked) is_filling_[place] = true;
  const std::span<std::byte> message = near_.place(place, flow_.size);
  ucp_request_param_t param{};
  param.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FIELD_MEMORY_TYPE;
  param.memory_type = near_.memory().type();
  param.user_data = &ticket;
  param.cb.recv = [](void* request, ucs_status_t status, const ucp_tag_recv_info_t*, void* data) {
    auto& ended = *static_cast<Ticket*>(data);
    ended.keeper->end(ended, status);
    ucp_request_free(request);
  };
  ucs_status_ptr_t request =
      ucp_tag_recv_nbx(talk_.wire().worker(), message.data(), message.size(), tag_, kWholeTag, &param);
  if (UCS_PTR_IS_PTR(request)) {
    ticket.request = request;
  } else {
    end(ticket, UCS_PTR_STATUS(request));
  }
}

void Keeper::end(Ticket& ticket, ucs_status_t status) {
  ticket.request = nullptr;
  free_.push_back(&ticket);
  const std::uint64_t place = place_of(ticket.sequence);
  if (ticket.is_marked) is_filling_[place] = false;
  if (status == UCS_ERR_CANCELED) return;
  ++arrived_;
  if (ticket.is_marked) verify_place(flow_, near_, place, ticket.sequence, tally_);
}

ucs_status_t Keeper::take(const Header& header, void* data, std::size_t length, bool is_to_be_fetched) {
  if (header.tag != tag_ || length != flow_.size) return UCS_OK;  // of an earlier sample that was given up
  const bool is_marked = flow_.marks.is_marked(header.sequence);
  if (!is_to_be_fetched) {
    ++arrived_;
    const auto* bytes = static_cast<const std::byte*>(data);
    if (is_marked) verify(flow_, {bytes, length}, header.sequence, tally_);
    return UCS_OK;
  }
  const std::uint64_t place = place_of(header.sequence);
  Ticket& ticket = tickets_[place];
  ticket.sequence = header.sequence;
  ticket.is_marked = is_marked;
  ucp_request_param_t param{};
  param.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FIELD_MEMORY_TYPE;
  param.memory_type = near_.memory().type();
  param.user_data = &ticket;
  param.cb.recv_am = [](void* request, ucs_status_t, std::size_t, void* user) {
    auto& ended = *static_cast<Ticket*>(user);
    ended.keeper->fetched(ended);
    ucp_request_free(request);
  };
  ++fetching_;
  ucs_status_ptr_t request =
      ucp_am_recv_data_nbx(talk_.wire().worker(), data, near_.place(place, flow_.size).data(), length, &param);
  if (!UCS_PTR_IS_PTR(request)) fetched(ticket);
  return UCS_INPROGRESS;
}

void Keeper::fetched(Ticket& ticket) {
  --fetching_;
  ++arrived_;
  if (ticket.is_marked) verify_place(flow_, near_, place_of(ticket.sequence), ticket.sequence, tally_);
}

void Keeper::settle(std::uint64_t count) {
  const Marks& marks = flow_.marks;
  if (flow_.op == Op::put && marks.every != 0 && count > 0) {
    // Of each place the message that came last: those before it were written over.
    const std::uint64_t first = (marks.offset + marks.every - 1) / marks.every;
    const std::uint64_t end = (count - 1 + marks.offset) / marks.every + 1;
    for (std::uint64_t index = std::max(first, end - std::min(end, marks.places)); index < end; ++index) {
      const std::uint64_t sequence = marks.sequence(index);
      verify_place(flow_, near_, marks.arrives_at(index), sequence, tally_);
    }
  }
  for (Ticket& ticket : tickets_) {
    if (ticket.request != nullptr) ucp_request_cancel(talk_.wire().worker(), ticket.request);
  }
}

bool Keeper::is_idle() const {
  return fetching_ == 0 &&
         std::ranges::all_of(tickets_, [](const Ticket& ticket) { return ticket.request == nullptr; });
}

}  // namespace rackproof
