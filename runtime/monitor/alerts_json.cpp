#include <fmt/chrono.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <numeric>

#include "runtime/http/http.h"
#include "runtime/monitor/command.h"
#include "runtime/monitor/monitor.h"
#include "runtime/monitor/report_json.h"
#include "runtime/secrets/secret.h"

namespace mlp::monitor {

namespace {

using Json = nlohmann::ordered_json;

/// As the files of the store write it: seconds, UTC.
std::string utc(std::int64_t us) { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(us / 1'000'000))); }

std::string alert_line(const Report& report, const std::string& reason, std::int64_t now_us) {
  Json alert{{"format_version", 1}, {"at", utc(now_us)}, {"reason", reason}, {"deployment", report.deployed.deployment}, {"model", report.deployed.model},
             {"version", report.deployed.version}, {"status", name(report.status)}, {"window", Json::parse(window_json(report.window))}};
  std::string text = fmt::format("{}: {}\n", report.deployed.deployment, reason);
  alert["checks"] = Json::array();
  for (const Check& check : report.checks) {
    if (check.status != Status::breach || !check.alerts) continue;
    alert["checks"].push_back(Json::parse(check_json(check, true)));
    text += fmt::format("\n{}{}{}\n", check.column, check.column.empty() ? "" : ": ", check.text);
    if (check.statistic && check.threshold) text += fmt::format("  {:.4g}, bound {:.4g}\n", *check.statistic, *check.threshold);
    if (check.histogram) text += histogram_text(*check.histogram, check.now, "  ");
  }
  alert["text"] = text;
  return alert.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string in_folder(const std::string& folder, const std::string& path) { return path.starts_with('/') || folder.empty() ? path : folder + "/" + path; }

/// The target, from where its secret is kept.
Result<std::string> value_of(const plan::AlertTarget& target, const std::string& folder, io::FileSystem& files) {
  if (target.secret == plan::AlertTarget::Secret::none) return target.value;
  return secrets::read_secret(fmt::format("{}(\"{}\")", target.secret == plan::AlertTarget::Secret::env ? "env" : "file", target.value), folder, files);
}

/// No redirects, 30 seconds at most.
Result<void> post_json(const std::string& url, const std::string& body) {
  http::Request request;
  request.url = url;
  request.headers = {"Content-Type: application/json"};
  request.body = body;
  request.posts = true;
  MLP_TRY(const http::Response response, http::ask(request));
  if (response.good()) return {};
  return failure(diag::Code::E0911, "the webhook was not reached: " + (response.why.empty() ? fmt::format("it answered {}", response.status) : response.why), "check the address; `mlpc monitor` can be run again");
}

Result<void> send(const plan::AlertTarget& target, const std::string& line, const std::string& folder, io::FileSystem& files) {
  MLP_TRY(const std::string value, value_of(target, folder, files));
  switch (target.kind) {
    case plan::AlertTarget::Kind::webhook: return post_json(value, line);
    case plan::AlertTarget::Kind::command: return run_command(value, folder, line + "\n");
    case plan::AlertTarget::Kind::file: break;
  }
  const std::string path = in_folder(folder, value);
  MLP_TRY_VOID(files.append(path, line + "\n"));
  return files.sync(path);
}

}  // namespace

std::string window_json(const Window& window) {
  Json out;
  if (!window.file.empty()) out["file"] = window.file;
  else out["from"] = window.from_us > 0 ? Json(utc(window.from_us)) : Json(nullptr), out["to"] = utc(window.to_us);
  out["rows"] = window.rows;
  out["set_aside"] = window.set_aside;
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string check_json(const Check& check, bool with_histogram) {
  const auto number = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
  Json out{{"text", check.text}, {"column", check.column.empty() ? Json(nullptr) : Json(check.column)}, {"statistic", number(check.statistic)},
           {"threshold", number(check.threshold)}, {"status", name(check.status)}};
  if (!check.why.empty()) out["why"] = check.why;
  if (check.false_alarm_rate) out["false_alarm_rate"] = *check.false_alarm_rate;
  if (!check.upstream.empty()) out["upstream"] = check.upstream;
  if (with_histogram && check.histogram) {
    const auto total = [](const std::vector<double>& rows) { return std::accumulate(rows.begin(), rows.end(), 0.0); };
    const double before = total(check.histogram->reference), now = total(check.now);
    out["histogram"] = Json::array();
    for (std::size_t i = 0; i < check.now.size(); ++i)
      out["histogram"].push_back({{"value", check.histogram->labels[i]}, {"reference", before > 0 ? check.histogram->reference[i] / before : 0.0},
                                  {"now", now > 0 ? check.now[i] / now : 0.0}});
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<Action> send_alerts(const plan::Monitor& monitor, const Report& report, const std::string& reason, const std::string& folder, io::FileSystem& files,
                                std::int64_t now_us) {
  const std::string line = alert_line(report, reason, now_us);
  std::vector<Action> actions;
  for (const plan::AlertTarget& target : monitor.alerts) {
    Action& action = actions.emplace_back();
    action.to = target.kind == plan::AlertTarget::Kind::file ? "file" : target.kind == plan::AlertTarget::Kind::command ? "command" : "webhook";
    const auto sent = send(target, line, folder, files);
    action.done = sent.has_value();
    action.span = target.span;
    if (!sent) action.help = sent.error().help;
    action.detail = !sent ? sent.error().message : target.secret == plan::AlertTarget::Secret::none ? target.value : std::string("a secret");
  }
  return actions;
}

Result<std::uint64_t> count_inconclusive(const Report& report, io::FileSystem& files, const std::string& store_directory) {
  const std::string folder = store_directory + "/monitors", path = folder + "/" + report.deployed.deployment + ".jsonl";
  MLP_TRY_VOID(files.make_folders(folder));
  const Json line{{"at", utc(report.window.to_us)}, {"scorer", report.deployed.scorer.hex()}, {"status", name(report.status)}, {"rows", report.window.rows}};
  MLP_TRY_VOID(files.append(path, line.dump() + "\n"));
  MLP_TRY(const std::string text, io::read_file(files, path));
  std::uint64_t count = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const Json one = Json::parse(text.substr(at, end - at), nullptr, false);
    at = end + 1;
    // A line that a killed process left half-written is passed over.
    if (!one.is_object()) continue;
    const bool is_short = one.value("status", "") == "inconclusive" && one.value("scorer", "") == report.deployed.scorer.hex();
    count = is_short ? count + 1 : 0;
  }
  return count;
}

}  // namespace mlp::monitor
