#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "compiler/diag/render.h"
#include "runtime/io/clock.h"
#include "runtime/monitor/monitor.h"
#include "runtime/monitor/report_json.h"

namespace mlp::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kNinetyDays = 90LL * 86'400 * 1'000'000;
constexpr std::uint64_t kShortWindowsToAlert = 3;

/// The block that is meant; diagnostics have been said when there is none.
const plan::Monitor* find_block(const Common& common, const LoadedPlan& loaded, const std::string& name, int& exit) {
  std::vector<std::string_view> names;
  const plan::Monitor* found = nullptr;
  for (const plan::Monitor& one : loaded.plan.monitors) {
    names.push_back(one.deployment);
    if (name.empty() || one.deployment == name) found = &one;
  }
  if (found && (!name.empty() || names.size() == 1)) {
    if (found->not_yet.empty()) return found;
    diag::Sink sink;
    for (const plan::NotYet& form : found->not_yet)
      sink.report(diag::make(diag::Code::E0601, form.span, fmt::format("{} is checked, but this version of mlpc cannot carry it out yet", form.what))
                      .with_label("not carried out yet")
                      .with_help("leave it out to monitor the rest; `mlpc check` accepts the file as it is"));
    exit = report(common, sink, loaded.sources);
    return nullptr;
  }
  diag::Diagnostic d = diag::make(diag::Code::E0208, {}, name.empty() ? std::string(names.empty() ? "the file has no `monitor` block" : "the file has several monitors")
                                                                      : fmt::format("the file has no monitor of `{}`", name));
  const std::string_view near = name.empty() ? std::string_view() : diag::did_you_mean(name, names);
  d.help = !near.empty() ? fmt::format("did you mean `{}`?", near) : names.empty() ? std::string("add `monitor DEPLOYMENT { drift psi < 0.2 on features -> alert }`")
                                                                                   : fmt::format("say which: {}", fmt::join(names, ", "));
  exit = report(common, d, loaded.sources);
  return nullptr;
}

/// W0803 where a check breaks by chance too often: more than once in 90 days of the monitor's rhythm, or without one in more than one
/// window of twenty.
std::vector<diag::Diagnostic> chance_warnings(const plan::Monitor& monitor, const monitor::Report& report) {
  std::vector<diag::Diagnostic> out;
  for (const plan::DriftCheck& code : monitor.drift) {
    std::vector<std::string> columns;
    double most = 0;
    for (const monitor::Check& check : report.checks) {
      if (check.text != code.text || !check.false_alarm_rate || check.status == monitor::Status::inconclusive) continue;
      const double windows = monitor.every_us > 0 ? static_cast<double>(kNinetyDays) / static_cast<double>(monitor.every_us) : 20;
      if (*check.false_alarm_rate * windows <= 1) continue;
      most = std::max(most, *check.false_alarm_rate);
      columns.push_back(check.column);
    }
    if (columns.empty()) continue;
    auto d = diag::make(diag::Code::W0803, code.span, fmt::format("`{}` alarms by chance in up to {:.1f}% of windows of {} rows", code.text, most * 100, report.window.rows));
    d.label = fmt::format("of {}", fmt::join(columns.size() > 5 ? std::vector<std::string>(columns.begin(), columns.begin() + 5) : columns, ", ")) +
              (columns.size() > 5 ? fmt::format(" and {} more", columns.size() - 5) : "");
    d.help = "ask for more rows with `at_least`, look at a longer window, or raise the bound";
    out.push_back(std::move(d));
  }
  return out;
}

std::string status_text(const Common& common, monitor::Status status) {
  const std::string text(monitor::name(status));
  if (!common.colour_out) return text;
  return fmt::format("\x1b[{}m{}\x1b[0m", status == monitor::Status::ok ? 32 : status == monitor::Status::breach ? 31 : 33, text);
}

std::string rate_text(const std::optional<double>& rate) {
  return !rate ? std::string("–") : *rate == 0 ? std::string("< 0.25%") : fmt::format("{:.2f}%", *rate * 100);
}

void print_report(const Common& common, const monitor::Report& report) {
  const monitor::Window& window = report.window;
  fmt::print("{}: {} version {}, {} rows{} of {}\n", report.deployed.deployment, report.deployed.model, report.deployed.version, window.rows,
             window.set_aside ? fmt::format(" ({} set aside)", window.set_aside) : "", window.file.empty() ? "requests" : window.file);
  if (window.rows == 0) return;
  fmt::print("\n");
  std::vector<std::vector<std::string>> rows = {{"check", "of", "value", "bound", "status", "by chance"}};
  std::vector<const monitor::Check*> sorted;
  for (const monitor::Check& check : report.checks) sorted.push_back(&check);
  // What moved most comes first; the checks themselves stay in their order.
  std::ranges::stable_sort(sorted, [&](const monitor::Check* a, const monitor::Check* b) {
    return a->text == b->text && a->statistic.value_or(-1) > b->statistic.value_or(-1);
  });
  for (const monitor::Check* check : sorted)
    rows.push_back({check->text, check->column.empty() ? "–" : check->column, check->statistic ? fmt::format("{:.4f}", *check->statistic) : "–",
                    check->threshold ? fmt::format("{:g}", *check->threshold) : "–", status_text(common, check->status), rate_text(check->false_alarm_rate)});
  fmt::print("{}", table(rows, common.colour_out));
  for (const monitor::Check* check : sorted) {
    if (check->status != monitor::Status::breach || !check->histogram) continue;
    fmt::print("\n{} {}\n", check->column, check->upstream.empty() ? std::string() : fmt::format("<- {}", fmt::join(check->upstream, " <- ")));
    fmt::print("{}", monitor::histogram_text(*check->histogram, check->now, "  "));
  }
}

