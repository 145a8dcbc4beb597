#include "tests/simulator/nccl_span.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <stdexcept>

namespace rackproof::simulator {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& file) { throw std::runtime_error(file + ": " + std::strerror(errno)); }

std::string hex(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016" PRIx64, number);
  return text;
}

// As it lies in a file, before the messages.
struct Head {
  double came_ns;
  double takes_ns;
  std::int64_t kind;
  std::int64_t root;
  std::uint64_t content;
  std::uint64_t bytes;
  std::uint64_t messages;
};

template <class T>
std::string_view bytes_of_object(const T& object) {
  return {reinterpret_cast<const char*>(&object), sizeof object};
}

std::optional<std::string> text_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(stream), {}};
}

std::optional<Brought> parse(const std::string& text) {
  Head head{};
  if (text.size() < sizeof head) return std::nullopt;
  std::memcpy(&head, text.data(), sizeof head);
  if (text.size() != sizeof head + head.messages * sizeof(SpanMessage)) return std::nullopt;
  Brought one{head.came_ns, head.takes_ns, head.kind, head.root, head.content, head.bytes, {}};
  one.messages.resize(head.messages);
  if (head.messages > 0) {
    std::memcpy(one.messages.data(), text.data() + sizeof head, head.messages * sizeof(SpanMessage));
  }
  return one;
}

}  // namespace

Mapped::Mapped(const std::string& file, std::size_t bytes) {
  if (bytes == 0) return;
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(file);
  struct stat status {};
  const bool is_whole = ::fstat(fd, &status) == 0 && static_cast<std::size_t>(status.st_size) >= bytes;
  void* const memory = is_whole ? ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
  ::close(fd);
  if (memory == MAP_FAILED) throw std::runtime_error(file + " cannot be mapped");
  text_ = {static_cast<const char*>(memory), bytes};
}

Mapped::~Mapped() {
  if (!text_.empty()) ::munmap(const_cast<char*>(text_.data()), text_.size());
}

Span::Span(std::string folder, int ranks, std::vector<int> ours)
    : folder_(std::move(folder)), ours_(std::move(ours)), salt_of_rank_(static_cast<std::size_t>(ranks), 0) {
  std::random_device random;
  salt_ = std::uint64_t{random()} << 32 | random() | 1;
  // Once more where the others that had come have just gone, and the folder with them.
  for (int tries = 0; lock_ < 0 && tries < 100; ++tries) {
    if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) fail(folder_);
    lock_ = ::open(file("process", salt_).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  }
  if (lock_ < 0) fail(folder_);
  ::flock(lock_, LOCK_EX | LOCK_NB);
  for (const int rank : ours_) write(folder_ + "/rank." + std::to_string(rank), bytes_of_object(salt_), {});
}

Span::~Span() { leave(); }

std::string Span::file(const std::string& kind, std::uint64_t salt, std::uint64_t number) const {
  return file(kind, salt) + "." + hex(number);
}

std::string Span::file(const std::string& kind, std::uint64_t salt) const {
  return folder_ + "/" + kind + "." + hex(salt);
}

// Whole or not at all, whenever others look.
void Span::write(const std::string& name, std::string_view first, std::string_view second) const {
  const std::string unfinished = file("unfinished", salt_);
  std::FILE* const stream = std::fopen(unfinished.c_str(), "w");
  if (stream == nullptr) fail(unfinished);
  const auto put = [&](std::string_view bytes) {
    return bytes.empty() || std::fwrite(bytes.data(), 1, bytes.size(), stream) == bytes.size();
  };
  const bool is_written = put(first) && put(second);
  if (std::fclose(stream) != 0 || !is_written || ::rename(unfinished.c_str(), name.c_str()) != 0) fail(name);
}

