// What a check takes from the environment that it was started in, what it tells of it, and what it does not leave there.
#include <stdlib.h>

#include <catch2/catch.hpp>

#include "checks/api/environment.h"
#include "checks/gpu/cuda_environment.h"
#include "tests/simulator/visible_devices.h"

using namespace rackproof;

namespace {

// Set for one test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  Variable(const Variable&) = delete;
  ~Variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

std::string value_of(const char* name) {
  const char* const value = ::getenv(name);
  return value == nullptr ? "(none)" : value;
}

}  // namespace

TEST_CASE("environment: settings of a library are told by name", "[environment]") {
  const Variable second("RPTEST_B", "2, or more");
  const Variable first("RPTEST_A", "");
  const Variable other("RPTESTS", "1");
  CHECK(variables_beginning_with("RPTEST_") == "RPTEST_A=, RPTEST_B=2, or more");
  CHECK(variables_beginning_with("RPTEST_C").empty());
}

TEST_CASE("environment: what would change CUDA's rates or results is taken away, and told", "[environment]") {
  {
    const Variable connections("CUDA_DEVICE_MAX_CONNECTIONS", "1");
    const Variable blocking("CUDA_LAUNCH_BLOCKING", "1");
    const Variable tf32("NVIDIA_TF32_OVERRIDE", "0");
    const Variable emulation("CUBLAS_EMULATE_DOUBLE_PRECISION", "1");
    const Variable devices("CUDA_VISIBLE_DEVICES", "0,1");
    CHECK(settle_cuda_environment(KernelLoading::when_needed) ==
          "CUDA_LAUNCH_BLOCKING=1, NVIDIA_TF32_OVERRIDE=0, CUBLAS_EMULATE_DOUBLE_PRECISION=1, "
          "CUDA_DEVICE_MAX_CONNECTIONS=1");
    CHECK(value_of("CUDA_LAUNCH_BLOCKING") == "(none)");
    CHECK(value_of("NVIDIA_TF32_OVERRIDE") == "(none)");
    CHECK(value_of("CUDA_DEVICE_MAX_CONNECTIONS") == "32");
    CHECK(value_of("CUDA_VISIBLE_DEVICES") == "0,1");
    CHECK(value_of("CUDA_MODULE_LOADING") == "(none)");
    CHECK(settle_cuda_environment(KernelLoading::when_needed).empty());
  }
  CHECK(settle_cuda_environment(KernelLoading::at_start).empty());
  CHECK(value_of("CUDA_MODULE_LOADING") == "EAGER");
  ::unsetenv("CUDA_MODULE_LOADING");
  CHECK(value_of("CUDA_DEVICE_MAX_CONNECTIONS") == "32");
  ::unsetenv("CUDA_DEVICE_MAX_CONNECTIONS");
}

TEST_CASE("simulator: CUDA_VISIBLE_DEVICES chooses as CUDA has it", "[environment][simulator]") {
  using namespace rackproof::simulator;
  const Profile profile = read_profile(RACKPROOF_SOURCE_DIRECTORY "/tests/simulator/profiles/hgx-h100-8.yaml");
  const std::vector<int> present{0, 1, 2, 4, 5, 6, 7};
  const auto chosen = [&](std::string_view list) { return visible_devices(profile, present, list); };
  CHECK(chosen("2,1") == std::vector<int>{2, 1});
  CHECK(chosen("3") == std::vector<int>{4});
  CHECK(chosen("0,2,-1,1") == std::vector<int>{0, 2});
  CHECK(chosen("").empty());
  CHECK(chosen("NoDevFiles").empty());
  CHECK(chosen("7").empty());
  CHECK(chosen(profile.gpus[5].uuid + ",0") == std::vector<int>{5, 0});
  CHECK(chosen(profile.gpus[6].uuid.substr(0, profile.gpus[6].uuid.size() - 1)) == std::vector<int>{6});
}
