// Any bytes are a recipe or are refused with one sentence. An input that speaks of limits is laid over a good recipe,
// and one that begins with "--set " is that option beside it.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "runner/recipe.h"
#include "tests/support/known_checks.h"

using namespace rackproof;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// A file in memory, written anew for each input.
class MemoryFile {
 public:
  explicit MemoryFile(const char* name) : fd_(::memfd_create(name, MFD_CLOEXEC)) { require(fd_ >= 0); }

  std::string write(std::string_view text) const {
    require(::ftruncate(fd_, 0) == 0);
    require(::pwrite(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    return "/proc/self/fd/" + std::to_string(fd_);
  }

 private:
  int fd_;
};

constexpr std::string_view kGoodRecipe = R"(
recipe: good
layers:
  - layer: pcie
    steps:
      - { id: links, check: pcie.link, watch: [ host.counters ], expect: "width == 100 % of width_capable" }
      - { id: scratch, check: storage.throughput, with: { path: /var/tmp } }
)";

void read(const RecipeSources& sources) {
  static Catalog catalog(known_checks());
  try {
    Recipe recipe = read_recipe(sources, catalog);
    require(!recipe.name.empty() && !recipe.steps.empty());
    for (const Step& step : recipe.steps) {
      require(!step.id.empty() && step.timeout.count() > 0 && step.grace.count() > 0);
      for (const Expectation& expectation : step.expectations) require(!expectation.where.empty());
    }
    lay_limits_over(recipe.steps, sources.limits);
  } catch (const InputError& error) {
    const std::string_view sentence = error.what();
    require(sentence.starts_with("/proc/self/fd/") || sentence.starts_with("--set "));
    require(sentence.find('\n') == sentence.npos && sentence.size() < 4096);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const MemoryFile kRecipe("recipe");
  static const MemoryFile kLimits("limits");
  const std::string text(data, data + size);
  // What an include names lies outside this program: a terminal or a pipe would never end.
  if (text.find("include") != text.npos) return -1;
  if (text.starts_with("--set ")) {
    read({.file = kRecipe.write(kGoodRecipe), .limits = {}, .sets = {text.substr(6)}});
  } else if (text.find("limits:") < text.find("recipe:")) {
    read({.file = kRecipe.write(kGoodRecipe), .limits = {kLimits.write(text)}, .sets = {}});
  } else {
    read({.file = kRecipe.write(text), .limits = {}, .sets = {}});
  }
  return 0;
}
