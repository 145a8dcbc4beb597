#include "checks/gpu/health_figures.h"

#include <algorithm>

namespace rackproof {

std::vector<rackproof_metric> declared(std::span<const Figure> figures, std::span<const rackproof_metric> more) {
  std::vector<rackproof_metric> all(more.begin(), more.end());
  for (const Figure& figure : figures) all.push_back(figure.metric);
  all.push_back({});
  return all;
}

void measure(Context& context, const std::string& device, std::span<const Figure> figures, const GpuReading& reading,
             Unreported& unreported) {
  unreported.asked(device);
  for (const Figure& figure : figures) {
    if (const auto value = figure.read(reading)) {
      context.measure(figure.metric.name, device, *value);
    } else {
      unreported.add(figure.metric.name, device);
    }
  }
}

std::vector<std::string> Unreported::sentences() const {
  std::map<std::set<std::string>, std::string> metrics_by_devices;
  for (const auto& [metric, devices] : devices_) {
    std::string& metrics = metrics_by_devices[devices];
    metrics += (metrics.empty() ? "" : ", ") + metric;
  }
  std::vector<std::string> sentences;
  for (const auto& [devices, metrics] : metrics_by_devices) {
    std::string whom;
    for (const std::string& device : devices) whom += (whom.empty() ? "" : ", ") + device;
    sentences.push_back("NVML does not tell " + metrics + " of " + (devices == asked_ ? "any GPU" : whom));
  }
  return sentences;
}

}  // namespace rackproof
