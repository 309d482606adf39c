#include "compiler/lsp/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compiler/lsp/entry_words.h"
#include "compiler/types/signature_text.h"

namespace mlp::lsp {

namespace {

/// What the tokens before the cursor say about it. It is read from tokens, because what is being written is not well formed.
struct Place {
  std::vector<std::string_view> before;  ///< texts of the tokens of the declaration, up to the cursor
  std::size_t entry = 0;                 ///< index of the first token of the entry (or of the declaration)
  std::string_view block;                ///< word of the declaration; empty: between declarations
  std::string_view subject;              ///< the name after it
  std::string_view inner;                ///< of braces inside of the block: the word before them, `gbdt` or `given`
  std::string_view inner_entry;          ///< first word of the entry that those braces belong to
  std::string_view callee;               ///< of the innermost parentheses
  bool in_block = false;                 ///< inside of the declaration's braces
  bool at_start = false;                 ///< an entry begins here
  bool valid = true;                     ///< false in comments and texts

  std::string_view back(std::size_t n = 0) const { return n < before.size() ? before[before.size() - 1 - n] : std::string_view{}; }
  std::string_view first() const { return entry < before.size() ? before[entry] : std::string_view{}; }
  bool has(std::string_view token) const { return std::find(before.begin() + static_cast<std::ptrdiff_t>(std::min(entry, before.size())), before.end(), token) != before.end(); }
};

bool is_declaration_word(std::string_view text) { return !entry_word_doc("file", text).empty(); }

bool continues(std::string_view token) {
  static constexpr std::string_view kTokens[] = {"+", "-", "*", "/", "^", "=", ",", "==", "!=", "<", "<=", ">", ">=", "??", "..", "and", "or", "not", "in", "then", "else", "if", "is", "|", "->", ".", "@"};
  return std::ranges::find(kTokens, token) != std::end(kTokens);
}

struct Open {
  std::string_view bracket;
  std::size_t index;  ///< of the bracket in `before`
  std::size_t entry;  ///< first token of the entry that it stands in
};

Place place_of(const Analysis& now, std::uint32_t cursor, std::uint32_t word_begin) {
  Place out;
  const std::string_view text = now.text();
  std::vector<Open> open;
  std::uint32_t last_end = 0;
  bool next_begins = true;  // an entry
  for (const syntax::Lexeme& lexeme : tokens_of(now)) {
    const std::string_view token = text.substr(lexeme.begin, lexeme.end - lexeme.begin);
    if (lexeme.begin >= word_begin) break;
    const bool is_text = token.starts_with('"') || token.starts_with("r\"") || token.starts_with('`');
    if (is_text && cursor < lexeme.end) out.valid = false;
    if (is_text && cursor == lexeme.end && (token.size() < 2 || token.back() != '"')) out.valid = false;  // not closed
    const bool at_line_start = lexeme.begin == 0 || text[lexeme.begin - 1] == '\n' || text[lexeme.begin - 1] == '\r';
    const bool outside = open.empty() && lexeme.first_in_line && !continues(out.back());
    if ((outside || (at_line_start && !open.empty() && open.front().bracket == "{")) && is_declaration_word(token)) {
      out.before.clear();
      open.clear();
      out.block = token;
      out.subject = {};
      out.entry = 0;
      next_begins = false;
    }
    const bool in_braces = !open.empty() && open.back().bracket == "{";
    if (in_braces && (next_begins || (lexeme.first_in_line && !continues(out.back()) && !continues(token)))) out.entry = out.before.size();
    next_begins = false;
    out.before.push_back(token);
    if (out.before.size() == 2) out.subject = token;
    if (token == "(" || token == "[" || token == "{") {
      open.push_back({token, out.before.size() - 1, out.entry});
      next_begins = token == "{";
    } else if ((token == ")" || token == "]" || token == "}") && !open.empty()) {
      out.entry = open.back().entry;
      open.pop_back();
      if (token == "}" && open.empty()) out.block = {}, out.before.clear();
    } else if (token == ";" || (token == "," && in_braces && open.size() > 1)) {
      next_begins = true;
    }
    last_end = lexeme.end;
  }
  // What is left between the last token and the cursor is blank, or a comment.
  const std::string_view gap = text.substr(std::min(last_end, word_begin), word_begin - std::min(last_end, word_begin));
  const std::size_t newline = gap.find_last_of("\r\n");
  if (gap.substr(newline == std::string_view::npos ? 0 : newline).find('#') != std::string_view::npos) out.valid = false;
  const bool new_line = newline != std::string_view::npos || last_end == 0;
  out.in_block = !open.empty() && open.front().bracket == "{";
  const bool in_braces = !open.empty() && open.back().bracket == "{";
  out.at_start = (open.empty() || in_braces) && (next_begins || (new_line && !continues(out.back())));
  if (out.at_start) out.entry = out.before.size();
  if (open.empty() && out.at_start) out.block = {};
  if (!open.empty() && open.back().bracket == "(" && open.back().index > 0) out.callee = out.before[open.back().index - 1];
  if (open.size() > 1 && in_braces && open.back().index > 0) {
    out.inner = out.before[open.back().index - 1];
    if (out.inner == ")") out.inner = out.before[std::min(open.back().entry + 1, open.back().index - 1)];
    out.inner_entry = out.before[open.back().entry];
  }
  return out;
}

struct Completer {
  const Analysis& now;
  const Analysis* last_good;
  Place place;
  Completion out;
  std::set<std::string, std::less<>> there;

