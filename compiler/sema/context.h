#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/sema/check.h"
#include "compiler/sema/hir.h"
#include "compiler/syntax/ast.h"

/// What the passes of the checker share: the file, what is declared in it, and the workflow that grows.
namespace mlp::sema {

enum class DeclaredKind : std::uint8_t { table, view, split, train, deploy, param, secret, callable, import_, broken };
/// "a table", "a split" …: for messages.
std::string_view with_article(DeclaredKind kind);

struct Declared {
  DeclaredKind kind{};
  const ast::Declaration* declaration = nullptr;
};

/// A declaration, or a column, that is being resolved; a second visit is a circle.
struct Visit {
  const void* what = nullptr;
  std::string name;
  Span declared;
};

/// What is known of a column beyond the HIR.
struct ColumnFacts {
  Span reference;  ///< of the availability or policy tag that decides, for labels of diagnostics; nowhere if none
  Span type_span;
};

/// A row-wise function of the workflow, checked once for its parameters' types.
struct UserFunction {
  const ast::Declaration* declaration = nullptr;
  const ast::Callable* callable = nullptr;
  Signature signature;  ///< `body` stays empty: the body is in the file
  bool good = false;
};

struct TableState {
  std::optional<hir::TableId> id;
  bool opaque = false;  ///< its columns are not known (something that is not yet resolved): names in it are not checked
};

/// The file that is being looked at: the workflow's, or an imported one.
struct CurrentFile {
  const ast::File* now = nullptr;
  const ast::Expr& expr(ast::ExprId id) const { return now->expr(id); }
  operator const ast::File&() const { return *now; }
};

/// A file with its names. Those of the file that is being looked at are in Context::names.
struct ModuleState {
  const ast::File* file = nullptr;
  std::string prefix;  ///< "shared.": of its names, for people; "" for the workflow
  std::string folder;
  std::map<std::string, std::size_t> imports;
  std::map<std::string, Declared, std::less<>> names;
};

struct Context {
  CurrentFile file;
  const SourceMap& sources;
  const CheckOptions& options;
  diag::Sink& sink;
  hir::Workflow out;

  std::map<std::string, Declared, std::less<>> names;
  std::vector<ModuleState> modules;                           ///< the first is the workflow
  std::size_t module = 0;                                     ///< that `file` and `names` are of
  std::map<const ast::Declaration*, std::size_t> module_of;   ///< of imported declarations
  std::vector<ColumnFacts> facts;  ///< beside out.columns
  std::vector<Visit> visits;
  std::map<const ast::Declaration*, TableState> tables;
  std::map<const ast::Declaration*, std::optional<hir::ViewId>> views;
  std::map<const ast::Declaration*, std::optional<hir::SplitId>> splits;
  std::map<const ast::Declaration*, std::optional<hir::TrainId>> trains;
  std::map<const ast::Declaration*, std::optional<hir::Param>> params;
  std::map<const ast::Declaration*, UserFunction> functions;
  std::vector<Span> declassified;          ///< texts whose personal and protected values were freed, with a reason
  std::set<hir::ViewId> incomplete_views;  ///< something in them was reported or is not yet there
  /// Texts of the standard library, parsed when first needed.
  std::map<std::string, std::unique_ptr<ast::File>, std::less<>> library_texts;
  std::map<std::string, ast::ExprId, std::less<>> library_roots;

  /// What a model reads of a column of a view, by the texts of its preparation (without one: by the model).
  std::map<std::pair<hir::ColumnId, const void*>, std::vector<expr::Expr>> prepared;

  Context(const ast::File& f, const SourceMap& s, const CheckOptions& o, diag::Sink& d) : file{&f}, sources(s), options(o), sink(d) {}
  /// Warnings inside of what has a reason (`because "…"`) are quiet.
  void report(diag::Diagnostic diagnostic);
  std::vector<Span> reasoned;
  /// How many names a suggestion looks through. After many reports few, so that a file of nothing but mistakes is checked in time.
  std::size_t most_names() const { return sink.diagnostics().size() < 1'000 ? 10'000 : 10; }
  std::set<hir::ColumnId> no_outcomes;  ///< columns that no outcome is behind, so far as they were asked for
  int nesting = 0;  ///< operations and declarations that are looked at inside one another
  std::string text(Span span) const { return std::string(sources.text(span)); }
  hir::ColumnId add_column(hir::Column column, ColumnFacts facts = {});
  void not_yet(std::string what, Span span);
  std::string_view word(const ast::Declaration& declaration) const { return sources.text(declaration.word); }
};

/// Looks at the file of a declaration until the end of its scope.
class InModule {
 public:
  InModule(Context& context, std::size_t module);
  InModule(Context& context, const ast::Declaration& declaration);
  ~InModule();
  InModule(const InModule&) = delete;
  InModule& operator=(const InModule&) = delete;

