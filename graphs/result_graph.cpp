#include "graphs/result_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>

#include "graphs/span.h"
#include "graphs/span_evidence.h"

namespace rackproof {
namespace {

using Id = std::uint32_t;

class Folder {
 public:
  Folder(const Run& run, ResultGraph& result) : run_(run), result_(result) {}

  void fold() {
    about_run();
    for (const Step& step : run_.steps) steps_.push_back(about_step(step));
    for (std::size_t i = 0; i < run_.steps.size(); ++i) {
      for (const std::string& need : run_.steps[i].needs) {
        if (const auto needed = run_.find_step(need)) connect(steps_[i], steps_[*needed], EdgeKind::needs);
      }
    }
    for (const TrialRecord& trial : run_.trials) trials_.push_back(about_trial(trial));
    // Devices first, over all trials: a measurement may come before the report of its device.
    for (const TrialRecord& trial : run_.trials) {
      for (const Report& report : trial.reports) about_device(trial, report);
      for (const WatchedReport& watched : trial.watched) about_device(trial, watched.report);
    }
    for (const auto& [child, parent] : parents_) connect(child, parent, EdgeKind::part_of);
    for (std::size_t i = 0; i < run_.trials.size(); ++i) about_evidence(i);
  }

 private:
  Id add(VertexKind kind, std::string_view path, std::string_view label) {
    Vertex vertex;
    vertex.kind = kind;
    vertex.path = result_.pool->keep(path);
    vertex.label = result_.pool->keep(label);
    return static_cast<Id>(boost::add_vertex(std::move(vertex), result_.graph));
  }

  Edge& connect(Id from, Id to, EdgeKind kind) {
    Edge edge;
    edge.kind = kind;
    return result_.graph[boost::add_edge(from, to, std::move(edge), result_.graph).first];
  }

  void put(Properties& properties, std::string_view name, std::string_view text) {
    if (!text.empty()) properties.emplace_back(result_.pool->name(name), result_.pool->keep(text));
  }
  // For texts that live as long as the program.
  void put_constant(Properties& properties, std::string_view name, std::string_view text) {
    properties.emplace_back(result_.pool->name(name), text);
  }
  void put(Properties& properties, std::string_view name, std::int64_t number) {
    properties.emplace_back(result_.pool->name(name), number);
  }
  void put(Properties& properties, std::string_view name, double number) {
    if (std::isfinite(number)) properties.emplace_back(result_.pool->name(name), number);
  }
  void put(Properties& properties, const Facts& facts) {
    for (const auto& [name, value] : facts) {
      std::visit([&, &key = name](const auto& v) { put(properties, key, v); }, value);
    }
  }
  void put(Properties& properties, std::string_view name, const std::string& text) {
    put(properties, name, std::string_view(text));
  }

  // What is known already stays: the first to speak of a part is the one that was asked about it.
  void put_once(Properties& properties, std::string_view name, const FactValue& value) {
    const TextPool::Name key = result_.pool->name(name);
    if (std::ranges::count(properties, key, &Property::name) > 0) return;
    std::visit([&](const auto& v) { put(properties, name, v); }, value);
  }

  Properties& of(Id vertex) { return result_.graph[vertex].properties; }

  void about_run() {
    const RunStarted& about = run_.about;
    const Id vertex = add(VertexKind::run, "run/" + about.run, about.recipe);
    std::string simulated;
    for (const TrialRecord& trial : run_.trials) {
      if (simulated.empty()) simulated = trial.simulated();
    }
    for (Properties* properties : {&of(vertex), &result_.properties}) {
      put(*properties, "recipe", about.recipe);
      put(*properties, "summary", about.summary);
      put(*properties, "version", about.version);
      put(*properties, "outcome", to_text(run_.outcome()));
      put(*properties, "simulated", simulated);
      put(*properties, "started_us", run_.started_us);
      put(*properties, "trials", static_cast<std::int64_t>(run_.trials.size()));
      put(*properties, "interrupted",
          run_.ended ? run_.ended->interrupted : std::string("the journal ends before the run does"));
    }
    put(of(vertex), about.facts);
    node(run_.node);
  }

  Id node(const std::string& name) {
    const auto [found, is_new] = nodes_.try_emplace(name, 0);
    if (is_new) found->second = add(VertexKind::node, name, name);
    return found->second;
  }

