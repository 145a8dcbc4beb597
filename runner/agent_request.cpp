#include "runner/agent_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "runner/input_error.h"

namespace rackproof {
namespace {

using Json = nlohmann::json;

constexpr const char* kVariable = "RACKPROOF_AGENT";
constexpr const char* kNodes = "RACKPROOF_AGENT_NODES_";
constexpr const char* kRound = "RACKPROOF_AGENT_ROUND_";
constexpr const char* kWorks[] = {"climb", "span", "forget"};
constexpr const char* kKinds[] = {"hello", "beat", "bye"};
// Linux takes 128 KiB in one variable.
constexpr std::size_t kNodesAVariable = 1000;
// What an agent says begins so, and no event does.
constexpr std::string_view kWordMark = R"({"agent":)";

std::string text_of(const RankRound& round) {
  std::string text;
  for (const RankGroup& group : round) {
    if (!text.empty()) text += ';';
    text += fmt::format("{}", fmt::join(group, ","));
  }
  return text;
}

[[noreturn]] void refuse_round() { throw InputError("agent: a round of the request is malformed"); }

RankRound round_in(std::string_view text) {
  RankRound round;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    std::string_view group = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    RankGroup& ranks = round.emplace_back();
    while (!group.empty()) {
      std::size_t rank = 0;
      const auto [after, code] = std::from_chars(group.data(), group.data() + group.size(), rank);
      if (code != std::errc{}) refuse_round();
      group.remove_prefix(static_cast<std::size_t>(after - group.data()));
      if (!group.empty() && group.front() != ',') refuse_round();
      if (!group.empty()) group.remove_prefix(1);
      ranks.push_back(rank);
    }
  }
  return round;
}

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

template <std::size_t N>
std::size_t place_of(const char* const (&words)[N], const std::string& word) {
  for (std::size_t i = 0; i < N; ++i) {
    if (words[i] == word) return i;
  }
  throw InputError(fmt::format("agent: there is no '{}'", word));
}

}  // namespace

std::vector<std::string> to_environment(const AgentRequest& request) {
  const Json json{{"work", kWorks[static_cast<std::size_t>(request.work)]},
                  {"run", request.run},
                  {"recipe", request.recipe},
                  {"limits", request.limits},
                  {"sets", request.sets},
                  {"sysroot", request.sysroot},
                  {"profile", request.profile},
                  {"faults", request.faults},
                  {"checks", request.checks},
                  {"version", request.version},
                  {"digest", request.digest},
                  {"step", request.step},
                  {"pass", request.pass}};
  std::vector<std::string> environment{fmt::format("{}={}", kVariable, json.dump())};
  for (std::size_t first = 0; first < request.nodes.size(); first += kNodesAVariable) {
    const auto begin = request.nodes.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = request.nodes.begin() +
                     static_cast<std::ptrdiff_t>(std::min(first + kNodesAVariable, request.nodes.size()));
    environment.push_back(fmt::format("{}{}={}", kNodes, first / kNodesAVariable, fmt::join(begin, end, ",")));
  }
  for (std::size_t i = 0; i < request.rounds.size(); ++i) {
    environment.push_back(fmt::format("{}{}={}", kRound, i, text_of(request.rounds[i])));
  }
  return environment;
}

AgentRequest agent_request_from_environment() {
  const auto text = variable(kVariable);
  if (!text) throw InputError("agent: is started by a run on many nodes, not by hand");
  AgentRequest request;
  try {
    const Json json = Json::parse(*text);
    request.work = static_cast<AgentRequest::Work>(place_of(kWorks, json.at("work")));
    json.at("run").get_to(request.run);
    json.at("recipe").get_to(request.recipe);
    json.at("limits").get_to(request.limits);
    json.at("sets").get_to(request.sets);
    json.at("sysroot").get_to(request.sysroot);
    json.at("profile").get_to(request.profile);
    json.at("faults").get_to(request.faults);
    json.at("checks").get_to(request.checks);
    json.at("version").get_to(request.version);
    json.at("digest").get_to(request.digest);
    json.at("step").get_to(request.step);
    json.at("pass").get_to(request.pass);
  } catch (const Json::exception& error) {
    throw InputError(fmt::format("agent: the request is malformed: {}", error.what()));
  }
  for (std::size_t i = 0; const auto nodes = variable(fmt::format("{}{}", kNodes, i)); ++i) {
    for (std::string_view rest = *nodes; !rest.empty();) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      request.nodes.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  for (std::size_t i = 0; const auto round = variable(fmt::format("{}{}", kRound, i)); ++i) {
    request.rounds.push_back(round_in(*round));
  }
  return request;
}

std::string encode(const AgentWord& word) {
  nlohmann::ordered_json json{{"agent", kKinds[static_cast<std::size_t>(word.kind)]}, {"at_us", word.at_us}};
  if (!word.version.empty()) json["version"] = word.version;
  if (!word.digest.empty()) json["digest"] = word.digest;
  if (!word.trouble.empty()) json["trouble"] = word.trouble;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<AgentWord> agent_word_in(std::string_view line) {
  if (!line.starts_with(kWordMark)) return std::nullopt;
  try {
    const Json json = Json::parse(line);
    AgentWord word;
    word.kind = static_cast<AgentWord::Kind>(place_of(kKinds, json.at("agent")));
    word.at_us = json.at("at_us");
    word.version = json.value("version", "");
    word.digest = json.value("digest", "");
    word.trouble = json.value("trouble", "");
    return word;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace rackproof
