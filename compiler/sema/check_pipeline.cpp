#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_flow.h"
#include "compiler/sema/pipeline.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

RowNames::Found Pipeline::find(std::string_view name) const {
  for (const hir::ColumnId id : current_)
    if (context_.out[id].name == name) return {true, id};
  return {poisoned_.contains(name), std::nullopt};
}

RowNames Pipeline::rows() const {
  RowNames rows;
  rows.owner = fmt::format("table `{}`, at this stage,", declaration_.name.text);
  rows.declared = {};
  rows.opaque = opaque_;
  rows.find = [this](std::string_view name, Span) { return find(name); };
  rows.names = [this] {
    return column_names(context_, current_);
  };
  return rows;
}

std::optional<hir::ColumnId> Pipeline::column(const ast::Path& path) {
  const RowNames::Found found = path.parts.size() == 1 ? find(path.parts[0].text) : RowNames::Found{};
  if (found.found) return found.column;
  if (opaque_) return std::nullopt;
  const RowNames rows = this->rows();
  const auto candidates = rows.names();
  context_.report(with_suggestion(diag::make(Code::E0203, path.span, fmt::format("{} has no column `{}`", rows.owner, path.text())).with_label("no such column"), path.text(), path.span, candidates,
                                  fmt::format("it has {}", listing(candidates))));
  return std::nullopt;
}

std::vector<hir::ColumnId> Pipeline::columns(const std::vector<ast::Path>& paths) {
  std::vector<hir::ColumnId> out;
  for (const ast::Path& path : paths)
    if (const auto id = column(path)) out.push_back(*id);
  return out;
}

hir::ColumnId Pipeline::add(hir::Column column, ColumnFacts facts) {
  column.table = id_;
  column.view = {};
  return context_.add_column(std::move(column), facts);
}

expr::Expr Pipeline::one_of(const std::vector<hir::ColumnId>& columns, const Type& type, Interval range) const {
  expr::Expr code;
  NodeId all;
  for (const hir::ColumnId id : columns) {
    const hir::Column& column = (*this)[id];
    code.inputs.push_back({id.value, column.type, column.name});
    const NodeId input = code.push(expr::Input{static_cast<std::uint32_t>(code.inputs.size() - 1)}, type, range, column.span);
    all = all ? code.push(expr::Coalesce{all, input}, type, range, column.span) : input;
  }
  return code;
}

expr::Expr Pipeline::column_code(hir::ColumnId id) const {
  const hir::Column& column = context_.out[id];
  Builder b;
  return b.finish(b.input(id.value, column.type, column.range, column.name, column.span));
}

/// The same values as a column of this table.
hir::ColumnId Pipeline::copy_of(hir::ColumnId id, const Change& change) {
  hir::Column copy = context_.out[id];
  copy.made_by = column_code(id);
  if (change) change(copy);
  return add(std::move(copy), context_.facts[id.index()]);
}

void Pipeline::begin(hir::Stage stage, const Change& change) {
  finish_rows();
  stage.from = id_;
  hir::Table table;
  table.name = fmt::format("{}.{}", declaration_.name.text, context_.sources.text(stage.span));
  table.span = stage.span;
  table.intermediate = true;
  table.stage = std::move(stage);
  id_ = hir::TableId(context_.out.tables.size());
  context_.out.tables.push_back(std::move(table));
  for (hir::ColumnId& column : current_) column = copy_of(column, change);
}

void Pipeline::finish_rows() {
  // The same draw in the table and in its pipeline is two draws.
  constexpr std::int64_t kOfPipelines = 0x70697065;
  assign_streams(context_, added_, kOfPipelines);
  added_.clear();
}

std::optional<hir::ColumnId> Pipeline::time() const {
  for (const hir::ColumnId id : current_)
    if (context_.out[id].tags.time) return id;
  return std::nullopt;
}

