#include "tests/simulator/fault.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <optional>
#include <stdexcept>

#include "checks/api/quantity.h"

namespace rackproof::simulator {
namespace {

using enum FaultKind;

// Capitals stand for values; what stands in brackets, always at the end, may be left out.
constexpr FaultForm kForms[] = {
    {"gpu:N missing", gpu_missing, "neither on PCI nor known to the driver"},
    {"gpu:N lost [after TIME]", gpu_lost, "falls off the bus after TIME of its own work (0 s)"},
    {"gpu:N hangs [after TIME]", gpu_hangs, "what it begins after TIME of its own work (0 s) never ends"},
    {"gpu:N link width LANES", link_width, "its PCIe link trained down to fewer lanes; so is its bandwidth"},
    {"gpu:N link speed RATE", link_speed, "its PCIe link trained down to a lower rate, such as 16 GT/s"},
    {"gpu:N link errors", link_errors, "correctable AER errors and replays rise while it copies"},
    {"switch:N uplink SHARE", uplink_share, "carries only SHARE, such as 50 %; nothing in /sys shows it"},
    {"gpu:N flips copies", flip_copies, "a bit changes in one of every few copies to the host or from it"},
    {"gpu:N flips peer copies", flip_peer_copies, "likewise in what it reads from a peer"},
    {"gpu:N flips memory stuck", memory_stuck, "a bit of its memory reads the same whatever was written"},
    {"gpu:N flips memory coupled", memory_coupled, "a bit of its memory changes when its neighbour is written"},
    {"gpu:N flips memory rare", memory_rare, "a bit of its memory changes now and then"},
    {"gpu:N flips gemm random", gemm_random, "now and then a product is wrong"},
    {"gpu:N flips gemm always", gemm_always, "every product is wrong, in the same way each time"},
    {"gpu:N flips collective", flip_collective, "now and then what it holds after a collective is wrong"},
    {"gpu:N ecc corrected", ecc_corrected, "corrected memory errors are counted while it works"},
    {"gpu:N ecc uncorrected", ecc_uncorrected, "uncorrected memory errors are counted while it works"},
    {"gpu:N remap pending", remap_pending, "a row of its memory waits for a reset to be remapped"},
    {"gpu:N remap rising", remap_rising, "rows are remapped while it works"},
    {"gpu:N remap failed", remap_failed, "a row could not be remapped"},
    {"gpu:N throttles thermal [after TIME]", throttle_thermal, "too hot after TIME of its own work (0 s), and slower"},
    {"gpu:N throttles power [after TIME]", throttle_power, "held by its power brake after TIME of work (0 s)"},
    {"gpu:N slow SHARE", slow, "all its work takes longer, by SHARE of the rate"},
    {"gpu:N nvlink LINK down", nvlink_down, "one NVLink is not active, counted from 0"},
    {"gpu:N nvlink LINK errors", nvlink_errors, "one NVLink counts errors while it carries data"},
    {"gpu:N nccl hung", nccl_hung, "its rank does not come out of a collective, and the others wait in the next"},
    {"gpu:N nccl slow [SHARE]", nccl_slow, "its rank comes to each collective late, by SHARE of what it takes (50 %)"},
    {"gpu:N memory full", memory_full, "somebody else holds nearly all of its memory"},
    {"gpu:N process", other_process, "somebody else computes on it"},
    {"gpu:N xid CODE", xid, "an Xid of it stands in the kernel's log"},
    {"nic:N slow SHARE", nic_slow, "it carries less by SHARE between nodes; nothing in /sys shows it"},
    {"node hung", node_hung, "its NCCL never comes together with that of other nodes"},
    {"fabric down", fabric_down, "the fabric manager does not run: no GPU has joined the NVLink fabric, CUDA does not start"},
    {"driver old", driver_old, "older than the CUDA runtime needs"},
    {"nvml silent", nvml_silent, "NVML does not initialise"},
};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  constexpr std::string_view kBlanks = " \t";
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    if (text.empty()) return words;
    const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

bool stands_for_value(std::string_view word) {
  return std::ranges::all_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
}

struct Form {
  const FaultForm* form;
  std::vector<std::string> words;  // without brackets
  std::size_t required;            // words that must be there
};

std::vector<Form> parsed_forms() {
  std::vector<Form> forms;
  for (const FaultForm& form : kForms) {
    Form parsed{&form, words_of(form.words), 0};
    parsed.required = parsed.words.size();
    for (std::size_t i = 0; i < parsed.words.size(); ++i) {
      if (parsed.words[i].front() == '[') parsed.required = i;
      std::erase_if(parsed.words[i], [](char c) { return c == '[' || c == ']'; });
    }
    forms.push_back(std::move(parsed));
  }
  return forms;
}

class Sentence {
 public:
  Sentence(std::string_view text, const Profile& profile)
      : text_(text), profile_(profile), words_(words_of(text)) {
    // "50 %" and "16 GT/s" are one value each.
    for (std::size_t i = 1; i < words_.size(); ++i) {
      const bool is_number = words_[i - 1].find_first_not_of("0123456789.") == std::string::npos;
      QuantityError ignored;
      if (is_number && parse_quantity(words_[i - 1] + " " + words_[i], ignored)) {
        words_[i - 1] += " " + words_[i];
        words_.erase(words_.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
  }

  Fault parse() {
    if (words_.empty()) {
      throw std::runtime_error("a fault is a sentence such as 'gpu:3 link width 8', and this is empty");
    }
    read_part();
    const Form& form = fitting_form();
    fault_.kind = form.form->kind;
    fault_.text = text_;
    if (fault_.kind == fabric_down && profile_.kind.nvlinks == 0) refuse("the GPUs of " + profile_.name + " have no NVLink");
    if (fault_.kind == nccl_slow) fault_.amount = 50;
    for (std::size_t i = 1; i < words_.size(); ++i) {
      if (stands_for_value(form.words[i])) read_value(form.words[i], words_[i]);
    }
    return fault_;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const { throw std::runtime_error("'" + text_ + "': " + why); }

  // "gpu:3" → "gpu:N", and the number is kept.
  void read_part() {
    const std::string& first = words_.front();
    if (first == "driver" || first == "fabric" || first == "nvml" || first == "node") return;
    const std::size_t colon = first.find(':');
    const std::string kind = first.substr(0, colon);
    if ((kind != "gpu" && kind != "switch" && kind != "nic") || colon == std::string::npos) {
      refuse("'" + first + "' is no part: a fault begins with gpu:N, nic:N, switch:N, driver, fabric, node or nvml");
    }
    const auto parts = static_cast<int>(kind == "gpu"   ? profile_.gpus.size()
                                        : kind == "nic" ? profile_.nics.size()
                                                        : profile_.switches.size());
    const std::string_view digits = std::string_view(first).substr(colon + 1);
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), fault_.target);
    if (code != std::errc{} || end != digits.data() + digits.size() || fault_.target < 0 || fault_.target >= parts) {
      refuse("there is no " + first + ": " + profile_.name + " has " + kind + ":0" +
             (parts > 1 ? " to " + kind + ":" + std::to_string(parts - 1) : ""));
    }
    words_.front() = kind + ":N";
  }

  const Form& fitting_form() const {
    static const std::vector<Form> forms = parsed_forms();
    std::size_t furthest = 0;
    std::vector<std::string> next;  // what may stand there
    bool may_end = false;
    for (const Form& form : forms) {
      std::size_t matched = 0;
      while (matched < std::min(words_.size(), form.words.size()) &&
             (words_[matched] == form.words[matched] || stands_for_value(form.words[matched]))) {
        ++matched;
      }
      // An optional value comes with the word before it.
      const bool is_whole = matched == form.required || matched == form.words.size();
      if (matched == words_.size() && is_whole) return form;
      if (matched > furthest) {
        furthest = matched;
        next.clear();
        may_end = false;
      }
      if (matched < furthest || furthest == 0) continue;
      if (is_whole) may_end = true;
      if (matched < form.words.size() && std::ranges::count(next, form.words[matched]) == 0) {
        next.push_back(form.words[matched]);
      }
    }
    for (std::string& word : next) word = stands_for_value(word) ? word : "'" + word + "'";
    if (may_end) next.emplace_back("nothing");
    std::string choices;
    for (std::size_t i = 0; i < next.size(); ++i) {
      choices += (i == 0 ? "" : i + 1 == next.size() ? " or " : ", ") + next[i];
    }
    const std::string before = before_word(furthest);
    if (furthest == words_.size()) refuse("is not complete: after '" + before + "' comes " + choices);
    refuse("'" + words_[furthest] + "' does not fit: after '" + before + "' comes " + choices);
  }

  std::string before_word(std::size_t count) const {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
      const bool is_part = i == 0 && fault_.target >= 0;
      text += (i == 0 ? "" : " ") +
              (is_part ? words_[0].substr(0, words_[0].size() - 1) + std::to_string(fault_.target) : words_[i]);
    }
    return text;
  }

  std::optional<double> amount(const std::string& word, std::string_view unit) const {
    QuantityError ignored;
    const auto quantity = parse_quantity(word, ignored);
    return quantity ? convert(*quantity, *find_unit(unit)) : std::nullopt;
  }

  int whole(const std::string& word, int least, int most, const std::string& what) const {
    int value = 0;
    const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (code != std::errc{} || end != word.data() + word.size() || value < least || value > most) {
      refuse("'" + word + "' is no " + what + " from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return value;
  }

  void read_value(const std::string& stands, const std::string& word) {
    if (stands == "TIME") {
      const auto seconds = amount(word, "s");
      if (!seconds || *seconds < 0) refuse("'" + word + "' is no time such as '10 s'");
      fault_.after_s = *seconds;
    } else if (stands == "SHARE") {
      const auto percent = amount(word, "%");
      if (!percent || *percent <= 0 || *percent >= 100) refuse("'" + word + "' is no share between 0 % and 100 %");
      fault_.amount = *percent;
    } else if (stands == "RATE") {
      constexpr double kRates[] = {2.5, 5, 8, 16, 32, 64};
      const double rate = amount(word, "GT/s").value_or(0);
      if (std::ranges::find(kRates, rate) == std::end(kRates) || rate >= profile_.slot.speed_gts) {
        refuse("'" + word + "' is no speed of PCIe below the " + shortest(profile_.slot.speed_gts) +
               " GT/s that its slot can do");
      }
      fault_.amount = rate;
    } else if (stands == "LANES") {
      const int lanes = whole(word, 1, profile_.slot.width, "number of lanes");
      if ((lanes & (lanes - 1)) != 0 || lanes == profile_.slot.width) {
        refuse("'" + word + "' is no width of PCIe below the " + std::to_string(profile_.slot.width) +
               " lanes that its slot has");
      }
      fault_.amount = lanes;
    } else if (stands == "LINK") {
      if (profile_.kind.nvlinks == 0) refuse("the GPUs of " + profile_.name + " have no NVLink");
      fault_.index = whole(word, 0, profile_.kind.nvlinks - 1, "NVLink");
    } else {
      fault_.amount = whole(word, 1, 999, "Xid");
    }
  }

  std::string text_;
  const Profile& profile_;
  std::vector<std::string> words_;
  Fault fault_;
};

}  // namespace

std::span<const FaultForm> fault_forms() { return kForms; }

Fault parse_fault(std::string_view text, const Profile& profile) {
  if (text.find('\n') != text.npos) throw std::runtime_error("a fault is one line");
  return Sentence(text, profile).parse();
}

std::vector<Fault> read_faults(const std::string& file, const Profile& profile) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error(file + ": cannot be read");
  std::vector<Fault> faults;
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      faults.push_back(parse_fault(line, profile));
    } catch (const std::runtime_error& error) {
      throw std::runtime_error(file + ":" + std::to_string(number) + ": " + error.what());
    }
  }
  return faults;
}

}  // namespace rackproof::simulator