  Id about_step(const Step& step) {
    const Id vertex = add(VertexKind::step, fmt::format("step/{}", step.id), step.id);
    Properties& properties = of(vertex);
    put(properties, "check", step.check);
    put(properties, "layer", step.layer);
    put(properties, "summary", step.summary);
    std::string limits;
    for (const Expectation& expectation : step.expectations) {
      if (!limits.empty()) limits += "; ";
      limits += expectation.limit.text;
    }
    put(properties, "limits", limits);
    return vertex;
  }

  Id about_trial(const TrialRecord& trial) {
    const Step& step = run_.step_of(trial);
    const Id vertex = add(VertexKind::trial, fmt::format("{}/trial/{}", trial.node, step.id), step.id);
    connect(vertex, steps_[trial.step], EdgeKind::trial_of);
    connect(vertex, node(trial.node), EdgeKind::ran_on);
    Properties& properties = of(vertex);
    put(properties, "check", step.check);
    put(properties, "layer", step.layer);
    put(properties, "simulated", trial.simulated());
    if (trial.verdict) {
      put_constant(properties, "outcome", to_text(trial.verdict->outcome));
      put(properties, "reason", trial.verdict->reason);
    } else {
      put_constant(properties, "outcome", trial.started ? "open" : "planned");
    }
    if (trial.ending) {
      put_constant(properties, "ended", to_text(trial.ending->how));
      put(properties, "duration_us", trial.ending->duration_us);
      put(properties, "cpu_us", trial.ending->cpu_us);
      put(properties, "memory_bytes", trial.ending->memory_bytes);
    }
    return vertex;
  }

  // A device is one vertex, whoever reports it: a later report adds what an earlier one did not know.
  void about_device(const TrialRecord& trial, const Report& report) {
    const auto* device = std::get_if<Device>(&report);
    if (device == nullptr) return;
    const Id vertex = device_vertex(trial, device->id);
    Vertex& properties_of = result_.graph[vertex];
    if (!device->name.empty()) properties_of.label = result_.pool->keep(device->name);
    put_once(of(vertex), "device_kind", device->kind);
    for (const auto& [name, value] : device->facts) put_once(of(vertex), name, value);
    if (const std::string by = trial.simulated(); !by.empty()) put_once(of(vertex), "simulated", by);
    if (device->kind == kPathKind || device->kind == kGroupKind) between_.try_emplace(device->id, vertex);
    if (!device->parent.empty()) parents_.insert_or_assign(vertex, device_vertex(trial, device->parent));
  }

  Id device_vertex(const TrialRecord& trial, const std::string& id) {
    std::string key = trial.node + "/device/" + id;
    const auto [found, is_new] = devices_.try_emplace(std::move(key), 0);
    if (is_new) {
      found->second = add(VertexKind::device, found->first, id);
      put(of(found->second), "device", id);
      parents_.emplace(found->second, node(trial.node));
    }
    return found->second;
  }

  Id about_part(const TrialRecord& trial, const std::string& device) {
    return device.empty() ? node(trial.node) : device_vertex_late(trial, device);
  }

  // For devices that nobody described: they still belong to the node.
  Id device_vertex_late(const TrialRecord& trial, const std::string& id) {
    const std::size_t before = devices_.size();
    const Id vertex = device_vertex(trial, id);
    if (devices_.size() != before) connect(vertex, node(trial.node), EdgeKind::part_of);
    return vertex;
  }

  void about_evidence(std::size_t index) {
    const TrialRecord& trial = run_.trials[index];
    const std::string simulated = trial.simulated();
    std::size_t number = 0;
    for (const Report& report : trial.reports) about_report(trial, trials_[index], report, "", simulated, number++);
    for (const WatchedReport& watched : trial.watched) {
      about_report(trial, trials_[index], watched.report, watched.watch, simulated, number++);
    }
    if (!trial.verdict) return;
    for (const std::string& cause : trial.verdict->blocked_by) {
      const TrialRecord* other = run_.find_trial(cause);
      if (other != nullptr) {
        connect(trials_[index], trials_[static_cast<std::size_t>(other - run_.trials.data())], EdgeKind::blocked_by);
      }
    }
    about_blame(trial, trials_[index]);
  }

