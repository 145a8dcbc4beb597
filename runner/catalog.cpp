#include "runner/catalog.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "graphs/json_object.h"
#include "runner/child.h"

namespace rackproof {
namespace {

constexpr std::chrono::milliseconds kDescribeWithin{10'000};

Description described(const std::string& json) {
  simdjson::dom::parser parser;
  const json::Object object = json::parse(parser, json);
  Description description;
  description.problem = object.text_or("problem", "");
  if (!description.problem.empty()) return description;
  description.name = object.text("name");
  description.layer = object.text_or("layer", "");
  description.summary = object.text_or("summary", "");
  description.method = object.text_or("method", "");
  object.each_object("parameters", [&](const json::Object& parameter) {
    description.parameters.push_back({.name = parameter.text("name"),
                                      .type = parameter.text_or("type", "text"),
                                      .default_value = parameter.text_or("default", ""),
                                      .has_default = parameter.has("default"),
                                      .unit = parameter.text_or("unit", ""),
                                      .help = parameter.text_or("help", "")});
  });
  object.each_object("metrics", [&](const json::Object& metric) {
    description.metrics.push_back(
        {.declaration = {metric.text("name"), metric.text_or("unit", "count"), metric.text_or("better", "exact")},
         .help = metric.text_or("help", "")});
  });
  description.by_hand = object.texts("by_hand");
  return description;
}

}  // namespace

Catalog::Catalog(Installation installation, std::vector<std::string> environment)
    : installation_(std::move(installation)), environment_(std::move(environment)) {}

Catalog::Catalog(std::vector<Description> known) {
  for (Description& description : known) {
    const std::string name = description.name;
    described_.emplace(name, std::move(description));
  }
}

const Description* Catalog::find(std::string_view name) {
  if (const auto found = described_.find(name); found != described_.end()) return &found->second;
  if (installation_.check_directory.empty() || name.empty() || name.find('/') != name.npos) return nullptr;
  const std::string library = installation_.library_of(name);
  if (!std::filesystem::exists(library)) return nullptr;

  Description description;
  try {
    description =
        described(output_of({installation_.check_program, "--describe", library}, kDescribeWithin, environment_));
    if (description.problem.empty() && description.name != name) {
      std::string problem = library + " declares another name: '" + description.name + "'";
      description = {};
      description.problem = std::move(problem);
    }
  } catch (const json::Malformed& malformed) {
    description.problem = "its description cannot be read: " + malformed.why;
  } catch (const std::exception& error) {
    description.problem = std::string("it cannot be described: ") + error.what();
  }
  description.name = name;
  description.library = library;
  return &described_.emplace(std::string(name), std::move(description)).first->second;
}

std::vector<std::string> Catalog::names() const {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(installation_.check_directory, none)) {
    if (entry.path().extension() == ".so") names.push_back(entry.path().stem().string());
  }
  for (const auto& [name, description] : described_) {
    if (std::ranges::count(names, name) == 0) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace rackproof
