#include <catch2/catch.hpp>

#include "runner/input_error.h"
#include "runner/node_set.h"

using namespace rackproof;
using Names = std::vector<std::string>;

TEST_CASE("a set of nodes is written as Slurm writes it", "[node_set]") {
  CHECK(expand_nodes("rp[01-04],x7") == Names{"rp01", "rp02", "rp03", "rp04", "x7"});
  CHECK(expand_nodes("rack[1-2]n[09-10]-ib") == Names{"rack1n09-ib", "rack1n10-ib", "rack2n09-ib", "rack2n10-ib"});
  CHECK(expand_nodes("a[3,001-002,7]") == Names{"a3", "a001", "a002", "a7"});
  CHECK(expand_nodes("a,b,a") == Names{"a", "b"});
  CHECK(expand_nodes("n[8-11]") == Names{"n8", "n9", "n10", "n11"});
}

TEST_CASE("what is no set of nodes is refused with its text", "[node_set]") {
  for (const char* text : {"", "a,", "a[1-", "a[1-x]", "a[3-1]", "a b", "a[]", "a[0-999999]", "a;rm", "a[1234567890]"}) {
    INFO(text);
    CHECK_THROWS_AS(expand_nodes(text), InputError);
  }
}

TEST_CASE("nodes fold into the shortest set, and zeros are kept apart", "[node_set]") {
  CHECK(fold_nodes({"rp03", "rp01", "rp02", "x"}) == "rp[01-03],x");
  CHECK(fold_nodes({"n1", "n01", "n3", "n2"}) == "n01,n[1-3]");
  CHECK(fold_nodes({"rack1n1", "rack1n3", "rack2n1"}) == "rack1n[1,3],rack2n1");
  CHECK(fold_nodes({}).empty());
  Names many;
  for (int i = 1; i <= 1000; ++i) many.push_back("gpu" + std::to_string(i) + "-a");
  CHECK(expand_nodes(fold_nodes(many)).size() == 1000);
}