  void about_report(const TrialRecord& trial, Id of_trial, const Report& report, const std::string& watch,
                    const std::string& simulated, std::size_t number) {
    if (const auto* measurement = std::get_if<Measurement>(&report)) {
      about_measurement(trial, of_trial, *measurement, watch, simulated, number);
    } else if (const auto* fault = std::get_if<Fault>(&report)) {
      const std::string path = fmt::format("{}/fault/{}/{}", trial.node, run_.step_of(trial).id, number);
      const Id vertex = add(VertexKind::fault, path, fault->code);
      put(of(vertex), "reason", fault->text);
      put(of(vertex), "simulated", simulated);
      connect(of_trial, vertex, EdgeKind::measured);
      connect(vertex, about_part(trial, fault->device), EdgeKind::about);
    } else if (const auto* link = std::get_if<Link>(&report)) {
      about_link(device_vertex_late(trial, link->from), device_vertex_late(trial, link->to), *link, simulated);
    }
  }

  // A data path is one edge, whoever reports it.
  void about_link(Id from, Id to, const Link& link, const std::string& simulated) {
    Edge*& edge = links_[{from, to, link.kind}];
    if (edge == nullptr) {
      edge = &connect(from, to, EdgeKind::link);  // stays where it is: Boost keeps an edge's properties on the heap
      put(edge->properties, "kind", link.kind);
      put(edge->properties, "simulated", simulated);
    }
    for (const auto& [name, value] : link.facts) put_once(edge->properties, name, value);
  }

  void about_measurement(const TrialRecord& trial, Id of_trial, const Measurement& measurement,
                         const std::string& watch, const std::string& simulated, std::size_t number) {
    path_.clear();
    fmt::format_to(std::back_inserter(path_), "{}/measurement/{}/{}/{}", trial.node, run_.step_of(trial).id, number,
                   measurement.metric);
    const Id vertex = add(VertexKind::measurement, path_, measurement.metric);
    Properties& properties = of(vertex);
    properties.reserve(measurement.samples ? 12 : 4);
    put(properties, "value", measurement.value);
    put(properties, "unit", measurement.unit);
    put(properties, "watch", watch);
    put(properties, "simulated", simulated);
    if (const auto& samples = measurement.samples) {
      put(properties, "samples", samples->n);
      put(properties, "low", samples->low);
      put(properties, "high", samples->high);
      put(properties, "worst", samples->worst);
      put_constant(properties, "steady", samples->steady ? "yes" : "no");
    }
    if (const auto& counted = measurement.counted) {
      put(properties, "amount", counted->amount);
      put(properties, "nanoseconds", counted->nanoseconds);
      put(properties, "directions", counted->directions);
    }
    connect(of_trial, vertex, EdgeKind::measured);
    connect(vertex, about_part(trial, measurement.device), EdgeKind::about);
  }

  void about_blame(const TrialRecord& trial, Id of_trial) {
    if (trial.verdict->outcome != Outcome::fail) return;
    std::map<std::string, double> blamed;
    double all = 0;
    for (const Finding& finding : trial.verdict->findings) {
      if (finding.outcome != Outcome::fail || finding.device.empty()) continue;
      blamed[finding.device] += 1;
      all += 1;
    }
    for (const auto& [device, count] : blamed) {
      // What is laid to the fabric is between nodes: there it is the device of the node that reports it.
      const auto between = trial.node == kFabric ? between_.find(device) : between_.end();
      const Id part = between == between_.end() ? device_vertex_late(trial, device) : between->second;
      connect(of_trial, part, EdgeKind::blames).weight = count / all;
    }
  }

  const Run& run_;
  ResultGraph& result_;
  std::vector<Id> steps_;
  std::vector<Id> trials_;
  std::map<std::string, Id> nodes_;
  std::unordered_map<std::string, Id> devices_;
  std::unordered_map<std::string, Id> between_;  // paths and groups, by id
  std::map<Id, Id> parents_;
  std::map<std::tuple<Id, Id, std::string>, Edge*> links_;
  std::string path_;
};

}  // namespace

ResultGraph fold(const Run& run) {
  ResultGraph result;  // built in the caller's place: Boost's adjacency_list can only be copied, never moved
  Folder(run, result).fold();
  return result;
}

}  // namespace rackproof
