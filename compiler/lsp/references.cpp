#include <algorithm>

#include "compiler/lsp/names.h"

namespace mlp::lsp {

namespace {

/// Where a name is looked for, nearest first.
struct Scope {
  const Columns* locals = nullptr;  ///< arguments of a function
  const Columns* near = nullptr;    ///< of the view, or of the table that an aggregate is about
  const Columns* far = nullptr;     ///< of the table
  std::string_view own;             ///< the feature that is being defined: inside of it the name is the table's
  bool aggregates = false;          ///< in the definitions of `group` and `window`
  bool metrics = false;             ///< names of metrics come first
  EntryKind call = EntryKind::fn;   ///< what a call's name is looked for as, besides functions and transforms
};

struct Walker {
  const ast::File& file;
  const SourceMap& sources;
  Names& names;

  void refer(Span at, std::variant<std::size_t, LibraryName, EntryWord> to) {
    if (at && at.file == file.file) names.references.push_back({at, std::move(to)});
  }

  // ---- names -----------------------------------------------------------------------------------------------------------------

  void declaration(const ast::Path& path) {
    if (const auto at = names.declared.find(first_of(path)); at != names.declared.end()) refer(path.parts.front().span, at->second);
    if (path.parts.size() < 2) return;
    const std::string owner = owner_of(names, path);
    if (owner == first_of(path)) return member(path);
    // shared.trips, shared.trips.fare
    if (const auto at = names.declared.find(owner); at != names.declared.end()) refer(path.parts[1].span, at->second);
    if (path.parts.size() > 2) in_columns(names.columns_of(owner), path.parts[2]);
  }
  void declarations(const std::vector<ast::Path>& paths) {
    for (const ast::Path& path : paths) declaration(path);
  }

  /// The part after a dot: a column of a table or view, a metric of a model.
  void member(const ast::Path& path) {
    const ast::Name& last = path.parts[1];
    if (const Columns* columns = names.columns_of(first_of(path)))
      if (const auto at = columns->find(last.text); at != columns->end()) return refer(last.span, at->second);
    library(EntryKind::metric, last);
  }

  bool library(EntryKind kind, const ast::Name& name) {
    if (find_entries(kind, name.text).empty()) return false;
    refer(name.span, LibraryName{kind, name.text, {}});
    return true;
  }

  bool in_columns(const Columns* columns, const ast::Name& name) {
    if (!columns) return false;
    const auto at = columns->find(name.text);
    if (at == columns->end()) return false;
    refer(name.span, at->second);
    return true;
  }

  void resolve(const ast::Path& path, const Scope& scope) {
    const ast::Name& name = path.parts.front();
    if (path.parts.size() > 1) {
      if (names.declared.contains(name.text)) return declaration(path);
      return member(path);  // `constant.auc`
    }
    if (scope.metrics && library(EntryKind::metric, name)) return;
    if (in_columns(scope.locals, name)) return;
    if (name.text != scope.own && in_columns(scope.near, name)) return;
    if (in_columns(scope.far, name)) return;
    if (names.declared.contains(name.text)) return declaration(path);
    for (const EntryKind kind : {scope.call, EntryKind::fn, EntryKind::aggregate, EntryKind::transform, EntryKind::metric})
      if (library(kind, name)) return;
  }
  void resolve(const std::vector<ast::Path>& paths, const Scope& scope) {
    for (const ast::Path& path : paths) resolve(path, scope);
  }

  // ---- expressions -----------------------------------------------------------------------------------------------------------

