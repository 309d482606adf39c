#include "cli/command.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "compiler/diag/render.h"
#include "compiler/support/check.h"
#include "compiler/support/text.h"
#include "runtime/io/date_text.h"
#include "runtime/io/sql_stage.h"

namespace mlp::cli {

namespace {

std::atomic<bool> stop_flag = false;

void on_signal(int) {
  if (stop_flag.exchange(true)) _exit(130);  // asked twice: at once
}

/// Identity of the compiler that is running: a new build may compile the same text to another plan.
Digest build_identity() {
  Dl_info info{};
  struct stat s {};
  Hasher hasher("mlpc/1");
  if (dladdr(reinterpret_cast<const void*>(&build_identity), &info) && info.dli_fname && stat(info.dli_fname, &s) == 0)
    hasher.add(s.st_size).add(s.st_mtim.tv_sec).add(s.st_mtim.tv_nsec).add(s.st_ino);
  return hasher.finish();
}

/// What the kept plan of a workflow calls the files of its code: by their place from its folder, so that it is the same plan under
/// another spelling of the path and from another working folder.
class FileNames {
 public:
  explicit FileNames(const std::string& file) : file_(file), folder_(driver::folder_of(file)), name_(std::filesystem::path(file).filename().string()) {}

  const std::string& folder() const { return folder_; }
  /// Where the file is, whatever its folder is called. A link to a file stays what it is: paths are relative to where the link stands.
  std::string place() const {
    std::error_code ignored;
    return (std::filesystem::weakly_canonical(folder_.empty() ? "." : folder_, ignored) / name_).string();
  }
  std::string kept(const std::string& path) const {
    const auto normal = [](const std::string& p) { return std::filesystem::path(p).lexically_normal(); };
    return normal(path).lexically_proximate(normal(folder_.empty() ? "." : folder_)).string();
  }
  std::string spelled(const std::string& kept) const {
    if (kept == name_) return file_;
    return folder_.empty() || kept.starts_with('/') ? kept : std::filesystem::path(folder_ + "/" + kept).lexically_normal().string();
  }

 private:
  std::string file_, folder_, name_;
};

std::size_t shown_width(std::string_view text) {
  std::size_t width = terminal_columns(text);
  for (std::size_t at = text.find('\x1b'); at != std::string_view::npos; at = text.find('\x1b', at + 1)) {
    const std::size_t end = std::min(text.find('m', at), text.size() - 1);  // a colour takes no room
    width -= end - at + 1;
  }
  return width;
}

}  // namespace

int report(const Common& common, const diag::Diagnostic& d, const SourceMap& sources) {
  if (common.format == Format::json)
    fmt::print("{}\n", diag::render_json(std::vector{d}, sources));
  fmt::print(stderr, "{}", diag::render_text(d, sources, {common.colour_err, 20}));
  return diag::exit_status(d.code);
}

int report(const Common& common, const diag::Sink& sink, const SourceMap& sources) {
  if (sink.diagnostics().empty()) return kDone;
  if (common.format == Format::json && sink.has_errors()) fmt::print("{}\n", diag::render_json(sink.diagnostics(), sources));
  fmt::print(stderr, "{}", diag::render_text(sink.diagnostics(), sources, {common.colour_err, 20}));
  for (const diag::Diagnostic& d : sink.diagnostics())
    if (diag::severity(d.code) == diag::Severity::error) return diag::exit_status(d.code);
  return kDone;
}

Result<std::map<std::string, std::string>> parse_params(const std::vector<std::string>& params) {
  std::map<std::string, std::string> out;
  for (const std::string& param : params) {
    const std::size_t equals = param.find('=');
    if (equals == std::string::npos || equals == 0)
      return failure(diag::Code::E0304, fmt::format("`--param {}` names no value", param), "write it as --param name=value");
    out[param.substr(0, equals)] = param.substr(equals + 1);
  }
  return out;
}

std::optional<std::uint64_t> bytes_of(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || !(number > 0)) return std::nullopt;
  std::string unit;
  for (const char c : std::string_view(read.ptr, end))
    if (c != ' ') unit += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  constexpr std::pair<std::string_view, double> kUnits[] = {{"", 1},       {"B", 1},       {"KB", 1e3},          {"MB", 1e6},          {"GB", 1e9},          {"TB", 1e12},
                                                            {"K", 1e3},    {"M", 1e6},     {"G", 1e9},           {"T", 1e12},          {"KIB", 0x1p10},      {"MIB", 0x1p20},
                                                            {"GIB", 0x1p30}, {"TIB", 0x1p40}};
  for (const auto& [name, bytes] : kUnits)
    if (unit == name && number * bytes < 0x1p60) return static_cast<std::uint64_t>(number * bytes);
  return std::nullopt;
}

