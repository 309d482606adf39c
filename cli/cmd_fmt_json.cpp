#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "compiler/syntax/format.h"
#include "runtime/io/file_system.h"

namespace mlp::cli {

int format_files(const Common& common, const std::vector<std::string>& paths, bool only_check) {
  const auto files = io::real_file_system();
  // All are read before one is written: a mistake in the last leaves the first as it was.
  std::vector<std::pair<std::string, std::string>> changed;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const std::string& path : paths) {
    auto text = io::read_file(*files, path);
    if (!text) return report(common, text.error());
    SourceMap sources;
    const std::uint32_t file = sources.add(path, *text);
    diag::Sink sink;
    auto formatted = format_source(sources, file, sink);
    if (!formatted) return report(common, sink, sources);
    const bool differs = *formatted != *text;
    list.push_back({{"file", path}, {"changed", differs}});
    if (differs) changed.emplace_back(path, std::move(*formatted));
  }
  if (!only_check)
    for (const auto& [path, text] : changed)
      if (auto written = files->write_atomically(path, text); !written) return report(common, written.error());
  if (common.format == Format::json) {
    const nlohmann::ordered_json json{{"format_version", 1}, {"files", list}};
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else if (!common.quiet) {
    for (const auto& [path, text] : changed) fmt::print("{}{}\n", path, only_check ? " is formatted otherwise; `mlpc fmt` writes it anew" : " was formatted");
    if (changed.empty()) fmt::print("{} file{} formatted already\n", paths.size(), paths.size() == 1 ? " is" : "s are");
  }
  return only_check && !changed.empty() ? kWorkflowWrong : kDone;
}

}  // namespace mlp::cli
