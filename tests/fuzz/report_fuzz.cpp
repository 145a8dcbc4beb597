// Whatever a check writes, the decoder gives a report that encodes again, or says why not.
#include <cstdint>
#include <cstdlib>

#include "graphs/decode.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static rackproof::Decoder decoder;
  const auto report = decoder.report({reinterpret_cast<const char*>(data), size});
  if (!report) {
    if (decoder.why().empty()) std::abort();
    return 0;
  }
  // What crossed once must cross again unchanged: a journal that is resumed is written by the same encoder.
  const std::string line = rackproof::encode(*report);
  const auto again = decoder.report(line);
  if (!again || !(*again == *report) || rackproof::encode(*again) != line) std::abort();
  return 0;
}
