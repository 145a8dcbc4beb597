#include "graphs/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "graphs/decode.h"

namespace rackproof {
namespace {

// Enough for the last words of every trial that can be open at once, on a disk that has become full.
constexpr std::int64_t kReserve = 256 << 10;

std::system_error failed(const std::string& path) { return {errno, std::generic_category(), path}; }

std::int64_t end_of_last_line(int fd, std::int64_t size) {
  char block[4096];
  while (size > 0) {
    const std::int64_t from = std::max<std::int64_t>(0, size - static_cast<std::int64_t>(sizeof block));
    const ssize_t got = ::pread(fd, block, static_cast<std::size_t>(size - from), from);
    if (got <= 0) return size;
    for (ssize_t i = got; i > 0; --i) {
      if (block[i - 1] == '\n') return from + i;
    }
    size = from;
  }
  return 0;
}

// A read-only view of a whole file.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat facts {};
    if (fd < 0 || ::fstat(fd, &facts) != 0) {
      const std::string why = std::strerror(errno);
      if (fd >= 0) ::close(fd);
      throw std::runtime_error(fmt::format("{}: {}", path, why));
    }
    if (!S_ISREG(facts.st_mode)) {
      ::close(fd);
      throw std::runtime_error(fmt::format("{}: is not a file", path));
    }
    size_ = static_cast<std::size_t>(facts.st_size);
    if (size_ > 0) data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    ::close(fd);
    if (data_ == MAP_FAILED) throw std::runtime_error(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() {
    if (data_ != nullptr && data_ != MAP_FAILED) ::munmap(data_, size_);
  }
  std::string_view text() const { return {static_cast<const char*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace

JournalWriter::JournalWriter(std::string path, int flags) : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(), flags | O_RDWR | O_CLOEXEC, 0644);
  if (fd_ < 0) throw failed(path_);
  // A file system without locks is taken as it is.
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(fd_);
    throw JournalHeld(fmt::format("{} is being written by another run", path_));
  }
}

JournalWriter JournalWriter::create(const std::string& path) {
  JournalWriter writer(path, O_CREAT | O_EXCL);
  writer.keep_reserve();
  return writer;
}

JournalWriter JournalWriter::resume(const std::string& path) {
  JournalWriter writer(path, 0);
  writer.size_ = end_of_last_line(writer.fd_, ::lseek(writer.fd_, 0, SEEK_END));
  if (::ftruncate(writer.fd_, writer.size_) != 0) throw failed(path);
  writer.reserved_to_ = writer.size_;
  writer.keep_reserve();
  return writer;
}

JournalWriter::JournalWriter(JournalWriter&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      reserved_to_(other.reserved_to_),
      reserve_open_(other.reserve_open_),
      can_reserve_(other.can_reserve_),
      full_(std::move(other.full_)) {}

JournalWriter::~JournalWriter() {
  if (fd_ < 0) return;
  // Gives back what was reserved beyond the end.
  [[maybe_unused]] const int given_back = ::ftruncate(fd_, size_);
  ::close(fd_);
}

void JournalWriter::keep_reserve() {
  if (!can_reserve_ || reserve_open_ || reserved_to_ - size_ >= kReserve / 2) return;
  if (::fallocate(fd_, FALLOC_FL_KEEP_SIZE, size_, kReserve) == 0) {
    reserved_to_ = size_ + kReserve;
    return;
  }
  if (errno != ENOSPC && errno != EDQUOT) {
    can_reserve_ = false;  // a filesystem without the call: a full disk is then met by write itself
    return;
  }
  full_ = fmt::format("{}: {}", path_, std::strerror(errno));
}

void JournalWriter::append(const Event& event) {
  if (!full_.empty() && !reserve_open_) throw JournalFull(full_);
  const std::string line = encode(event) + "\n";
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t written =
        ::pwrite(fd_, line.data() + done, line.size() - done, size_ + static_cast<std::int64_t>(done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const std::string why = std::strerror(errno);
      [[maybe_unused]] const int cut = ::ftruncate(fd_, size_);
      throw JournalFull(fmt::format("{}: {}", path_, why));
    }
    done += static_cast<std::size_t>(written);
  }
  size_ += static_cast<std::int64_t>(line.size());
  keep_reserve();
}

void JournalWriter::sync() {
  if (::fdatasync(fd_) != 0 && errno != EINVAL && errno != EROFS) {
    throw JournalFull(fmt::format("{}: {}", path_, std::strerror(errno)));
  }
}

std::string journal_path(const std::string& run) {
  return std::filesystem::is_directory(run) ? (std::filesystem::path(run) / "journal.jsonl").string() : run;
}

JournalRead read_journal(const std::string& path) {
  const std::string file = journal_path(path);
  const MappedFile mapped(file);
  return read_events(mapped.text(), file);
}

JournalRead read_events(std::string_view text, const std::string& file) {
  std::string_view rest = text;
  JournalRead read;
  Decoder decoder;
  std::size_t number = 0;
  while (!rest.empty()) {
    ++number;
    const std::size_t end = rest.find('\n');
    if (end == rest.npos) {
      read.torn = true;
      break;
    }
    const auto event = decoder.event(rest.substr(0, end));
    if (!event) throw std::runtime_error(fmt::format("{}:{}: not an event of a journal: {}", file, number, decoder.why()));
    if (const std::string objection = read.run.apply(*event); !objection.empty()) {
      throw std::runtime_error(fmt::format("{}:{}: {}", file, number, objection));
    }
    ++read.events;
    rest.remove_prefix(end + 1);
  }
  return read;
}

}  // namespace rackproof
