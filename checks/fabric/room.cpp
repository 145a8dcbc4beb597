#include "checks/fabric/room.h"

#include "checks/api/last_word.h"

namespace rackproof {

Room::Room(Wire& wire, MessageMemory& in, std::size_t bytes)
    : in_(in), context_(wire.context()), allocated_(in.allocate(bytes)), bytes_(bytes) {
  ucp_mem_map_params_t params{};
  params.field_mask =
      UCP_MEM_MAP_PARAM_FIELD_LENGTH | UCP_MEM_MAP_PARAM_FIELD_FLAGS | UCP_MEM_MAP_PARAM_FIELD_MEMORY_TYPE;
  params.length = bytes;
  params.memory_type = in.type();
  if (allocated_ == nullptr) {
    params.flags = UCP_MEM_MAP_ALLOCATE;
  } else {
    params.field_mask |= UCP_MEM_MAP_PARAM_FIELD_ADDRESS;
    params.address = allocated_;
  }
  if (const ucs_status_t status = ucp_mem_map(context_, &params, &memory_); status != UCS_OK) {
    if (allocated_ != nullptr) in_.release(allocated_);
    require(status, "ucp_mem_map");
  }
  ucp_mem_attr_t facts{};
  facts.field_mask = UCP_MEM_ATTR_FIELD_ADDRESS;
  require(ucp_mem_query(memory_, &facts), "ucp_mem_query");
  address_ = facts.address;
}

Room::~Room() {
  ucp_mem_unmap(context_, memory_);
  if (allocated_ != nullptr) in_.release(allocated_);
}

std::string Room::key() const {
  void* packed = nullptr;
  std::size_t length = 0;
  require(ucp_rkey_pack(context_, memory_, &packed, &length), "ucp_rkey_pack");
  std::string key(static_cast<const char*>(packed), length);
  ucp_rkey_buffer_release(packed);
  return key;
}

FarRoom::FarRoom(ucp_ep_h endpoint, std::uint64_t address, std::string_view key) : address_(address) {
  require(ucp_ep_rkey_unpack(endpoint, key.data(), &key_), "ucp_ep_rkey_unpack");
}

}  // namespace rackproof
