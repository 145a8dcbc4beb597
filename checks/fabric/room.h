// Memory that messages leave from or arrive in, registered with UCX: ordinary messages share one place, and marked ones
// have places of their own.
#pragma once

#include <ucp/api/ucp.h>

#include <cstddef>
#include <span>
#include <string>

#include "checks/fabric/message_memory.h"
#include "checks/fabric/wire.h"

namespace rackproof {

class Room {
 public:
  Room(Wire&, MessageMemory&, std::size_t bytes);  // throws Trouble
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room();

  // Place 0 is that of ordinary messages. It may be memory that only UCX can reach.
  std::span<std::byte> place(std::size_t number, std::size_t size) {
    return {static_cast<std::byte*>(address_) + number * size, size};
  }
  MessageMemory& memory() { return in_; }
  std::uint64_t address() const { return reinterpret_cast<std::uint64_t>(address_); }
  std::size_t bytes() const { return bytes_; }
  ucp_mem_h handle() const { return memory_; }
  // What a partner needs to reach it by put and get.
  std::string key() const;

 private:
  MessageMemory& in_;
  ucp_context_h context_;
  ucp_mem_h memory_ = nullptr;
  void* address_ = nullptr;
  void* allocated_ = nullptr;  // by us, and not by UCX
  std::size_t bytes_;
};

// A partner's room, as it can be reached from here.
class FarRoom {
 public:
  FarRoom(ucp_ep_h, std::uint64_t address, std::string_view key);
  FarRoom(const FarRoom&) = delete;
  FarRoom& operator=(const FarRoom&) = delete;
  ~FarRoom() { ucp_rkey_destroy(key_); }
  std::uint64_t place(std::size_t number, std::size_t size) const { return address_ + number * size; }
  ucp_rkey_h key() const { return key_; }

 private:
  std::uint64_t address_;
  ucp_rkey_h key_ = nullptr;
};

}  // namespace rackproof
