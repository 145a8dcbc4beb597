// rackproof-simulator: lays out a simulated node for checks to run on, and says which nodes and faults there are.
//
//   rackproof-simulator lay-out PROFILE DIR [--fault SENTENCE] …
//   rackproof-simulator list
//   rackproof-simulator faults
//
// PROFILE is a name that `list` shows, or a file. Exit codes: 0, or 2 with one sentence on stderr.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/simulator/layout.h"

namespace {

using namespace rackproof::simulator;
namespace fs = std::filesystem;

constexpr int kUsage = 2;

fs::path profile_folder() { return fs::read_symlink("/proc/self/exe").parent_path() / "profiles"; }

std::vector<fs::path> shipped_profiles() {
  std::vector<fs::path> files;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(profile_folder(), none)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

std::string profile_file(const std::string& given) {
  if (given.find('/') != given.npos || given.ends_with(".yaml")) return given;
  std::string names;
  for (const fs::path& file : shipped_profiles()) {
    if (file.stem() == given) return file.string();
    names += (names.empty() ? "" : ", ") + file.stem().string();
  }
  throw std::runtime_error("there is no profile '" + given + "': there are " + (names.empty() ? "none" : names) +
                           ", or a file of your own, FILE.yaml");
}

int list() {
  for (const fs::path& file : shipped_profiles()) {
    const Profile profile = read_profile(file.string());
    std::printf("%-16s %s\n", file.stem().c_str(), profile.summary.c_str());
  }
  return 0;
}

int faults() {
  for (const FaultForm& form : fault_forms()) {
    std::printf("%-40.*s %.*s\n", static_cast<int>(form.words.size()), form.words.data(),
                static_cast<int>(form.meaning.size()), form.meaning.data());
  }
  return 0;
}

int usage(std::FILE* to) {
  std::fputs(
      "usage: rackproof-simulator lay-out PROFILE DIR [--fault SENTENCE] ...   lay a node out in a new folder\n"
      "       rackproof-simulator list                                         the profiles\n"
      "       rackproof-simulator faults                                       what a fault's sentence may be\n",
      to);
  return to == stdout ? 0 : kUsage;
}

int lay_out(std::vector<std::string> words) {
  std::vector<std::string> sentences;
  std::vector<std::string> places;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--fault") {
      if (++i == words.size()) throw std::runtime_error("--fault needs a sentence");
      sentences.push_back(words[i]);
    } else if (words[i].starts_with("--")) {
      throw std::runtime_error("there is no option " + words[i]);
    } else {
      places.push_back(words[i]);
    }
  }
  if (places.size() != 2) return usage(stderr);
  rackproof::simulator::lay_out(profile_file(places[0]), sentences, places[1]);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.empty()) return usage(stderr);
    const std::string command = words.front();
    words.erase(words.begin());
    if (command == "lay-out") return lay_out(std::move(words));
    if (command == "list" && words.empty()) return list();
    if (command == "faults" && words.empty()) return faults();
    if (command == "--help" || command == "-h") return usage(stdout);
    return usage(stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rackproof-simulator: %s\n", error.what());
    return kUsage;
  }
}
