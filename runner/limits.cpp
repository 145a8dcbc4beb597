#include "runner/limits.h"

#include <algorithm>

#include "runner/expectations.h"
#include "runner/fields.h"
#include "runner/find_check.h"
#include "runner/recipe.h"
#include "runner/text_file.h"

namespace rackproof {
namespace {

std::vector<MetricDeclaration> metrics_of(const Description& check) {
  std::vector<MetricDeclaration> metrics;
  for (const MetricDescription& metric : check.metrics) metrics.push_back(metric.declaration);
  return metrics;
}

bool declares(const Description& check, const std::string& metric) {
  return std::ranges::any_of(check.metrics, [&](const auto& known) { return known.declaration.name == metric; });
}

// A step of another recipe may watch a check, whose metrics are then the step's own.
bool may_be_watched(Catalog& catalog, const std::string& metric) {
  const std::vector<std::string> names = catalog.names();
  return std::ranges::any_of(names, [&](const std::string& name) {
    const Description* check = catalog.find(name);
    return check != nullptr && declares(*check, metric);
  });
}

// No step uses the check: what can be said without one is said now, the rest when a recipe uses it.
void check_unused(const Limit& limit, const YamlNode& sentence, const Description& check, Catalog& catalog) {
  const auto* share = std::get_if<ShareBound>(&limit.bound);
  if (!check.problem.empty() || (share != nullptr && !share->step.empty())) return;
  if (!declares(check, limit.metric) && may_be_watched(catalog, limit.metric)) return;
  const std::string why = objection_to(limit, metrics_of(check), {});
  if (!why.empty()) refuse(sentence.place, why);
}

std::optional<Match> match_in(const YamlNode& root) {
  const YamlNode* match = root.find("match");
  if (match == nullptr) return std::nullopt;
  const std::string name = text_of(*match, "name");
  return Match{.kind = text_of(*match, "device"), .name = name.empty() ? "*" : name};
}

class Layer {
 public:
  Layer(std::vector<Step>& steps, const std::set<std::string>& undescribed, Catalog* catalog)
      : steps_(steps), undescribed_(undescribed), catalog_(catalog) {}

  void lay(const std::string& file) {
    const YamlDocument document(file, read_text_file(file, {file, 0, 0}));
    check_record(document.root(), kLimitsTable);
    const std::optional<Match> match = match_in(document.root());
    for (const auto& [check, limits] : document.root().find("checks")->entries) {
      const Description* described = catalog_ == nullptr ? nullptr : &find_check(*catalog_, check->text, check->place);
      for (const YamlNode* limit : limits->items) lay(check->text, described, *limit, match);
    }
  }

 private:
  void lay(const std::string& check, const Description* described, const YamlNode& limit,
           const std::optional<Match>& match) {
    const YamlNode* expected = limit.find("expect");
    const YamlNode& sentence = expected != nullptr ? *expected : *limit.find("prefer");
    Expectation expectation = read_expectation(sentence, expected == nullptr);
    expectation.source = text_of(limit, "source");
    expectation.match = match;

    bool is_used = false;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (steps_[i].check != check) continue;
      is_used = true;
      check_expectation(expectation.limit, sentence, {steps_, undescribed_}, i);
      steps_[i].expectations.push_back(expectation);
    }
    if (!is_used && described != nullptr) check_unused(expectation.limit, sentence, *described, *catalog_);
  }

  std::vector<Step>& steps_;
  const std::set<std::string>& undescribed_;
  Catalog* catalog_;
};

}  // namespace

void lay_limits(std::vector<Step>& steps, const std::vector<std::string>& files,
                const std::set<std::string>& undescribed, Catalog* catalog) {
  Layer layer(steps, undescribed, catalog);
  for (const std::string& file : files) layer.lay(file);
}

void lay_limits_over(std::vector<Step>& steps, const std::vector<std::string>& files) {
  std::set<std::string> undescribed;
  for (Step& step : steps) {
    std::erase_if(step.expectations, [](const Expectation& expectation) { return !expectation.source.empty(); });
    // A journal tells the metrics of every check that could be described when it was written.
    if (step.metrics.empty()) undescribed.insert(step.id);
  }
  lay_limits(steps, files, undescribed, nullptr);
}

}  // namespace rackproof
