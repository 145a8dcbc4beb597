// Mixes lines that are no reports with good ones.
#include <string>

#include "checks/selftest/answer.h"

namespace {

void babble(int events, const char* const*) {
  using namespace std::string_literals;
  const std::string not_reports[] = {
      "all is well, trust me", "PASSED", "{\"report\":\"passed\"}",       "[\"report\",\"done\"]",
      "{\"report\":\"note\"}", "",       "\x00\xff\xfe not even text\x07"s,
  };
  for (const std::string& line : not_reports) rackproof::write_line(events, line);
  rackproof::write_line(events, encode(rackproof::selftest::right_answer()));
  rackproof::write_line(events, encode(rackproof::Done{}));
}

constexpr const char* kByHand[] = {"rackproof-check ./selftest.babble.so | cat -v", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.babble", .layer = "selftest", .summary = "Writes lines that are no reports",
                .method = "Writes free text, JSON of other shapes and bytes that are no text, then states answer = 42 "
                          "and ends well. It shows that a stream which cannot be read whole proves nothing.",
                .parameters = nullptr, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand, .run = babble)
