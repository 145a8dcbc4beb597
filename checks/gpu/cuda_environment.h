// What somebody left in the environment for CUDA: settings that help to debug a program, or to share a GPU, would change
// what is measured here, and nothing would show it.
#pragma once

#include <string>

namespace rackproof {

// A kernel that is loaded when it is first launched may wait for all that its GPU does, and so for a gate that opens only
// once it is queued.
enum class KernelLoading {
  at_start,     // all of the process's kernels: for checks that have none but their own few
  when_needed,  // for those that bring a large library along, and run everything once before they close a gate
};

// Takes out of this process's environment what changes rates or results of CUDA and cuBLAS, and asks for as many
// connections to each GPU as there can be, so that streams do not wait for each other. To be called before the first
// call of CUDA, which reads them once. Gives what was taken away, "NAME=value, NAME=value"; empty: nothing.
// CUDA_VISIBLE_DEVICES stays: a scheduler sets it to what a job may use.
std::string settle_cuda_environment(KernelLoading);

}  // namespace rackproof