bool Span::is_whole() {
  if (!processes_.empty()) return true;
  for (std::size_t rank = 0; rank < salt_of_rank_.size(); ++rank) {
    if (salt_of_rank_[rank] != 0) continue;
    const auto text = text_of(folder_ + "/rank." + std::to_string(rank));
    if (!text || text->size() != sizeof salt_) return false;
    std::memcpy(&salt_of_rank_[rank], text->data(), sizeof salt_);
  }
  std::vector<Process> processes;
  for (std::size_t rank = 0; rank < salt_of_rank_.size(); ++rank) {
    const std::uint64_t salt = salt_of_rank_[rank];
    if (processes.empty() || processes.back().salt != salt) {
      if (std::ranges::find(processes, salt, &Process::salt) != processes.end()) {
        throw std::runtime_error("the ranks of a process must be neighbours");
      }
      processes.push_back({salt, static_cast<int>(rank), 0});
    }
    ++processes.back().ranks;
  }
  processes_ = std::move(processes);
  return true;
}

std::size_t Span::process_of(int rank) const {
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    if (rank < processes_[i].first + processes_[i].ranks) return i;
  }
  return 0;
}

void Span::put(std::uint64_t number, const Brought& one, const std::function<std::vector<char>()>& make) {
  const std::string bytes_file = file("bytes", salt_, one.content);
  if (one.bytes > 0 && std::ranges::find(kept_, one.content, &Kept::content) == kept_.end()) {
    const std::vector<char> bytes = make();
    write(bytes_file, {bytes.data(), bytes.size()}, {});
  }
  kept_.push_back({number, one.content});
  const Head head{one.came_ns, one.takes_ns, one.kind, one.root, one.content, one.bytes, one.messages.size()};
  write(file("call", salt_, number), bytes_of_object(head),
        {reinterpret_cast<const char*>(one.messages.data()), one.messages.size() * sizeof(SpanMessage)});
  while (kept_.size() > 2) {
    const Kept gone = kept_.front();
    kept_.pop_front();
    ::unlink(file("call", salt_, gone.number).c_str());
    if (std::ranges::find(kept_, gone.content, &Kept::content) == kept_.end()) {
      ::unlink(file("bytes", salt_, gone.content).c_str());
    }
  }
}

std::vector<Brought> Span::all_of(std::uint64_t number) {
  if (looked_for_ != number) found_.clear();
  looked_for_ = number;
  while (found_.size() < processes_.size()) {
    const auto text = text_of(file("call", processes_[found_.size()].salt, number));
    if (!text) return {};
    auto one = parse(*text);
    if (!one) throw std::runtime_error("what a process brought to a collective cannot be read");
    found_.push_back(std::move(*one));
  }
  return std::exchange(found_, {});
}

Mapped Span::bytes_of(std::size_t process, const Brought& one) const {
  return Mapped(file("bytes", processes_[process].salt, one.content), one.bytes);
}

bool Span::has_left_or_died(std::uint64_t salt) const {
  if (::access(file("left", salt).c_str(), F_OK) == 0) return true;
  const int fd = ::open(file("process", salt).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return true;
  const bool is_free = ::flock(fd, LOCK_SH | LOCK_NB) == 0;
  ::close(fd);
  return is_free;
}

bool Span::is_anyone_dead() const {
  return std::ranges::any_of(processes_, [&](const Process& one) {
    return one.salt != salt_ && has_left_or_died(one.salt) && ::access(file("left", one.salt).c_str(), F_OK) != 0 &&
           ::access(folder_.c_str(), F_OK) == 0;
  });
}

void Span::leave() noexcept {
  try {
    write(file("left", salt_), {}, {});
    bool is_last = true;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      const std::string name = entry.path().filename().string();
      constexpr std::string_view kProcess = "process.";
      if (!name.starts_with(kProcess)) continue;
      const std::uint64_t salt = std::strtoull(name.c_str() + kProcess.size(), nullptr, 16);
      if (salt != salt_ && !has_left_or_died(salt)) is_last = false;
    }
    if (is_last) fs::remove_all(folder_);
  } catch (const std::exception&) {
    // Its folder went, with the simulated node in which it lay.
  }
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace rackproof::simulator
