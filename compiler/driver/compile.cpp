#include "compiler/driver/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "compiler/lock/lock.h"
#include "compiler/planner/planner.h"
#include "compiler/sema/check.h"
#include "compiler/syntax/parse.h"

namespace mlp::driver {

namespace {

constexpr std::size_t kMostBytes = std::size_t{50} << 20;

std::string reason_in_words(int error) {
  switch (error) {
    case ENOENT: return "there is no such file";
    case EACCES: return "reading it is not permitted";
    case EISDIR: return "it is a folder";
    default: return std::strerror(error);
  }
}

}  // namespace

Result<std::string> read_source(const std::string& path) {
  std::error_code ignored;
  const auto failed = [&](int error) {
    return failure(diag::Code::E0901, fmt::format("`{}` cannot be read: {}", path, reason_in_words(error)),
                   error == ENOENT ? "check the path; it is relative to the folder you are in" : "");
  };
  if (std::filesystem::is_directory(path, ignored)) return failed(EISDIR);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) return failed(errno);
  std::string text;
  char buffer[1 << 16];
  while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, file.get())) {
    text.append(buffer, got);
    if (text.size() > kMostBytes)
      return failure(diag::Code::E0109, fmt::format("`{}` is larger than 50 MB", path), "a workflow is text for people; data belongs into a source");
  }
  if (std::ferror(file.get())) return failed(errno);
  return text;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : slash == 0 ? std::string("/") : path.substr(0, slash);
}

namespace {

/// The path of an import as the process reads it, from that of the file in which it stands.
std::string import_path(const std::string& from, const std::string& written) {
  if (written.starts_with('/')) return written;
  const std::string folder = folder_of(from);
  return std::filesystem::path(folder.empty() ? written : folder + "/" + written).lexically_normal().string();
}

/// Reads and parses what a file imports, each file once.
class ModuleLoader {
 public:
  ModuleLoader(Compiled& out, const std::string& workflow) : out_(out), root_(folder_of(workflow)) {}

  std::map<std::string, std::size_t> load(const ast::File& file, const std::string& path) {
    std::map<std::string, std::size_t> imports;
    open_.push_back(path);
    for (const ast::Declaration& declaration : file.declarations)
      if (const auto* import = std::get_if<ast::Import>(&declaration.kind))
        if (const auto index = load_one(import->path, import_path(path, import->path.value))) imports.emplace(declaration.name.text, *index);
    open_.pop_back();
    return imports;
  }

 private:
  std::optional<std::size_t> load_one(const ast::Text& written, const std::string& path) {
    const auto begin = std::find(open_.begin(), open_.end(), path);
    if (begin != open_.end()) {
      std::string circle;
      for (auto at = begin; at != open_.end(); ++at) circle += fmt::format("`{}` -> ", *at);
      out_.sink.report(diag::make(diag::Code::E0205, written.span, begin + 1 == open_.end() ? fmt::format("`{}` imports itself", path) : fmt::format("`{}` imports itself: {}`{}`", path, circle, path))
                           .with_label("is being read").with_help("put what both files need into a third one"));
      return std::nullopt;
    }
    if (const auto done = known_.find(path); done != known_.end()) return done->second;
    auto text = read_source(path);
    if (!text) {
      out_.sink.report(diag::make(text.error().code, written.span, text.error().message).with_label("cannot be imported").with_help("the path is relative to the file in which it stands"));
      return std::nullopt;
    }
    const std::uint32_t file = out_.sources.add(path, std::move(*text));
    Module module{parse(out_.sources, file, out_.sink), folder_of(std::filesystem::path(path).lexically_proximate(root_.empty() ? "." : root_).string()), {}};
    module.imports = load(module.file, path);
    out_.modules.push_back(std::move(module));
    known_.emplace(path, out_.modules.size() - 1);
    return out_.modules.size() - 1;
  }

  Compiled& out_;
  std::string root_;
  std::vector<std::string> open_;
  std::map<std::string, std::size_t> known_;
};

void add_texts_beside(const std::string& path, std::string_view text, std::map<std::string, std::string>& out) {
  constexpr std::string_view kWord = "import";
  if (text.find("lock") != std::string_view::npos)
    if (auto lock = read_source(lock_path(path))) out.emplace(lock_path(path), std::move(*lock));
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with(kWord)) continue;
    const std::size_t open = line.find('"'), close = open == std::string_view::npos ? open : line.find('"', open + 1);
    if (close == std::string_view::npos) continue;
    const std::string other = import_path(path, std::string(line.substr(open + 1, close - open - 1)));
    if (out.contains(other)) continue;
    auto read = read_source(other);
    if (!read) continue;
    const std::string& kept = out.emplace(other, std::move(*read)).first->second;
    add_texts_beside(other, kept, out);
  }
}

}  // namespace

std::map<std::string, std::string> texts_beside(const std::string& path, const std::string& text) {
  std::map<std::string, std::string> out;
  add_texts_beside(path, text, out);
  return out;
}

Compiled compile(const std::string& path, const CompileOptions& options, Phase last) {
  auto text = read_source(path);
  if (text) return compile_text(path, std::move(*text), options, last);
  Compiled out;
  out.sink.report(std::move(text.error()));
  return out;
}

Compiled compile_text(const std::string& path, std::string text, const CompileOptions& options, Phase last) {
  Compiled out;
  const std::uint32_t file = out.sources.add(path, std::move(text));
  out.file = parse(out.sources, file, out.sink);
  if (last == Phase::ast) return out;
  // What parsed is checked also when something else did not, so that one run tells all mistakes.
  CheckOptions check_options{options.params, options.read_environment, options.env, &out.modules, {}, {}, nullptr};
  if (options.read_locks) check_options.read_lock = read_lock;
  check_options.imports = ModuleLoader(out, path).load(out.file, std::filesystem::path(path).lexically_normal().string());
  RowsQuestion question;
  if (options.rows) {
    question.of = options.rows->of;
    question.file.file = out.sources.add("--where", options.rows->where);
    if (!options.rows->where.empty())
      if (const auto where = parse_expression(out.sources, question.file.file, question.file, out.sink)) question.where = *where;
    check_options.rows = &question;
  }
  out.workflow = check(out.file, out.sources, check_options, out.sink);
  out.sink.sort();
  if (out.sink.has_errors()) out.workflow.reset();
  if (!out.workflow || last == Phase::hir) return out;
  out.logical = planner::build_logical(*out.workflow);
  if (last == Phase::logical) return out;
  planner::PlanOptions plan_options;
  plan_options.final_rows = options.final_rows;
  plan_options.as_of_us = options.as_of_us;
  plan_options.folder = folder_of(path);
  plan_options.file = path;
  out.plan = planner::lower(*out.workflow, *out.logical, out.sources, plan_options);
  return out;
}

}  // namespace mlp::driver
