// A file that appears whole or not at all: written beside its place, then renamed. A device or a pipe is written to as
// it is: a name such as /dev/null must not become a file.
#pragma once

#include <fstream>
#include <string>

namespace rackproof {

class OutputFile {
 public:
  // Throws InputError when it cannot be created.
  explicit OutputFile(std::string path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();  // without commit(): leaves no trace

  std::ostream& stream() { return stream_; }
  // Throws InputError when not all of it could be written.
  void commit();

 private:
  std::string path_;
  std::string beside_;  // where it is written to
  std::ofstream stream_;
  bool committed_ = false;
};

}  // namespace rackproof