bool Pipeline::is_new_name(const ast::Name& name) {
  const RowNames::Found found = find(name.text);
  if (!found.found) return true;
  auto d = diag::make(Code::E0202, name.span, fmt::format("there is a column `{}` already", name.text)).with_label("declared again here").with_help("give it another name");
  if (found.column) d.secondary.push_back({(*this)[*found.column].span, "first declared here"});
  context_.report(std::move(d));
  return false;
}

/// The new time of the rows. What was known at the old time stays known at that: availabilities stay bound to what declared them.
void Pipeline::take_time(hir::ColumnId column) {
  const auto old = time();
  if (old && *old != column) {
    const std::string name = (*this)[*old].name;
    for (std::size_t i = 0; i < current_.size(); ++i) {
      if (current_[i] == column) continue;
      const hir::Column& known = (*this)[current_[i]];
      if (known.tags.availability.kind != Availability::Kind::row_time && current_[i] != *old) continue;
      replace(i, [&](hir::Column& copy) {
        copy.tags.time = false;
        if (copy.tags.availability.kind == Availability::Kind::row_time) copy.tags.availability = {Availability::Kind::column, copy.tags.availability.offset, name};
      });
    }
  }
}

std::optional<hir::ColumnId> Pipeline::define(const ast::Name& name, ast::ExprId value, const std::vector<ast::Tag>& tags, Aggregation* aggregation, const RowNames& rows) {
  const bool fresh = is_new_name(name);
  const ReadTags read = read_tags(context_, tags, [&](const ast::Path& path) { return column(path).has_value(); });
  Builder b;
  Scope scope(context_, b, context_.file.now);
  scope.rows = &rows;
  scope.random_allowed = true;
  scope.aggregation = aggregation;
  const NodeId node = type_expression(scope, value);
  poisoned_.insert(name.text);
  if (!node || !fresh) return std::nullopt;
  if (b.is_missing(node)) {
    context_.report(diag::make(Code::E0301, b[node].span, fmt::format("`{}` is always missing", name.text)).with_label("has no type").with_help("give it a value"));
    return std::nullopt;
  }
  hir::Column made;
  made.name = name.text;
  made.span = name.span;
  made.type = b.type(node);
  made.range = b.range(node);
  made.tags = read.tags;
  if (read.time && made.type.base != Base::timestamp && made.type.base != Base::date) {
    context_.report(diag::make(Code::E0301, *read.time, "`@time` is a timestamp or a date").with_label(fmt::format("`{}` is `{}`", name.text, to_string(made.type))).with_help("compute one: `timestamp(…)`"));
    made.tags.time = false;
  }
  expr::Expr code = b.finish(node);
  if (!read.available) made.tags.availability = latest_of_parts(context_, code);
  else made.tags.availability = later(made.tags.availability, latest_of_parts(context_, code));
  made.made_by = std::move(code);
  const hir::ColumnId id = add(std::move(made), {read.decisive ? read.decisive : read.available.value_or(Span{}), {}});
  added_.push_back(id);
  return id;
}

const hir::Table* Pipeline::other_table(const ast::Path& path) {
  const ast::Declaration* other = find_declared(context_, path, DeclaredKind::table);
  const TableState state = other ? resolve_table(context_, *other, path.span) : TableState{std::nullopt, true};
  if (state.opaque || !state.id) unknown();
  return state.id ? &context_.out[*state.id] : nullptr;
}

