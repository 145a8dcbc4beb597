// Any text is a limit or is refused: parsing it, objecting to it and matching names never go wrong.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "graphs/limit.h"

using namespace rackproof;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void parse_and_object(const std::string& sentence) {
  static const std::vector<MetricDeclaration> kOwn{{"busbw", "GB/s", "higher"},   {"width", "lanes", "higher"},
                                                   {"capable", "lanes", "bound"}, {"errors", "count", "lower"},
                                                   {"busy", "%", "higher"},       {"heat", "degC", "lower"}};
  LimitError error;
  const auto limit = parse_limit(sentence, error);
  if (!limit) {
    require(!error.text.empty() && error.offset <= sentence.size());
    return;
  }
  require(limit->text == sentence && !limit->metric.empty() && !limit->devices.empty());
  require(parse_limit(limit->text, error) == limit);
  const StepMetrics steps = [](std::string_view step) { return step == "links" ? &kOwn : nullptr; };
  const std::string why = objection_to(*limit, kOwn, steps);
  // What is judged later never looks at a bound that this kind of limit cannot have.
  if (why.empty() && limit->subject != Subject::each) require(std::holds_alternative<FixedBound>(limit->bound));
}

void match_names(const std::string& text) {
  const std::size_t middle = text.size() / 2;
  const std::string left = text.substr(0, middle);
  const std::string right = text.substr(middle);
  matches_glob(left, right);
  const bool is_plain = right.find_first_of("*?") == right.npos;
  const bool begins_character = right.empty() || (static_cast<unsigned char>(right.front()) & 0xC0) != 0x80;
  if (is_plain) require(matches_glob(right, right));
  if (is_plain && begins_character) require(matches_glob("*" + right, left + right));
  const std::vector<std::string> known{left, "busbw", "width"};
  const std::string meant = nearest(right, known);
  require(meant.empty() || meant == left || meant == "busbw" || meant == "width");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  parse_and_object(text);
  if (size < 4096) match_names(text);
  return 0;
}