void print_summary(const Common& common, const monitor::Report& report, const std::vector<monitor::Action>& actions) {
  std::string why;
  std::vector<std::string> breached;
  for (const monitor::Check& check : report.checks) {
    if (why.empty() && check.status == monitor::Status::inconclusive) why = check.why;
    if (check.status == monitor::Status::breach) breached.push_back(check.column.empty() ? check.text : check.column);
  }
  fmt::print("{}{}", report.window.rows ? "\n" : "", status_text(common, report.status));
  if (report.status == monitor::Status::breach) fmt::print(": {}", fmt::join(breached, ", "));
  if (report.status == monitor::Status::inconclusive) fmt::print(": {}", why);
  fmt::print("\n");
  for (const monitor::Action& action : actions)
    if (action.done) fmt::print("alert sent to {}: {}\n", action.to, action.detail);
}

}  // namespace

int monitor(const Common& common, const std::string& file, const std::string& name, const std::string& data) {
  int exit = kDone;
  auto opened = open_plan(common, file, false, exit);
  if (!opened) return exit;
  auto& [directory, store, loaded] = *opened;
  const plan::Monitor* block = find_block(common, loaded, name, exit);
  if (!block) return exit;

  const auto files = io::real_file_system();
  monitor::Request request;
  if (!data.empty()) request.data = data;
  request.fragment_rows = common.fragment_rows;
  request.now_us = io::system_clock()->now_ns() / 1000;
  const auto looked = monitor::watch(loaded.plan, *block, store, *files, request);
  if (!looked) return report(common, looked.error(), loaded.sources);

  std::vector<diag::Diagnostic> said = chance_warnings(*block, *looked);
  std::vector<monitor::Action> actions;
  const bool alerts = std::ranges::any_of(looked->checks, [](const monitor::Check& check) { return check.alerts && check.status == monitor::Status::breach; });
  std::uint64_t short_windows = 0;
  if (data.empty()) {
    const auto counted = monitor::count_inconclusive(*looked, *files, directory);
    if (!counted) return report(common, counted.error());
    short_windows = *counted;
  }
  if (alerts) {
    actions = monitor::send_alerts(*block, *looked, "what the model is asked about has changed", loaded.plan.folder, *files, request.now_us);
  } else if (short_windows > 0 && short_windows % kShortWindowsToAlert == 0) {
    actions = monitor::send_alerts(*block, *looked, fmt::format("{} windows in a row had too few rows", short_windows), loaded.plan.folder, *files, request.now_us);
  }
  if (looked->window.bad.count)
    said.push_back(io::rows_set_aside(looked->window.set_aside, looked->window.bad, looked->window.file.empty() ? looked->deployed.deployment : looked->window.file,
                             "they are in no distribution that is compared; mend what sends them"));
  for (const monitor::Action& action : actions)
    if (!action.done) said.push_back(diag::make(diag::Code::E0911, action.span, fmt::format("an alert was not delivered: {}", action.detail)).with_label("was not told").with_help(action.help));
  for (const diag::Diagnostic& d : said) fmt::print(stderr, "{}", diag::render_text(d, loaded.sources, {common.colour_err, 20}));

  if (common.format == Format::json) {
    Json json{{"format_version", 1}, {"deployment", block->deployment}, {"model", looked->deployed.model}, {"version", looked->deployed.version},
              {"scorer", looked->deployed.scorer.hex()}, {"status", monitor::name(looked->status)}, {"window", Json::parse(monitor::window_json(looked->window))}};
    json["checks"] = Json::array();
    for (const monitor::Check& check : looked->checks) json["checks"].push_back(Json::parse(monitor::check_json(check, check.status == monitor::Status::breach)));
    json["actions"] = Json::array();
    for (const monitor::Action& action : actions)
      json["actions"].push_back({{"action", action.action}, {"to", action.to}, {"status", action.done ? "done" : "failed"}, {"detail", action.detail}});
    json["diagnostics"] = Json::array();
    for (const diag::Diagnostic& d : said) json["diagnostics"].push_back(Json::parse(diag::render_json(d, loaded.sources)));
    fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else if (!common.quiet) {
    print_report(common, *looked);
    print_summary(common, *looked, actions);
  }
  return looked->status == monitor::Status::breach ? kDrift : looked->status == monitor::Status::inconclusive ? kNotProven : kDone;
}

}  // namespace mlp::cli
