// Times what a large rack costs: `make-journal N FILE`, `replay FILE`, `make-graph FILE`, `write-boost FILE`. Each prints
// its seconds and the largest memory of this process, so that every figure is of a process of its own.
#include <sys/resource.h>

#include <boost/graph/graphml.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <random>
#include <string>

#include "graphs/graphml.h"
#include "graphs/journal.h"

namespace {

using namespace rackproof;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kVertices = 300'000;
constexpr std::size_t kEdges = 600'000;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void print(double seconds) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf("%.4f s %.1f MB\n", seconds, static_cast<double>(usage.ru_maxrss) / 1024.0 * 1.048576);
}

// Trials of a hundred measurements each, on forty devices.
void make_journal(std::size_t events, const std::string& file) {
  JournalWriter journal = JournalWriter::create(file);
  std::int64_t at = 1'700'000'000'000'000;
  const auto say = [&](EventBody body) { journal.append({at += 10, "node0001", std::move(body)}); };
  const std::size_t trials = std::max<std::size_t>(1, events / 105);
  say(RunStarted{"bench-1", "bench", "", "bench.yaml", "0", {"layer"}, {}});
  Step step;
  step.check = "bench.check";
  step.layer = "layer";
  step.metrics = {{"busbw", "GB/s", "higher"}};
  for (std::size_t t = 0; t < trials; ++t) {
    step.id = "step" + std::to_string(t);
    say(StepPlanned{step});
    say(TrialPlanned{step.id + "@node0001", step.id, {}});
  }
  for (std::size_t t = 0; t < trials; ++t) {
    const std::string trial = "step" + std::to_string(t) + "@node0001";
    say(TrialStarted{trial});
    for (int i = 0; i < 100; ++i) {
      Measurement one{.metric = "busbw", .device = "pci:0000:" + std::to_string(10 + i % 40) + ":00.0",
                      .value = 400 + 0.37 * i, .unit = "GB/s", .samples = {}, .counted = {}};
      if (i % 4 == 0) one.samples = Samples{12, one.value - 1, one.value + 1, one.value - 2, true};
      say(Reported{trial, one, ""});
    }
    say(TrialEnded{trial, {}});
    say(TrialJudged{trial, {Outcome::info, "nothing was expected", {}, {}}});
  }
  say(RunEnded{Outcome::info, ""});
}

// Six properties a vertex and two an edge, full-precision numbers among them.
void fill(ResultGraph& graph) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> number(0, 1000);
  TextPool& pool = *graph.pool;
  const auto value = pool.name("value");
  const auto low = pool.name("low");
  const auto samples = pool.name("samples");
  const auto unit = pool.name("unit");
  const auto layer = pool.name("layer");
  const auto reason = pool.name("reason");
  const auto speed = pool.name("speed_gts");
  const auto state = pool.name("state");
  for (std::size_t i = 0; i < kVertices; ++i) {
    Vertex vertex;
    vertex.kind = VertexKind::measurement;
    vertex.path = pool.keep("node0001/measurement/step/" + std::to_string(i));
    vertex.label = "busbw";
    vertex.properties = {{value, number(random)}, {low, number(random)}, {samples, static_cast<std::int64_t>(i)},
                         {unit, "GB/s"},          {layer, "nccl"},       {reason, "3 limits held"}};
    boost::add_vertex(std::move(vertex), graph.graph);
  }
  for (std::size_t i = 0; i < kEdges; ++i) {
    Edge edge;
    edge.kind = EdgeKind::link;
    edge.properties = {{speed, number(random)}, {state, "up"}};
    boost::add_edge(random() % kVertices, random() % kVertices, std::move(edge), graph.graph);
  }
}

void make_graph(const std::string& file) {
  ResultGraph graph;
  fill(graph);
  const auto start = Clock::now();
  std::ofstream out(file, std::ios::binary);
  write_graphml(graph, out);
  out.close();
  print(since(start));
}

// The same properties through Boost's writer, which keeps six digits of each double.
void write_boost(const std::string& file) {
  struct V {
    double value, low;
    long samples;
    std::string unit, layer, reason;
  };
  struct E {
    double speed;
    std::string state;
  };
  using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, V, E>;
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> number(0, 1000);
  Graph graph;
  for (std::size_t i = 0; i < kVertices; ++i) {
    boost::add_vertex(V{number(random), number(random), static_cast<long>(i), "GB/s", "nccl", "3 limits held"}, graph);
  }
  for (std::size_t i = 0; i < kEdges; ++i) {
    boost::add_edge(random() % kVertices, random() % kVertices, E{number(random), "up"}, graph);
  }
  boost::dynamic_properties properties;
  properties.property("value", boost::get(&V::value, graph));
  properties.property("low", boost::get(&V::low, graph));
  properties.property("samples", boost::get(&V::samples, graph));
  properties.property("unit", boost::get(&V::unit, graph));
  properties.property("layer", boost::get(&V::layer, graph));
  properties.property("reason", boost::get(&V::reason, graph));
  properties.property("speed", boost::get(&E::speed, graph));
  properties.property("state", boost::get(&E::state, graph));
  const auto start = Clock::now();
  std::ofstream out(file, std::ios::binary);
  boost::write_graphml(out, graph, properties, true);
  out.close();
  print(since(start));
}

void replay(const std::string& file) {
  const auto start = Clock::now();
  const JournalRead read = read_journal(file);
  const ResultGraph graph = fold(read.run);
  const double seconds = since(start);
  if (boost::num_vertices(graph.graph) == 0) std::abort();
  print(seconds);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "make-journal" && argc == 4) {
    make_journal(std::stoul(argv[2]), argv[3]);
  } else if (what == "replay" && argc == 3) {
    replay(argv[2]);
  } else if (what == "make-graph" && argc == 3) {
    make_graph(argv[2]);
  } else if (what == "write-boost" && argc == 3) {
    write_boost(argv[2]);
  } else {
    std::cerr << "usage: graph_bench make-journal N FILE | replay FILE | make-graph FILE | write-boost FILE\n";
    return 2;
  }
}
