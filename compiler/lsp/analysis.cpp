#include "compiler/lsp/analysis.h"

#include "compiler/lock/lock.h"
#include "compiler/sema/check.h"
#include "compiler/syntax/parse.h"

namespace mlp::lsp {

std::shared_ptr<const Analysis> analyse(std::string path, std::string text, const AnalysisOptions& with) {
  auto out = std::make_shared<Analysis>();
  out->main = out->sources.add(std::move(path), std::move(text));
  out->lines = Lines(out->text());
  out->file = parse(out->sources, out->main, out->sink);
  CheckOptions options;
  options.type_sql = with.type_sql;
  const std::string saved = out->sources.file(out->main).path;
  if (saved.starts_with('/')) {  // a text that was never saved has no folder
    options.read_lock = read_lock;
    if (with.read) {
      out->imports = load_imports(out->file, saved, with.read, out->sources, out->sink);
      options.modules = &out->imports.modules;
      options.imports = out->imports.names;
    }
  }
  for (const ast::Declaration& declaration : out->file.declarations)
    if (std::holds_alternative<ast::Env>(declaration.kind) && declaration.name.text == with.env) options.env = with.env;
  const hir::Workflow workflow = understand(out->file, out->sources, options, out->sink);
  out->sink.sort();
  std::vector<ImportedFile> imported;
  for (const auto& [alias, index] : out->imports.names) imported.push_back({alias, &out->imports.modules[index].file});
  out->names = collect_names(out->file, out->sources, workflow, imported);
  return out;
}

namespace {

bool in_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

}  // namespace

Span word_at(const Analysis& analysis, std::uint32_t offset) {
  const std::string& text = analysis.text();
  std::uint32_t begin = offset, end = offset;
  while (begin > 0 && in_word(text[begin - 1])) --begin;
  while (end < text.size() && in_word(text[end])) ++end;
  if (begin == end || (text[begin] >= '0' && text[begin] <= '9')) return {};
  return {analysis.main, begin, end};
}

}  // namespace mlp::lsp