  void add(CompletionItem item) {
    if (!there.insert(item.label).second) return;
    if (item.insert.empty()) item.insert = item.label;
    out.items.push_back(std::move(item));
  }

  static std::string as_name(const std::string& name) {
    const bool plain = !name.empty() && std::ranges::all_of(name, [](char c) { return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || static_cast<unsigned char>(c) >= 0x80; }) &&
                       !(name[0] >= '0' && name[0] <= '9') && !syntax::is_reserved(syntax::word_type(name));
    return plain ? name : "`" + name + "`";
  }

  void words(std::string_view block, int group = 2) {
    for (const WordDoc& word : entry_words(block)) add({std::string(word.word), block == "type" ? ItemKind::type : ItemKind::word, {}, std::string(word.doc), {}, group});
  }
  void word(std::initializer_list<const char*> list) {
    for (const char* each : list) add({each, ItemKind::word, {}, {}, {}, 2});
  }

  void columns_of(std::string_view owner, int group) {
    const Analysis* from = nullptr;
    const Columns* columns = columns_now_or_before(now, last_good, owner, from);
    if (!columns) return;
    for (const auto& [name, index] : *columns) {
      const Symbol& symbol = from->names.symbols[index];
      add({name, symbol.kind == SymbolKind::argument ? ItemKind::argument : ItemKind::column, symbol.type.empty() ? std::string() : fmt::format("{}: {}", name, symbol.type),
           symbol.doc, as_name(name), group});
    }
  }

  std::string table_of(std::string_view owner) const {
    for (const Analysis* each : {&now, last_good})
      if (each)
        if (const auto at = each->names.tables.find(owner); at != each->names.tables.end()) return at->second;
    return {};
  }
  /// What the declaration is about: of `evaluate earner` the model, of `data` itself.
  void columns() {
    const bool names_itself = place.block == "feature" || place.block == "data" || place.block == "fn" || place.block == "split" || place.block == "train";
    std::string owner(place.subject), table = table_of(owner);
    if (!names_itself || table.empty())
      for (std::size_t i = 2; i + 1 < place.before.size() && i < 5; ++i)
        if (place.before[i] == "of" || (place.block == "data" && place.before[i] == "=")) {
          std::string of(place.before[i + 1]);
          if (i + 3 < place.before.size() && place.before[i + 2] == ".") of += fmt::format(".{}", place.before[i + 3]);
          table = table_of(of).empty() ? of : table_of(of);
          if (!names_itself) owner = of;
        }
    columns_of(owner, 0);
    for (const Analysis* each : {&now, last_good})
      if (each)
        if (const auto views = each->names.views.find(owner); views != each->names.views.end())
          for (const std::string& view : views->second) columns_of(view, 0);
    if (!table.empty()) columns_of(table, 0);
  }

  void declared(std::initializer_list<SymbolKind> kinds, int group = 1) {
    for (const Analysis* each : {&now, last_good}) {
      if (!each) continue;
      for (const auto& [name, index] : each->names.declared) {
        const Symbol& symbol = each->names.symbols[index];
        if (std::ranges::find(kinds, symbol.kind) == kinds.end()) continue;
        const ItemKind kind = symbol.kind == SymbolKind::param ? ItemKind::param : symbol.kind == SymbolKind::function ? ItemKind::function : ItemKind::declaration;
        add({name, kind, symbol.type.empty() ? std::string(lsp::word(symbol.kind)) : fmt::format("{}: {}", name, symbol.type), symbol.doc, name.find('.') == std::string::npos ? as_name(name) : name, group});
      }
    }
  }

  /// What an import declares.
  void imported(const std::string& prefix) {
    for (const auto& [name, index] : now.names.declared) {
      if (!name.starts_with(prefix)) continue;
      const Symbol& symbol = now.names.symbols[index];
      const std::string own = name.substr(prefix.size());
      const ItemKind kind = symbol.kind == SymbolKind::param ? ItemKind::param : symbol.kind == SymbolKind::function ? ItemKind::function : ItemKind::declaration;
      add({own, kind, symbol.type.empty() ? std::string(lsp::word(symbol.kind)) : fmt::format("{}: {}", name, symbol.type), symbol.doc, as_name(own), 0});
    }
  }

