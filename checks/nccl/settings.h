// What NCCL was told beside what this check asks of it.
#pragma once

#include "checks/api/check.h"

namespace rackproof {

// Notes NCCL's variables in the environment and the settings in /etc/nccl.conf, where there are any. To be called before
// this check sets some itself.
void note_nccl_settings(Context&);

}  // namespace rackproof
