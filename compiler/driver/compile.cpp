#include "compiler/driver/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "compiler/lock/lock.h"
#include "compiler/planner/passes/sample_rows.h"
#include "compiler/planner/planner.h"
#include "compiler/sema/check.h"
#include "compiler/sema/imports.h"
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
                   error == ENOENT ? "check the path; it is relative to the folder you are in" : error == EISDIR ? "name a file in it" : "look at the permissions of the file and of its folders");
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

namespace {

void add_texts_beside(const std::string& path, std::string_view text, std::map<std::string, std::string>& out, std::size_t depth = 0) {
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
    if (out.contains(other) || depth > kMostImports) continue;  // deeper imports are an error
    auto read = read_source(other);
    if (!read) continue;
    const std::string& kept = out.emplace(other, std::move(*read)).first->second;
    add_texts_beside(other, kept, out, depth + 1);
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
  CheckOptions check_options{options.params, options.read_environment, options.env, &out.modules, {}, {}, {}, options.type_sql};
  if (options.read_locks) check_options.read_lock = read_lock;
  Imports imports = load_imports(out.file, path, read_source, out.sources, out.sink);
  out.modules = std::move(imports.modules);
  check_options.imports = std::move(imports.names);
  for (const AskedRows& asked : options.rows) {
    RowsQuestion& question = check_options.rows.emplace_back(RowsQuestion{asked.of, {}, {}, asked.if_there});
    if (asked.where.empty()) continue;
    question.file.file = out.sources.add("--where", asked.where);
    if (const auto where = parse_expression(out.sources, question.file.file, question.file, out.sink)) question.where = *where;
  }
  out.workflow = check(out.file, out.sources, check_options, out.sink);
  out.sink.sort();
  if (out.sink.has_errors()) out.workflow.reset();
  if (!out.workflow || last == Phase::hir) return out;
  if (options.share < 1) out.workflow = planner::sample_rows(std::move(*out.workflow), options.share);
  out.logical = planner::build_logical(*out.workflow);
  // What cannot run yet has no steps.
  if (last == Phase::logical || !out.workflow->not_yet.empty()) return out;
  planner::PlanOptions plan_options;
  plan_options.final_rows = options.final_rows;
  plan_options.as_of_us = options.as_of_us;
  plan_options.share = options.share;
  plan_options.folder = folder_of(path);
  plan_options.file = path;
  out.plan = planner::lower(*out.workflow, *out.logical, out.sources, plan_options);
  return out;
}

}  // namespace mlp::driver