  void library(EntryKind kind, int group = 3) {
    std::string_view previous;
    for (const Signature& signature : standard_library()) {
      if (signature.kind != kind || !signature.op.empty() || signature.name == previous) continue;
      previous = signature.name;
      const auto overloads = find_entries(kind, signature.name).size();
      const ItemKind item = kind == EntryKind::model ? ItemKind::model : kind == EntryKind::metric || kind == EntryKind::drift ? ItemKind::metric : ItemKind::function;
      add({signature.name, item, declaration_text(signature) + (overloads > 1 ? fmt::format("  (and {} more)", overloads - 1) : ""), signature.doc, {}, group});
    }
  }

  void parameters(EntryKind kind, std::string_view of, bool colon) {
    for (const Signature* signature : find_entries(kind, of))
      for (const Parameter& parameter : signature->parameters)
        add({parameter.name, ItemKind::argument, parameter_text(parameter), parameter.doc, parameter.name + (colon ? ": " : ""), 0});
  }
  void choices(EntryKind kind, std::string_view of, std::string_view parameter) {
    for (const Signature* signature : find_entries(kind, of))
      for (const Parameter& each : signature->parameters)
        if (parameter.empty() || each.name == parameter)
          for (const std::string& value : each.one_of) add({value, ItemKind::value, each.name, each.doc, {}, 0});
  }

  void expression() {
    columns();
    declared({SymbolKind::param, SymbolKind::function, SymbolKind::table});
    library(EntryKind::fn);
    if (place.block == "feature" || place.block == "data" || place.block == "train" || place.block == "monitor") library(EntryKind::aggregate);
    if (place.block == "feature" || place.block == "model") library(EntryKind::transform);
    word({"and", "or", "not", "in", "is", "known", "missing", "if", "then", "else", "true", "false"});
  }
  void metrics() {
    library(EntryKind::metric, 0);
    declared({SymbolKind::train});
    add({"constant", ItemKind::word, {}, "the best constant prediction", {}, 1});
    word({"min", "max", "gap"});
  }

  bool arguments() {
    if (place.callee.empty()) return false;
    bool found = false;
    for (const EntryKind kind : {EntryKind::fn, EntryKind::transform, EntryKind::metric, EntryKind::source, EntryKind::sink, EntryKind::model, EntryKind::drift, EntryKind::aggregate}) {
      if (find_entries(kind, place.callee).empty()) continue;
      found = true;
      if (place.back() == ":") {
        choices(kind, place.callee, place.back(1));
      } else {
        choices(kind, place.callee, {});
        parameters(kind, place.callee, true);
      }
    }
    return found;
  }

  void member() {
    std::string owner(place.back(1));
    if (place.back(2) == ".") owner = fmt::format("{}.{}", place.back(3), owner);  // shared.trips.
    columns_of(owner, 0);
    const Symbol* symbol = now.names.declaration(owner);
    if (symbol && symbol->kind == SymbolKind::import_) return imported(owner + ".");
    if (owner == "constant" || (symbol && symbol->kind == SymbolKind::train)) library(EntryKind::metric, 0);
  }

  void head() {
    const std::string_view back = place.back();
    if (place.block == "data") {
      if (back == "from") return library(EntryKind::source);
      if (back == "|") return words("stage");
      if (back == "=" || back == "join" || back == "union" || back == "one" || back == "left") {
        declared({SymbolKind::table}, 0);
        if (back == "=" && place.before.size() == 3) return;
      }
      return expression();
    }
    if (back == "of" || back == "+") {
      if (place.block == "train" || place.block == "test") return declared({SymbolKind::view}, 0);
      if (place.block == "deploy") return declared({SymbolKind::train}, 0);
      return declared({SymbolKind::table}, 0);
    }
    if (place.block == "evaluate") return declared({SymbolKind::train}, 0);
    if (place.block == "monitor") return declared({SymbolKind::deploy}, 0);
    if (place.block == "explore") return declared({SymbolKind::table}, 0);
    if ((place.block == "param" || place.block == "fn") && (back == ":" || back == "->")) return words("type", 0);
    if (place.block == "feature") return back == "at" ? columns() : word({"of", "at"});
    if (place.block == "split") {
      if (place.before.size() >= 4) {
        words("split", 0);
        word({"stratified", "by", "seed", "gap", "every", "horizon"});
        columns();
        return declared({SymbolKind::param});
      }
      return word({"of"});
    }
    if (place.block == "train" || place.block == "deploy" || place.block == "test") return word({"of"});
    if (place.block == "fn" || place.block == "param") return expression();
  }

