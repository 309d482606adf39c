#include "compiler/sema/imports.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "compiler/syntax/parse.h"

namespace mlp {

namespace {

class Loader {
 public:
  Loader(Imports& out, const std::string& workflow, const ReadText& read, SourceMap& sources, diag::Sink& sink)
      : out_(out), root_(folder_of(workflow)), read_(read), sources_(sources), sink_(sink) {}

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
      sink_.report(diag::make(diag::Code::E0205, written.span, begin + 1 == open_.end() ? fmt::format("`{}` imports itself", path) : fmt::format("`{}` imports itself: {}`{}`", path, circle, path))
                       .with_label("is being read").with_help("put what both files need into a third one"));
      return std::nullopt;
    }
    if (const auto done = known_.find(path); done != known_.end()) return done->second;
    if (open_.size() > kMostImports) {
      sink_.report(diag::make(diag::Code::E0105, written.span, fmt::format("imports inside one another, more than {} deep", kMostImports))
                       .with_label("is not read any more").with_help("import it from a file nearer to the workflow"));
      return std::nullopt;
    }
    auto text = read_(path);
    if (!text) {
      sink_.report(diag::make(text.error().code, written.span, text.error().message).with_label("cannot be imported").with_help("the path is relative to the file in which it stands"));
      return std::nullopt;
    }
    const std::uint32_t file = sources_.add(path, std::move(*text));
    Module module{parse(sources_, file, sink_), folder_of(std::filesystem::path(path).lexically_proximate(root_.empty() ? "." : root_).string()), {}};
    module.imports = load(module.file, path);
    out_.modules.push_back(std::move(module));
    known_.emplace(path, out_.modules.size() - 1);
    return out_.modules.size() - 1;
  }

  Imports& out_;
  std::string root_;
  const ReadText& read_;
  SourceMap& sources_;
  diag::Sink& sink_;
  std::vector<std::string> open_;
  std::map<std::string, std::size_t> known_;
};

}  // namespace

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : slash == 0 ? std::string("/") : path.substr(0, slash);
}

std::string import_path(const std::string& from, const std::string& written) {
  if (written.starts_with('/')) return written;
  const std::string folder = folder_of(from);
  return std::filesystem::path(folder.empty() ? written : folder + "/" + written).lexically_normal().string();
}

Imports load_imports(const ast::File& file, const std::string& path, const ReadText& read, SourceMap& sources, diag::Sink& sink) {
  Imports out;
  out.names = Loader(out, path, read, sources, sink).load(file, std::filesystem::path(path).lexically_normal().string());
  return out;
}

}  // namespace mlp