exec::RunOptions run_options(const Common& common, const std::string& file) {
  exec::RunOptions options;
  options.threads = common.threads;
  options.fragment_rows = common.fragment_rows;
  options.memory = common.memory;
  options.baseline_cpu = common.baseline_cpu;
  options.stop = &stop_requested();
  options.file = file;
  options.command = common.command_line;
  return options;
}

std::string store_directory(const Common& common, const std::string& file) {
  if (!common.store.empty()) return common.store;
  const std::string folder = driver::folder_of(file);
  return folder.empty() ? ".mlp" : folder + "/.mlp";
}

bool set_as_of(const Common& common, driver::CompileOptions& options) {
  if (common.as_of.empty()) return true;
  const auto iso = io::DateFormat::parse("", true);
  options.as_of_us = iso ? iso->read_timestamp(common.as_of) : std::nullopt;
  if (!options.as_of_us)
    report(common, failure(diag::Code::E0104, fmt::format("`--as-of {}` is no time", common.as_of), "write it as 2024-12-31 or 2024-12-31T23:59:59Z").error());
  return options.as_of_us.has_value();
}

bool set_sample(const Common& common, driver::CompileOptions& options) {
  if (common.sample.empty()) return true;
  double percent = 0;
  const char* end = common.sample.data() + common.sample.size();
  const auto read = std::from_chars(common.sample.data(), end, percent);
  const bool good = read.ec == std::errc() && std::string_view(read.ptr, end) == "%" && percent > 0 && percent <= 100;
  options.share = percent / 100;
  if (!good) report(common, failure(diag::Code::E0303, fmt::format("`--sample {}` is no share of the rows", common.sample), "write a percentage above 0% and up to 100%, such as 1% or 0.5%").error());
  return good;
}

int report_not_yet(const Common& common, const hir::Workflow& workflow, const SourceMap& sources) {
  diag::Sink sink;
  for (const hir::NotYet& form : workflow.not_yet)
    sink.report(diag::make(diag::Code::E0601, form.span, fmt::format("{} is checked, but this version of mlpc cannot run it yet", form.what))
                    .with_label("not run yet")
                    .with_help("leave it out to run the rest; `mlpc check` accepts the file as it is"));
  return report(common, sink, sources);
}