  void expression(ast::ExprId id, const Scope& scope) {
    if (!id) return;
    const ast::Expr& e = file.expr(id);
    if (const auto* ref = std::get_if<ast::Ref>(&e.kind)) return resolve(ref->path, scope);
    if (const auto* call = std::get_if<ast::Call>(&e.kind)) return this->call(*call, scope);
    if (const auto* unary = std::get_if<ast::Unary>(&e.kind)) return expression(unary->operand, scope);
    if (const auto* binary = std::get_if<ast::Binary>(&e.kind)) return expressions({binary->left, binary->right}, scope);
    if (const auto* in = std::get_if<ast::In>(&e.kind)) return expressions({in->value, in->set}, scope);
    if (const auto* set = std::get_if<ast::Set>(&e.kind)) return expressions(set->elements, scope);
    if (const auto* list = std::get_if<ast::List>(&e.kind)) return expressions(list->elements, scope);
    if (const auto* known = std::get_if<ast::IsKnown>(&e.kind)) return expression(known->value, scope);
    if (const auto* choice = std::get_if<ast::If>(&e.kind)) return expressions({choice->condition, choice->then, choice->otherwise}, scope);
    if (const auto* at = std::get_if<ast::MetricAt>(&e.kind)) {
      expression(at->metric, scope);
      if (at->of) library(EntryKind::metric, *at->of);
      return expression(at->value, scope);
    }
    if (const auto* by = std::get_if<ast::MetricBy>(&e.kind)) {
      expression(by->metric, scope);
      Scope columns = scope;
      columns.metrics = false;
      resolve(by->by, columns);
    }
  }
  void expressions(const std::vector<ast::ExprId>& ids, const Scope& scope) {
    for (const ast::ExprId id : ids) expression(id, scope);
  }

  void call(const ast::Call& call, const Scope& scope) {
    const ast::Name& callee = call.callee.parts.front();
    std::optional<EntryKind> kind;
    if (call.callee.parts.size() > 1) {
      declaration(call.callee);
    } else if (const auto own = names.declared.find(callee.text); own != names.declared.end() && names.symbols[own->second].kind == SymbolKind::function) {
      refer(callee.span, own->second);
    } else {
      // `mean(trips.fare by driver)` is an aggregate, `max(a, b)` is none, though both names may stand for both.
      const bool about_rows = !call.by.empty() || call.where || call.over || scope.aggregates || is_about_table(call);
      for (const EntryKind each : {scope.metrics ? EntryKind::metric : scope.call, about_rows ? EntryKind::aggregate : scope.call, EntryKind::fn, EntryKind::transform,
                                   EntryKind::aggregate, EntryKind::metric})
        if (!kind && library(each, callee)) kind = each;
    }
    for (const ast::Argument& argument : call.arguments) {
      if (argument.name) argument_name(kind, call.callee.text(), *argument.name);
      Scope inside = scope;
      // `impute(x, median)`: a bare word that the parameter asks for is no column.
      if (kind && argument.value && is_word_of(*kind, callee.text, argument.value)) continue;
      expression(argument.value, inside);
    }
    // `mean(trips.fare by driver where fare > 0)`: what follows `by` and `where` are columns of trips.
    Scope rows = scope;
    rows.metrics = false;
    if (!call.arguments.empty() && call.arguments.front().value)
      if (const auto* ref = std::get_if<ast::Ref>(&file.expr(call.arguments.front().value).kind))
        if (const Columns* of = names.columns_of(owner_of(names, ref->path)); of && (ref->path.parts.size() > 1 || !is_column(first_of(ref->path), scope))) {
          rows = scope;
          rows.near = of;
          rows.far = scope.far;
          rows.own = {};
        }
    resolve(call.by, rows);
    expression(call.where, rows);
    if (call.over) expressions({call.over->length, call.over->ending}, scope);
  }

  /// `count(trips)`, `mean(trips.fare)`.
  bool is_about_table(const ast::Call& call) const {
    if (call.arguments.empty() || !call.arguments.front().value) return false;
    const auto* ref = std::get_if<ast::Ref>(&file.expr(call.arguments.front().value).kind);
    return ref && ref->path.parts.size() > 1 && names.declared.contains(first_of(ref->path));
  }

  static bool is_column(const std::string& name, const Scope& scope) {
    return (scope.near && scope.near->contains(name)) || (scope.far && scope.far->contains(name));
  }

  void argument_name(std::optional<EntryKind> kind, const std::string& callee, const ast::Name& name) {
    if (kind) return refer(name.span, LibraryName{*kind, callee, name.text});
    if (const Columns* arguments = names.columns_of(callee))
      if (const auto at = arguments->find(name.text); at != arguments->end()) refer(name.span, at->second);
  }

