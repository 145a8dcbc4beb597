#include "checks/nccl/groups.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "checks/api/ranks.h"
#include "checks/nccl/group_card.h"
#include "checks/nccl/group_round.h"
#include "checks/nccl/sizes.h"

namespace rackproof {
namespace {

using Clock = std::chrono::steady_clock;

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(std::max<std::int64_t>(1, std::llround(seconds * 1000)));
}

class Groups {
 public:
  explicit Groups(Context& context)
      : context_(context),
        ranks_(Ranks::from_environment()),
        to_start_(milliseconds(context.param<double>("init_timeout"))),
        node_(context) {}

  void run() {
    // What is wrong with a parameter is said before anything is tried.
    static_cast<void>(parse_sizes(context_.param<std::string>("sizes")));
    put_card();
    describe_gpus(context_, node_.gpus);
    const auto cards_until = Clock::now() + to_start_;
    for (std::size_t number = 0; number < ranks_.rounds().size(); ++number) {
      const Group& group = ranks_.rounds()[number];
      if (group.empty()) continue;
      GroupPlan plan = plan_of(number, group, cards_until);
      // One that comes from a group in which somebody was missed is late by as long as it waited there.
      plan.to_start = number == 0 ? to_start_ : 2 * to_start_;
      measure_round(node_, plan);
    }
    for (std::size_t i = 0; i < node_.gpus.size(); ++i) {
      const std::string& gpu = node_.gpus[i].id;
      const GpuFigures& one = node_.figures[i];
      if (one.is_verified) context_.measure("element_errors", gpu, one.errors);
      if (!one.is_timed) continue;
      context_.measure("lateness", gpu, one.lateness_us);
      context_.measure("time", gpu, one.time_us);
    }
    if (node_.trouble) throw *node_.trouble;
  }

 private:
  // Whatever happens, the others are told: none of them then waits for what cannot come.
  void put_card() {
    GroupCard card;
    try {
      node_.find_gpus();
      card.place = node_.calls.place();
      card.gpus = static_cast<int>(node_.gpus.size());
      for (std::size_t number = 0; number < ranks_.rounds().size(); ++number) {
        const Group& group = ranks_.rounds()[number];
        if (group.empty() || group.front().rank != ranks_.own()) continue;
        const World world = world_of_this_node(node_.gpus.size());
        card.ids[number] = std::string(world.id.internal, sizeof world.id.internal);
      }
    } catch (const Skip& skip) {
      put_refusal(skip.why);
      throw;
    } catch (const Trouble& trouble) {
      put_refusal(trouble.why);
      throw;
    } catch (const std::exception& error) {
      put_refusal(error.what());
      throw Trouble{error.what()};
    }
    ranks_.put_card(to_text(card));
    cards_[ranks_.own()] = card;
  }

  void put_refusal(const std::string& why) {
    GroupCard card;
    card.cannot = why.empty() ? "it does not say why" : why;
    ranks_.put_card(to_text(card));
  }

  const GroupCard* card_of(int rank, Clock::time_point until) {
    if (const auto known = cards_.find(rank); known != cards_.end()) return &known->second;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    // Once their time is over one look is enough.
    const auto text = ranks_.card_of(rank, std::max(left, std::chrono::milliseconds(1)));
    return text ? &(cards_[rank] = parse_group_card(*text)) : nullptr;
  }

  GroupPlan plan_of(std::size_t number, const Group& group, Clock::time_point until) {
    GroupPlan plan;
    plan.number = number;
    plan.group = group;
    plan.own = ranks_.own();
    const auto own = std::ranges::find(group, ranks_.own(), &Member::rank);
    if (own == group.end()) throw Trouble{"round " + std::to_string(number) + " is of a group without this rank"};
    plan.is_led = own == group.begin();
    for (const Member& member : group) {
      const GroupCard* card = nullptr;
      std::string why = "never put its card";
      try {
        card = card_of(member.rank, until);
      } catch (const Trouble& trouble) {
        why = "put " + trouble.why;
      }
      if (card != nullptr && !card->cannot.empty()) why = "cannot take part: " + card->cannot;
      if (card == nullptr || !card->cannot.empty()) {
        plan.missing.push_back(member.node + " " + why);
        continue;
      }
      if (member.rank == ranks_.own()) plan.world.first = plan.world.ranks;
      plan.first_ranks.push_back(plan.world.ranks);
      plan.world.ranks += card->gpus;
      if (&member == &group.front()) plan.place = card->place;
      if (const auto id = card->ids.find(number); id != card->ids.end() && &member == &group.front()) {
        std::memcpy(plan.world.id.internal, id->second.data(),
                    std::min(id->second.size(), sizeof plan.world.id.internal));
      }
    }
    return plan;
  }

  Context& context_;
  Ranks ranks_;
  const std::chrono::milliseconds to_start_;
  GroupNode node_;
  std::map<int, GroupCard> cards_;
};

}  // namespace

void measure_groups(Context& context) { Groups(context).run(); }

}  // namespace rackproof
