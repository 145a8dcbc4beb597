// Whatever a journal holds, it loads or is refused in words; what loads can be judged, folded and exported.
#include <cstdint>
#include <ostream>
#include <stdexcept>
#include <streambuf>
#include <string_view>

#include "graphs/exports.h"
#include "graphs/journal.h"
#include "graphs/judge.h"

namespace {

class Nowhere : public std::streambuf {
  int overflow(int c) override { return c; }
  std::streamsize xsputn(const char*, std::streamsize n) override { return n; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rackproof;
  JournalRead read;
  try {
    read = read_events({reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const std::runtime_error&) {
    return 0;
  }
  for (TrialRecord& trial : read.run.trials) {
    if (trial.ending) trial.verdict = judge(read.run, trial);
  }
  const ResultGraph graph = fold(read.run);
  Nowhere nowhere;
  std::ostream out(&nowhere);
  for (const ExportFormat& format : export_formats()) format.write(graph, out);
  return 0;
}
