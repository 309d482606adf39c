#include "compiler/lsp/analysis.h"

#include "compiler/lock/lock.h"
#include "compiler/sema/check.h"
#include "compiler/syntax/parse.h"

namespace mlp::lsp {

std::shared_ptr<const Analysis> analyse(std::string path, std::string text) {
  auto out = std::make_shared<Analysis>();
  out->main = out->sources.add(std::move(path), std::move(text));
  out->lines = Lines(out->text());
  out->file = parse(out->sources, out->main, out->sink);
  CheckOptions options;
  if (out->sources.file(out->main).path.starts_with('/')) options.read_lock = read_lock;  // a text that was never saved has no folder
  const hir::Workflow workflow = understand(out->file, out->sources, options, out->sink);
  out->sink.sort();
  out->names = collect_names(out->file, out->sources, workflow);
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