  void entry_start() {
    words(place.block, 1);
    if (place.block == "feature" || place.block == "explore") expression();
    if (place.block == "env") declared({SymbolKind::table, SymbolKind::param});
    if (place.block == "schedule") declared({SymbolKind::train, SymbolKind::deploy, SymbolKind::view});
  }

  void train_entry() {
    const std::string_view first = place.first(), back = place.back();
    if (first == "split") {
      if (back == "split") declared({SymbolKind::split}, 0);
      words("split", 1);
      word({"stratified", "by", "seed", "gap", "every", "horizon"});
      columns();
      return declared({SymbolKind::param});
    }
    if (first == "model" && back == "model") return library(EntryKind::model, 0);
    if (first == "calibrate") return word({"isotonic", "sigmoid"});
    if (first == "refit") return word({"none", "train", "validation", "all"});
    if (back == "maximize" || back == "minimize") return metrics();
    if (first == "tune") return word({"maximize", "minimize", "trials", "strategy", "early_stop"});
    if (first == "weights") word({"balanced"});
    if (first == "decide") word({"when", "p", "tune", "maximize", "minimize"});
    expression();
  }

  void entry() {
    const std::string_view first = place.first(), back = place.back();
    if (place.block == "train") return train_entry();
    if (place.block == "evaluate") {
      if (first == "metrics" || first == "require") {
        metrics();
        if (first == "require") word({"beats", "production", "by", "with"});
        if (back == "by") columns();
        return;
      }
      if (first == "explain") return word({"top"});
      word({"by", "at_least", "rows", "positives"});
      return columns();
    }
    if (place.block == "deploy") {
      if (first == "serve") return words("serve", 0);
      if (first == "stage") return word({"production", "requires", "approval", "from", "per", "valid", "final"});
      if (back == "batch") return declared({SymbolKind::table}, 0);
      if (back == "into") return library(EntryKind::sink);
      if (first == "canary") return word({"for", "at_least", "requests", "require"});
      return word({"into", "key"});
    }
    if (place.block == "monitor") {
      if (place.has("->")) {
        words("action", 0);
        return word({"cooldown"});
      }
      if (first == "drift") {
        if (back == "drift") return library(EntryKind::drift, 0);
        word({"on", "features", "prediction", "against", "same", "ago"});
        return columns();
      }
      if (first == "performance") {
        metrics();
        word({"labels", "key", "within", "absent", "means"});
        return declared({SymbolKind::table});
      }
      if (first == "alert") return word({"file", "command", "webhook"});
      if (first == "every" || first == "over") return word({"over", "last", "at_least", "rows"});
      return expression();
    }
    if (place.block == "data") {
      if (back == ":") return words("type", 0);
      if (place.has(":") && !place.has("=")) word({"as", "in", "matches", "unique", "values", "format"});
      if (place.has("=") || first == "expect") expression();
      return;
    }
    if (place.block == "schedule") return declared({SymbolKind::train, SymbolKind::deploy, SymbolKind::view}, 0);
    expression();
  }

  void run() {
    if (!place.valid) return;
    const std::string_view back = place.back();
    if (back == ".") return member();
    if (back == "@") return words("tag", 0);
    if (place.block.empty()) return words("file", 0);
    if (!place.inner.empty() && place.inner_entry == "model") {
      if (place.at_start) return parameters(EntryKind::model, place.inner, true);
      if (back == ":") {
        choices(EntryKind::model, place.inner, place.back(1));
        word({"tune"});
        return declared({SymbolKind::param});
      }
      return;
    }
    if (!place.inner.empty() && place.inner_entry == "given" && place.at_start) return columns();
    if (arguments() || !place.callee.empty()) {
      if (place.block == "data" && !place.has(":") && place.first() != "expect" && back != ",") return;  // of a source
      const bool of_metrics = place.block == "evaluate" && (place.first() == "require" || place.first() == "metrics");
      return of_metrics && back != "by" ? metrics() : expression();
    }
    if (!place.in_block) return head();
    if (place.at_start) return entry_start();
    entry();
  }
};

}  // namespace

Completion complete(const Analysis& now, const Analysis* last_good, std::uint32_t offset) {
  const Span word = word_at(now, offset);
  const std::uint32_t begin = word ? word.begin : offset;
  Completer completer{now, last_good, place_of(now, offset, begin), {}, {}};
  completer.out.replace = {now.main, begin, offset};
  // A number is not completed.
  const char before = offset > 0 ? now.text()[offset - 1] : ' ';
  if (!word && before >= '0' && before <= '9') return completer.out;
  completer.run();
  std::ranges::stable_sort(completer.out.items, {}, [](const CompletionItem& item) { return item.group; });
  return completer.out;
}

}  // namespace mlp::lsp
