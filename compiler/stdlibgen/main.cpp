// mlp-stdlib-gen OUT_DIR FILE.mlp… : from the declarations of the standard library to C++. Run by the build.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "compiler/diag/render.h"
#include "compiler/stdlibgen/entries.h"
#include "compiler/stdlibgen/write.h"
#include "compiler/syntax/parse.h"

namespace {

std::optional<std::string> read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

/// Leaves a file alone that holds this text already, so that nothing is compiled again.
bool write_if_changed(const std::filesystem::path& path, const std::string& text) {
  if (read(path.string()) == text) return true;
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  return bool(out);
}

}  // namespace

int main(int count, char** arguments) {
  using namespace mlp;
  if (count < 2) {
    std::fputs("usage: mlp-stdlib-gen OUT_DIR FILE.mlp…\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = arguments[1];
  std::vector<std::string> paths(arguments + 2, arguments + count);
  std::ranges::sort(paths);
  SourceMap sources;
  diag::Sink sink;
  std::vector<Signature> entries;
  for (const std::string& path : paths) {
    auto text = read(path);
    if (!text) {
      std::fputs(fmt::format("mlp-stdlib-gen: cannot read {}\n", path).c_str(), stderr);
      return 5;
    }
    const std::uint32_t file = sources.add(path, std::move(*text));
    stdlib::collect_entries(parse(sources, file, sink), sources, entries, sink);
  }
  sink.sort();
  if (!sink.diagnostics().empty()) std::fputs(diag::render_text(sink.diagnostics(), sources).c_str(), stderr);
  if (sink.has_errors()) return 1;
  std::ranges::stable_sort(entries, {},
                           [](const Signature& entry) { return std::pair(entry.kind, std::string_view(entry.name)); });
  const std::pair<const char*, std::string> files[] = {{"stdlib_table.cpp", stdlib::write_table(entries)},
                                                       {"native_names.h", stdlib::write_native_names(entries)},
                                                       {"kernel_table.cpp", stdlib::write_kernel_table(entries)},
                                                       {"native_learn_names.h", stdlib::write_learn_names(entries)},
                                                       {"learn_table.cpp", stdlib::write_learn_table(entries)}};
  for (const auto& [name, text] : files) {
    if (write_if_changed(folder / name, text)) continue;
    std::fputs(fmt::format("mlp-stdlib-gen: cannot write {}\n", (folder / name).string()).c_str(), stderr);
    return 5;
  }
  return 0;
}
