#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "compiler/diag/render.h"
#include "runtime/io/row_file.h"
#include "runtime/io/source.h"
#include "runtime/process/process.h"
#include "runtime/python/python.h"
#include "runtime/secrets/secret.h"

namespace mlp::python {

namespace {

using Json = nlohmann::json;
using Error = diag::Code;

std::string text_in(const Json& report, const char* key) {
  const auto at = report.find(key);
  return at != report.end() && at->is_string() ? at->get<std::string>() : std::string();
}
std::vector<std::string> texts_in(const Json& report, const char* key) {
  std::vector<std::string> out;
  if (const auto at = report.find(key); at != report.end() && at->is_array())
    for (const Json& each : *at)
      if (each.is_string()) out.push_back(each.get<std::string>());
  return out;
}
std::uint64_t number_in(const Json& report, const char* key) {
  const auto at = report.find(key);
  return at != report.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
}

std::string first_line(const std::string& message) {
  const std::string line = message.substr(0, message.find('\n'));
  return line.size() <= 400 ? line : line.substr(0, 400) + " ...";
}

/// What went wrong, by the report of the driver.
diag::Diagnostic refused(const python::Code& code, const Json& report, const Limits& limits, const std::vector<std::string>& wanted) {
  const std::string kind = text_in(report, "kind"), message = text_in(report, "message");
  const auto make = [](Error c, std::string what, std::string help) {
    auto d = diag::make(c, {}, std::move(what));
    d.help = std::move(help);
    return d;
  };
  if (kind == "columns") {
    io::FileScan scan;
    scan.path = code.name();
    scan.header = texts_in(report, "has");
    std::vector<plan::ReadColumn> columns(wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) columns[i].source_name = wanted[i];
    if (auto bound = io::bind_columns(io::Source{}, scan, columns); !bound) return std::move(bound.error());
  }
  if (kind == "value")
    return make(Error::E0804, fmt::format("row {} of the table that `{}` returned has a {} in column `{}`", number_in(report, "row"), code.name(), text_in(report, "type"), text_in(report, "column")),
                "columns hold bool, int, float, str, date, datetime, timedelta, Decimal, UUID and None");
  if (kind == "shape")
    return make(Error::E0804, fmt::format("`{}` returned no table: {}", code.name(), message), "return a dict of lists of one length, a DataFrame or Table of pandas, pyarrow or polars, or yield several of them");
  if (kind == "no_function") {
    const std::vector<std::string> has = texts_in(report, "has");
    const std::string_view near = diag::did_you_mean(code.function, {has.begin(), has.end()});
    return make(Error::E0913, fmt::format("`{}` has no function `{}`", code.file, code.function), near.empty() ? "define it there" : fmt::format("did you mean `{}`?", near));
  }
  if (kind == "arguments") {
    const std::string missing = text_in(report, "missing");
    return make(Error::E0913, missing.empty() ? fmt::format("`{}` takes no table", code.name()) : fmt::format("`{}` needs an argument `{}` that nobody gives", code.name(), missing),
                "a source may take `columns`, `as_of` and `token`, a stage takes its table; give other parameters a default");
  }
  if (kind == "memory")
    return make(Error::E0913, fmt::format("`{}` needs more than {} MB of memory", code.name(), limits.most_memory >> 20), "allow more with `megabytes:`, or yield the table in parts");
  auto d = make(Error::E0913, fmt::format("`{}` raised {}{}{}", code.name(), text_in(report, "type"), message.empty() ? "" : ": ", first_line(message)), "mend the function; it runs again with the next run");
  if (const std::string file = text_in(report, "at_file"); !file.empty()) d.notes.push_back(fmt::format("at {}:{}", file, number_in(report, "at_line")));
  return d;
}

diag::Diagnostic ended_badly(const python::Code& code, const process::Ended& ended, const Place& place) {
  using How = process::Ended::How;
  const auto make = [&](std::string what, std::string help) {
    auto d = diag::make(Error::E0913, {}, std::move(what));
    d.help = std::move(help);
    return d;
  };
  switch (ended.how) {
    case How::stopped: return failure(Error::E0906, "stopped on request", "what was finished is kept; the next run goes on from here").error();
    case How::too_long:
      return make(fmt::format("`{}` did not end within {} seconds and was ended", code.name(), place.limits.longest.count() / 1000), "allow more with `timeout:`, or see in the log what it waits for");
    case How::too_much_log: return make(fmt::format("`{}` wrote more than 64 MB into its log and was ended", code.name()), "print less");
    case How::by_signal:
      return make(fmt::format("`{}` was ended by signal {} ({})", code.name(), ended.status, ::strsignal(ended.status)),
                  ended.status == 9 ? "the machine may have had too little memory; or somebody ended it" : "a library that it uses broke: see the log");
    case How::by_itself: break;
  }
  return make(fmt::format("`{}` ended with status {} before it returned a table", code.name(), ended.status), "see the log");
}

/// The program starts in another folder than we did.
std::string whole_path(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path whole = std::filesystem::absolute(path, failed);
  return failed ? path : whole.string();
}

Result<void> call(const Place& place, const python::Code& code, Json request, const std::string& token, const std::string& output) {
  const auto files = io::real_file_system();
  const std::string report_path = output + ".report";
  const std::vector<std::string> wanted = request.at("columns").get<std::vector<std::string>>();
  request["file"] = whole_path(code.file);
  request["function"] = code.function;
  request["output"] = whole_path(output);
  request["report"] = whole_path(report_path);
  process::Command command;
  command.arguments = {place.interpreter.program, "-c", std::string(kDriver)};
  command.environment = environment();
  command.folder = place.folder;
  command.input = request.dump(-1, ' ', false, Json::error_handler_t::replace);
  command.log = place.log;
  command.longest = place.limits.longest;
  command.most_memory = place.limits.most_memory;
  command.conceal = token;
  command.stop = place.stop;
  auto ended = process::run(command);
  const auto report_text = io::read_file(*files, report_path);
  static_cast<void>(files->remove(report_path));
  if (!ended) return failure(std::move(ended.error()));
  const Json report = report_text ? Json::parse(*report_text, nullptr, false) : Json();
  if (ended->good() && report.is_object() && text_in(report, "kind") == "done") return {};
  diag::Diagnostic d = ended->good() && report.is_object() ? refused(code, report, place.limits, wanted) : ended_badly(code, *ended, place);
  d.message = secrets::without(std::move(d.message), token);
  if (!ended->last_lines.empty()) d.notes.push_back("the last lines of its log:\n" + ended->last_lines);
  if (ended->log_bytes > 0) d.notes.push_back(fmt::format("the whole log is {}", place.log));
  return failure(std::move(d));
}

}  // namespace

std::vector<std::string> environment() {
  // Sets of texts have one order in every run, and nothing is written beside the workflow's files.
  std::vector<std::string> out = {"LANG=C.UTF-8", "LC_ALL=C.UTF-8", "TZ=UTC", "PYTHONHASHSEED=0", "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8:backslashreplace"};
  for (const char* name : {"PATH", "HOME", "TMPDIR"})
    if (const char* value = std::getenv(name)) out.push_back(fmt::format("{}={}", name, value));
  return out;
}

Result<std::optional<Interpreter>> find_interpreter(io::FileSystem& files, store::Store& store, bool may_start) {
  const char* const chosen = std::getenv("MLP_PYTHON");
  const std::string name = chosen && *chosen ? chosen : "python3";
  Interpreter found{process::find_program(name), {}};
  const auto none = [&](std::string what) {
    return failure(Error::E0905, std::move(what), "install Python 3.11 or newer, or name the program in the variable MLP_PYTHON");
  };
  if (found.program.empty()) return none(fmt::format("there is no program `{}`, which runs the Python functions of a workflow", name));
  MLP_TRY(const io::FileStamp stamp, files.stat(found.program));
  const store::FileStamp now{stamp.size, stamp.mtime_ns, stamp.ctime_ns, stamp.inode, stamp.device};
  const std::string key = "python:" + found.program;
  if (const auto known = store.find_stamp(key); known && store::is_unchanged(*known, now)) {
    found.version = known->bytes;
    return found;
  }
  if (!may_start) return std::optional<Interpreter>();
  const std::string answer_path = fmt::format("{}/.python-{}", store.directory(), ::getpid());
  process::Command command;
  command.arguments = {found.program, "-I", "-c", "import platform, sys; print(platform.python_implementation(), platform.python_version()) if sys.version_info >= (3, 11) else sys.exit(3)"};
  command.environment = environment();
  command.log = answer_path;
  command.longest = std::chrono::seconds(60);
  MLP_TRY_VOID(files.make_folders(store.directory()));
  auto ended = process::run(command);
  static_cast<void>(files.remove(answer_path));
  if (!ended) return failure(std::move(ended.error()));
  if (ended->how == process::Ended::How::by_itself && ended->status == 3) return none(fmt::format("`{}` is older than Python 3.11", found.program));
  if (!ended->good() || ended->last_lines.empty()) return none(fmt::format("`{}` does not work as a Python", found.program));
  found.version = ended->last_lines;
  if (store.mode() == store::Mode::read_write) store.put_stamp(key, {now, std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count(), found.version});
  return found;
}

Result<void> call_source(const Place& place, const python::Code& code, const SourceCall& asked, const std::string& output) {
  return call(place, code, Json{{"columns", asked.columns}, {"as_of", asked.as_of}, {"token", asked.token}}, asked.token, output);
}

Result<void> call_with_table(const Place& place, const Code& code, const std::vector<std::string>& types, const std::vector<std::string>& wanted, const std::string& input,
                             const std::string& output) {
  return call(place, code, Json{{"columns", wanted}, {"as_of", ""}, {"token", ""}, {"types", types}, {"input", whole_path(input)}}, {}, output);
}

}  // namespace mlp::python
