#include "runner/needs.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "graphs/names.h"

namespace rackproof {
namespace {

// Each step of a layer needs each step of the layer below, so what is planned grows with the square of what is written.
constexpr std::size_t kMostDefaultNeeds = 1'000'000;

using Index = std::unordered_map<std::string_view, std::size_t>;

std::vector<std::string> ids_of(std::span<const Step> steps) {
  std::vector<std::string> ids;
  for (const Step& step : steps) ids.push_back(step.id);
  return ids;
}

void read_needs(Step& step, const YamlNode& said, std::span<const Step> steps, const Index& index) {
  for (const YamlNode* need : said.items) {
    if (need->text == step.id) refuse(need->place, fmt::format("step '{}' needs itself", step.id));
    if (!index.contains(need->text)) {
      refuse(need->place, fmt::format("step '{}' needs '{}', which is no step of this recipe{}", step.id, need->text,
                                      did_you_mean(need->text, ids_of(steps))));
    }
    if (std::ranges::find(step.needs, need->text) != step.needs.end()) {
      refuse(need->place, fmt::format("step '{}' names its need '{}' twice", step.id, need->text));
    }
    step.needs.push_back(need->text);
  }
}

// Takes away every step whose needs are all taken away; what is left needs itself, by however long a way.
std::vector<bool> never_startable(std::span<const Step> steps, const Index& index) {
  std::vector<std::vector<std::size_t>> needed_by(steps.size());
  std::vector<std::size_t> open_needs(steps.size());
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    open_needs[i] = steps[i].needs.size();
    if (open_needs[i] == 0) ready.push_back(i);
    for (const std::string& need : steps[i].needs) needed_by[index.at(need)].push_back(i);
  }
  std::vector<bool> left(steps.size(), true);
  while (!ready.empty()) {
    const std::size_t step = ready.back();
    ready.pop_back();
    left[step] = false;
    for (const std::size_t other : needed_by[step]) {
      if (--open_needs[other] == 0) ready.push_back(other);
    }
  }
  return left;
}

void refuse_circle(std::span<const Step> steps, std::span<const YamlNode* const> said, const Index& index) {
  const std::vector<bool> left = never_startable(steps, index);
  const auto first = std::ranges::find(left, true);
  if (first == left.end()) return;

  // Every step that is left needs another one that is left: going from need to need comes back to where it was.
  std::vector<std::size_t> path;
  auto at = static_cast<std::size_t>(first - left.begin());
  while (std::ranges::find(path, at) == path.end()) {
    path.push_back(at);
    at = index.at(*std::ranges::find_if(steps[at].needs, [&](const auto& need) { return left[index.at(need)]; }));
  }
  path.erase(path.begin(), std::ranges::find(path, at));

  // The default needs only go down, so some step of the circle says what it needs; it is named first.
  const auto saying = std::ranges::find_if(path, [&](std::size_t step) { return said[step] != nullptr; });
  std::rotate(path.begin(), saying, path.end());
  std::string circle;
  for (const std::size_t step : path) circle += steps[step].id + " → ";
  const std::size_t next = path[1 % path.size()];
  const auto& items = said[path.front()]->items;
  const auto need = std::ranges::find_if(items, [&](const YamlNode* item) { return item->text == steps[next].id; });
  refuse((*need)->place, fmt::format("a circle of needs: {}{}", circle, steps[path.front()].id));
}

}  // namespace

void settle_needs(std::vector<Step>& steps, std::span<const YamlNode* const> said, const Place& recipe) {
  Index index;
  for (std::size_t i = 0; i < steps.size(); ++i) index.emplace(steps[i].id, i);

  std::vector<std::string> below;  // steps of the nearest lower layer that has any
  std::vector<std::string> here;
  std::size_t by_default = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (i > 0 && steps[i].layer != steps[i - 1].layer) below = std::exchange(here, {});
    here.push_back(steps[i].id);
    if (said[i] == nullptr) {
      by_default += below.size();
      if (by_default > kMostDefaultNeeds) {
        refuse(recipe, fmt::format("steps of its large layers need one another more than {} times by default: say what "
                                   "each of them needs",
                                   kMostDefaultNeeds));
      }
      steps[i].needs = below;
    } else {
      read_needs(steps[i], *said[i], steps, index);
    }
  }
  refuse_circle(steps, said, index);
}

bool needs_step(std::span<const Step> steps, std::size_t at, std::string_view id) {
  std::unordered_map<std::string_view, const Step*> by_id;
  for (const Step& step : steps) by_id.emplace(step.id, &step);
  std::unordered_set<std::string_view> seen;
  std::vector<const Step*> open{&steps[at]};
  while (!open.empty()) {
    const Step* step = open.back();
    open.pop_back();
    for (const std::string& need : step->needs) {
      if (need == id) return true;
      if (seen.insert(need).second) open.push_back(by_id.at(need));
    }
  }
  return false;
}

}  // namespace rackproof
