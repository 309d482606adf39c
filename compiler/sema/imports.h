#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "compiler/sema/check.h"

namespace mlp {

/// Imports inside one another.
inline constexpr std::size_t kMostImports = 100;

/// The text of a file that an import names.
using ReadText = std::function<Result<std::string>(const std::string& path)>;

/// What a workflow imports, at first and second hand, each file once: for CheckOptions::modules and ::imports.
struct Imports {
  std::vector<Module> modules;
  std::map<std::string, std::size_t> names;
};

/// Reads and parses what a file imports; `path` is its own. What cannot be read, and circles, are reported at the import.
Imports load_imports(const ast::File& file, const std::string& path, const ReadText& read, SourceMap& sources, diag::Sink& sink);

/// The path of an import as the process reads it, from that of the file in which it stands.
std::string import_path(const std::string& from, const std::string& written);
/// The folder of a path, "" for a bare name.
std::string folder_of(const std::string& path);

}  // namespace mlp
