#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/plan/physical.h"
#include "runtime/io/clock.h"
#include "runtime/io/source.h"
#include "runtime/io/file_system.h"
#include "runtime/monitor/histogram.h"
#include "runtime/registry/registry.h"
#include "runtime/store/store.h"

/// Whether what a deployed version is asked about still looks like what it was fitted on.
namespace mlp::monitor {

enum class Status : std::uint8_t { ok, breach, inconclusive };
std::string_view name(Status status);  ///< "ok"

struct Check {
  std::string text;                         ///< as written: "psi < 0.2 on features"
  std::string column;                       ///< the feature, "prediction", or empty
  std::optional<double> statistic, threshold;
  Status status = Status::inconclusive;
  std::string why;                          ///< where the numbers do not say it
  std::optional<double> false_alarm_rate;   ///< of drift checks: share of windows of this size that break it by chance
  std::vector<std::string> upstream;        ///< what the column is made of, down to the source: "people.hours_per_week", "adult.csv"
  bool alerts = false;
  std::optional<Histogram> histogram;       ///< of drift checks, with
  std::vector<double> now;                  ///< the window's rows in each of its slots
};

/// What was looked at.
struct Window {
  std::string file;                         ///< of --data; empty: requests that were answered
  std::int64_t from_us = 0, to_us = 0;      ///< of requests: Unix time
  std::uint64_t rows = 0, set_aside = 0;    ///< as they came; of them those that broke the contract
  io::BadValues bad;
};

struct Report {
  registry::Deployed deployed;
  Window window;
  Status status = Status::ok;
  std::vector<Check> checks;
};

/// Where the rows come from.
struct Request {
  std::optional<std::string> data;     ///< a file as batch::read_rows takes it; none: the requests that the version answered
  std::uint64_t fragment_rows = 1 << 16;
  std::int64_t now_us = 0;             ///< Unix time at which the window of requests ends
};

/// Looks once. The version is the one that stands in the deployment of `monitor`; of requests only those that it answered count.
/// Fewer rows than the monitor asks for, or none, are inconclusive. Rows that break the contract of the table are set aside; that
/// they are less than 1% of the rows is a check of its own.
/// E0601 for a check of a column that the version is not asked about, E0908 when nothing is deployed, and what reading brings.
Result<Report> watch(const plan::Physical& plan, const plan::Monitor& monitor, store::Store& store, io::FileSystem& files, const Request& request);

/// How many windows of requests in a row, this one included, had too few rows for this version; remembers this one in the store's
/// folder. E0901, E0904.
Result<std::uint64_t> count_inconclusive(const Report& report, io::FileSystem& files, const std::string& store_directory);

/// What came of an alert.
struct Action {
  std::string action = "alert";
  std::string to;      ///< "file", "command", "webhook"
  bool done = false;
  std::string detail;  ///< the file, or what failed; no secret
  std::string help;    ///< where it failed
  Span span;           ///< of the target in the workflow
};
/// Tells every target of the monitor, one alert for all checks that say `-> alert` and are breached; `reason` says what the alert is about.
/// A file gets a line, a command the same on its standard input, a webhook as the body of a POST. Paths are relative to `folder`.
std::vector<Action> send_alerts(const plan::Monitor& monitor, const Report& report, const std::string& reason, const std::string& folder, io::FileSystem& files,
                                std::int64_t now_us);

}  // namespace mlp::monitor
