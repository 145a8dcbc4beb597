// Every format that a run can be written in, by name.
#pragma once

#include <ostream>
#include <span>
#include <string_view>

#include "graphs/result_graph.h"

namespace rackproof {

// A pure function from the graph to bytes.
struct ExportFormat {
  std::string_view name;
  std::string_view extension;
  std::string_view help;
  void (*write)(const ResultGraph&, std::ostream&);
};

std::span<const ExportFormat> export_formats();
const ExportFormat* find_export_format(std::string_view name);  // nullptr when there is none

}  // namespace rackproof
