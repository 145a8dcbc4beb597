// Where fio puts its log of bandwidth over time: a folder in memory that nobody else can see.
#pragma once

#include <string>
#include <vector>

namespace rackproof {

// A tmpfs that is mounted nowhere, so that it goes with the last process that holds it. Where the right to make one is
// missing (CAP_SYS_ADMIN), a private folder in `directory`, removed at the end and on SIGTERM, SIGINT and SIGHUP.
class LogFolder {
 public:
  explicit LogFolder(const std::string& directory);
  LogFolder(const LogFolder&) = delete;
  LogFolder& operator=(const LogFolder&) = delete;
  ~LogFolder();

  bool has_name() const { return !name_.empty(); }
  // What fio is to put before "_bw.1.log"; good in this process and in those that it starts.
  std::string prefix() const;
  // The logs of `jobs` fio jobs, which are removed. One that is not there reads as empty.
  std::vector<std::string> take(int jobs);

 private:
  int fd_ = -1;
  std::string name_;  // of the private folder
};

constexpr int kMostJobs = 64;

}  // namespace rackproof
