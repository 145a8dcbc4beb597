#include "runner/fields.h"

namespace rackproof {
namespace {

constexpr bool kRequired = true;
constexpr bool kOptional = false;

constexpr Field kDefaultsFields[] = {
    {"timeout", Form::time, Many::one, kOptional, nullptr, "Time that each step may take, such as 60 s."},
    {"grace", Form::time, Many::one, kOptional, nullptr, "Time between asking a check to end and killing it."},
    {"memory", Form::bytes, Many::one, kOptional, nullptr, "Memory that each check may use, such as 8 GiB."},
    {"optional", Form::flag, Many::one, kOptional, nullptr, "Whether a skip may stand."},
    {"watch", Form::check, Many::list, kOptional, nullptr,
     "Checks whose counters are read before and after each step."},
    {"claims", Form::text, Many::list, kOptional, nullptr, "What each step uses; 'node' is all of the node."},
};

constexpr Field kLimitFields[] = {
    {"expect", Form::sentence, Many::one, kOptional, nullptr, "A limit whose miss is a failure: 'h2d >= 48 GB/s'."},
    {"prefer", Form::sentence, Many::one, kOptional, nullptr, "A limit whose miss is a warning."},
    {"source", Form::text, Many::one, kRequired, nullptr, "Where the figure comes from."},
};

constexpr Field kMatchFields[] = {
    {"device", Form::text, Many::one, kRequired, nullptr, "Kind of device, as checks report it: gpu, nic, package."},
    {"name", Form::text, Many::one, kOptional, nullptr, "Its name; * stands for any text, ? for one character."},
};

constexpr Field kLimitsFields[] = {
    {"limits", Form::name, Many::one, kRequired, nullptr, "Name of this limits file."},
    {"summary", Form::text, Many::one, kOptional, nullptr, "What it is for, in one line."},
    {"match", Form::record, Many::one, kOptional, &kMatchTable, "The device that a node must have for these limits."},
    {"checks", Form::by_check, Many::one, kRequired, &kLimitTable, "By check, what is expected of every such step."},
};

constexpr Field kStepFields[] = {
    {"id", Form::id, Many::one, kOptional, nullptr,
     "Name of the step; the check's name with '-' for '.' if not given."},
    {"check", Form::check, Many::one, kRequired, nullptr, "The check that measures."},
    {"summary", Form::text, Many::one, kOptional, nullptr, "What the step is for, in one line."},
    {"with", Form::parameters, Many::one, kOptional, nullptr, "Parameters of the check."},
    {"expect", Form::sentence, Many::one_or_list, kOptional, nullptr,
     "Limits whose miss is a failure: 'width >= 8 lanes'."},
    {"prefer", Form::sentence, Many::one_or_list, kOptional, nullptr, "Limits whose miss is a warning."},
    {"on", Form::span, Many::one, kOptional, nullptr,
     "Which nodes run it together: pairs, rings, 'groups of 8' or all; if not given, each node runs it by itself."},
    {"rounds", Form::number, Many::one, kOptional, nullptr,
     "How often the nodes are grouped anew: 5 for pairs, 2 for rings, 1 for others if not given."},
    {"within", Form::within, Many::one, kOptional, nullptr,
     "Where the nodes of a group stand: on one leaf, in one rack, or (if not given) any."},
    {"optional", Form::flag, Many::one, kOptional, nullptr, "Whether a skip may stand; false if not given."},
    {"needs", Form::id, Many::list, kOptional, nullptr,
     "Steps that must pass first; every step of the layer below if not given."},
    {"claims", Form::text, Many::list, kOptional, nullptr,
     "What the step uses; steps that share no claim may overlap. 'node', if not given, is all of the node."},
    {"watch", Form::check, Many::list, kOptional, nullptr, "Checks whose counters are read before and after."},
    {"timeout", Form::time, Many::one, kOptional, nullptr, "Time that the step may take; 60 s if not given."},
    {"grace", Form::time, Many::one, kOptional, nullptr,
     "Time between asking the check to end and killing it; 2 s if not given."},
    {"memory", Form::bytes, Many::one, kOptional, nullptr, "Memory that the check may use, such as 8 GiB."},
};

constexpr Field kLayerFields[] = {
    {"layer", Form::id, Many::one, kRequired, nullptr, "Name of the layer."},
    {"summary", Form::text, Many::one, kOptional, nullptr, "What the layer proves, in one line."},
    {"steps", Form::record, Many::list, kRequired, &kStepTable, "Its steps, in order."},
};

constexpr Field kRecipeFields[] = {
    {"recipe", Form::name, Many::one, kRequired, nullptr, "Name of this recipe."},
    {"summary", Form::text, Many::one, kOptional, nullptr, "What it is for, in one line."},
    {"include", Form::text, Many::list, kOptional, nullptr,
     "Recipe files, relative to this one, whose layers come before its own."},
    {"defaults", Form::record, Many::one, kOptional, &kDefaultsTable,
     "For the steps of this file that say nothing else."},
    {"layers", Form::record, Many::list, kOptional, &kLayerTable, "Its layers, bottom first."},
};

}  // namespace

const Table kRecipeTable{"recipe", "a recipe", kRecipeFields, {"layers", "include", true}};
const Table kDefaultsTable{"defaults", "'defaults'", kDefaultsFields};
const Table kLayerTable{"layer", "a layer", kLayerFields};
const Table kStepTable{"step", "a step", kStepFields};
const Table kLimitsTable{"limits", "a limits file", kLimitsFields};
const Table kMatchTable{"match", "'match'", kMatchFields};
const Table kLimitTable{"limit", "a limit", kLimitFields, {"expect", "prefer", false}};

Word word_of(Form form) {
  switch (form) {
    case Form::name: return {"-", "a name of lower-case letters, digits and '-'"};
    case Form::id: return {"_-", "an id of lower-case letters, digits, '_' and '-'"};
    case Form::check: return {"._-", "the name of a check, such as 'pcie.link'"};
    default: return {"", ""};
  }
}

}  // namespace rackproof
