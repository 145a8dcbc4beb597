// The checks that exist here, as their libraries describe themselves. No library is opened by this process: each is
// asked through `rackproof-check --describe`, once, when it is first needed.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graphs/limit.h"
#include "runner/installation.h"

namespace rackproof {

struct ParameterDescription {
  std::string name;
  std::string type;  // as in abi.h
  std::string default_value;
  bool has_default = false;
  std::string unit;
  std::string help;
};

struct MetricDescription {
  MetricDeclaration declaration;
  std::string help;
};

struct Description {
  std::string name;
  std::string layer;
  std::string summary;
  std::string method;
  std::vector<ParameterDescription> parameters;
  std::vector<MetricDescription> metrics;
  std::vector<std::string> by_hand;
  std::string library;  // path
  std::string problem;  // why it could not be described ("libnccl.so.2: cannot open shared object file"); then only
                        // name and library are known, and its trial will say the same
};

class Catalog {
 public:
  // `environment` is for rackproof-check alone, "NAME=value".
  explicit Catalog(Installation installation, std::vector<std::string> environment = {});
  explicit Catalog(std::vector<Description> known);  // for tests

  // nullptr when no such check exists.
  const Description* find(std::string_view name);
  std::vector<std::string> names() const;  // sorted

 private:
  Installation installation_;
  std::vector<std::string> environment_;
  std::map<std::string, Description, std::less<>> described_;
};

}  // namespace rackproof
