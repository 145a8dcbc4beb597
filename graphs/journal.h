// The run on disk: one event a line, appended whole, read back to the last whole line.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "graphs/event.h"
#include "graphs/run.h"

namespace rackproof {

// The journal cannot be written any more (disk full). The text is a sentence.
class JournalFull : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Another process writes this journal. The text is a sentence.
class JournalHeld : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class JournalWriter {
 public:
  // Creates the file, which must not exist; or, to resume, opens it and cuts a torn last line off. Throws JournalHeld,
  // or std::system_error when it cannot be opened.
  static JournalWriter create(const std::string& path);
  static JournalWriter resume(const std::string& path);
  JournalWriter(JournalWriter&&) noexcept;
  JournalWriter& operator=(JournalWriter&&) = delete;
  ~JournalWriter();

  // A line is written whole or not at all. Once the room for last words cannot be kept back any more, the next call
  // throws JournalFull, so that what was written and what was thrown never overlap.
  void append(const Event&);
  void sync();
  // From now on the room that was kept back for the last words may be used.
  void use_reserve() { reserve_open_ = true; }

 private:
  JournalWriter(std::string path, int flags);
  void keep_reserve();
  std::string path_;
  int fd_ = -1;
  std::int64_t size_ = 0;
  std::int64_t reserved_to_ = 0;
  bool reserve_open_ = false;
  bool can_reserve_ = true;
  std::string full_;  // why; empty while there is room
};

struct JournalRead {
  Run run;
  std::size_t events = 0;
  bool torn = false;  // the last line was cut off and is not part of the run
};

// `path` is a journal or the folder of a run. A journal cut off within its first line is a run without events. Throws
// std::runtime_error "file:line: …" for what is no journal.
JournalRead read_journal(const std::string& path);
// The same of a journal's text; `file` is what messages call it.
JournalRead read_events(std::string_view text, const std::string& file);

// The journal file of a run given as its folder or as the file itself.
std::string journal_path(const std::string& run);

}  // namespace rackproof