  bool is_word_of(EntryKind kind, const std::string& callee, ast::ExprId value) const {
    const auto* ref = std::get_if<ast::Ref>(&file.expr(value).kind);
    if (!ref || ref->path.parts.size() != 1) return false;
    for (const Signature* signature : find_entries(kind, callee))
      for (const Parameter& parameter : signature->parameters)
        if (std::ranges::find(parameter.one_of, first_of(ref->path)) != parameter.one_of.end()) return true;
    return false;
  }

  // ---- declarations ----------------------------------------------------------------------------------------------------------

  Scope columns_of(const std::string& name) const {
    Scope scope;
    scope.near = names.columns_of(name);
    if (const auto table = names.tables.find(name); table != names.tables.end()) scope.far = names.columns_of(table->second);
    return scope;
  }

  void data_entries(const std::vector<ast::DataEntry>& entries, const Scope& scope) {
    for (const ast::DataEntry& entry : entries) {
      if (const auto* column = std::get_if<ast::Column>(&entry.kind)) {
        expressions({column->value, column->in}, scope);
        tags(column->tags, scope);
      }
      if (const auto* expect = std::get_if<ast::Expect>(&entry.kind)) expression(expect->condition, scope);
      if (const auto* reject = std::get_if<ast::Reject>(&entry.kind)) expression(reject->share, scope);
    }
  }
  void tags(const std::vector<ast::Tag>& tags, const Scope& scope) {
    for (const ast::Tag& tag : tags) {
      if (tag.availability && tag.availability->column) resolve(*tag.availability->column, scope);
      if (tag.availability) expression(tag.availability->offset, scope);
      for (const ast::Argument& argument : tag.arguments) expression(argument.value, scope);
    }
  }
  void definitions(const std::vector<ast::Definition>& definitions, const Scope& scope) {
    for (const ast::Definition& definition : definitions) {
      expression(definition.value, scope);
      tags(definition.tags, scope);
    }
  }
  void order(const std::vector<ast::OrderItem>& items, const Scope& scope) {
    for (const ast::OrderItem& item : items) resolve(item.column, scope);
  }

  static Scope over_rows(Scope scope) {
    scope.aggregates = true;
    return scope;
  }

  void stage(const ast::Stage& stage, const Scope& scope) {
    if (const auto* s = std::get_if<ast::WhereStage>(&stage.kind)) expression(s->condition, scope);
    if (const auto* s = std::get_if<ast::JoinStage>(&stage.kind)) declaration(s->table), expression(s->on, scope);
    if (const auto* s = std::get_if<ast::AsofJoinStage>(&stage.kind)) declaration(s->table), resolve(s->by, scope), resolve(s->at, scope);
    if (const auto* s = std::get_if<ast::DedupeStage>(&stage.kind)) {
      resolve(s->by, scope);
      if (s->of) resolve(*s->of, scope);
    }
    if (const auto* s = std::get_if<ast::DeriveStage>(&stage.kind)) definitions(s->definitions, scope);
    if (const auto* s = std::get_if<ast::GroupStage>(&stage.kind)) resolve(s->by, scope), definitions(s->definitions, over_rows(scope));
    if (const auto* s = std::get_if<ast::WindowStage>(&stage.kind)) resolve(s->by, scope), order(s->order, scope), definitions(s->definitions, over_rows(scope));
    if (const auto* s = std::get_if<ast::SelectStage>(&stage.kind)) {
      if (s->all)
        for (const ast::Name& name : s->all->except) in_columns(scope.near, name) || in_columns(scope.far, name);
      for (const ast::SelectItem& item : s->items) expression(item.value, scope), tags(item.tags, scope);
    }
    if (const auto* s = std::get_if<ast::UnionStage>(&stage.kind)) declarations(s->tables);
    if (const auto* s = std::get_if<ast::SortStage>(&stage.kind)) order(s->by, scope);
    if (const auto* s = std::get_if<ast::LimitStage>(&stage.kind)) expression(s->rows, scope);
    if (const auto* s = std::get_if<ast::SampleStage>(&stage.kind)) expressions({s->share, s->seed}, scope);
    if (const auto* s = std::get_if<ast::UnpivotStage>(&stage.kind)) resolve(s->columns, scope);
    if (const auto* s = std::get_if<ast::FillStage>(&stage.kind)) {
      resolve(s->by, scope);
      expressions({s->every, s->until_ahead}, scope);
      for (const ast::Argument& argument : s->with) {
        if (argument.name) in_columns(scope.near, *argument.name) || in_columns(scope.far, *argument.name);
        expression(argument.value, scope);
      }
    }
    if (const auto* s = std::get_if<ast::CrossStage>(&stage.kind)) expression(s->range, scope);
    if (const auto* s = std::get_if<ast::PythonStage>(&stage.kind)) data_entries(s->columns, scope);
  }

