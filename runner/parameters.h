// A step's parameters, checked against what its check declares and written the one way that the check parses.
#pragma once

#include <string>
#include <vector>

#include "graphs/step.h"
#include "runner/catalog.h"
#include "runner/yaml.h"

namespace rackproof {

// Puts the parameters of a step's `with` into Step::with; those of a check that could not be described are taken as
// they are. Throws InputError.
void read_parameters(const YamlNode& with, const Description&, Step&);

// "step.param=value" from the command line, over whatever the recipe gives. Throws InputError.
void set_parameter(const std::string& set, std::vector<Step>&, Catalog&);

// Refuses a step that lacks a parameter without a default.
void check_given(const Step&, const Description&, const Place&);

}  // namespace rackproof
