// Small messages back and forth between two partners, each round trip timed.
#pragma once

#include <cstdint>
#include <vector>

#include "checks/api/sampler.h"
#include "checks/fabric/distribution.h"
#include "checks/fabric/lobby.h"
#include "checks/fabric/talk.h"

namespace rackproof {

struct Pinged {
  std::vector<Batch> batches;  // of the samples that were kept
  bool is_steady = false;
};

class PingPong {
 public:
  PingPong(Lobby&, Wire&, std::size_t size, int own, int partner, int round, std::chrono::nanoseconds patience);

  // Begins when the partner is ready. Throws PartnerLost.
  Pinged ping(const SamplerBounds&);
  // Answers until the partner has done.
  void pong();
  bool has_ended();

 private:
  Sample take(Batch&);
  // One message, begun and awaited; what its first byte says.
  void send(TagKind, char first);
  char receive(TagKind);

  Lobby& lobby_;
  Wire& wire_;
  Talk talk_;
  std::vector<char> sent_, received_;
  Requests sending_, receiving_;
  std::int64_t clock_cost_;  // ns
};

}  // namespace rackproof