void Pipeline::append(hir::TableId other, bool may_be_missing, const std::vector<std::string>& equal, const std::function<void(hir::Column&)>& change, Span at) {
  const hir::Table table = context_.out[other];
  for (const hir::ColumnId id : table.columns) {
    const hir::Column theirs = (*this)[id];
    if (std::find(equal.begin(), equal.end(), theirs.name) != equal.end()) continue;
    if (const auto ours = find(theirs.name); ours.found) {
      auto d = diag::make(Code::E0202, at, fmt::format("both tables have a column `{}`", theirs.name)).with_label("which one would it be?").with_secondary(theirs.span, fmt::format("of `{}`", table.name))
                   .with_help(fmt::format("give it another name first, or leave it out: `data other = {0} | select * except ({1}), {1} as other_{1}`", table.name, theirs.name));
      if (ours.column) d.secondary.push_back({(*this)[*ours.column].span, "and this one"});
      context_.report(std::move(d));
      continue;
    }
    current_.push_back(copy_of(id, [&](hir::Column& copy) {
      copy.type = copy.type.maybe(may_be_missing);
      Availability& a = copy.tags.availability;
      if (a.kind == Availability::Kind::row_time) {
        if (!table.time) a = a.offset > 0 ? a : Availability{Availability::Kind::always, 0, {}};
        else a = {Availability::Kind::column, a.offset, context_.out[*table.time].name};
      }
      copy.tags.key = copy.tags.time = copy.tags.label = copy.tags.weight = false;
      if (change) change(copy);
    }));
  }
}

TableState Pipeline::resolve() {
  const ast::Declaration* input = data_.input ? find_declared(context_, *data_.input, DeclaredKind::table) : nullptr;
  const TableState from = input ? resolve_table(context_, *input, data_.input->span) : TableState{std::nullopt, true};
  opaque_ = from.opaque || !from.id || declaration_.incomplete;
  id_ = hir::TableId(context_.out.tables.size());
  hir::Table first;
  first.name = declaration_.name.text;
  first.span = declaration_.name.span;
  first.intermediate = true;
  if (from.id) first.stage = hir::Stage{hir::Stage::Kind::same, declaration_.name.span, *from.id};
  context_.out.tables.push_back(std::move(first));
  if (from.id)
    for (const hir::ColumnId column : std::vector<hir::ColumnId>(context_.out[*from.id].columns)) current_.push_back(copy_of(column, {}));
  if (input) poisoned_ = reported_columns(context_, *input, from);
  const std::size_t errors = context_.sink.error_count();
  constexpr std::size_t kMostStages = 1'000;  // each is a table of its own to all that follows
  if (data_.stages.size() > kMostStages) {
    context_.report(diag::make(Code::E0105, data_.stages[kMostStages].word, fmt::format("a pipeline has at most {} stages; this one has {}", kMostStages, data_.stages.size()))
                        .with_label("too many from here on")
                        .with_help("write conditions into one `where` with `and`, and columns into one `derive`"));
    return {std::nullopt, true};
  }
  for (const ast::Stage& each : data_.stages) {
    std::visit([&](const auto& kind) { stage(kind, each); }, each.kind);
    // What has become a column is right: where a later stage leaves it out, its name is free, and nobody's.
    for (const hir::ColumnId id : current_) poisoned_.erase((*this)[id].name);
  }
  finish_rows();
  hir::Table table = context_.out[id_];
  table.name = full_name(context_, declaration_);
  table.span = declaration_.name.span;
  table.doc = declaration_.doc;
  table.intermediate = false;
  for (const hir::ColumnId old : current_) {
    const hir::ColumnId id = copy_of(old, {});
    const Tags& tags = (*this)[id].tags;
    table.columns.push_back(id);
    if (tags.key) table.key.push_back(id);
    if (tags.time && !table.time) table.time = id;
    if (tags.label && !table.label) table.label = id;
    if (tags.weight && !table.weight) table.weight = id;
  }
  // A key of several columns is one only as a whole.
  if (from.id && table.key.size() < context_.out[*from.id].key.size() && std::none_of(data_.stages.begin(), data_.stages.end(), [](const ast::Stage& s) { return std::holds_alternative<ast::GroupStage>(s.kind); })) {
    for (const hir::ColumnId id : table.key) context_.out.columns[id.index()].tags.key = false;
    table.key.clear();
  }
  context_.out.tables[id_.index()] = std::move(table);
  return {id_, opaque_ || context_.sink.error_count() > errors};
}

TableState resolve_pipeline(Context& context, const ast::Declaration& declaration, const ast::Data& data) { return Pipeline(context, declaration, data).resolve(); }

}  // namespace mlp::sema
