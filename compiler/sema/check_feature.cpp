#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/check_data.h"
#include "compiler/sema/check_flow.h"
#include "compiler/sema/typer.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

namespace {

/// A column of a view while the view is being resolved.
struct Item {
  std::string name;
  Span span;
  std::string doc;
  std::optional<hir::ColumnId> taken;      ///< as it is
  const ast::Definition* definition = nullptr;
  const ast::EachColumn* each = nullptr;   ///< applied to `of`
  std::optional<std::size_t> of;
  bool done = false;
  std::optional<hir::ColumnId> id;
};

class FeatureBlock {
 public:
  FeatureBlock(Context& context, const ast::Declaration& declaration, const ast::Feature& feature)
      : context_(context), declaration_(declaration), feature_(feature) {}
  std::optional<hir::ViewId> resolve(const ast::Declaration& table, const TableState& state);

 private:
  void collect();
  void take_all(const ast::AllColumns& all);
  void take(const ast::Name& name, const std::string& doc);
  bool add(Item item);
  void check_publish(const ast::Publish& publish, Span span);
  void expand_each(const ast::EachColumn& each, const std::string& doc);
  std::optional<hir::ColumnId> column(std::size_t index, Span reference);
  std::optional<hir::ColumnId> resolve_item(const Item& item);
  RowNames::Found find(std::string_view name, std::string_view own, Span reference);
  FlowOf flow_of(const Item& item) const { return {item.name, item.span, &context_.out[view_.table], view_.at, item.taken.has_value()}; }

