// A simulated node as its profile (profiles/*.yaml) describes it: parts, where they sit, and how fast each really is.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace rackproof::simulator {

// Rates are what a healthy part reaches, not what its data sheet says; GB/s = 1e9 bytes a second, each direction.
struct GpuKind {
  std::string name;          // as NVML says it: "NVIDIA H100 80GB HBM3"
  std::string board_part;    // "692-2G520-0200-000"
  std::string vbios;         // "96.00.89.00.01"
  std::string inforom;       // "G520.0200.00.05"
  std::int64_t device_id = 0;  // PCI: 0x2330
  int compute_major = 0;       // 9.0
  int compute_minor = 0;
  int multiprocessors = 0;
  int threads_per_multiprocessor = 2048;
  std::int64_t memory_bytes = 0;            // that NVML tells
  std::int64_t memory_simulated_bytes = 0;  // that CUDA gives: what is really there to be written and read
  std::int64_t l2_bytes = 0;
  double sm_clock_mhz = 0;  // under load, and the highest
  double memory_clock_mhz = 0;
  double idle_clock_mhz = 0;
  double hbm_gbs = 0;      // read and written bytes together
  double hbm_ns = 0;       // latency of one dependent load
  std::map<std::string, double> tflops;  // reached: "fp64", "fp32", "tf32", "bf16", "fp8"; absent: not supported
  double idle_w = 0;
  double limit_w = 0;      // power limit, and the default one
  double idle_c = 0;       // temperatures
  double load_c = 0;       // in the long run, at the power limit
  double slowdown_c = 0;
  double shutdown_c = 0;
  int nvlinks = 0;               // 0: none
  int nvlink_version = 0;
  double nvlink_gbs = 0;         // of one link
  double nvlink_ns = 0;          // latency of one dependent load from a peer
};

struct Port {
  double speed_gts = 0;
  int width = 0;
};

struct SimulatedSwitch {
  std::string address;  // of its upstream port: "0000:15:00.0"
  int numa = 0;
  Port uplink;
  double gbs = 0;  // reached, each direction
  bool is_root_port = false;  // no switch: `address` is the root port's own
};

struct SimulatedGpu {
  std::string address;  // "0000:17:00.0"
  std::string uuid;
  std::string serial;
  int upstream = 0;     // index of its switch
  int module = 0;       // where it sits on the board
};

struct SimulatedNic {
  std::string address;
  std::string name;  // "mlx5_0"
  int upstream = 0;
  double gbs = 0;
};

struct SimulatedDisk {
  std::string address;
  std::string name;  // "nvme0"
  std::string model;
  int upstream = 0;
};

struct Collectives {
  std::string version;     // of NCCL
  double allreduce_gbs = 0;  // busbw at large sizes
  double alltoall_gbs = 0;
  double latency_us = 0;   // of the smallest all-reduce
  int channels = 0;
  double channel_gbs = 0;  // NCCL's own budget is channels x this
};

struct Profile {
  std::string name;     // "hgx-h100-8"
  std::string summary;
  std::string system;   // what the machine calls itself
  std::string driver;   // "580.65.06"
  int cuda_version = 0;  // that the driver supports: 13000
  int sockets = 2;
  int cores_per_socket = 0;
  std::int64_t memory_per_socket = 0;
  GpuKind kind;
  Port slot;             // of every GPU, as capable
  double h2d_gbs = 0;    // one GPU alone, near memory
  double d2h_gbs = 0;
  double both_gbs = 0;   // the sum of both directions at once
  double host_ns = 0;    // latency of one dependent load from near host memory
  double socket_gbs = 0;  // between the packages, each direction
  double socket_ns = 0;   // added to the latency
  std::vector<SimulatedSwitch> switches;  // a GPU without a real switch has a "switch" of its own: its root port
  std::vector<SimulatedGpu> gpus;
  std::vector<SimulatedNic> nics;
  std::vector<SimulatedDisk> disks;
  int nvswitches = 0;
  Collectives nccl;
  double noise = 0.01;   // standard deviation of any rate, relative
  std::uint64_t seed = 1;
};

// Throws std::runtime_error: "FILE:LINE:COLUMN: what is wrong".
Profile read_profile(const std::string& file);

}  // namespace rackproof::simulator