  void split_form(const ast::SplitForm& form, const Scope& scope) {
    expressions(form.parts, scope);
    expressions({form.count, form.seed, form.gap, form.every, form.horizon}, scope);
    for (const auto* path : {&form.group_by, &form.stratified})
      if (*path) resolve(**path, scope);
    resolve(form.by, scope);
  }

  void objective(const ast::Objective& objective, Scope scope) {
    scope.metrics = true;
    expression(objective.metric, scope);
  }

  void entry_word(const char* block, Span word) { refer(word, EntryWord{block, std::string(sources.text(word))}); }

  void source(const ast::SourceRef& source, Scope scope) {
    scope.call = EntryKind::source;
    expression(source.call, scope);
    if (source.version_by) resolve(*source.version_by, scope);
  }

  void train_entry(const ast::TrainEntry& entry, const Scope& scope) {
    entry_word("train", entry.word);
    if (const auto* e = std::get_if<ast::Predict>(&entry.kind)) {
      expression(e->value, scope);
      if (e->back) library(EntryKind::fn, *e->back);
      expressions(e->quantiles, scope);
      if (e->rank_by) resolve(*e->rank_by, scope);
    }
    if (const auto* e = std::get_if<ast::RankBy>(&entry.kind)) resolve(e->column, scope);
    if (const auto* e = std::get_if<ast::UseSplit>(&entry.kind)) {
      if (e->name) declaration(*e->name);
      if (e->form) split_form(*e->form, scope);
    }
    if (const auto* e = std::get_if<ast::Model>(&entry.kind)) {
      const ast::Name& name = e->name.parts.front();
      library(EntryKind::model, name);
      for (const ast::Argument& argument : e->arguments) expression(argument.value, scope);
      for (const ast::ModelParameter& parameter : e->parameters) {
        refer(parameter.name.span, LibraryName{EntryKind::model, name.text, parameter.name.text});
        if (parameter.value && !is_word_of(EntryKind::model, name.text, parameter.value)) expression(parameter.value, scope);
      }
    }
    if (const auto* e = std::get_if<ast::Tune>(&entry.kind)) objective(e->objective, scope), expressions({e->trials, e->early_stop_rounds}, scope);
    if (const auto* e = std::get_if<ast::EarlyStop>(&entry.kind)) expression(e->rounds, scope);
    if (const auto* e = std::get_if<ast::Decide>(&entry.kind)) {
      expression(e->threshold, scope);
      if (e->objective) objective(*e->objective, scope);
    }
    if (const auto* e = std::get_if<ast::Per>(&entry.kind)) resolve(e->column, scope), expression(e->at_least, scope);
    if (const auto* e = std::get_if<ast::Seed>(&entry.kind)) expression(e->value, scope);
    if (const auto* e = std::get_if<ast::TrainWhere>(&entry.kind)) expression(e->condition, scope);
    if (const auto* e = std::get_if<ast::Weights>(&entry.kind)) resolve(e->column, scope);
    if (const auto* e = std::get_if<ast::SampleClass>(&entry.kind)) expressions({e->value, e->share}, scope);
  }

