// Reads back what encode() wrote: a report line of a check, or an event line of a journal. Nothing of the input is
// trusted: whatever does not fit is an error in words.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "checks/api/report.h"
#include "graphs/event.h"

namespace rackproof {

// Reads many lines with one set of buffers.
class Decoder {
 public:
  Decoder();
  Decoder(Decoder&&) noexcept;
  ~Decoder();

  // nullopt, and why() says what is wrong with the line.
  std::optional<Report> report(std::string_view line);
  std::optional<Event> event(std::string_view line);

  const std::string& why() const { return why_; }

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::string why_;
};

}  // namespace rackproof
