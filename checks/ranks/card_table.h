// The cards of all ranks, over PMIx: this rank's is put once, any other is fetched from its node when it is asked for.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <pmix.h>

namespace rackproof {

// Each rank's card travels alone and by request ("direct modex"). A fence would make all wait for the slowest, and for
// the dead one for ever.
class CardTable {
 public:
  struct Found {
    bool is_there = false;
    std::string card = {};
    std::string why = {};  // not
  };

  CardTable(const pmix_proc_t& own, std::uint32_t ranks) : own_(own), ranks_(ranks) {}
  CardTable(const CardTable&) = delete;
  CardTable& operator=(const CardTable&) = delete;

  // Why it could not be put; empty when it was.
  std::string put(std::string_view card);
  Found get(pmix_rank_t rank, std::chrono::milliseconds at_most);
  // Asks for a card without waiting for it. What has come once stays, whatever becomes of the other node.
  void ask_for(pmix_rank_t rank);

 private:
  // PMIx is asked for one rank's card once at a time, however many wait for it: a question cannot be taken back, and the
  // answer may come long after everybody gave up. So the table lives as long as the process.
  struct Place {
    CardTable* table = nullptr;
    bool is_asked = false;
    bool is_there = false;
    std::string card;
    pmix_status_t last = PMIX_SUCCESS;
  };
  static void answered(pmix_status_t, pmix_value_t*, void* place);
  void ask(pmix_rank_t rank, Place&, std::unique_lock<std::mutex>&);

  const pmix_proc_t own_;
  const std::uint32_t ranks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<pmix_rank_t, Place> places_;
};

}  // namespace rackproof
