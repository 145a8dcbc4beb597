#include "graphs/graphml.h"

#include <boost/graph/graphml.hpp>
#include <catch2/catch.hpp>
#include <map>
#include <sstream>

#include "graphs/markup.h"
#include "tests/support/runs.h"

using namespace rackproof;
using namespace rackproof::test;

namespace {

class Reader : public boost::mutate_graph {
 public:
  bool is_directed() const override { return true; }
  boost::any do_add_vertex() override {
    vertices.emplace_back();
    return vertices.size() - 1;
  }
  std::pair<boost::any, bool> do_add_edge(boost::any, boost::any) override {
    edges.emplace_back();
    return {boost::any(edges.size() - 1), true};
  }
  void set_graph_property(const std::string& name, const std::string& value, const std::string&) override {
    graph[name] = value;
  }
  void set_vertex_property(const std::string& name, boost::any vertex, const std::string& value,
                           const std::string&) override {
    vertices[boost::any_cast<std::size_t>(vertex)][name] = value;
  }
  void set_edge_property(const std::string& name, boost::any edge, const std::string& value,
                         const std::string&) override {
    edges[boost::any_cast<std::size_t>(edge)][name] = value;
  }
  const std::map<std::string, std::string>& at(const std::string& path) const {
    for (const auto& vertex : vertices) {
      if (vertex.at("path") == path) return vertex;
    }
    throw std::out_of_range(path);
  }

  std::vector<std::map<std::string, std::string>> vertices;
  std::vector<std::map<std::string, std::string>> edges;
  std::map<std::string, std::string> graph;
};

Reader read_back(const Run& run) {
  std::stringstream text;
  write_graphml(fold(run), text);
  Reader reader;
  boost::read_graphml(text, reader, 0);
  return reader;
}

}  // namespace

TEST_CASE("doubles keep every digit, and integers stay integers") {
  RunBuilder builder({step("s")});
  builder.trial("s", {measured("rate", 1.0 / 3, "GB/s"),
                      Device{"d", "x", "", "", {{"big", std::int64_t{9007199254740993}}, {"half", 0.5}}}, Done{}});
  const Reader reader = read_back(builder.judged("s").run);
  CHECK(reader.at("n/measurement/s/0/rate").at("value") == "0.3333333333333333");
  CHECK(reader.at("n/device/d").at("big") == "9007199254740993");
  CHECK(reader.at("n/device/d").at("half") == "0.5");
}

TEST_CASE("numbers that are none are left out, never written empty") {
  RunBuilder builder({step("s")});
  builder.trial("s", {measured("rate", std::nan(""), "GB/s"), measured("rate", INFINITY, "GB/s"), Done{}});
  const Reader reader = read_back(builder.judged("s").run);
  CHECK_FALSE(reader.at("n/measurement/s/0/rate").contains("value"));
  CHECK_FALSE(reader.at("n/measurement/s/1/rate").contains("value"));
}

TEST_CASE("a fact that would hide one of the writer's own keys is renamed") {
  RunBuilder builder({step("s")});
  builder.trial("s", {Device{"d", "x", "", "", {{"label", std::string("mine")}, {"id", std::int64_t{7}}, {"run_x", 1.5}}}, Done{}});
  const Reader reader = read_back(builder.judged("s").run);
  CHECK(reader.at("n/device/d").at("label") == "d");
  CHECK(reader.at("n/device/d").at("fact_label") == "mine");
  CHECK(reader.at("n/device/d").at("fact_id") == "7");
  CHECK(reader.at("n/device/d").at("fact_run_x") == "1.5");
}

TEST_CASE("a fact of two types is written in the wider one") {
  RunBuilder builder({step("s")});
  builder.trial("s", {Device{"a", "x", "", "", {{"speed", std::int64_t{7}}}}, Device{"b", "x", "", "", {{"speed", 7.5}}},
                      Device{"c", "x", "", "", {{"port", std::int64_t{1}}}},
                      Device{"e", "x", "", "", {{"port", std::string("left")}}}, Done{}});
  std::ostringstream text;
  write_graphml(fold(builder.judged("s").run), text);
  CHECK_THAT(text.str(), Catch::Matchers::Contains(R"(attr.name="speed" attr.type="double")"));
  CHECK_THAT(text.str(), Catch::Matchers::Contains(R"(attr.name="port" attr.type="string")"));
}