  void evaluate_entry(const ast::EvaluateEntry& entry, const Scope& scope) {
    entry_word("evaluate", entry.word);
    Scope metrics = scope;
    metrics.metrics = true;
    if (const auto* e = std::get_if<ast::Metrics>(&entry.kind)) expressions(e->metrics, metrics);
    if (const auto* e = std::get_if<ast::Slice>(&entry.kind)) {
      for (const ast::SliceItem& item : e->items) resolve(item.columns, scope);
      expression(e->at_least, scope);
    }
    if (const auto* e = std::get_if<ast::Explain>(&entry.kind)) expression(e->top, scope);
    if (const auto* e = std::get_if<ast::Resample>(&entry.kind)) resolve(e->by, scope);
    if (const auto* e = std::get_if<ast::Gate>(&entry.kind)) {
      expression(e->condition, metrics);
      expressions({e->margin, e->confidence}, scope);
    }
  }

  void deploy_entry(const ast::DeployEntry& entry, const Scope& scope) {
    entry_word("deploy", entry.word);
    if (const auto* e = std::get_if<ast::StageOf>(&entry.kind)) expression(e->approval_valid, scope);
    if (const auto* e = std::get_if<ast::Serve>(&entry.kind))
      for (const ast::Option& option : e->options) {
        entry_word("serve", option.name.span);
        expression(option.value, scope);
      }
    if (const auto* e = std::get_if<ast::Canary>(&entry.kind)) expressions({e->share, e->duration, e->at_least, e->require}, scope);
    if (const auto* e = std::get_if<ast::BatchInto>(&entry.kind)) {
      declaration(e->table);
      Scope rows = columns_of(e->table.text());
      rows.call = EntryKind::sink;
      expression(e->sink, rows);
      resolve(e->key, rows);
    }
  }

  void monitor_entry(const ast::MonitorEntry& entry, const Scope& scope) {
    entry_word("monitor", entry.word);
    if (const auto* e = std::get_if<ast::Rhythm>(&entry.kind)) expressions({e->every, e->over_last, e->at_least}, scope);
    if (const auto* e = std::get_if<ast::DriftCheck>(&entry.kind)) {
      Scope drift;
      drift.call = EntryKind::drift;
      expression(e->condition, drift);
      for (const ast::Path& path : e->on)
        if (path.text() != "features" && path.text() != "prediction") resolve(path, scope);
      expressions({e->same, e->ago}, scope);
    }
    if (const auto* e = std::get_if<ast::QualityCheck>(&entry.kind)) expression(e->condition, scope);
    if (const auto* e = std::get_if<ast::PerformanceCheck>(&entry.kind)) {
      Scope metrics = scope;
      metrics.metrics = true;
      expression(e->condition, metrics);
      Scope labels;
      labels.call = EntryKind::source;
      expression(e->labels, labels);
      resolve(e->key, scope);
      expressions({e->within, e->absent_means}, scope);
    }
    if (const auto* e = std::get_if<ast::AlertTo>(&entry.kind)) expressions(e->targets, {});
  }

