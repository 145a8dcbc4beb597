// Lines on their way from a rank to the controller through an engine's stdout, which may cut long lines and mixes the
// ranks: each line goes in numbered frames, so that the other end puts it together again and sees what is lacking.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace rackproof {

// Slurm keeps lines of up to 1024 bytes whole, Open MPI blocks of 4096.
inline constexpr std::size_t kLongestFrame = 1000;

class FrameWriter {
 public:
  FrameWriter(int fd, std::size_t rank) : fd_(fd), rank_(rank) {}
  // False when nobody reads any more, or nobody has for a minute.
  bool send(std::string_view line);

 private:
  int fd_;
  std::size_t rank_;
  std::uint64_t next_ = 0;
};

class FrameReader {
 public:
  struct Taken {
    std::size_t rank = 0;
    std::optional<std::string> line;  // nothing yet: more frames of it follow
    bool is_lost = false;             // frames of this rank are lacking: nothing of it is taken from here on
  };
  // Nothing for a line that is no frame: the engine's own words.
  std::optional<Taken> take(std::string_view line);

 private:
  struct Rank {
    std::uint64_t next = 0;
    std::string partial;
    bool is_lost = false;
  };
  std::map<std::size_t, Rank> ranks_;
};

}  // namespace rackproof