TEST_CASE("simulated evidence is said of run, trial, measurement, device and link") {
  RunBuilder builder({step("s")});
  builder.trial("s", {Simulated{"sysroot /x"}, Device{"d", "x", "", "", {}}, Device{"e", "x", "", "d", {}},
                      Link{"d", "e", "pcie", {}}, measured("rate", 1, "GB/s", "d"), Fault{"d", "broken", "it is"}, Done{}});
  const Reader reader = read_back(builder.judged("s").run);
  CHECK(reader.graph.at("run_simulated") == "sysroot /x");
  for (const char* path : {"n/trial/s", "n/measurement/s/4/rate", "n/device/d", "n/fault/s/5"}) {
    INFO(path);
    CHECK(reader.at(path).at("simulated") == "sysroot /x");
  }
  CHECK(std::ranges::count_if(reader.edges, [](const auto& edge) { return edge.contains("edge_simulated"); }) == 1);
}

TEST_CASE("a device is one vertex, whoever reports it, and later reports add to it") {
  RunBuilder builder({step("a"), step("b")});
  builder.trial("a", {Device{"pci:1", "pci", "", "", {{"vendor", std::string("10de")}}}, Done{}}).judged("a");
  builder.trial("b", {Device{"pci:1", "gpu", "H100", "pci:0", {{"vendor", std::string("other")}, {"sm", std::int64_t{90}}}}, Done{}});
  const Reader reader = read_back(builder.judged("b").run);
  CHECK(std::ranges::count_if(reader.vertices, [](const auto& v) { return v.at("path") == "n/device/pci:1"; }) == 1);
  const auto& device = reader.at("n/device/pci:1");
  CHECK(device.at("label") == "H100");
  CHECK(device.at("vendor") == "10de");
  CHECK(device.at("sm") == "90");
}

TEST_CASE("a data path is one edge, whoever reports it") {
  RunBuilder builder({step("a"), step("b")});
  builder.trial("a", {Link{"p", "q", "pcie", {{"speed_gts", 32.0}}}, Done{}}).judged("a");
  builder.trial("b", {Link{"p", "q", "pcie", {{"speed_gts", 8.0}, {"width_lanes", std::int64_t{16}}}},
                      Link{"p", "q", "nvlink", {}}, Done{}});
  const Reader reader = read_back(builder.judged("b").run);
  std::vector<std::map<std::string, std::string>> links;
  for (const auto& edge : reader.edges) {
    if (edge.at("relation") == "link") links.push_back(edge);
  }
  REQUIRE(links.size() == 2);
  CHECK(links[0].at("edge_speed_gts") == "32");
  CHECK(links[0].at("edge_width_lanes") == "16");
}

TEST_CASE("a failed trial blames the devices that its findings name, in shares") {
  RunBuilder builder({step("s", {expect("rate >= 10 GB/s")})});
  builder.trial("s", {measured("rate", 1, "GB/s", "a"), measured("rate", 2, "GB/s", "b"), measured("rate", 20, "GB/s", "c"), Done{}});
  const Reader reader = read_back(builder.judged("s").run);
  std::vector<std::string> weights;
  for (const auto& edge : reader.edges) {
    if (edge.at("relation") == "blames") weights.push_back(edge.at("weight"));
  }
  CHECK(weights == std::vector<std::string>{"0.5", "0.5"});
}

TEST_CASE("text that XML cannot carry becomes U+FFFD, and nothing is read as markup") {
  const auto escaped = [](std::string_view text) {
    std::string out;
    append_escaped(out, text);
    return out;
  };
  CHECK(escaped("a<b>&\"c") == "a&lt;b&gt;&amp;&quot;c");
  CHECK(escaped(std::string_view("a\0b\x01\x1f", 5)) == "a\uFFFDb\uFFFD\uFFFD");
  CHECK(escaped("\t\n\r") == "&#9;&#10;&#13;");
  CHECK(escaped("\xff\xc0\xaf") == "\uFFFD\uFFFD\uFFFD");
  CHECK(escaped("\xed\xa0\x80") == "\uFFFD\uFFFD\uFFFD");  // a surrogate
  CHECK(escaped("\xef\xbf\xbe") == "\uFFFD");
  CHECK(escaped("ü€😀") == "ü€😀");
  CHECK(escaped("]]>") == "]]&gt;");
}