std::optional<LoadedPlan> load_plan(const Common& common, const std::string& file, const driver::CompileOptions& asked, store::Store& store,
                                    bool keep, int& exit) {
  driver::CompileOptions options = asked;
  options.env = common.env;
  options.type_sql = io::bind_sql;
  if (!set_as_of(common, options) || !set_sample(common, options)) {
    exit = kUsage;
    return std::nullopt;
  }
  auto text = driver::read_source(file);
  if (!text) {
    exit = report(common, text.error());
    return std::nullopt;
  }
  const FileNames names(file);
  Hasher hasher("compiled/2");
  hasher.add(build_identity()).add(*text).add(names.place()).add(options.final_rows).add(options.as_of_us.has_value()).add(options.as_of_us.value_or(0)).add(options.share);
  for (const auto& [name, value] : options.params) hasher.add(name).add(value);
  hasher.add(options.env);
  const auto beside = driver::texts_beside(file, *text);
  std::map<std::string, std::string_view> by_place;
  for (const auto& [path, other] : beside) by_place.emplace(names.kept(path), other);
  for (const auto& [path, other] : by_place) hasher.add(path).add(other);
  for (char** variable = environ; *variable; ++variable)
    if (std::string_view(*variable).starts_with("MLP_PARAM_")) hasher.add(*variable);
  const Digest key = hasher.finish();
  LoadedPlan loaded;
  if (const auto entry = store.find(key); entry && entry->outputs.size() == 1) {
    if (const auto bytes = store.get(entry->outputs[0])) {
      if (auto plan = plan::decode_physical(*bytes)) {
        loaded.sources.add(file, std::move(*text));
        loaded.plan = std::move(*plan);
        loaded.plan.folder = names.folder();
        for (plan::Step& step : loaded.plan.steps)
          if (!step.file.empty()) step.file = names.spelled(step.file);
        loaded.from_store = true;
        return loaded;
      }
    }
  }
  driver::Compiled compiled = driver::compile(file, options);
  exit = report(common, compiled.sink, compiled.sources);
  // What is checked and cannot be run yet stops before anything starts.
  if (compiled.workflow && !compiled.workflow->not_yet.empty()) {
    exit = report_not_yet(common, *compiled.workflow, compiled.sources);
    return std::nullopt;
  }
  if (!compiled.plan) {
    MLP_CHECK(exit != kDone);
    return std::nullopt;
  }
  loaded.sources = std::move(compiled.sources);
  loaded.plan = std::move(*compiled.plan);
  // Warnings are said every time, so a text with warnings is compiled every time.
  if (keep && compiled.sink.diagnostics().empty()) {
    plan::Physical kept = loaded.plan;
    kept.folder.clear();
    for (plan::Step& step : kept.steps)
      if (!step.file.empty()) step.file = names.kept(step.file);
    if (const auto object = store.put(plan::encode(kept))) store.stage(key, {{*object}, {}});
  }
  return loaded;
}

std::optional<OpenedPlan> open_plan(const Common& common, const std::string& file, bool final_rows, int& exit) {
  auto params = parse_params(common.params);
  if (!params) {
    report(common, params.error());
    exit = kUsage;
    return std::nullopt;
  }
  std::string directory = store_directory(common, file);
  auto store = store::Store::open(directory, store::Mode::read_only);
  if (!store) {
    exit = report(common, store.error());
    return std::nullopt;
  }
  auto loaded = load_plan(common, file, {*params, true, final_rows}, *store, false, exit);
  if (!loaded) return std::nullopt;
  return OpenedPlan{std::move(directory), std::move(*store), std::move(*loaded)};
}

const std::atomic<bool>& stop_requested() { return stop_flag; }

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

std::string table(const std::vector<std::vector<std::string>>& rows, bool colour) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i == widths.size()) widths.push_back(0);
      widths[i] = std::max(widths[i], shown_width(row[i]));
    }
  std::string out;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (std::size_t i = 0; i < rows[r].size(); ++i) {
      line += rows[r][i];
      if (i + 1 < rows[r].size()) line += std::string(widths[i] - shown_width(rows[r][i]) + 2, ' ');
    }
    out += r == 0 && colour ? fmt::format("\x1b[1m{}\x1b[0m\n", line) : line + "\n";
  }
  return out;
}

std::string duration_text(double seconds) {
  if (seconds < 0.0995) return fmt::format("{:.0f} ms", seconds * 1000);
  return seconds < 100 ? fmt::format("{:.2f} s", seconds) : fmt::format("{:.0f} s", seconds);
}

std::string figure_text(const std::optional<double>& value) {
  if (!value) return "–";
  const double size = std::fabs(*value);
  return size >= 1000 ? fmt::format("{:.1f}", *value) : size >= 10 ? fmt::format("{:.2f}", *value) : fmt::format("{:.4f}", *value);
}

}  // namespace mlp::cli
