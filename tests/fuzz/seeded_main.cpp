// Drives a fuzz target without a fuzzer: every file of the seed folders as it is, then a fixed number of mutations of
// them from a fixed seed. For CI; a real hunt uses libFuzzer (docs/contributing.md).
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void feed(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::string mutated(std::string input, const std::vector<std::string>& seeds, std::mt19937& random) {
  const auto below = [&](std::size_t bound) { return bound == 0 ? 0 : static_cast<std::size_t>(random()) % bound; };
  static const std::string kTokens[] = {"{",
                                        "}",
                                        "[",
                                        "]",
                                        "\"",
                                        "\n",
                                        ":",
                                        "- ",
                                        "&a ",
                                        "*a",
                                        "\xff",
                                        "\t",
                                        "0",
                                        "-1",
                                        "1e999",
                                        "null",
                                        "%",
                                        ">=",
                                        "18446744073709551616",
                                        std::string(1, '\0')};
  for (std::size_t edits = 1 + below(6); edits > 0; --edits) {
    const std::size_t at = below(input.size() + 1);
    switch (below(5)) {
      case 0: input.erase(at, below(20)); break;
      case 1: input.insert(at, kTokens[below(std::size(kTokens))]); break;
      case 2:
        if (at < input.size()) input[at] = static_cast<char>(random());
        break;
      case 3: input.insert(at, input.substr(below(input.size() + 1), below(60))); break;
      case 4: {
        const std::string& other = seeds[below(seeds.size())];
        input = input.substr(0, at) + other.substr(below(other.size() + 1));
        break;
      }
    }
    if (input.size() > 1 << 16) input.resize(1 << 16);
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: " << argv[0] << " MUTATIONS SEED-FOLDER...\n";
    return 2;
  }
  std::vector<std::string> seeds{""};
  for (int i = 2; i < argc; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      std::ostringstream text;
      text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
      seeds.push_back(text.str());
    }
  }
  for (const std::string& seed : seeds) feed(seed);
  std::mt19937 random(20261123);
  const long mutations = std::strtol(argv[1], nullptr, 10);
  for (long i = 0; i < mutations; ++i) feed(mutated(seeds[random() % seeds.size()], seeds, random));
  std::cout << seeds.size() << " seeds and " << mutations << " mutations survived\n";
}
