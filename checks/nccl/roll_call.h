// Who has come to a round, and how far he got: one datagram to the first member of the group, which reads it only when it
// has to say whom the others waited for. Nothing waits for it, so where no datagram gets through it costs a name and no more.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rackproof {

struct Called {
  std::size_t round = 0;
  int rank = 0;                     // the runner's
  std::optional<int> progress;      // where it stopped: steps of the iterations; absent: it has just come
  bool operator==(const Called&) const = default;
};

class RollCall {
 public:
  RollCall();  // mute and deaf where there is no network
  RollCall(const RollCall&) = delete;
  RollCall& operator=(const RollCall&) = delete;
  ~RollCall();

  // Where this one hears, for its card: words without line ends.
  const std::string& place() const { return place_; }
  void call(std::string_view place, const Called&) const;
  // What was called to this one in this round; that of earlier ones is forgotten. Waits until `wanted` ranks have called
  // a progress, but not longer than this.
  std::vector<Called> hear(std::size_t round, std::size_t wanted = 0, std::chrono::milliseconds at_most = {});

 private:
  void read_all();

  std::string token_;  // what comes without it is somebody else's
  std::string place_;
  std::vector<int> sockets_;
  std::vector<Called> heard_;
};

// "TOKEN ROUND RANK [PROGRESS]", and back; nothing for what is none, or of another token.
std::string to_text(const Called&, std::string_view token);
std::optional<Called> parse_called(std::string_view text, std::string_view token);

// Whom the others waited for, for a sentence: members that called nothing, or those that came less far than all others.
// `names`: by rank, of all but the first member, whose own progress is `own` (absent: it is a matter of coming). Empty:
// nobody can be named.
struct NamedRank {
  int rank = 0;
  std::string node;
};
std::string waited_for(const std::vector<NamedRank>& others, const std::vector<Called>& heard, std::optional<int> own);

}  // namespace rackproof
