#include "tests/simulator/layout.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/simulator/shared_state.h"

namespace rackproof::simulator {
namespace {

namespace fs = std::filesystem;

std::string said(const Profile& profile, const std::vector<Fault>& faults) {
  std::string text = profile.name;
  for (std::size_t i = 0; i < faults.size(); ++i) text += (i == 0 ? " with " : "; ") + faults[i].text;
  return text;
}

}  // namespace

void lay_out(const std::string& profile_file, const std::vector<std::string>& sentences, const std::string& directory) {
  const Profile profile = read_profile(profile_file);
  std::vector<Fault> faults;
  for (const std::string& sentence : sentences) faults.push_back(parse_fault(sentence, profile));

  const fs::path folder(directory);
  if (fs::exists(folder)) throw std::runtime_error(directory + " is there already: a node is laid out in a new folder");
  try {
    fs::create_directories(folder);
    fs::permissions(folder, fs::perms::owner_all);
    fs::copy_file(profile_file, folder / "profile.yaml");
    std::string lines;
    for (const Fault& fault : faults) lines += fault.text + "\n";
    LayoutTree files(folder);
    files.file("said", said(profile, faults));
    std::ofstream(folder / "faults.txt") << lines;
    map_shared_state(directory);
    LayoutTree root(folder / "sysroot");
    lay_out_host(root, profile);
    lay_out_pci(root, profile, faults);
    lay_out_driver(root, profile, faults);
  } catch (const std::exception& error) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    throw std::runtime_error(profile_file + " cannot be laid out in " + directory + ": " + error.what());
  }
}

}  // namespace rackproof::simulator