 private:
  void enter(std::size_t module);
  Context& context_;
  std::size_t before_;
};
/// "shared.customers": its name as the workflow writes it.
std::string full_name(const Context& context, const ast::Declaration& declaration);
/// What `shared.customers` names, or `shared.customers.age`; nullptr when the file that is imported declares no such name.
const Declared* find_imported(const Context& context, const ast::Path& path);
/// Whether a path begins with the name of an import.
bool is_imported(const Context& context, const ast::Path& path);
/// Whether the import of a path could be read; else that was reported.
bool is_loaded(const Context& context, const ast::Path& path);
/// What the chosen `env` block says of a param or a table; nullptr where it says nothing.
template <class Kind>
const Kind* env_entry(const Context& context, std::string_view name) {
  if (context.options.env.empty() || context.module != 0) return nullptr;
  for (const ast::Declaration& declaration : context.file.now->declarations)
    if (const auto* env = std::get_if<ast::Env>(&declaration.kind); env && declaration.name.text == context.options.env)
      for (const ast::EnvEntry& entry : env->entries)
        if (const auto* kind = std::get_if<Kind>(&entry.kind); kind && entry.name.text == name) return kind;
  return nullptr;
}
/// The names of the file; reports those declared twice.
void declare_names(Context& context);
/// The declaration that a path names, of the kind needed; reports E0201 or E0211 and gives nullptr otherwise. Silent about
/// what was reported already or is not resolved yet.
const ast::Declaration* find_declared(Context& context, const ast::Path& path, DeclaredKind kind);
/// Names of that kind, for suggestions.
std::vector<std::string_view> declared_names(const Context& context, DeclaredKind kind);
std::vector<std::string_view> column_names(const Context& context, const std::vector<hir::ColumnId>& columns);

/// Counts what is looked at inside one another, for the stack has an end; `good` is false where that is too much, which was reported.
class Nested {
 public:
  Nested(Context& context, Span span);
  ~Nested() { --context_.nesting; }
  Nested(const Nested&) = delete;
  Nested& operator=(const Nested&) = delete;
  bool good = true;

 private:
  Context& context_;
};

/// Takes a visit off the stack at the end of its scope.
class VisitGuard {
 public:
  /// `good` is false after a circle, or too deep a chain, was reported.
  VisitGuard(Context& context, const void* what, std::string name, Span declared, Span reference);
  ~VisitGuard();
  VisitGuard(const VisitGuard&) = delete;
  VisitGuard& operator=(const VisitGuard&) = delete;
  bool good = true;

 private:
  Context& context_;
  Nested nested_;
};

/// An expression of the standard library's text, with the file that holds its nodes.
struct LibraryText {
  const ast::File* file = nullptr;
  ast::ExprId root;
};
LibraryText library_text(Context& context, const std::string& text);

/// "did you mean `x`?", or the other text when nothing is near.
diag::Diagnostic with_suggestion(diag::Diagnostic diagnostic, std::string_view name, Span span, const std::vector<std::string_view>& candidates,
                                 std::string otherwise = {});
/// `a`, `b` and 3 more.
std::string listing(const std::vector<std::string_view>& names, std::size_t most = 8);
/// A length of time as the language writes it: "90d".
std::string duration_text(std::int64_t microseconds);
/// A number and its noun: "1 argument", "3 arguments".
std::string counted(std::size_t count, std::string_view noun);

// ---- one function a block; each is called once a declaration, on demand or by `check` -------------------------------------

TableState resolve_table(Context& context, const ast::Declaration& declaration, Span reference);
std::optional<hir::ViewId> resolve_view(Context& context, const ast::Declaration& declaration, Span reference);
std::optional<hir::SplitId> resolve_split(Context& context, const ast::Declaration& declaration);
std::optional<hir::TrainId> resolve_train(Context& context, const ast::Declaration& declaration);
std::optional<hir::Param> resolve_param(Context& context, const ast::Declaration& declaration, Span reference);
const UserFunction& resolve_function(Context& context, const ast::Declaration& declaration, Span reference);

/// Random calls of these columns (of one table or view, in the order of declaration) get streams that depend on the seed, on what
/// the call computes from what, and on how many equal calls stand before it; not on names or positions.
void assign_streams(Context& context, const std::vector<hir::ColumnId>& columns, std::int64_t seed);

/// A split written inline; `default_seed` is the train's.
std::optional<hir::SplitId> check_split_form(Context& context, const ast::SplitForm& form, std::string name, hir::TableId table,
                                             std::optional<std::int64_t> default_seed, bool because, Span span);
void check_evaluate(Context& context, const ast::Declaration& declaration);
void check_deploy(Context& context, const ast::Declaration& declaration);
void check_monitor(Context& context, const ast::Declaration& declaration);
void check_test(Context& context, const ast::Declaration& declaration);
/// Adds to `rows` of the workflow.
void check_rows(Context& context, const RowsQuestion& question);
void check_explore(Context& context, const ast::Declaration& declaration);
void check_schedule(Context& context, const ast::Declaration& declaration);
void check_env(Context& context, const ast::Declaration& declaration);
/// A transform, model, metric … of the workflow: bound to Python.
void check_callable(Context& context, const ast::Declaration& declaration);
void check_option_params(Context& context);

}  // namespace mlp::sema
