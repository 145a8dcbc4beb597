#include "runner/cluster_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace rackproof {
namespace {

// It has no source: what has one came from a limits file, and is replaced when a run is judged by others.
Expectation own_expectation(const std::string& sentence, bool prefer, const std::string& why) {
  LimitError error;
  const auto limit = parse_limit(sentence, error);
  if (!limit) throw std::logic_error(error.text);
  return {.limit = *limit, .prefer = prefer, .where = "rackproof: " + why, .source = "", .match = {}};
}

Step answer_step() {
  Step step;
  step.id = kAnswerStep;
  step.check = "rackproof.answer";
  step.layer = kAnswerLayer;
  step.summary = "The node answers, runs this rackproof and reads this recipe";
  step.metrics = {{"answered_after", "s", "lower"}, {"clock_offset", "s", "lower"}};
  step.expectations = {own_expectation("count(answered_after) == 1", false, "a node has to answer"),
                       own_expectation("clock_offset <= 1 s", true,
                                       "the times of its events cannot be compared with those of other nodes")};
  return step;
}

}  // namespace

Recipe with_answer(Recipe recipe, const std::vector<ClusterNode>& nodes) {
  if (std::ranges::count(nodes, std::string(kFabric), &ClusterNode::name) > 0) {
    throw InputError(fmt::format("a node is called '{}', which is what a run on many nodes calls their network", kFabric));
  }
  const auto is_spanning = [&](const std::string& id) {
    const auto step = std::ranges::find(recipe.steps, id, &Step::id);
    return step != recipe.steps.end() && step->span.has_value();
  };
  for (Step& step : recipe.steps) {
    if (step.id == kAnswerStep) {
      throw InputError(fmt::format("{}: a step is called '{}', which is what a run on many nodes calls its own first step",
                                   recipe.file, kAnswerStep));
    }
    const auto spanning = std::ranges::find_if(step.needs, is_spanning);
    if (!step.span && spanning != step.needs.end()) {
      throw InputError(fmt::format("{}: step '{}' is run on each node and needs '{}', which spans nodes: what spans "
                                   "nodes comes after all else",
                                   recipe.file, step.id, *spanning));
    }
    if (step.needs.empty()) step.needs = {kAnswerStep};
  }
  recipe.steps.insert(recipe.steps.begin(), answer_step());
  recipe.layers.insert(recipe.layers.begin(), kAnswerLayer);
  return recipe;
}

PreparedRun prepare_cluster(const Recipe& recipe, const std::vector<std::string>& nodes, const NewRun& about) {
  PreparedRun prepared = prepare(recipe, nodes, about);
  for (const Step& step : recipe.steps) {
    if (!step.span) continue;
    const Event planned{prepared.run.started_us, kFabric, TrialPlanned{fmt::format("{}@{}", step.id, kFabric), step.id, {}}};
    prepared.journal->append(planned);
    if (const std::string objection = prepared.run.apply(planned); !objection.empty()) throw std::logic_error(objection);
  }
  prepared.journal->sync();
  return prepared;
}

}  // namespace rackproof
