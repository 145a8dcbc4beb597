#include "runner/node_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>

#include "runner/node_set.h"

namespace rackproof {
namespace {

constexpr std::size_t kLongestName = 40;

// Of one node in one layer.
struct Cell {
  std::optional<Outcome> outcome;  // the greatest so far
  std::size_t planned = 0;
  std::size_t judged = 0;
  bool runs = false;
  auto operator<=>(const Cell&) const = default;
};
using Row = std::vector<Cell>;

std::string text_of(const Cell& cell) {
  if (cell.planned == 0) return "";
  const bool is_over = cell.judged == cell.planned;
  if (cell.outcome && (is_over || *cell.outcome >= Outcome::warn)) return std::string(to_text(*cell.outcome));
  if (cell.runs) return "...";
  return cell.judged == 0 ? "." : "...";
}

Outcome worst(const Row& row) {
  Outcome greatest = Outcome::skip;
  for (const Cell& cell : row) greatest = std::max(greatest, cell.outcome.value_or(Outcome::skip));
  return greatest;
}

std::map<Row, std::vector<std::string>> rows_of(const Run& run) {
  std::unordered_map<std::string, std::size_t> column;
  for (std::size_t i = 0; i < run.about.layers.size(); ++i) column.emplace(run.about.layers[i], i);
  std::vector<std::string> order;
  std::unordered_map<std::string, Row> by_node;
  for (const TrialRecord& trial : run.trials) {
    const auto [row, is_new] = by_node.try_emplace(trial.node, run.about.layers.size());
    if (is_new) order.push_back(trial.node);
    const auto at = column.find(run.step_of(trial).layer);
    if (at == column.end()) continue;
    Cell& cell = row->second[at->second];
    ++cell.planned;
    cell.runs = cell.runs || trial.open();
    if (!trial.verdict) continue;
    ++cell.judged;
    cell.outcome = std::max(cell.outcome.value_or(Outcome::skip), trial.verdict->outcome);
  }
  std::map<Row, std::vector<std::string>> rows;
  for (const std::string& node : order) rows[by_node.at(node)].push_back(node);
  return rows;
}

}  // namespace

bool is_on_many_nodes(const Run& run) {
  return std::ranges::any_of(run.trials, [&](const TrialRecord& trial) { return trial.node != run.trials.front().node; });
}

std::vector<std::string> node_table(const Run& run, const Terminal& terminal, std::size_t most_rows) {
  struct Line {
    std::string names;
    std::size_t nodes;
    const Row* row;
  };
  const auto rows = rows_of(run);
  std::vector<Line> lines;
  std::size_t width = 5;
  for (const auto& [row, nodes] : rows) {
    std::string names = harmless(fold_nodes(nodes));
    if (nodes.size() > 1 && columns_of(names) > kLongestName) {
      names = cut_to(names, kLongestName - 8) + fmt::format(" ({})", nodes.size());
    }
    width = std::max(width, columns_of(names));
    lines.push_back({std::move(names), nodes.size(), &row});
  }
  std::ranges::stable_sort(lines, [](const Line& a, const Line& b) {
    const Outcome one = worst(*a.row);
    const Outcome other = worst(*b.row);
    return one != other ? one > other : a.names < b.names;
  });
  std::vector<std::string> text;
  const auto& layers = run.about.layers;
  std::string head = fmt::format("  {:{}}", "", width);
  for (const std::string& layer : layers) head += fmt::format("  {:<7}", harmless(layer));
  text.push_back(terminal.bold(head));
  for (std::size_t i = 0; i < std::min(lines.size(), most_rows); ++i) {
    const Line& line = lines[i];
    std::string shown = "  " + line.names + std::string(width - std::min(width, columns_of(line.names)), ' ');
    for (std::size_t column = 0; column < layers.size(); ++column) {
      const Cell& cell = (*line.row)[column];
      const std::string word = fmt::format("{:<{}}", text_of(cell), std::max<std::size_t>(7, layers[column].size()));
      shown += "  " + (cell.outcome && text_of(cell).size() > 3 ? terminal.coloured(*cell.outcome, word) : word);
    }
    text.push_back(std::move(shown));
  }
  if (lines.size() > most_rows) {
    std::size_t nodes = 0;
    for (std::size_t i = most_rows; i < lines.size(); ++i) nodes += lines[i].nodes;
    text.push_back(fmt::format("  and {} nodes more, none worse", nodes));
  }
  return text;
}

}  // namespace rackproof
