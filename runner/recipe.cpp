#include "runner/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "runner/expectations.h"
#include "runner/fields.h"
#include "runner/find_check.h"
#include "runner/limits.h"
#include "runner/needs.h"
#include "runner/parameters.h"
#include "runner/recipe_files.h"

namespace rackproof {
namespace {

std::vector<std::string> texts_in(const YamlNode* list) {
  std::vector<std::string> texts;
  if (list == nullptr) return texts;
  for (const YamlNode* item : list->items) texts.push_back(item->text);
  return texts;
}

class Reader {
 public:
  Reader(const RecipeSources& sources, Catalog& catalog)
      : sources_(sources), catalog_(catalog), files_(read_recipe_files(sources.file)) {}

  Recipe recipe() {
    recipe_.name = text_of(*files_.recipe, "recipe");
    recipe_.summary = text_of(*files_.recipe, "summary");
    recipe_.file = sources_.file;
    for (const WrittenLayer& layer : files_.layers) {
      recipe_.layers.push_back(layer.name);
      for (const WrittenStep& step : layer.steps) add(step, layer.name);
    }
    if (recipe_.steps.empty()) refuse(files_.recipe->place, "this recipe has no step, so it can prove nothing");
    set_parameters();
    settle_needs(recipe_.steps, needs(), files_.recipe->place);
    read_expectations();
    lay_limits(recipe_.steps, sources_.limits, undescribed_, &catalog_);
    return std::move(recipe_);
  }

 private:
  void add(const WrittenStep& from, const std::string& layer) {
    const Description& check = find_check(catalog_, text_of(*from.node, "check"), from.node->find("check")->place);
    Step step;
    step.id = text_of(*from.node, "id");
    step.check = text_of(*from.node, "check");
    step.layer = layer;
    step.summary = text_of(*from.node, "summary");
    if (step.id.empty()) {
      step.id = step.check;
      std::ranges::replace(step.id, '.', '-');
    }
    refuse_second(step.id, from);
    read_fields(from, step);
    read_span(*from.node, step);
    if (const YamlNode* with = from.node->find("with"); with != nullptr) read_parameters(*with, check, step);
    read_metrics(from, check, step);
    recipe_.steps.push_back(std::move(step));
    written_.push_back(from);
  }

  void refuse_second(const std::string& id, const WrittenStep& from) const {
    const auto first = std::ranges::find(recipe_.steps, id, &Step::id);
    if (first == recipe_.steps.end()) return;
    const YamlNode* first_node = written_[static_cast<std::size_t>(first - recipe_.steps.begin())].node;
    const YamlNode* said = from.node->find("id");
    refuse(
        said != nullptr ? said->place : from.node->place,
        fmt::format("a second step '{}'{}; the first stands at {}", id,
                    said != nullptr ? "" : ", which is the check's name: give it an 'id'", to_text(first_node->place)));
  }

  static void read_fields(const WrittenStep& from, Step& step) {
    if (const YamlNode* optional = from.find("optional")) step.optional = flag_in(*optional);
    if (const YamlNode* timeout = from.find("timeout")) step.timeout = time_in(*timeout);
    if (const YamlNode* grace = from.find("grace")) step.grace = time_in(*grace);
    if (const YamlNode* memory = from.find("memory")) step.memory = bytes_in(*memory);
    if (const YamlNode* claims = from.find("claims")) step.claims = texts_in(claims);
  }

  static void read_span(const YamlNode& from, Step& step) {
    const YamlNode* on = from.find("on");
    if (on != nullptr) step.span = span_in(*on);
    for (const std::string_view field : {"rounds", "within"}) {
      const YamlNode* said = from.find(field);
      if (said != nullptr && on == nullptr) {
        refuse(said->place, fmt::format("'{}' is for a step that spans nodes: say on what, as in 'on: pairs'", field));
      }
    }
    if (const YamlNode* rounds = from.find("rounds")) step.span->rounds = number_in(*rounds);
    if (const YamlNode* within = from.find("within")) step.span->within = within_in(*within);
  }

  // What the check measures, and what those measure that it watches.
  void read_metrics(const WrittenStep& from, const Description& check, Step& step) {
    for (const MetricDescription& metric : check.metrics) step.metrics.push_back(metric.declaration);
    if (!check.problem.empty()) undescribed_.insert(step.id);
    const YamlNode* watch = from.find("watch");
    if (watch == nullptr) return;
    const bool is_default = from.node->find("watch") == nullptr;
    for (const YamlNode* item : watch->items) {
      const Description& watched = find_check(catalog_, item->text, item->place);
      const bool is_own = watched.name == step.check;
      if (is_own && is_default) continue;  // it is meant for the other steps
      if (is_own) refuse(item->place, fmt::format("step '{}' watches its own check", step.id));
      add_watch(watched, item->place, step);
    }
  }

  void add_watch(const Description& watched, const Place& place, Step& step) {
    step.watch.push_back(watched.name);
    if (!watched.problem.empty()) undescribed_.insert(step.id);
    for (const auto& [metric, help] : watched.metrics) {
      if (std::ranges::find(step.metrics, metric.name, &MetricDeclaration::name) != step.metrics.end()) {
        refuse(place, fmt::format("step '{}' would measure '{}' twice, the second time by watching {}", step.id,
                                  metric.name, watched.name));
      }
      step.metrics.push_back(metric);
    }
  }

  void set_parameters() {
    for (const std::string& set : sources_.sets) set_parameter(set, recipe_.steps, catalog_);
    for (std::size_t i = 0; i < recipe_.steps.size(); ++i) {
      check_given(recipe_.steps[i], *catalog_.find(recipe_.steps[i].check), written_[i].node->place);
    }
  }

  std::vector<const YamlNode*> needs() const {
    std::vector<const YamlNode*> needs;
    for (const WrittenStep& step : written_) needs.push_back(step.node->find("needs"));
    return needs;
  }

  void read_expectations() {
    for (std::size_t i = 0; i < recipe_.steps.size(); ++i) {
      for (const std::string_view field : {"expect", "prefer"}) {
        for (const YamlNode* sentence : items_of(*written_[i].node, field)) {
          Expectation expectation = read_expectation(*sentence, field == "prefer");
          check_expectation(expectation.limit, *sentence, {recipe_.steps, undescribed_}, i);
          recipe_.steps[i].expectations.push_back(std::move(expectation));
        }
      }
    }
  }

  const RecipeSources& sources_;
  Catalog& catalog_;
  const RecipeFiles files_;
  Recipe recipe_;
  std::vector<WrittenStep> written_;   // beside recipe_.steps
  std::set<std::string> undescribed_;  // steps whose metrics are not known
};

}  // namespace

Recipe read_recipe(const RecipeSources& sources, Catalog& catalog) { return Reader(sources, catalog).recipe(); }

}  // namespace rackproof
