// `rackproof list`, `rackproof explain` and `rackproof schema`: what there is, without running anything.
#include <fmt/format.h>

#include <iostream>
#include <sstream>

#include "runner/catalog.h"
#include "runner/commands.h"
#include "runner/input_error.h"
#include "runner/installation.h"
#include "runner/recipe.h"

namespace rackproof {
namespace {

Catalog open_catalog(const std::string& checks) {
  return Catalog(find_installation(checks));
}

constexpr std::size_t kWidth = 100;

void print_wrapped(std::string_view text, std::size_t indent) {
  std::istringstream words{std::string(text)};
  std::string line(indent, ' ');
  for (std::string word; words >> word;) {
    if (columns_of(line) + 1 + columns_of(word) > kWidth && line.size() > indent) {
      std::cout << line << '\n';
      line.assign(indent, ' ');
    }
    if (line.size() > indent) line += ' ';
    line += word;
  }
  std::cout << line << '\n';
}

}  // namespace

int list(const std::string& checks) {
  Catalog catalog = open_catalog(checks);
  for (const std::string& name : catalog.names()) {
    const Description& check = *catalog.find(name);
    std::cout << fmt::format("{:<24} {:<10} {}\n", name, harmless(check.layer),
                             harmless(check.problem.empty() ? check.summary : check.problem));
  }
  return 0;
}

int explain(const std::string& name, const std::string& checks) {
  Catalog catalog = open_catalog(checks);
  const Description* check = catalog.find(name);
  if (check == nullptr) {
    const std::vector<std::string> names = catalog.names();
    const std::string near = nearest(name, names);
    throw InputError(fmt::format("there is no check '{}'{}", name,
                                 near.empty() ? "; `rackproof list` names them all"
                                              : fmt::format("; did you mean '{}'?", near)));
  }
  if (!check->problem.empty()) throw InputError(fmt::format("{}: {}", name, check->problem));

  std::cout << fmt::format("{}  (layer {})\n", check->name, check->layer);
  print_wrapped(harmless(check->summary), 2);
  std::cout << "\nHow it measures\n";
  print_wrapped(harmless(check->method), 2);
  if (!check->parameters.empty()) std::cout << "\nParameters\n";
  for (const ParameterDescription& parameter : check->parameters) {
    const std::string given = parameter.has_default ? fmt::format("default {}", parameter.default_value) : "required";
    std::string line = fmt::format("  {:<18} {:<20} {}", parameter.name, parameter.type, given);
    // A long choice leaves no room beside it.
    if (line.size() > kWidth) line = fmt::format("  {:<18} {}\n{:21}{}", parameter.name, parameter.type, "", given);
    std::cout << line << '\n';
    print_wrapped(harmless(parameter.help), 6);
  }
  std::cout << "\nMetrics\n";
  for (const MetricDescription& metric : check->metrics) {
    std::cout << fmt::format("  {:<26} {:<8} {}\n", metric.declaration.name, metric.declaration.unit,
                             metric.declaration.better);
    print_wrapped(harmless(metric.help), 6);
  }
  std::cout << "\nBy hand\n";
  for (const std::string& command : check->by_hand) std::cout << "  " << harmless(command) << '\n';
  return 0;
}

int schema(const std::string& of) {
  std::cout << (of == "limits" ? limits_schema() : recipe_schema());
  return 0;
}

}  // namespace rackproof
