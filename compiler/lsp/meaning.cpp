#include "compiler/lsp/meaning.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/lsp/entry_words.h"
#include "compiler/types/signature_text.h"

namespace mlp::lsp {

namespace {

/// The declaration that covers the byte, also a broken one.
const ast::Declaration* enclosing(const Analysis& now, std::uint32_t offset) {
  for (const ast::Declaration& declaration : now.file.declarations)
    if (declaration.span.begin <= offset && offset <= declaration.span.end) return &declaration;
  return nullptr;
}

const Symbol* find_in(const Analysis& analysis, std::string_view owner, std::string_view name) {
  if (const Columns* columns = analysis.names.columns_of(owner))
    if (const auto at = columns->find(name); at != columns->end()) return &analysis.names.symbols[at->second];
  return nullptr;
}

/// A word in what the parser left out: what it would most likely stand for.
std::optional<Meaning> guess(const Analysis& now, const Analysis* last_good, std::uint32_t offset) {
  const ast::Declaration* inside = enclosing(now, offset);
  if (!inside || !(inside->incomplete || std::holds_alternative<ast::BrokenDeclaration>(inside->kind))) return std::nullopt;
  const Span at = word_at(now, offset);
  if (!at) return std::nullopt;
  // Words in comments and texts are no names.
  bool is_token = false;
  for (const syntax::Lexeme& lexeme : tokens_of(now)) is_token = is_token || (lexeme.begin == at.begin && lexeme.end == at.end);
  if (!is_token) return std::nullopt;
  const std::string name(now.sources.text(at));
  for (const Analysis* each : {&now, last_good}) {
    if (!each) continue;
    std::vector<std::string> owners{inside->name.text};
    if (const auto table = each->names.tables.find(inside->name.text); table != each->names.tables.end()) owners.push_back(table->second);
    for (const std::string& owner : owners)
      if (const Symbol* symbol = find_in(*each, owner, name)) return Meaning{at, symbol};
    if (const Symbol* symbol = each->names.declaration(name)) return Meaning{at, symbol};
  }
  for (const EntryKind kind : {EntryKind::fn, EntryKind::transform, EntryKind::metric, EntryKind::model, EntryKind::source, EntryKind::sink, EntryKind::drift, EntryKind::aggregate})
    if (!find_entries(kind, name).empty()) return Meaning{at, LibraryName{kind, name, {}}};
  return std::nullopt;
}

bool is_of(const Analysis& analysis, const Symbol* symbol) {
  return !analysis.names.symbols.empty() && symbol >= analysis.names.symbols.data() && symbol < analysis.names.symbols.data() + analysis.names.symbols.size();
}

/// The text of a declaration up to its block.
std::string head_of(const Analysis& analysis, const Symbol& symbol) {
  const std::string_view whole = analysis.sources.text(symbol.whole);
  std::size_t end = whole.size();
  if (symbol.whole.file != analysis.main) end = std::min(end, whole.find('{'));
  else for (const syntax::Lexeme& lexeme : tokens_of(analysis))
    if (lexeme.begin >= symbol.whole.begin && lexeme.begin < symbol.whole.end && analysis.text()[lexeme.begin] == '{') {
      end = lexeme.begin - symbol.whole.begin;
      break;
    }
  std::string out(whole.substr(0, end));
  while (!out.empty() && (out.back() == ' ' || out.back() == '\n' || out.back() == '\r' || out.back() == '\t')) out.pop_back();
  return out;
}

constexpr std::size_t kMostColumns = 30;

/// The columns of a table or view, in the order of the file, one a line.
std::string column_lines(const Analysis& analysis, const std::string& owner) {
  const Columns* columns = analysis.names.columns_of(owner);
  if (!columns) return {};
  std::vector<const Symbol*> ordered;
  for (const auto& [name, index] : *columns) ordered.push_back(&analysis.names.symbols[index]);
  std::ranges::stable_sort(ordered, {}, [](const Symbol* symbol) { return std::pair(symbol->at.begin, symbol->name); });
  std::string out;
  for (std::size_t i = 0; i < ordered.size() && i < kMostColumns; ++i)
    out += ordered[i]->type.empty() ? fmt::format("\n    {}", ordered[i]->name) : fmt::format("\n    {}: {}", ordered[i]->name, ordered[i]->type);
  if (ordered.size() > kMostColumns) out += fmt::format("\n    # and {} more", ordered.size() - kMostColumns);
  return out;
}

Hover about(const Symbol& symbol, const Analysis& now, const Analysis* last_good) {
  const Analysis& of = is_of(now, &symbol) ? now : *last_good;
  Hover out;
  switch (symbol.kind) {
    case SymbolKind::column:
    case SymbolKind::feature:
    case SymbolKind::argument: {
      std::string type = symbol.type;
      if (type.empty() && last_good)
        if (const Symbol* before = find_in(*last_good, symbol.owner, symbol.name)) type = before->type;
      out.code = type.empty() ? symbol.name : fmt::format("{}: {}", symbol.name, type);
      out.text = fmt::format("{} of `{}`", word(symbol.kind), symbol.owner);
      if (type.empty()) out.text += "; its type is not known while something that it needs is wrong";
      break;
    }
    case SymbolKind::table:
    case SymbolKind::view:
      out.code = head_of(of, symbol) + column_lines(of, symbol.name);
      out.text = fmt::format("{} `{}`", word(symbol.kind), symbol.name);
      break;
    case SymbolKind::train:
    case SymbolKind::deploy:
    case SymbolKind::environment:
      out.code = head_of(of, symbol);
      out.text = fmt::format("{} `{}`", word(symbol.kind), symbol.name);
      break;
    default:
      out.code = std::string(of.sources.text(symbol.whole));
      out.text = fmt::format("{} `{}`", word(symbol.kind), symbol.name);
  }
  if (!symbol.doc.empty()) out.text += "\n\n" + symbol.doc;
  return out;
}

}  // namespace

std::vector<syntax::Lexeme> tokens_of(const Analysis& analysis) {
  if (analysis.text().find('\0') != std::string::npos || analysis.text().size() > ParseOptions{}.most_bytes) return {};
  diag::Sink ignored;
  return syntax::lex(analysis.text(), analysis.main, ignored).lexemes;
}

const Columns* columns_now_or_before(const Analysis& now, const Analysis* last_good, std::string_view owner, const Analysis*& from) {
  from = &now;
  const Columns* columns = now.names.columns_of(owner);
  if (columns && !columns->empty()) return columns;
  const Columns* before = last_good ? last_good->names.columns_of(owner) : nullptr;
  if (!before) return columns;
  from = last_good;
  return before;
}

std::optional<Meaning> find_meaning(const Analysis& now, const Analysis* last_good, std::uint32_t offset) {
  const Reference* reference = now.names.find(offset);
  if (!reference) return guess(now, last_good, offset);
  if (const auto* symbol = std::get_if<std::size_t>(&reference->to)) return Meaning{reference->at, &now.names.symbols[*symbol]};
  if (const auto* entry = std::get_if<EntryWord>(&reference->to)) return Meaning{reference->at, *entry};
  return Meaning{reference->at, std::get<LibraryName>(reference->to)};
}

Hover library_page(const LibraryName& name) {
  Hover out;
  std::string said;
  for (const Signature* signature : find_entries(name.kind, name.name)) {
    if (!name.parameter.empty()) {
      for (const Parameter& parameter : signature->parameters) {
        if (parameter.name != name.parameter || !out.code.empty()) continue;
        out.code = parameter_text(parameter);
        out.text = fmt::format("parameter of {} `{}`", mlp::word(name.kind), name.name);
        if (!parameter.doc.empty()) out.text += "\n\n" + parameter.doc;
      }
      continue;
    }
    out.code += (out.code.empty() ? "" : "\n") + declaration_text(*signature);
    if (signature->doc == said) continue;
    said = signature->doc;
    out.text += (out.text.empty() ? "" : "\n\n") + signature->doc;
  }
  return out;
}

std::optional<Hover> hover(const Analysis& now, const Analysis* last_good, std::uint32_t offset) {
  const auto meaning = find_meaning(now, last_good, offset);
  if (!meaning) return std::nullopt;
  Hover out;
  if (const auto* symbol = std::get_if<const Symbol*>(&meaning->what)) out = about(**symbol, now, last_good);
  if (const auto* library = std::get_if<LibraryName>(&meaning->what)) out = library_page(*library);
  if (const auto* entry = std::get_if<EntryWord>(&meaning->what)) {
    out.text = entry_word_doc(entry->block, entry->word);
    if (!out.text.empty()) out.code = entry->word;
  }
  if (out.code.empty()) return std::nullopt;
  out.at = meaning->at;
  return out;
}

Span definition(const Analysis& now, const Analysis* last_good, std::uint32_t offset) {
  const auto meaning = find_meaning(now, last_good, offset);
  const auto* symbol = meaning ? std::get_if<const Symbol*>(&meaning->what) : nullptr;
  if (!symbol) return {};
  if (is_of(now, *symbol)) return (*symbol)->at;
  // Of an earlier version only the name counts: places have moved.
  for (const Symbol& each : now.names.symbols)
    if (each.name == (*symbol)->name && each.owner == (*symbol)->owner) return each.at;
  return {};
}

}  // namespace mlp::lsp
