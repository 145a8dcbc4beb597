#include <catch2/catch.hpp>

#include "runner/recipe.h"
#include "tests/support/known_checks.h"
#include "tests/support/text_files.h"

using namespace rackproof;

namespace {

constexpr const char* kRecipe = R"(recipe: r
layers:
  - layer: pcie
    steps:
      - { id: up, check: pcie.bandwidth, expect: [ h2d >= 10 GB/s ] }
      - { id: links, check: pcie.link }
      - { id: again, check: pcie.bandwidth, watch: [ host.counters ] }
)";

constexpr const char* kLimits = R"(limits: hgx-h100
summary: Eight H100 on one board
match: { device: gpu, name: "*H100*SXM*" }
checks:
  pcie.bandwidth:
    - { expect: "h2d >= 48 GB/s", source: "data sheet, table 4" }
    - { prefer: "d2h >= 50 GB/s", source: measured }
  gpu.burn:
    - { expect: "heat <= 80 degC", source: data sheet }
)";

struct Laid {
  TextFiles files;
  Recipe recipe;
  std::string refusal;

  explicit Laid(const std::vector<std::string>& limits, const std::string& text = kRecipe) {
    Catalog catalog(known_checks());
    RecipeSources sources{.file = files.write("recipe.yaml", text), .limits = {}, .sets = {}};
    for (const std::string& file : limits) {
      sources.limits.push_back(files.write("limits-" + std::to_string(sources.limits.size()) + ".yaml", file));
    }
    try {
      recipe = read_recipe(sources, catalog);
    } catch (const InputError& error) {
      refusal = error.what();
    }
  }
};

std::string with(std::string text, const std::string& what, const std::string& by) {
  text.replace(text.find(what), what.size(), by);
  return text;
}

const std::string kGood = with(kLimits, "heat <=", "temperature <=");

}  // namespace

TEST_CASE("a limits file's expectations join those of every step with the check") {
  const Laid laid({kGood});
  REQUIRE(laid.refusal == "");
  const auto& up = laid.recipe.steps[0].expectations;
  REQUIRE(up.size() == 3);
  CHECK(up[0].limit.text == "h2d >= 10 GB/s");
  CHECK(up[0].source == "");
  CHECK_FALSE(up[0].match);
  CHECK(up[1].limit.text == "h2d >= 48 GB/s");
  CHECK_FALSE(up[1].prefer);
  CHECK(up[1].source == "data sheet, table 4");
  CHECK(up[1].where.ends_with("limits-0.yaml:6:17"));
  CHECK(up[1].match == Match{"gpu", "*H100*SXM*"});
  CHECK(up[2].prefer);
  CHECK(laid.recipe.steps[1].expectations.empty());
  CHECK(laid.recipe.steps[2].expectations.size() == 2);
}

TEST_CASE("a match without a name is for every device of its kind, and none for every machine") {
  const Laid any({with(kGood, ", name: \"*H100*SXM*\"", "")});
  CHECK(any.recipe.steps[0].expectations[1].match == Match{"gpu", "*"});
  const Laid all({with(kGood, "match: { device: gpu, name: \"*H100*SXM*\" }\n", "")});
  CHECK_FALSE(all.recipe.steps[0].expectations[1].match);
}

TEST_CASE("several limits files hold together, in their order") {
  const Laid laid({kGood, with(kGood, "48 GB/s", "52 GB/s")});
  const auto& up = laid.recipe.steps[0].expectations;
  REQUIRE(up.size() == 5);
  CHECK(up[1].limit.text == "h2d >= 48 GB/s");
  CHECK(up[3].limit.text == "h2d >= 52 GB/s");
}

TEST_CASE("limits of a check that the recipe does not use are checked as far as they can be") {
  CHECK(Laid({kLimits}).refusal.ends_with(
      "limits-0.yaml:9:17: unknown metric 'heat': there is temperature, busy, idle, power"));
  CHECK(
      Laid({with(kGood, "80 degC", "80 W")}).refusal.ends_with("temperature is a temperature (degC), 'W' is a power"));
  // Of a step that is watched, in another recipe.
  CHECK(Laid({with(kGood, "temperature <= 80 degC", "aer_correctable == 0")}).refusal == "");
  // Of a step in another recipe.
  CHECK(Laid({with(kGood, "<= 80 degC", "<= 90 % of idle.temperature")}).refusal == "");
  CHECK(Laid({with(kGood, "gpu.burn", "nccl.busbw")}).refusal == "");
}

TEST_CASE("a limit must be judgeable at every step with its check") {
  CHECK(Laid({with(kGood, "h2d >= 48 GB/s", "aer_correctable == 0")})
            .refusal.ends_with("limits-0.yaml:6:17: unknown metric 'aer_correctable': there is h2d, d2h"));
  CHECK(Laid({with(kGood, "h2d >= 48 GB/s", "d2h >= 5 % of again.h2d")})
            .refusal.ends_with("step 'again' comes after 'up', not before it"));
}

TEST_CASE("the number of limits at one step is bounded") {
  std::string many = "limits: many\nchecks:\n  pcie.bandwidth:\n    - &one { expect: h2d >= 1 GB/s, source: s }\n";
  for (int i = 0; i < 998; ++i) many += "    - *one\n";
  CHECK(Laid({many}).refusal == "");
  CHECK(Laid({many + "    - *one\n"}).refusal.ends_with("limits-0.yaml:4:22: step 'up' has more than 1000 limits"));
}

TEST_CASE("steps of a journal get other limits and keep the recipe's") {
  Laid laid({kGood});
  REQUIRE(laid.refusal == "");
  std::vector<Step>& steps = laid.recipe.steps;
  const std::string other = laid.files.write("other.yaml", with(kGood, "48 GB/s", "40 GB/s"));
  lay_limits_over(steps, {other});
  REQUIRE(steps[0].expectations.size() == 3);
  CHECK(steps[0].expectations[0].limit.text == "h2d >= 10 GB/s");
  CHECK(steps[0].expectations[1].limit.text == "h2d >= 40 GB/s");
  CHECK(steps[0].expectations[1].where == other + ":6:17");

  lay_limits_over(steps, {});
  CHECK(steps[0].expectations.size() == 1);
  CHECK(steps[2].expectations.empty());

  const std::string wrong = laid.files.write("wrong.yaml", with(kGood, "48 GB/s", "48 ms"));
  CHECK_THROWS_WITH(lay_limits_over(steps, {wrong}), wrong + ":6:17: h2d is a data rate (GB/s), 'ms' is a time");
  // Without a catalog nothing is known about a check that no step uses, nor about one that could not be described.
  const std::string unknown = laid.files.write("unknown.yaml", with(kGood, "gpu.burn", "gpu.melt"));
  lay_limits_over(steps, {unknown});
  steps[0].metrics.clear();
  const std::string odd = laid.files.write("odd.yaml", with(kGood, "h2d >= 48 GB/s", "unheard >= 5 GB/s"));
  CHECK_THROWS_WITH(lay_limits_over(steps, {odd}), Catch::Contains("unknown metric 'unheard'"));  // of step 'again'
  steps[2].metrics.clear();
  lay_limits_over(steps, {odd});
}
