#include "checks/api/check.h"

void rackproof_run(rackproof::Context& context);

namespace {

constexpr rackproof_parameter kParameters[] = {
    {"path", "path", "/var/tmp", nullptr, "a directory on the storage to measure"},
    {"size", "quantity", "1 GiB", "B", "size of the file; a multiple of the disk's own cache measures the disk"},
    {"duration", "quantity", "3 s", "s", "how long each load runs, at least 1 s"},
    {"queue_depth", "integer", "32", nullptr, "requests in flight for each job of the loaded phases"},
    {"jobs", "integer", "1", nullptr, "threads of the loaded phases, each with a part of the file to itself"},
    {"engine", "choice auto|io_uring|libaio|psync", "auto", nullptr,
     "how fio asks the kernel; auto takes the first of these that works"},
    {"writes", "boolean", "true", nullptr, "false: leaves out the write loads; the file is written once all the same"},
    {"only", "choice all|read|random_read|latency|write|random_write", "all", nullptr,
     "a single load instead of all"},
    {}};

constexpr rackproof_metric kMetrics[] = {
    {"read", "GB/s", "higher", "sequential read, 1 MiB: median of the steady samples"},
    {"read_mean", "GB/s", "higher", "the same: fio's bytes over fio's time, warm-up included"},
    {"read_iops", "IOPS", "higher", "random read, 4 KiB: median of the steady samples"},
    {"read_iops_mean", "IOPS", "higher", "the same: fio's total"},
    {"read_loaded_p50", "us", "lower", "latency of the random read at full queue depth, median"},
    {"read_loaded_p99", "us", "lower", "… 99 % are faster"},
    {"read_loaded_p999", "us", "lower", "… 99.9 % are faster; absent below 1000 requests"},
    {"read_p50", "us", "lower", "latency of a random 4 KiB read alone on the disk (queue depth 1), median"},
    {"read_p99", "us", "lower", "… 99 % are faster; absent below 100 requests"},
    {"read_p999", "us", "lower", "… 99.9 % are faster; absent below 1000 requests"},
    {"read_max", "us", "lower", "… the slowest"},
    {"write", "GB/s", "higher", "sequential write over existing blocks, 1 MiB: median of the steady samples"},
    {"write_mean", "GB/s", "higher", "the same: fio's total"},
    {"write_iops", "IOPS", "higher", "random write over existing blocks, 4 KiB: median of the steady samples"},
    {"write_iops_mean", "IOPS", "higher", "the same: fio's total"},
    {"write_loaded_p50", "us", "lower", "latency of the random write at full queue depth, median"},
    {"write_loaded_p99", "us", "lower", "… 99 % are faster"},
    {"write_loaded_p999", "us", "lower", "… 99.9 % are faster; absent below 1000 requests"},
    {"verify_errors", "count", "lower",
     "blocks of 64 KiB that read back differently from what was written, as many as fio names"},
    {"queue_depth_error", "%", "lower",
     "the largest difference between rate × mean latency and the queue depth asked for; over 10 % fio's own figures "
     "contradict each other"},
    {"device_read_ratio", "ratio", "higher",
     "bytes that the disk read over bytes that fio read; below 1 a cache answered"},
    {"device_write_ratio", "ratio", "higher", "bytes written to the disk over bytes that fio wrote"},
    {}};

constexpr const char* kByHand[] = {
    "fio --name=read --filename=FILE --size=1G --direct=1 --ioengine=io_uring --rw=read --bs=1M --iodepth=32 "
    "--time_based --runtime=3",
    "fio --name=latency --filename=FILE --size=1G --direct=1 --ioengine=io_uring --rw=randread --bs=4k --iodepth=1 "
    "--time_based --runtime=3 --norandommap --randrepeat=0 --lat_percentiles=1 --clat_percentiles=0",
    "fio --name=verify --filename=FILE --size=1G --direct=1 --ioengine=io_uring --rw=write --bs=1M --iodepth=8 "
    "--verify=crc32c",
    "cat /sys/class/block/DISK/stat   # before and after: sectors read and written",
    nullptr};

}  // namespace

RACKPROOF_CHECK(
    .name = "storage.throughput", .layer = "storage",
    .summary = "What a disk delivers: rates, latencies, and whether it gives back what was written",
    .method =
        "Makes a file without a name in the directory, writes it whole with fio in blocks that carry their offset and "
        "a crc32c, reads it back and compares. Then fio runs each load over it with direct I/O: sequential 1 MiB and "
        "random 4 KiB at the queue depth, and single random reads for the latency. Rates are medians of fio's own "
        "bandwidth log after the warm-up; latencies are fio's, from submission to completion. Each queue depth is "
        "checked against rate times latency, and the bytes against the disk's own counters.",
    .parameters = kParameters, .metrics = kMetrics, .by_hand = kByHand, .run = rackproof::entry<rackproof_run>)
