// What messages leave from and arrive in: memory of the host or of a GPU. The check itself only looks at the host's.
#pragma once

#include <ucs/memory/memory_type.h>

#include <cstddef>
#include <cstring>
#include <span>
#include <string>

namespace rackproof {

class MessageMemory {
 public:
  virtual ~MessageMemory() = default;
  virtual ucs_memory_type_t type() const = 0;
  // The GPU that it is of, by its id; empty: the host's.
  virtual std::string device() const { return {}; }
  // Null: UCX allocates it by itself. What is not null is given back by release().
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void*) = 0;
  // Blocks until it is there.
  virtual void write(std::byte* to, std::span<const std::byte> from) = 0;
  // In host memory, until the next call. UCX calls back for this, so it must not throw: nothing comes back where it fails,
  // and check() throws what it was.
  virtual std::span<const std::byte> read(std::span<const std::byte>) noexcept = 0;
  virtual void check() {}
};

class HostMessages : public MessageMemory {
 public:
  ucs_memory_type_t type() const override { return UCS_MEMORY_TYPE_HOST; }
  void* allocate(std::size_t) override { return nullptr; }
  void release(void*) override {}
  void write(std::byte* to, std::span<const std::byte> from) override { std::memcpy(to, from.data(), from.size()); }
  std::span<const std::byte> read(std::span<const std::byte> place) noexcept override { return place; }
};

}  // namespace rackproof
