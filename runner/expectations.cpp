#include "runner/expectations.h"

#include <fmt/format.h>

#include <algorithm>

#include "graphs/names.h"
#include "runner/needs.h"

namespace rackproof {
namespace {

constexpr std::size_t kMostLimits = 1000;  // of one step; aliases could make a small file say millions

// The step whose metric the limit is held against must have been measured by then.
void check_order(const ShareBound& share, const YamlNode& sentence, const KnownSteps& known, std::size_t at) {
  const std::string& id = known.steps[at].id;
  const auto found = std::ranges::find(known.steps, share.step, &Step::id);
  if (found == known.steps.end()) {
    std::vector<std::string> earlier;
    for (const Step& step : known.steps.first(at)) earlier.push_back(step.id);
    refuse(sentence.place,
           fmt::format("no step '{}' comes before '{}'{}", share.step, id, did_you_mean(share.step, earlier)));
  }
  const auto position = static_cast<std::size_t>(found - known.steps.begin());
  if (position == at) {
    refuse(sentence.place, fmt::format("'{0}' is this step itself: write '{1}' for '{0}.{1}'", id, share.metric));
  }
  if (position > at) refuse(sentence.place, fmt::format("step '{}' comes after '{}', not before it", share.step, id));
}

// Order alone is not enough: steps whose claims do not meet may overlap, and the verdict would depend on chance.
void check_need(const ShareBound& share, const YamlNode& sentence, const KnownSteps& known, std::size_t at) {
  if (needs_step(known.steps, at, share.step)) return;
  refuse(sentence.place, fmt::format("step '{0}' is held against '{1}' and must need it: add '{1}' to its needs",
                                     known.steps[at].id, share.step));
}

}  // namespace

Expectation read_expectation(const YamlNode& sentence, bool prefer) {
  std::string_view text = sentence.text;
  while (text.ends_with('\n')) text.remove_suffix(1);  // of a block scalar
  LimitError error;
  const auto limit = parse_limit(text, error);
  if (!limit) refuse(place_in(sentence, error.offset), error.text);
  return {.limit = *limit, .prefer = prefer, .where = to_text(sentence.place), .source = "", .match = {}};
}

void check_expectation(const Limit& limit, const YamlNode& sentence, const KnownSteps& known, std::size_t at) {
  if (known.steps[at].expectations.size() >= kMostLimits) {
    refuse(sentence.place, fmt::format("step '{}' has more than {} limits", known.steps[at].id, kMostLimits));
  }
  if (limit.subject == Subject::shortfall && !known.steps[at].span) {
    refuse(sentence.place, fmt::format("shortfall({}) compares the nodes of a fleet, and step '{}' does not span nodes",
                                       limit.metric, known.steps[at].id));
  }
  const auto& span = known.steps[at].span;
  if (limit.subject == Subject::shortfall && span->of != Span::Of::pairs && span->of != Span::Of::rings) {
    refuse(sentence.place, fmt::format("shortfall({}) compares paths between two nodes, and step '{}' is run on {}",
                                       limit.metric, known.steps[at].id, to_text(*span)));
  }
  const auto* share = std::get_if<ShareBound>(&limit.bound);
  const bool is_of_another = share != nullptr && !share->step.empty();
  if (is_of_another) check_order(*share, sentence, known, at);
  const Step& step = known.steps[at];
  const bool is_described =
      !known.undescribed.contains(step.id) && !(is_of_another && known.undescribed.contains(share->step));
  if (is_described) {
    const std::string why = objection_to(limit, step.metrics, [&](std::string_view id) {
      const auto found = std::ranges::find(known.steps.first(at), id, &Step::id);
      return found == known.steps.first(at).end() ? nullptr : &found->metrics;
    });
    if (!why.empty()) refuse(sentence.place, why);
  }
  if (is_of_another) check_need(*share, sentence, known, at);
}

}  // namespace rackproof
