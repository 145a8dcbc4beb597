// Reads a GraphML file with Boost and prints every value as one tab-separated line, sorted, so that what Boost reads can
// be compared with what other readers do.
#include <boost/graph/graphml.hpp>
#include <algorithm>
#include <any>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

// The dynamic_properties reader refuses much that is valid; this receives whatever the parser delivers.
class Collector : public boost::mutate_graph {
 public:
  bool is_directed() const override { return true; }
  boost::any do_add_vertex() override { return vertices++; }
  std::pair<boost::any, bool> do_add_edge(boost::any source, boost::any target) override {
    ends.emplace_back(boost::any_cast<int>(source), boost::any_cast<int>(target));
    return {boost::any(static_cast<int>(ends.size()) - 1), true};
  }
  void set_graph_property(const std::string& name, const std::string& value, const std::string&) override {
    lines.push_back("graph\t\t" + name + "\t" + value);
  }
  void set_vertex_property(const std::string& name, boost::any vertex, const std::string& value,
                           const std::string&) override {
    lines.push_back("node\t" + std::to_string(boost::any_cast<int>(vertex)) + "\t" + name + "\t" + value);
  }
  void set_edge_property(const std::string& name, boost::any edge, const std::string& value,
                         const std::string&) override {
    lines.push_back("edge\t" + std::to_string(boost::any_cast<int>(edge)) + "\t" + name + "\t" + value);
  }

  int vertices = 0;
  std::vector<std::pair<int, int>> ends;
  std::vector<std::string> lines;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::ifstream file(argv[1]);
  Collector collector;
  boost::read_graphml(file, collector, 0);
  std::cout << "count\t" << collector.vertices << '\t' << collector.ends.size() << '\n';
  for (std::size_t i = 0; i < collector.ends.size(); ++i) {
    std::cout << "ends\t" << i << '\t' << collector.ends[i].first << '\t' << collector.ends[i].second << '\n';
  }
  std::sort(collector.lines.begin(), collector.lines.end());
  for (const std::string& line : collector.lines) std::cout << line << '\n';
}
