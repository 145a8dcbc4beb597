// Text made safe for XML 1.0, and a buffered way to write it.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace rackproof {

// Appends `text` escaped for XML content and attributes. What XML 1.0 cannot carry at all (C0 controls but tab, newline
// and return; U+FFFE, U+FFFF) and what is not UTF-8 becomes U+FFFD.
void append_escaped(std::string& out, std::string_view text);

// Collects output and hands it on in large blocks.
class MarkupWriter {
 public:
  explicit MarkupWriter(std::ostream& out) : out_(out) { buffer_.reserve(kBlock + 4096); }
  MarkupWriter(const MarkupWriter&) = delete;
  MarkupWriter& operator=(const MarkupWriter&) = delete;
  ~MarkupWriter() { flush(); }

  MarkupWriter& raw(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() > kBlock) flush();
    return *this;
  }
  MarkupWriter& escaped(std::string_view text) {
    append_escaped(buffer_, text);
    return *this;
  }
  MarkupWriter& number(std::int64_t);
  MarkupWriter& number(double);  // shortest form that reads back the same; must be finite

 private:
  static constexpr std::size_t kBlock = 1 << 16;
  void flush();
  std::ostream& out_;
  std::string buffer_;
};

}  // namespace rackproof
