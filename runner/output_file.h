// A file that appears whole or not at all: written beside its place, then renamed.
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
  // Throws std::runtime_error when not all of it could be written.
  void commit();

 private:
  std::string path_;
  std::string beside_;
  std::ofstream stream_;
  bool committed_ = false;
};

}  // namespace rackproof