  void operator()(const ast::Declaration& declaration) {
    const std::string& name = declaration.name.text;
    if (const auto* d = std::get_if<ast::Param>(&declaration.kind)) expressions({d->range, d->fallback}, {});
    if (const auto* d = std::get_if<ast::Env>(&declaration.kind))
      for (const ast::EnvEntry& entry : d->entries) {
        if (const auto at = names.declared.find(entry.name.text); at != names.declared.end()) refer(entry.name.span, at->second);
        if (const auto* data = std::get_if<ast::Data>(&entry.kind); data && data->source) source(*data->source, columns_of(entry.name.text));
        if (const auto* param = std::get_if<ast::Param>(&entry.kind)) expressions({param->range, param->fallback}, {});
      }
    if (const auto* d = std::get_if<ast::Callable>(&declaration.kind)) {
      Scope scope;
      scope.locals = names.columns_of(name);
      expressions({d->result_range, d->known_when, d->binding.body}, scope);
      for (const ast::Parameter& parameter : d->parameters) expressions({parameter.range, parameter.fallback}, {});
    }
    if (const auto* d = std::get_if<ast::Data>(&declaration.kind)) {
      Scope scope = columns_of(name);
      if (d->source) source(*d->source, scope);
      data_entries(d->entries, scope);
      if (d->input) {
        this->declaration(*d->input);
        scope.far = names.columns_of(d->input->text());
      }
      for (const ast::Stage& each : d->stages) stage(each, scope);
    }
    if (const auto* d = std::get_if<ast::Feature>(&declaration.kind)) feature(name, *d);
    if (const auto* d = std::get_if<ast::Split>(&declaration.kind)) this->declaration(d->of), split_form(d->form, columns_of(d->of.text()));
    if (const auto* d = std::get_if<ast::Train>(&declaration.kind)) {
      declarations(d->of);
      for (const ast::TrainEntry& entry : d->entries) train_entry(entry, columns_of(name));
    }
    if (const auto* d = std::get_if<ast::Evaluate>(&declaration.kind)) {
      this->declaration(d->model);
      for (const ast::EvaluateEntry& entry : d->entries) evaluate_entry(entry, columns_of(d->model.text()));
    }
    if (const auto* d = std::get_if<ast::Deploy>(&declaration.kind)) {
      this->declaration(d->of);
      for (const ast::DeployEntry& entry : d->entries) deploy_entry(entry, columns_of(d->of.text()));
    }
    if (const auto* d = std::get_if<ast::Monitor>(&declaration.kind)) {
      this->declaration(d->deployment);
      Scope scope = columns_of(d->deployment.text());
      if (const auto of = names.views.find(d->deployment.text()); of != names.views.end() && !of->second.empty()) scope.near = names.columns_of(of->second.front());
      for (const ast::MonitorEntry& entry : d->entries) monitor_entry(entry, scope);
    }
    if (const auto* d = std::get_if<ast::Schedule>(&declaration.kind)) {
      expressions({d->every, d->fresh}, {});
      if (d->after) this->declaration(*d->after);
      for (const ast::Job& job : d->jobs) this->declaration(job.target);
    }
    if (const auto* d = std::get_if<ast::Explore>(&declaration.kind)) this->declaration(d->of), resolve(d->by, columns_of(d->of.text()));
    if (const auto* d = std::get_if<ast::Test>(&declaration.kind)) test(*d);
  }

  void feature(const std::string& name, const ast::Feature& feature) {
    declaration(feature.of);
    Scope scope = columns_of(name);
    if (feature.at) in_columns(scope.far, feature.at->parts.front());
    for (const ast::FeatureEntry& entry : feature.entries) {
      if (const auto* taken = std::get_if<ast::TakenColumns>(&entry.kind)) {
        for (const ast::Name& each : taken->columns) in_columns(scope.far, each);
        if (taken->all)
          for (const ast::Name& each : taken->all->except) in_columns(scope.far, each);
      }
      if (const auto* definition = std::get_if<ast::Definition>(&entry.kind)) {
        scope.own = definition->name.text;
        expression(definition->value, scope);
        tags(definition->tags, scope);
        scope.own = {};
      }
      if (const auto* each = std::get_if<ast::EachColumn>(&entry.kind)) expression(each->value, scope);
      if (const auto* publish = std::get_if<ast::Publish>(&entry.kind)) expressions({publish->refresh, publish->expire}, scope);
    }
  }

  void test(const ast::Test& test) {
    declaration(test.of);
    const Scope scope = columns_of(test.of.text());
    for (const ast::Given& given : test.given) {
      if (given.of) declaration(*given.of);
      const Columns* of = given.of ? names.columns_of(given.of->text()) : nullptr;
      for (const ast::Argument& argument : given.values) {
        if (argument.name) in_columns(of, *argument.name) || in_columns(scope.far, *argument.name) || in_columns(scope.near, *argument.name);
        expression(argument.value, scope);
      }
    }
    for (const ast::ExprId expect : test.expect) expression(expect, scope);
  }
};

}  // namespace

void collect_references(const ast::File& file, const SourceMap& sources, Names& names) {
  for (std::size_t i = 0; i < names.symbols.size(); ++i)
    if (names.symbols[i].at && names.symbols[i].at.file == file.file && sources.text(names.symbols[i].at).find(names.symbols[i].name) != std::string_view::npos)
      names.references.push_back({names.symbols[i].at, i});
  Walker walker{file, sources, names};
  for (const ast::Declaration& declaration : file.declarations) walker(declaration);
  std::ranges::stable_sort(names.references, {}, [](const Reference& reference) { return std::pair(reference.at.begin, reference.at.end); });
}

}  // namespace mlp::lsp
