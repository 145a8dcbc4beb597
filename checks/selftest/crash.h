// Ends this process by a signal, as a defect would, and leaves no core file.
#pragma once

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <cstdlib>

namespace rackproof::selftest {

inline void prepare_to_crash(int signal_number) {
  ::prctl(PR_SET_DUMPABLE, 0);
  // A sanitizer's handler would turn the signal into an exit status.
  ::signal(signal_number, SIG_DFL);
}

[[noreturn]] inline void crash_by_abort() {
  prepare_to_crash(SIGABRT);
  std::abort();
}

[[noreturn]] inline void crash_by_segv() {
  prepare_to_crash(SIGSEGV);
  // A page without any access faults for certain; what a null pointer does is the compiler's to decide.
  void* page = ::mmap(nullptr, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *static_cast<volatile char*>(page) = 1;
  std::abort();
}

}  // namespace rackproof::selftest