  Context& context_;
  const ast::Declaration& declaration_;
  const ast::Feature& feature_;
  hir::ViewId id_;
  hir::View view_;
  RowNames table_rows_;
  std::vector<std::unique_ptr<Item>> items_;
  std::map<std::string, std::size_t, std::less<>> index_;
  bool incomplete_ = false;
  Span published_;
};

bool FeatureBlock::add(Item item) {
  const auto [at, fresh] = index_.try_emplace(item.name, items_.size());
  if (!fresh) {
    context_.report(diag::make(Code::E0202, item.span, fmt::format("the feature `{}` is declared twice", item.name))
                        .with_label("declared again here").with_secondary(items_[at->second]->span, "first declared here").with_help("rename one of the two"));
    incomplete_ = true;
    return false;
  }
  items_.push_back(std::make_unique<Item>(std::move(item)));
  return true;
}

void FeatureBlock::take(const ast::Name& name, const std::string& doc) {
  const RowNames::Found found = table_rows_.find(name.text, name.span);
  if (!found.found && !table_rows_.opaque) {
    const auto candidates = table_rows_.names();
    context_.report(with_suggestion(diag::make(Code::E0203, name.span, fmt::format("{} has no column `{}`", table_rows_.owner, name.text))
                                        .with_label("no such column").with_secondary(table_rows_.declared, fmt::format("{} is declared here", table_rows_.owner)),
                                    name.text, name.span, candidates, fmt::format("it has {}", listing(candidates))));
  }
  if (!found.column) incomplete_ = true;
  Item item;
  item.name = name.text;
  item.span = name.span;
  item.doc = doc;
  item.taken = found.column;
  item.done = !found.column;
  add(std::move(item));
}

void FeatureBlock::take_all(const ast::AllColumns& all) {
  for (const ast::Name& name : all.except)
    if (!table_rows_.opaque && !table_rows_.find(name.text, name.span).found) {
      const auto candidates = table_rows_.names();
      context_.report(with_suggestion(diag::make(Code::E0203, name.span, fmt::format("{} has no column `{}`", table_rows_.owner, name.text)).with_label("no such column"),
                                      name.text, name.span, candidates, "leave it out"));
    }
  const std::vector<hir::ColumnId> columns = context_.out[view_.table].columns;
  // Columns that the view names itself are meant there; `*` takes the others.
  std::set<std::string_view> left_out;
  for (const ast::Name& name : all.except) left_out.insert(name.text);
  for (const ast::FeatureEntry& entry : feature_.entries) {
    if (const auto* taken = std::get_if<ast::TakenColumns>(&entry.kind))
      for (const ast::Name& name : taken->columns) left_out.insert(name.text);
    if (const auto* definition = std::get_if<ast::Definition>(&entry.kind)) left_out.insert(definition->name.text);
  }
  for (const hir::ColumnId column : columns) {
    const std::string name = context_.out[column].name;
    if (left_out.contains(name) || !may_be_feature(context_, column, {name, all.span, &context_.out[view_.table], view_.at, true})) continue;
    Item item;
    item.name = name;
    item.span = all.span;
    item.taken = column;
    add(std::move(item));
  }
  incomplete_ = incomplete_ || table_rows_.opaque;
}

void FeatureBlock::check_publish(const ast::Publish& publish, Span span) {
  if (published_)
    context_.report(diag::make(Code::E0210, span, "`publish` is given twice").with_label("given again here").with_secondary(published_, "first given here").with_help("leave one of the two out"));
  published_ = span;
  if (publish.where.text != "online")
    context_.report(with_suggestion(diag::make(Code::E0206, publish.where.span, fmt::format("a view cannot be published `{}`", publish.where.text)).with_label("not known here"), publish.where.text, publish.where.span,
                                    {"online"}, "write `publish online refresh 15min` or `publish online live`"));
  const std::int64_t refresh = publish.refresh ? constant_duration(context_, publish.refresh, "how often a view is refreshed") : 0;
  const std::int64_t expire = publish.expire ? constant_duration(context_, publish.expire, "how long a published value holds") : 0;
  if (refresh && expire && expire < refresh)
    context_.report(diag::make(Code::E0303, context_.file.expr(publish.expire).span, "published values would expire before the next refresh").with_label("shorter than the refresh")
                        .with_secondary(context_.file.expr(publish.refresh).span, "refreshed every so often").with_help("let `expire` be longer than `refresh`"));
}

void FeatureBlock::collect() {
  for (const ast::FeatureEntry& entry : feature_.entries) {
    if (const auto* taken = std::get_if<ast::TakenColumns>(&entry.kind)) {
      if (taken->all) take_all(*taken->all);
      for (const ast::Name& name : taken->columns) take(name, entry.doc);
    } else if (const auto* definition = std::get_if<ast::Definition>(&entry.kind)) {
      if (!definition->tags.empty()) context_.not_yet("tags on features", definition->tags.front().span);
      Item item;
      item.name = definition->name.text;
      item.span = definition->name.span;
      item.doc = entry.doc;
      item.definition = definition;
      add(std::move(item));
    } else if (const auto* publish = std::get_if<ast::Publish>(&entry.kind)) {
      context_.not_yet("`publish`", entry.span);
      check_publish(*publish, entry.span);
    }
  }
}

RowNames::Found FeatureBlock::find(std::string_view name, std::string_view own, Span reference) {
  // In its own definition a name is that of the table's column.
  const auto at = index_.find(name);
  if (at == index_.end() || (name == own && table_rows_.find(name, reference).found)) {
    const RowNames::Found found = table_rows_.find(name, reference);
    return found;
  }
  const Item& item = *items_[at->second];
  if (item.taken) return {true, item.taken};
  return {true, column(at->second, reference)};
}

std::optional<hir::ColumnId> FeatureBlock::resolve_item(const Item& item) {
  Builder b;
  Scope scope(context_, b, context_.file.now);
  RowNames rows = table_rows_;
  if (!item.taken) rows.owner = fmt::format("view `{}` of {}", declaration_.name.text, table_rows_.owner);
  if (!item.taken) rows.declared = declaration_.name.span;
  rows.find = [&](std::string_view name, Span reference) { return find(name, item.name, reference); };
  rows.names = [&] {
    std::vector<std::string_view> names = table_rows_.names();
    const std::size_t most = names.size() + context_.most_names();
    for (const auto& other : items_) {
      if (names.size() == most) break;
      if (!other->taken && other->name != item.name) names.push_back(other->name);
    }
    return names;
  };
  scope.rows = &rows;
  scope.fitted_allowed = true;
  scope.random_allowed = true;
  Aggregation aggregation;
  aggregation.view = id_;
  aggregation.has_time = view_.at || context_.out[view_.table].time || table_rows_.opaque;
  scope.aggregation = &aggregation;
  NodeId node;
  if (item.taken) {
    const hir::Column& column = context_.out[*item.taken];
    node = b.input(item.taken->value, column.type, column.range, column.name, item.span);
  } else if (item.definition) {
    node = type_expression(scope, item.definition->value);
  } else {
    const Item& of = *items_[*item.of];
    const hir::ColumnId from = of.taken ? *of.taken : *of.id;
    const hir::Column& column = context_.out[from];
    scope.locals["it"] = b.input(from.value, column.type, column.range, column.name, item.span);
    node = type_expression(scope, item.each->value);
  }
  if (!node) return std::nullopt;
  if (b.is_missing(node)) {
    context_.report(diag::make(Code::E0301, b[node].span, fmt::format("`{}` is always missing", item.name)).with_label("has no type").with_help("give it a value"));
    return std::nullopt;
  }
  hir::Column column;
  column.name = item.name;
  column.type = b.type(node);
  column.range = b.range(node);
  column.span = item.span;
  column.doc = item.doc;
  column.view = id_;
  expr::Expr code = b.finish(node);
  if (!check_flow(context_, code, flow_of(item))) return std::nullopt;
  column.tags.availability = latest_of_parts(context_, code);
  column.phase = expr::has_fitted(code) ? Phase::fitted : Phase::row;
  for (const expr::InputColumn& input : code.inputs)
    if (context_.out[hir::ColumnId(input.column)].phase == Phase::fitted) column.phase = Phase::fitted;
  if (item.definition && !item.definition->tags.empty()) {
    const ReadTags read = read_tags(context_, item.definition->tags, [&](const ast::Path& path) { return rows.find(path.text(), path.span).found; });
    column.tags.is_protected = read.tags.is_protected;
    column.tags.pii = read.tags.pii;
  }
  column.made_by = std::move(code);
  return context_.add_column(std::move(column));
}

std::optional<hir::ColumnId> FeatureBlock::column(std::size_t index, Span reference) {
  Item& item = *items_[index];
  if (item.done) return item.id;
  const VisitGuard guard(context_, &item, item.name, item.span, reference);
  if (!guard.good) return std::nullopt;
  const auto id = resolve_item(item);
  item.done = true;
  item.id = id;
  if (!id) incomplete_ = true;
  return id;
}

void FeatureBlock::expand_each(const ast::EachColumn& each, const std::string& doc) {
  const auto type = resolve_type(context_, each.type);
  if (!type) {
    incomplete_ = true;
    return;
  }
  constexpr std::string_view kHole = "{name}";
  const auto hole = each.as.value.find(kHole);
  if (hole == std::string::npos) {
    context_.report(diag::make(Code::E0202, each.as.span, "all columns made here would have one name").with_label("has no `{name}`")
                        .with_help("write `{name}` where the name of the column goes: `\"{name}_z\"`"));
    incomplete_ = true;
    return;
  }
  const std::size_t count = items_.size();
  std::size_t made = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (items_[i]->each || !items_[i]->id) continue;
    if (!(context_.out[*items_[i]->id].type == *type)) continue;
    Item item;
    item.name = each.as.value;
    item.name.replace(hole, kHole.size(), items_[i]->name);
    item.span = each.as.span;
    item.doc = doc;
    item.each = &each;
    item.of = i;
    ++made;
    if (add(std::move(item))) {
      const std::size_t before = context_.sink.error_count();
      column(items_.size() - 1, {});
      if (context_.sink.error_count() > before) break;  // the same mistake for every column
    }
  }
  if (made == 0 && !incomplete_)
    context_.report(diag::make(Code::E0203, each.type.span, fmt::format("the view has no column of type `{}`", to_string(*type))).with_label("stands for no column")
                        .with_help("`each` takes columns of exactly this type: `float` and `float?` are two"));
}

