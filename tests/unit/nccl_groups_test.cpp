#include <catch2/catch.hpp>
#include <string>

#include "checks/api/last_word.h"
#include "checks/nccl/collective.h"
#include "checks/nccl/graph_xml.h"
#include "checks/nccl/group_card.h"
#include "checks/nccl/roll_call.h"

using namespace rackproof;
using namespace std::chrono_literals;

TEST_CASE("nccl.allreduce: a card comes back as it was put") {
  GroupCard card;
  card.gpus = 8;
  card.place = "0123abcd 10.0.0.1/4711 fd00::1/4711";
  card.ids[0] = std::string("\x01\x00\xff id", 6);
  card.ids[7] = std::string("\x7f", 1) + std::string(127, '\0');
  const GroupCard read = parse_group_card(to_text(card));
  CHECK(read.gpus == 8);
  CHECK(read.place == card.place);
  CHECK(read.ids.at(0) == card.ids.at(0));
  // What follows is zeros in the id that it is copied into.
  CHECK(read.ids.at(7) == "\x7f");

  GroupCard none;
  none.cannot = "no GPU\nat all";
  CHECK(parse_group_card(to_text(none)).cannot == "no GPU at all");
  for (const char* bad : {"", "gpus\n", "gpus 0\n", "gpus 8\nid 0 0g\n", "gpus 8\nid 0 123\n", "gpus 8\nid x 12\n"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_group_card(bad), Trouble);
  }
}

TEST_CASE("nccl.allreduce: a card with an id for each of hundreds of rounds fits on the table") {
  GroupCard card;
  card.gpus = 8;
  // Eight bytes of magic and an address of up to 28: the rest of a real id is zeros.
  for (std::size_t round = 0; round < 500; ++round) card.ids[round] = std::string(36, 'x') + std::string(92, '\0');
  CHECK(to_text(card).size() < 64 << 10);
}

TEST_CASE("nccl.allreduce: what leaves a node of a busbw") {
  CHECK(leaving_factor(Collective::all_reduce, 16, 8) == 1);
  CHECK(leaving_factor(Collective::all_gather, 72, 8) == 1);
  // Each of 8 ranks sends 8 of 15 parts elsewhere.
  CHECK(leaving_factor(Collective::all_to_all, 16, 8) == Approx(64.0 / 15));
  CHECK(leaving_factor(Collective::all_to_all, 8, 8) == 0);
  CHECK(leaving_factor(Collective::send_receive, 16, 8) == 0);
}

TEST_CASE("nccl.allreduce: the budget between nodes is that of the ring at its speed there") {
  const std::vector<NcclGraph> graphs{{.id = 3, .channels = 8, .channel_gbs = 40, .between_gbs = 48, .type_intra = {}},
                                      {.id = 0, .channels = 8, .channel_gbs = 60, .between_gbs = 48, .type_intra = {}}};
  CHECK(budget_between_nodes(graphs)->gbs == 384);
  CHECK_FALSE(budget_between_nodes({}));
}

TEST_CASE("nccl.allreduce: whom the others waited for") {
  const std::vector<NamedRank> others{{1, "b"}, {2, "c"}};
  const auto came = [](int rank) { return Called{0, rank, std::nullopt}; };
  const auto stopped = [](int rank, int progress) { return Called{0, rank, progress}; };
  CHECK(waited_for(others, {came(1)}, std::nullopt) == "c");
  CHECK(waited_for(others, {came(1), came(2)}, std::nullopt).empty());
  // Nobody was heard of: datagrams may not get through; of two nodes it can only be the other.
  CHECK(waited_for(others, {}, std::nullopt).empty());
  CHECK(waited_for({{1, "b"}}, {}, std::nullopt) == "b");
  // Of those that stopped, the one that came less far; of those that say nothing, all.
  CHECK(waited_for(others, {stopped(1, 21), stopped(2, 20)}, 21) == "c");
  CHECK(waited_for(others, {came(1), came(2), stopped(1, 21)}, 21) == "c");
  CHECK(waited_for(others, {stopped(1, 21), stopped(2, 21)}, 21).empty());
  CHECK(waited_for(others, {stopped(1, 21), stopped(2, 21)}, 20).empty());
}

TEST_CASE("nccl.allreduce: a call is read by whoever has its token alone") {
  const Called call{3, 12, 21};
  CHECK(parse_called(to_text(call, "abc"), "abc") == call);
  CHECK(parse_called(to_text({3, 12, std::nullopt}, "abc"), "abc") == Called{3, 12, std::nullopt});
  CHECK_FALSE(parse_called(to_text(call, "abc"), "abd"));
  CHECK_FALSE(parse_called("abc", "abc"));
  CHECK_FALSE(parse_called("", ""));
}

TEST_CASE("nccl.allreduce: calls get from one process's sockets to another's, once, and old ones are forgotten") {
  RollCall first;
  RollCall second;
  second.call(first.place(), {0, 1, std::nullopt});
  second.call(first.place(), {1, 1, 7});
  CHECK(first.hear(1, 1, 2s) == std::vector<Called>{{1, 1, 7}});
  CHECK(first.hear(0).empty());
  CHECK(second.hear(0).empty());
}
