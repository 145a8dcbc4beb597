// What fabric.bandwidth and fabric.gpu-bandwidth do: they differ in the memory that messages leave from and arrive in.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "checks/api/check.h"
#include "checks/fabric/message_memory.h"
#include "checks/fabric/wire.h"

namespace rackproof {

// Of a rail, by its number, for messages of this many bytes at most.
using MemoryMaker = std::function<std::unique_ptr<MessageMemory>(const Wire&, std::size_t rail, std::size_t largest)>;

void measure_bandwidth(Context&, const MemoryMaker&);

}  // namespace rackproof
