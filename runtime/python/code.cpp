#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "runtime/python/python.h"

namespace mlp::python {

namespace {

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool in_name(char c) { return begins_name(c) || (c >= '0' && c <= '9'); }

void collect_names(std::string_view text, std::set<std::string, std::less<>>& names) {
  for (std::size_t at = 0; at < text.size();) {
    if (!in_name(text[at])) {
      ++at;
      continue;
    }
    const std::size_t from = at;
    while (at < text.size() && in_name(text[at])) ++at;
    if (begins_name(text[from])) names.emplace(text.substr(from, at - from));
  }
}

/// The modules of a tree that its files may import. A module counts where its name stands in the text of any file that counts, so that
/// no way to write an import is missed; what is named so and imported by nobody costs another run when it is edited, no more.
struct Tree {
  io::FileSystem& files;
  std::string root;
  std::map<std::string, Digest> found = {};  ///< by the path below the root
  std::set<std::string, std::less<>> names = {};
  std::set<std::string> folders = {""};

  Result<void> add(const std::string& path) {
    MLP_TRY(const std::string text, io::read_file(files, root + path));
    found.emplace(path, sha256(text));
    collect_names(text, names);
    return {};
  }

  /// Whether anything was added.
  Result<bool> grow() {
    const std::size_t before = found.size() + folders.size();
    for (const std::string& folder : std::set(folders)) {
      const auto entries = files.entries(root + (folder.empty() ? "." : folder));
      if (!entries) continue;  // no folder
      for (const std::string& entry : *entries) {
        const std::string path = folder + entry;
        const bool file = entry.ends_with(".py");
        const std::string module = file ? entry.substr(0, entry.size() - 3) : entry;
        if (file && !found.contains(path) && (names.contains(module) || (module == "__init__" && !folder.empty()))) {
          MLP_TRY_VOID(add(path));
        } else if (!file && names.contains(module) && !folders.contains(path + "/") && files.entries(root + path)) {
          folders.insert(path + "/");
        }
      }
    }
    return found.size() + folders.size() > before;
  }
};

}  // namespace

std::string Code::name() const { return fmt::format("{}:{}", file.substr(file.rfind('/') + 1), function); }

Code code_of(std::string_view text, const std::string& folder) {
  const std::size_t colon = text.rfind(':');
  const std::string file(text.substr(0, colon));
  return {folder.empty() || file.starts_with('/') ? file : folder + "/" + file, std::string(text.substr(std::min(text.size(), colon + 1)))};
}

Result<Digest> digest_of(const Code& code, io::FileSystem& files) {
  const std::size_t slash = code.file.rfind('/');
  Tree tree{files, slash == std::string::npos ? std::string() : code.file.substr(0, slash + 1)};
  const std::string script = code.file.substr(tree.root.size());
  MLP_TRY_VOID(tree.add(script));
  for (bool more = true; more;) {
    MLP_TRY(more, tree.grow());
  }
  Hasher hasher("python code/1");
  hasher.add(script).add(code.function).add(tree.found.size());
  for (const auto& [path, digest] : tree.found) hasher.add(path).add(digest);
  return hasher.finish();
}

}  // namespace mlp::python