std::optional<hir::ViewId> FeatureBlock::resolve(const ast::Declaration& table, const TableState& state) {
  id_ = hir::ViewId(context_.out.views.size());
  view_.name = full_name(context_, declaration_);
  view_.span = declaration_.name.span;
  view_.doc = declaration_.doc;
  view_.table = *state.id;
  context_.out.views.push_back(view_);
  context_.views[&declaration_] = id_;
  table_rows_ = names_of_table(context_, table, state);
  incomplete_ = declaration_.incomplete;
  if (feature_.at) {
    const RowNames::Found found = table_rows_.find(feature_.at->text(), feature_.at->span);
    if (!found.found && !table_rows_.opaque) {
      const auto candidates = table_rows_.names();
      context_.report(with_suggestion(diag::make(Code::E0203, feature_.at->span, fmt::format("{} has no column `{}`", table_rows_.owner, feature_.at->text())).with_label("no such column"),
                                      feature_.at->text(), feature_.at->span, candidates, "name the time of the prediction"));
    } else if (found.column) {
      const Type& type = context_.out[*found.column].type;
      if (type.base != Base::timestamp && type.base != Base::date)
        context_.report(diag::make(Code::E0301, feature_.at->span, fmt::format("the time of the prediction is a timestamp or a date, not `{}`", to_string(type)))
                            .with_label("is no time").with_secondary(context_.out[*found.column].span, "declared here").with_help("name a time column of the table"));
      else view_.at = found.column;
    }
  }
  collect();
  const std::size_t count = items_.size();
  for (std::size_t i = 0; i < count; ++i) column(i, {});
  for (const ast::FeatureEntry& entry : feature_.entries)
    if (const auto* each = std::get_if<ast::EachColumn>(&entry.kind)) expand_each(*each, entry.doc);
  for (const auto& item : items_)
    if (item->id) view_.columns.push_back(*item->id);
  if (published_)
    for (const hir::ColumnId id : view_.columns)
      if (const hir::Column& column = context_.out[id]; column.phase == Phase::fitted) {
        context_.report(diag::make(Code::E0309, column.span, fmt::format("`{}` is fitted on training rows, so it cannot be published", column.name)).with_label("each model has its own")
                            .with_secondary(published_, "published here").with_help("put it into a view of its own: `train … of published + fitted`"));
        break;
      }
  if (items_.empty() && !incomplete_)
    context_.report(diag::make(Code::E0207, declaration_.name.span, fmt::format("the view `{}` has no columns", declaration_.name.text)).with_label("nothing to learn from")
                        .with_help("name columns of the table, or compute new ones: `ratio = a / b`"));
  assign_streams(context_, view_.columns, 0);
  if (incomplete_) context_.incomplete_views.insert(id_);
  context_.out.views[id_.index()] = view_;
  return id_;
}

}  // namespace

std::optional<hir::ViewId> resolve_view(Context& context, const ast::Declaration& declaration, Span reference) {
  const InModule within(context, declaration);
  if (const auto done = context.views.find(&declaration); done != context.views.end()) return done->second;
  const auto& feature = std::get<ast::Feature>(declaration.kind);
  context.views[&declaration] = std::nullopt;
  const VisitGuard guard(context, &declaration, declaration.name.text, declaration.name.span, reference);
  const ast::Declaration* table = find_declared(context, feature.of, DeclaredKind::table);
  if (!table) return std::nullopt;
  const TableState state = resolve_table(context, *table, feature.of.span);
  if (!state.id) return std::nullopt;
  return FeatureBlock(context, declaration, feature).resolve(*table, state);
}

}  // namespace mlp::sema
