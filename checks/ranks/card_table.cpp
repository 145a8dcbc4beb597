#include "checks/ranks/card_table.h"

#include <algorithm>

namespace rackproof {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kKey[] = "rackproof.card";
// Between two questions, where PMIx says at once that there is none yet.
constexpr std::chrono::milliseconds kPause{50};

}  // namespace

std::string CardTable::put(std::string_view card) {
  {
    const std::lock_guard lock(mutex_);
    Place& place = places_[own_.rank];
    if (place.is_there) return "this rank has put its card already";
    place.is_there = true;
    place.card = card;
  }
  changed_.notify_all();
  std::string bytes(card);
  pmix_value_t value{};
  value.type = PMIX_BYTE_OBJECT;
  value.data.bo = {bytes.data(), bytes.size()};
  pmix_status_t status = PMIx_Put(PMIX_GLOBAL, kKey, &value);
  if (status == PMIX_SUCCESS) status = PMIx_Commit();
  return status == PMIX_SUCCESS ? "" : PMIx_Error_string(status);
}

CardTable::Found CardTable::get(pmix_rank_t rank, std::chrono::milliseconds at_most) {
  if (rank >= ranks_) return {.why = "there are " + std::to_string(ranks_) + " ranks"};
  const auto deadline = Clock::now() + at_most;
  std::unique_lock lock(mutex_);
  Place& place = places_[rank];
  while (true) {
    ask(rank, place, lock);
    changed_.wait_until(lock, deadline, [&] { return place.is_there || !place.is_asked; });
    if (place.is_there) return {.is_there = true, .card = place.card};
    if (Clock::now() >= deadline) break;
    changed_.wait_until(lock, std::min(deadline, Clock::now() + kPause));
  }
  if (place.last == PMIX_SUCCESS) return {.why = "it has put no card in this time"};
  return {.why = std::string("PMIx says ") + PMIx_Error_string(place.last)};
}

void CardTable::ask_for(pmix_rank_t rank) {
  if (rank >= ranks_) return;
  std::unique_lock lock(mutex_);
  ask(rank, places_[rank], lock);
}

void CardTable::ask(pmix_rank_t rank, Place& place, std::unique_lock<std::mutex>& lock) {
  if (place.is_there || place.is_asked || rank == own_.rank) return;
  place.table = this;
  place.is_asked = true;
  pmix_proc_t other = own_;
  other.rank = rank;
  lock.unlock();
  const pmix_status_t status = PMIx_Get_nb(&other, kKey, nullptr, 0, &CardTable::answered, &place);
  if (status != PMIX_SUCCESS) answered(status, nullptr, &place);
  lock.lock();
}

// Called by PMIx in a thread of its own.
void CardTable::answered(pmix_status_t status, pmix_value_t* value, void* cookie) {
  Place& place = *static_cast<Place*>(cookie);
  {
    const std::lock_guard lock(place.table->mutex_);
    place.is_asked = false;
    place.last = status;
    if (status == PMIX_SUCCESS && value != nullptr && value->type == PMIX_BYTE_OBJECT) {
      place.card.assign(value->data.bo.bytes, value->data.bo.size);
      place.is_there = true;
    }
  }
  place.table->changed_.notify_all();
}

}  // namespace rackproof
