#include "tests/simulator/node_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <stdexcept>

namespace rackproof::simulator {
namespace {

class LockedFile {
 public:
  LockedFile(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC)) {
    if (fd_ < 0 || ::flock(fd_, LOCK_EX) != 0) throw std::runtime_error(path + ": " + std::strerror(errno));
  }
  LockedFile(const LockedFile&) = delete;
  LockedFile& operator=(const LockedFile&) = delete;
  ~LockedFile() { ::close(fd_); }
  int get() const { return fd_; }

 private:
  int fd_;
};

const char* name_of_xid(int code) {
  switch (code) {
    case 13: return "Graphics Exception: ESR 0x504224=0x80000000";
    case 31: return "Ch 00000008, intr 00000000. MMU Fault: ENGINE GRAPHICS";
    case 48: return "An uncorrectable double bit error (DBE) has been detected on GPU";
    case 63: return "Row Remapper: New row marked for remapping, reset gpu to activate";
    case 64: return "Row Remapper: Failed to persist row remapping information";
    case 74: return "NVLink: fatal error detected on link 0";
    case 79: return "GPU has fallen off the bus.";
    case 94: return "Contained: SM (0x1). RST: No, D-RST: No";
    case 95: return "Uncontained: LTC TAG (0x2,0x0). RST: Yes, D-RST: No";
    default: return "reported by a simulated driver";
  }
}

}  // namespace

std::string nvswitch_address(int number) {
  constexpr unsigned kFirstBus = 0xeb;
  char text[16];
  std::snprintf(text, sizeof text, "0000:%02x:00.0", (kFirstBus + static_cast<unsigned>(number)) & 0xff);
  return text;
}

std::string aer_text(std::string_view which, std::int64_t errors) {
  const std::string count = std::to_string(errors);
  if (which == "correctable") {
    // What a marginal link shows first: packets that the receiver asks for again.
    return "RxErr 0\nBadTLP " + count +
           "\nBadDLLP 0\nRollover 0\nTimeout 0\nNonFatalErr 0\nCorrIntErr 0\nHeaderOF 0\nTOTAL_ERR_COR " + count;
  }
  const std::string total = which == "fatal" ? "TOTAL_ERR_FATAL " : "TOTAL_ERR_NONFATAL ";
  return "Undefined 0\nDLP " + count + "\nSDES 0\nTLP 0\nCmpltTO 0\nUnsupReq 0\n" + total + count;
}

void count_corrected_errors(const std::string& folder, const std::string& address, std::int64_t more) {
  const LockedFile file(folder + "/sysroot/sys/bus/pci/devices/" + address + "/aer_dev_correctable", O_RDWR);
  char before[1024] = {};
  [[maybe_unused]] const ssize_t got = ::pread(file.get(), before, sizeof before - 1, 0);
  constexpr const char* kTotal = "TOTAL_ERR_COR ";
  const char* total = std::strstr(before, kTotal);
  const std::int64_t errors = total == nullptr ? 0 : std::strtoll(total + std::strlen(kTotal), nullptr, 10);
  // Never shorter than before, so that a reader in between finds a whole text.
  const std::string text = aer_text("correctable", errors + more) + "\n";
  if (::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error(folder + ": AER counters: " + std::strerror(errno));
  }
}

std::string xid_message(const SimulatedGpu& gpu, int code) {
  const std::string bus = gpu.address.substr(0, gpu.address.rfind('.'));
  return "NVRM: Xid (PCI:" + bus + "): " + std::to_string(code) + ", pid='<unknown>', name=<unknown>, " +
         name_of_xid(code);
}

std::string kernel_line(double seconds_since_start, std::string_view message) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  char stamp[32];
  if (std::strftime(stamp, sizeof stamp, "%b %e %H:%M:%S", &parts) == 0) stamp[0] = '\0';
  char since[32];
  std::snprintf(since, sizeof since, "[%12.6f] ", seconds_since_start);
  return std::string(stamp) + " node kernel: " + since + std::string(message);
}

void append_kernel_log(const std::string& folder, std::string_view message) {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  const double seconds = static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
  const LockedFile file(folder + "/sysroot/var/log/kern.log", O_WRONLY | O_APPEND);
  const std::string line = kernel_line(seconds, message) + "\n";
  if (::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    throw std::runtime_error(folder + ": the kernel's log: " + std::strerror(errno));
  }
}

}  // namespace rackproof::simulator
