#include <fmt/format.h>

#include "compiler/diag/render.h"
#include "compiler/sema/context.h"
#include "compiler/support/check.h"
#include "compiler/syntax/parse.h"

namespace mlp::sema {

using diag::Code;

std::string_view with_article(DeclaredKind kind) {
  switch (kind) {
    case DeclaredKind::table: return "a table";
    case DeclaredKind::view: return "a feature view";
    case DeclaredKind::split: return "a split";
    case DeclaredKind::train: return "a trained model";
    case DeclaredKind::deploy: return "a deployment";
    case DeclaredKind::param: return "a param";
    case DeclaredKind::secret: return "a secret";
    case DeclaredKind::callable: return "a function";
    case DeclaredKind::import_: return "an import";
    case DeclaredKind::broken: return "unknown";
  }
  return "unknown";
}

namespace {

/// What the declaration puts a name to; nullopt for those that only speak about another one.
std::optional<DeclaredKind> kind_of(const ast::Declaration& declaration) {
  struct {
    using Kind = std::optional<DeclaredKind>;
    Kind operator()(const ast::BrokenDeclaration&) const { return DeclaredKind::broken; }
    Kind operator()(const ast::Import&) const { return DeclaredKind::import_; }
    Kind operator()(const ast::Param&) const { return DeclaredKind::param; }
    Kind operator()(const ast::Secret&) const { return DeclaredKind::secret; }
    Kind operator()(const ast::Env&) const { return std::nullopt; }
    Kind operator()(const ast::Callable&) const { return DeclaredKind::callable; }
    Kind operator()(const ast::Data&) const { return DeclaredKind::table; }
    Kind operator()(const ast::Feature&) const { return DeclaredKind::view; }
    Kind operator()(const ast::Split&) const { return DeclaredKind::split; }
    Kind operator()(const ast::Train&) const { return DeclaredKind::train; }
    Kind operator()(const ast::Evaluate&) const { return std::nullopt; }
    Kind operator()(const ast::Deploy&) const { return DeclaredKind::deploy; }
    Kind operator()(const ast::Monitor&) const { return std::nullopt; }
    Kind operator()(const ast::Schedule&) const { return std::nullopt; }
    Kind operator()(const ast::Explore&) const { return std::nullopt; }
    Kind operator()(const ast::Test&) const { return std::nullopt; }
  } visitor;
  return std::visit(visitor, declaration.kind);
}

}  // namespace

hir::ColumnId Context::add_column(hir::Column column, ColumnFacts column_facts) {
  out.columns.push_back(std::move(column));
  facts.push_back(column_facts);
  return hir::ColumnId(out.columns.size() - 1);
}

void Context::report(diag::Diagnostic diagnostic) {
  if (diag::severity(diagnostic.code) == diag::Severity::warning)
    for (const Span span : reasoned)
      if (span.file == diagnostic.span.file && span.begin <= diagnostic.span.begin && diagnostic.span.end <= span.end) return;
  sink.report(std::move(diagnostic));
}

void Context::not_yet(std::string what, Span span) {
  for (const hir::NotYet& known : out.not_yet)
    if (known.what == what && known.span == span) return;
  out.not_yet.push_back({std::move(what), span});
}

void declare_names(Context& context) {
  for (const ast::Declaration& declaration : context.file.now->declarations) {
    const auto kind = kind_of(declaration);
    if (!kind || declaration.name.text.empty()) continue;
    auto [at, fresh] = context.names.try_emplace(declaration.name.text, Declared{*kind, &declaration});
    if (fresh || *kind == DeclaredKind::broken) continue;
    if (at->second.kind == DeclaredKind::broken) continue;
    context.report(diag::make(Code::E0202, declaration.name.span, fmt::format("`{}` is declared twice", declaration.name.text))
                       .with_label("declared again here")
                       .with_secondary(at->second.declaration->name.span, fmt::format("first declared here, as {}", with_article(at->second.kind)))
                       .with_help("tables, views, splits, models, deployments, params and functions share one space of names: rename one of the two"));
  }
}

void InModule::enter(std::size_t module) {
  if (module == context_.module) return;
  std::swap(context_.names, context_.modules[context_.module].names);
  std::swap(context_.names, context_.modules[module].names);
  context_.module = module;
  context_.file.now = context_.modules[module].file;
}
InModule::InModule(Context& context, std::size_t module) : context_(context), before_(context.module) { enter(module); }
InModule::InModule(Context& context, const ast::Declaration& declaration) : context_(context), before_(context.module) {
  const auto at = context.module_of.find(&declaration);
  enter(at == context.module_of.end() ? 0 : at->second);
}
InModule::~InModule() { enter(before_); }

std::string full_name(const Context& context, const ast::Declaration& declaration) {
  const auto at = context.module_of.find(&declaration);
  return (at == context.module_of.end() ? std::string() : context.modules[at->second].prefix) + declaration.name.text;
}

bool is_imported(const Context& context, const ast::Path& path) {
  const auto at = context.names.find(path.parts.front().text);
  return at != context.names.end() && at->second.kind == DeclaredKind::import_;
}

bool is_loaded(const Context& context, const ast::Path& path) { return context.modules[context.module].imports.contains(path.parts.front().text); }

const Declared* find_imported(const Context& context, const ast::Path& path) {
  const auto& imports = context.modules[context.module].imports;
  const auto import = imports.find(path.parts.front().text);
  if (import == imports.end() || path.parts.size() < 2) return nullptr;
  const auto& names = context.modules[import->second].names;
  const auto at = names.find(path.parts[1].text);
  return at == names.end() ? nullptr : &at->second;
}

namespace {

std::vector<std::string_view> names_of_kind(const Context& context, const std::map<std::string, Declared, std::less<>>& names, DeclaredKind kind) {
  std::vector<std::string_view> out;
  std::size_t seen = 0;
  const std::size_t most = context.most_names();
  for (const auto& [name, declared] : names) {
    if (declared.kind == kind) out.push_back(name);
    if (++seen > 10 * most || out.size() == most) break;
  }
  return out;
}

}  // namespace

std::vector<std::string_view> declared_names(const Context& context, DeclaredKind kind) {
  return names_of_kind(context, context.names, kind);
}

std::vector<std::string_view> column_names(const Context& context, const std::vector<hir::ColumnId>& columns) {
  std::vector<std::string_view> names;
  for (const hir::ColumnId column : columns) {
    if (names.size() == context.most_names()) break;
    names.push_back(context.out[column].name);
  }
  return names;
}

const ast::Declaration* find_declared(Context& context, const ast::Path& path, DeclaredKind kind) {
  const std::string& first = path.parts.front().text;
  const auto at = context.names.find(first);
  if (at != context.names.end() && at->second.kind == DeclaredKind::broken) return nullptr;
  const std::string_view needed = with_article(kind);
  if (is_imported(context, path) && path.parts.size() > 1) {
    if (!is_loaded(context, path)) return nullptr;
    const Declared* imported = path.parts.size() == 2 ? find_imported(context, path) : nullptr;
    if (imported && imported->kind == kind) return imported->declaration;
    if (imported && imported->kind == DeclaredKind::broken) return nullptr;
    if (imported) {
      context.report(diag::make(Code::E0211, path.span, fmt::format("`{}` is {}, but {} is needed here", path.text(), with_article(imported->kind), needed)).with_label(fmt::format("{} is needed here", needed))
                         .with_secondary(imported->declaration->name.span, "declared here").with_help(fmt::format("name {}", needed)));
      return nullptr;
    }
    const auto candidates = names_of_kind(context, context.modules[context.modules[context.module].imports.find(first)->second].names, kind);
    context.report(with_suggestion(diag::make(Code::E0201, path.span, fmt::format("`{}` declares no {} named `{}`", first, needed.substr(needed.find(' ') + 1), path.text().substr(first.size() + 1))).with_label("not in the imported file")
                                       .with_secondary(at->second.declaration->name.span, "imported here"),
                                   path.parts[1].text, path.parts[1].span, candidates, candidates.empty() ? fmt::format("it declares no {}", needed.substr(needed.find(' ') + 1)) : fmt::format("it declares {}", listing(candidates))));
    return nullptr;
  }
  if (at == context.names.end() || path.parts.size() > 1) {
    const auto candidates = declared_names(context, kind);
    context.report(with_suggestion(
        diag::make(Code::E0201, path.span, fmt::format("there is no {} named `{}`", needed.substr(needed.find(' ') + 1), path.text()))
            .with_label("not declared in this file"),
        path.text(), path.span, candidates,
        candidates.empty() ? fmt::format("no {} is declared in this file", needed.substr(needed.find(' ') + 1))
                           : fmt::format("declared are {}", listing(candidates))));
    return nullptr;
  }
  if (at->second.kind != kind) {
    context.report(diag::make(Code::E0211, path.span, fmt::format("`{}` is {}, but {} is needed here", path.text(), with_article(at->second.kind), needed))
                       .with_label(fmt::format("{} is needed here", needed))
                       .with_secondary(at->second.declaration->name.span, fmt::format("`{}` is declared here", path.text()))
                       .with_help([&] {
                         const auto candidates = declared_names(context, kind);
                         return candidates.empty() ? fmt::format("no {} is declared in this file", needed.substr(needed.find(' ') + 1))
                                                   : fmt::format("declared are {}", listing(candidates));
                       }()));
    return nullptr;
  }
  return at->second.declaration;
}

namespace {

/// An expression alone may be 1,000 deep (E0105 of the parser), which takes about a megabyte of stack.
constexpr int kMostNested = 1'500;

}  // namespace

Nested::Nested(Context& context, Span span) : context_(context) {
  if (++context.nesting <= kMostNested) return;
  good = false;
  context.report(diag::make(Code::E0105, span, fmt::format("this needs what needs something else, and so on: more than {} operations and declarations deep", kMostNested))
                     .with_label("too deep from here on")
                     .with_help("shorten the chain, or write what is needed before what needs it"));
}

VisitGuard::VisitGuard(Context& context, const void* what, std::string name, Span declared, Span reference)
    : context_(context), nested_(context, reference ? reference : declared) {
  good = nested_.good;
  for (std::size_t i = 0; good && i < context.visits.size(); ++i) {
    if (context.visits[i].what != what) continue;
    std::string path;
    for (std::size_t j = i; j < context.visits.size(); ++j) path += fmt::format("`{}` -> ", context.visits[j].name);
    path += fmt::format("`{}`", name);
    auto diagnostic = diag::make(Code::E0205, reference ? reference : declared,
                                 context.visits.size() - i == 1 ? fmt::format("`{}` needs itself", name) : fmt::format("`{}` needs itself: {}", name, path));
    diagnostic.label = fmt::format("needs `{}`, which is being computed", name);
    for (std::size_t j = i; j < context.visits.size(); ++j)
      diagnostic.secondary.push_back({context.visits[j].declared, j == i ? "the circle begins here" : "which needs this"});
    diagnostic.help = "a circle has no order in which it could be computed: take one of its references away";
    context.report(std::move(diagnostic));
    good = false;
    break;
  }
  context.visits.push_back({what, std::move(name), declared});
}

VisitGuard::~VisitGuard() { context_.visits.pop_back(); }

LibraryText library_text(Context& context, const std::string& text) {
  auto at = context.library_texts.find(text);
  if (at == context.library_texts.end()) {
    auto file = std::make_unique<ast::File>();
    diag::Sink sink;
    const auto root = parse_expression(text, Span{}, *file, sink);
    MLP_CHECK(root && !sink.has_errors());  // the library's texts were parsed when its table was made
    context.library_roots.emplace(text, *root);
    at = context.library_texts.emplace(text, std::move(file)).first;
  }
  return {at->second.get(), context.library_roots.find(text)->second};
}

diag::Diagnostic with_suggestion(diag::Diagnostic diagnostic, std::string_view name, Span span, const std::vector<std::string_view>& candidates,
                                 std::string otherwise) {
  const std::string_view near = diag::did_you_mean(name, candidates);
  if (near.empty()) {
    diagnostic.help = std::move(otherwise);
    return diagnostic;
  }
  diagnostic.help = fmt::format("did you mean `{}`?", near);
  diagnostic.fixes.push_back({span, std::string(near), fmt::format("write `{}`", near), false});
  return diagnostic;
}

std::string listing(const std::vector<std::string_view>& names, std::size_t most) {
  std::string out;
  const std::size_t shown = names.size() <= most + 1 ? names.size() : most;
  for (std::size_t i = 0; i < shown; ++i) {
    if (i) out += shown == names.size() && i + 1 == shown ? " and " : ", ";
    out += fmt::format("`{}`", names[i]);
  }
  if (shown < names.size()) out += fmt::format(" and {} more", names.size() - shown);
  return out;
}

std::string duration_text(std::int64_t microseconds) {
  struct Unit {
    std::int64_t microseconds;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {{86'400'000'000, "d"}, {3'600'000'000, "h"}, {60'000'000, "min"}, {1'000'000, "s"}, {1'000, "ms"}};
  for (const Unit& unit : kUnits)
    if (microseconds % unit.microseconds == 0) return fmt::format("{}{}", microseconds / unit.microseconds, unit.name);
  return fmt::format("{}us", microseconds);
}

std::string counted(std::size_t count, std::string_view noun) { return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s"); }

}  // namespace mlp::sema
