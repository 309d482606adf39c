#include "compiler/driver/compile.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

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
  out.workflow = check(out.file, out.sources, {options.params, options.read_environment}, out.sink);
  out.sink.sort();
  if (out.sink.has_errors()) out.workflow.reset();
  if (!out.workflow || last == Phase::hir) return out;
  out.logical = planner::build_logical(*out.workflow);
  if (last == Phase::logical) return out;
  planner::PlanOptions plan_options;
  plan_options.final_rows = options.final_rows;
  plan_options.folder = folder_of(path);
  plan_options.file = path;
  out.plan = planner::lower(*out.workflow, *out.logical, out.sources, plan_options);
  return out;
}

}  // namespace mlp::driver
