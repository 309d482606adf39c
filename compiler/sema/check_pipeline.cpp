#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_data.h"
#include "compiler/sema/check_flow.h"
#include "compiler/sema/intervals.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

namespace {

constexpr double kManyRows = 1e15;

/// One pipeline: stage after stage, the columns that there are after it.
class Pipeline {
 public:
  Pipeline(Context& context, const ast::Declaration& declaration, const ast::Data& data) : context_(context), declaration_(declaration), data_(data) {}
  TableState resolve();

 private:
  void stage(const ast::WhereStage& where, const ast::Stage& of);
  /// The rows for which a condition holds; `checked`: it was typed before, and is no selection of the user's.
  void keep_rows(ast::ExprId given, const RowNames& rows, const ast::Stage& of, bool checked);
  void stage(const ast::JoinStage& join, const ast::Stage& of);
  void stage(const ast::AsofJoinStage& join, const ast::Stage& of);
  void stage(const ast::DedupeStage& dedupe, const ast::Stage& of);
  void stage(const ast::DeriveStage& derive, const ast::Stage& of);
  void stage(const ast::GroupStage& group, const ast::Stage& of);
  void stage(const ast::WindowStage& window, const ast::Stage& of);
  void stage(const ast::SelectStage& select, const ast::Stage& of);
  void stage(const ast::UnionStage& united, const ast::Stage& of);
  void stage(const ast::SortStage& sort, const ast::Stage& of);
  void stage(const ast::LimitStage& limit, const ast::Stage& of);
  void stage(const ast::SampleStage& sample, const ast::Stage& of);
  void stage(const ast::UnpivotStage& unpivot, const ast::Stage& of);
  void stage(const ast::FillStage& fill, const ast::Stage& of);
  void stage(const ast::CrossStage& cross, const ast::Stage& of);
  void stage(const ast::SqlStage& sql, const ast::Stage& of);
  void stage(const ast::PythonStage& python, const ast::Stage& of);

  RowNames rows() const;
  RowNames::Found find(std::string_view name) const;
  std::optional<hir::ColumnId> column(const ast::Path& path);
  std::vector<hir::ColumnId> columns(const std::vector<ast::Path>& paths);
  const hir::Column& operator[](hir::ColumnId id) const { return context_.out[id]; }
  hir::ColumnId add(hir::Column column, ColumnFacts facts = {});
  using Change = std::function<void(hir::Column&)>;
  hir::ColumnId copy_of(hir::ColumnId id, const Change& change);
  /// From here on the rows are those that the stage makes; the columns come along.
  void begin(hir::Stage stage, const Change& change = {});
  /// Draws of the columns that were added to these rows are told apart.
  void finish_rows();
  void replace(std::size_t index, const std::function<void(hir::Column&)>& change) { current_[index] = copy_of(current_[index], change); }
  bool is_new_name(const ast::Name& name);
  std::optional<hir::ColumnId> define(const ast::Name& name, ast::ExprId value, const std::vector<ast::Tag>& tags, Aggregation* aggregation, const RowNames& rows);
  void take_time(hir::ColumnId column);
  std::optional<hir::ColumnId> time() const;
  /// The columns of another table, as they stand beside those of this one.
  void append(hir::TableId other, bool may_be_missing, const std::vector<std::string>& equal, const std::function<void(hir::Column&)>& change, Span at);
  const hir::Table* other_table(const ast::Path& path);
  void unknown() { opaque_ = true; }
  /// A value of one of these columns, which one the stage decides for each row.
  expr::Expr one_of(const std::vector<hir::ColumnId>& columns, const Type& type, Interval range) const;
  /// The column as an expression.
  expr::Expr column_code(hir::ColumnId id) const;

  Context& context_;
  const ast::Declaration& declaration_;
  const ast::Data& data_;
  hir::TableId id_;
  std::vector<hir::ColumnId> current_;
  std::vector<hir::ColumnId> added_;             ///< columns of these rows with a code of their own
  std::set<std::string, std::less<>> poisoned_;  ///< names that would be columns, had they been right
  bool opaque_ = false;
};

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
                   .with_help(fmt::format("leave one out first: `data other = {} | select * except ({})`", table.name, theirs.name));
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

// ---- stages ----

void Pipeline::stage(const ast::WhereStage& where, const ast::Stage& of) { keep_rows(where.condition, rows(), of, false); }

void Pipeline::keep_rows(ast::ExprId given, const RowNames& rows, const ast::Stage& of, bool checked) {
  Builder b;
  Scope scope(context_, b, context_.file.now);
  scope.rows = &rows;
  scope.random_allowed = !checked;
  scope.quiet = checked;
  const NodeId node = type_expression(scope, given);
  if (!node) return;
  if (b.type(node).base != Base::bool_) {
    type_condition(scope, given, "the condition of `where`");
    return;
  }
  hir::Column condition;
  condition.name = "where";
  condition.span = of.word;
  condition.type = b.type(node);
  expr::Expr code = b.finish(node);
  if (!of.because && !checked) warn_selection_by_outcome(context_, code, of.word);
  condition.made_by = std::move(code);
  hir::Stage stage{hir::Stage::Kind::filter, of.word};
  stage.condition = add(std::move(condition));
  added_.push_back(*stage.condition);
  const std::set<std::string, std::less<>> known = known_where(context_.file, given, true);
  begin(std::move(stage), [&](hir::Column& copy) {
    if (known.contains(copy.name)) copy.type = copy.type.known();
  });
}

/// The pairs of values that a typed condition sets equal, one of each table; false where it asks for more than that.
bool equal_values(const expr::Expr& code, NodeId id, const std::set<hir::ColumnId>& theirs, std::vector<std::pair<expr::Expr, expr::Expr>>& out) {
  if (const auto* both = std::get_if<expr::And>(&code[id].op)) return equal_values(code, both->left, theirs, out) & equal_values(code, both->right, theirs, out);
  const auto* call = std::get_if<expr::Call>(&code[id].op);
  const Signature* signature = call ? find_native(call->native) : nullptr;
  if (!signature || signature->op != "==") return false;
  expr::Expr left = expr::subtree(code, call->args[0]), right = expr::subtree(code, call->args[1]);
  const auto is_theirs = [&](const expr::InputColumn& input) { return theirs.contains(hir::ColumnId(input.column)); };
  const auto all_theirs = [&](const expr::Expr& e) { return !e.inputs.empty() && std::all_of(e.inputs.begin(), e.inputs.end(), is_theirs); };
  const auto none_theirs = [&](const expr::Expr& e) { return !e.inputs.empty() && std::none_of(e.inputs.begin(), e.inputs.end(), is_theirs); };
  if (all_theirs(left)) std::swap(left, right);
  if (!none_theirs(left) || !all_theirs(right)) return false;
  out.emplace_back(std::move(left), std::move(right));
  return true;
}

/// The names that a condition sets equal on both sides.
void equal_names(const ast::File& file, ast::ExprId id, std::string_view other, std::vector<std::string>& out) {
  const auto* op = std::get_if<ast::Binary>(&file.expr(id).kind);
  if (!op) return;
  if (op->op == ast::BinaryOp::and_) {
    equal_names(file, op->left, other, out);
    equal_names(file, op->right, other, out);
  } else if (op->op == ast::BinaryOp::equal) {
    const auto* left = std::get_if<ast::Ref>(&file.expr(op->left).kind);
    const auto* right = std::get_if<ast::Ref>(&file.expr(op->right).kind);
    if (!left || !right) return;
    if (left->path.parts.size() > 1 && left->path.parts.front().text == other) std::swap(left, right);
    if (right->path.parts.size() > 1 && right->path.parts.front().text == other && left->path.parts.back().text == right->path.parts.back().text) out.push_back(left->path.parts.back().text);
  }
}

void Pipeline::stage(const ast::JoinStage& join, const ast::Stage& of) {
  const hir::Table* found = other_table(join.table);
  if (!found) return unknown();
  const hir::Table other = *found;
  const hir::TableId other_id(static_cast<std::uint32_t>(found - context_.out.tables.data()));
  const std::string other_name = join.table.text();
  RowNames rows = this->rows();
  std::set<hir::ColumnId> theirs(other.columns.begin(), other.columns.end());
  const ast::Declaration* other_declaration = declaration_of(context_, other_id);
  const auto reported = other_declaration ? reported_columns(context_, *other_declaration, {other_id, false}) : std::set<std::string, std::less<>>{};
  const auto in_other = [&](std::string_view name) -> RowNames::Found {
    for (const hir::ColumnId id : other.columns)
      if (context_.out[id].name == name) return {true, id};
    return {opaque_ || reported.contains(name), std::nullopt};
  };
  rows.find = [&](std::string_view name, Span) {
    const auto ours = find(name);
    return ours.found ? ours : in_other(name);
  };
  rows.find_in_other = [&](const ast::Path& path) -> RowNames::Found {
    ast::Path owner{{path.parts.begin(), path.parts.end() - 1}, path.span};
    if (owner.text() == other_name) {
      const std::string& name = path.parts.back().text;
      const RowNames::Found found = in_other(name);
      if (found.found) return found;
      std::vector<std::string_view> candidates;
      for (const hir::ColumnId id : other.columns) candidates.push_back(context_.out[id].name);
      context_.report(with_suggestion(diag::make(Code::E0203, path.parts.back().span, fmt::format("table `{}` has no column `{}`", other.name, name)).with_label("no such column").with_secondary(other.span, "declared here"), name,
                                      path.parts.back().span, candidates, fmt::format("it has {}", listing(candidates))));
      return {true, std::nullopt};
    }
    if (owner.text() == declaration_.name.text || (data_.input && owner.text() == data_.input->text())) return find(path.parts.back().text);
    return {};
  };
  Builder b;
  Scope scope(context_, b, context_.file.now);
  scope.rows = &rows;
  // The columns are there whatever the condition is, so what follows is checked all the same.
  const NodeId node = type_expression(scope, join.on);
  hir::Stage stage{hir::Stage::Kind::join, of.word};
  stage.others = {other_id};
  stage.left = join.left;
  stage.one = join.one;
  bool compares_more = false;
  if (node && b.type(node).base != Base::bool_) {
    type_condition(scope, join.on, "the condition of a join");
  } else if (node) {
    const expr::Expr code = b.finish(node);
    const auto of_theirs = [&](const expr::InputColumn& input) { return theirs.contains(hir::ColumnId(input.column)); };
    const bool both = std::any_of(code.inputs.begin(), code.inputs.end(), of_theirs) && !std::all_of(code.inputs.begin(), code.inputs.end(), of_theirs);
    if (!both) {
      context_.report(diag::make(Code::E0301, context_.file.expr(join.on).span, "a join compares columns of both tables").with_label("does not").with_help(fmt::format("write for example `on key == {}.key`", other_name)));
    } else if (!equal_values(code, code.root(), theirs, stage.equal)) {
      compares_more = true;
      if (join.left || join.one || stage.equal.empty())
        context_.not_yet(stage.equal.empty() ? "a join without equal values" : "`join one` and `left` on more than equal values", context_.file.expr(join.on).span);
    }
  }
  std::vector<std::string> equal;
  equal_names(context_.file, join.on, other_name, equal);
  if (stage.equal.empty())  // nobody knows which names a wrong condition meant to be equal
    for (const hir::ColumnId id : other.columns)
      if (find(context_.out[id].name).found) equal.push_back(context_.out[id].name);
  begin(std::move(stage));
  append(other_id, join.left, equal, {}, of.span);
  if (!join.one)
    for (std::size_t i = 0; i < current_.size(); ++i)
      if ((*this)[current_[i]].tags.key) replace(i, [](hir::Column& copy) { copy.tags.key = false; });  // rows may come more than once
  if (!compares_more) return;
  // Of the rows with equal values those for which the whole condition holds. It was checked above.
  RowNames joined = this->rows();
  joined.find_in_other = [&](const ast::Path& path) -> RowNames::Found {
    const std::string owner = ast::Path{{path.parts.begin(), path.parts.end() - 1}, path.span}.text();
    const bool ours = owner == other_name || owner == declaration_.name.text || (data_.input && owner == data_.input->text());
    return ours ? find(path.parts.back().text) : RowNames::Found{};
  };
  keep_rows(join.on, joined, of, true);
}

void Pipeline::stage(const ast::AsofJoinStage& join, const ast::Stage& of) {
  const hir::Table* found = other_table(join.table);
  const auto at = column(join.at);
  if (!found) return unknown();
  const hir::Table other = *found;
  const hir::TableId other_id(static_cast<std::uint32_t>(found - context_.out.tables.data()));
  if (at && (*this)[*at].type.base != Base::timestamp && (*this)[*at].type.base != Base::date)
    context_.report(diag::make(Code::E0301, join.at.span, fmt::format("an `asof join` is at a time, not at `{}`", to_string((*this)[*at].type))).with_label("is no time").with_help("name a timestamp or a date"));
  if (!other.time && !opaque_)
    context_.report(diag::make(Code::E0310, join.table.span, fmt::format("the rows of `{}` have no time, so none is the latest", other.name)).with_label("needs `@time`").with_secondary(other.span, "declared here")
                        .with_help("tag its time column with `@time`, or use `join one`"));
  hir::Stage stage{hir::Stage::Kind::asof_join, of.word};
  stage.others = {other_id};
  stage.at = at;
  stage.other_time = other.time;
  std::vector<std::string> equal;
  for (const ast::Path& path : join.by) {
    const auto ours = column(path);
    const auto match = std::find_if(other.columns.begin(), other.columns.end(), [&](hir::ColumnId id) { return context_.out[id].name == path.text(); });
    if (match == other.columns.end()) {
      if (opaque_) continue;
      std::vector<std::string_view> names;
      for (const hir::ColumnId id : other.columns) names.push_back(context_.out[id].name);
      context_.report(with_suggestion(diag::make(Code::E0203, path.span, fmt::format("table `{}` has no column `{}`", other.name, path.text())).with_label("`by` needs it on both sides"), path.text(), path.span, names,
                                      fmt::format("it has {}", listing(names))));
      return unknown();
    } else if (ours) {
      equal.push_back(path.text());
      const hir::Column &a = (*this)[*ours], &b = (*this)[*match];
      if (a.type.base != b.type.base && !(a.type.is_text() && b.type.is_text())) {
        context_.report(diag::make(Code::E0301, path.span, fmt::format("`{}` is `{}` in one table and `{}` in the other", path.text(), to_string(a.type), to_string(b.type))).with_label("never equal")
                            .with_secondary(a.span, fmt::format("`{}`", to_string(a.type))).with_secondary(b.span, fmt::format("`{}`", to_string(b.type))).with_help("declare both with one type"));
        continue;
      }
      stage.equal.emplace_back(column_code(*ours), column_code(*match));
    }
  }
  const std::string at_name = at ? (*this)[*at].name : std::string();
  begin(std::move(stage));
  append(other_id, true, equal, [&](hir::Column& copy) {
    Availability& a = copy.tags.availability;
    if (a.kind == Availability::Kind::column && other.time) a = {Availability::Kind::column, std::max<std::int64_t>(a.offset, 0), at_name};
  }, of.span);
}

void Pipeline::stage(const ast::DedupeStage& dedupe, const ast::Stage& word) {
  hir::Stage stage{hir::Stage::Kind::dedupe, word.word};
  stage.keys = columns(dedupe.by);
  const auto of = dedupe.of ? column(*dedupe.of) : std::nullopt;
  if (of && (*this)[*of].type.is_text())
    context_.report(diag::make(Code::E0301, dedupe.of->span, fmt::format("`{}` is `{}`, which is not later or earlier", dedupe.of->text(), to_string((*this)[*of].type))).with_label("has no order in time")
                        .with_secondary((*this)[*of].span, "declared here").with_help("name a time or a number"));
  if (of) stage.order.emplace_back(*of, !dedupe.keep || dedupe.keep->text != "earliest");
  begin(std::move(stage));
}

void Pipeline::stage(const ast::DeriveStage& derive, const ast::Stage&) {
  for (const ast::Definition& definition : derive.definitions) {
    const RowNames rows = this->rows();
    const auto made = define(definition.name, definition.value, definition.tags, nullptr, rows);
    if (!made) continue;
    if ((*this)[*made].tags.time) take_time(*made);
    current_.push_back(*made);
  }
}

void Pipeline::stage(const ast::SelectStage& select, const ast::Stage&) {
  const RowNames rows = this->rows();
  std::vector<hir::ColumnId> chosen;
  std::optional<hir::ColumnId> new_time;
  const std::vector<hir::ColumnId> before = current_;
  if (select.all) {
    for (const ast::Name& name : select.all->except) column(ast::Path{{name}, name.span});
    for (const hir::ColumnId id : before)
      if (std::none_of(select.all->except.begin(), select.all->except.end(), [&](const ast::Name& n) { return n.text == (*this)[id].name; })) chosen.push_back(id);
  }
  std::map<std::string, std::string, std::less<>> renamed;
  for (const ast::SelectItem& item : select.items) {
    const ast::Expr& e = context_.file.expr(item.value);
    const auto* ref = std::get_if<ast::Ref>(&e.kind);
    if (ref && ref->path.parts.size() == 1 && item.tags.empty() && find(ref->path.text()).found) {
      const auto id = find(ref->path.text()).column;
      if (item.as) poisoned_.insert(item.as->text);
      if (!id) continue;
      if (item.as) renamed[(*this)[*id].name] = item.as->text;
      chosen.push_back(item.as ? copy_of(*id, [&](hir::Column& copy) { copy.name = item.as->text, copy.span = item.as->span; }) : *id);
      continue;
    }
    if (!item.as && !ref) {
      context_.report(diag::make(Code::E0207, item.span, "a computed column needs a name").with_label("has none").with_help("write `… as NAME`"));
      continue;
    }
    const ast::Name name = item.as ? *item.as : ref->path.parts.back();
    // What is selected away may be named again.
    std::vector<hir::ColumnId> saved = std::move(current_);
    current_ = saved;
    if (!item.as || !select.all) std::erase_if(current_, [&](hir::ColumnId id) { return (*this)[id].name == name.text; });
    RowNames all = rows;
    all.find = [&](std::string_view wanted, Span) -> RowNames::Found {
      for (const hir::ColumnId id : saved)
        if ((*this)[id].name == wanted) return {true, id};
      return {poisoned_.contains(wanted), std::nullopt};
    };
    all.names = [&] {
      return column_names(context_, saved);
    };
    const auto made = define(name, item.value, item.tags, nullptr, all);
    current_ = std::move(saved);
    if (!made) continue;
    if ((*this)[*made].tags.time) new_time = made;
    chosen.push_back(*made);
  }
  std::set<std::string, std::less<>> seen;
  for (const hir::ColumnId id : chosen)
    if (!seen.insert((*this)[id].name).second)
      context_.report(diag::make(Code::E0202, (*this)[id].span, fmt::format("there are two columns `{}`", (*this)[id].name)).with_label("again here").with_help("rename one of the two: `… as NAME`"));
  const auto old_time = time();
  const std::string old_name = old_time ? (*this)[*old_time].name : std::string();
  current_ = std::move(chosen);
  for (std::size_t i = 0; i < current_.size(); ++i) {
    const hir::Column& known = (*this)[current_[i]];
    const Availability& a = known.tags.availability;
    if (a.kind == Availability::Kind::column && renamed.contains(a.column)) {
      const std::string name = renamed.find(a.column)->second;
      replace(i, [&](hir::Column& copy) { copy.tags.availability.column = name; });
    } else if (new_time && current_[i] != *new_time && (known.tags.time || a.kind == Availability::Kind::row_time)) {
      replace(i, [&](hir::Column& copy) {
        copy.tags.time = false;
        if (copy.tags.availability.kind == Availability::Kind::row_time) copy.tags.availability = {Availability::Kind::column, copy.tags.availability.offset, old_name};
      });
    }
  }
}

void Pipeline::stage(const ast::GroupStage& group, const ast::Stage& word) {
  std::vector<hir::ColumnId> keys = columns(group.by);
  const auto when = time();
  const bool by_time = !when || std::any_of(keys.begin(), keys.end(), [&](hir::ColumnId id) { return sources_of(context_, id).contains(*when) || id == *when; });
  const std::vector<hir::ColumnId> before = std::exchange(current_, keys);
  hir::Stage stage{hir::Stage::Kind::group, word.word};
  stage.keys = keys;
  const hir::TableId grouped = id_;
  begin(std::move(stage), [](hir::Column& copy) { copy.tags.key = true, copy.tags.label = false; });
  const std::vector<hir::ColumnId> key_columns = current_;
  Aggregation aggregation;
  aggregation.place = Aggregation::Place::group;
  aggregation.table = id_;
  aggregation.of = grouped;
  aggregation.rows = rows();
  // Beside the aggregates only what the rows of a group share has a value.
  RowNames shared = rows();
  std::vector<hir::ColumnId> made;
  for (const ast::Definition& definition : group.definitions) {
    // Names of the rows that are grouped are free again, but for those of the keys.
    current_ = key_columns;
    current_.insert(current_.end(), made.begin(), made.end());
    aggregation.rows.find = [&](std::string_view name, Span) -> RowNames::Found {
      for (const hir::ColumnId id : before)
        if ((*this)[id].name == name) return {true, id};
      return {poisoned_.contains(name), std::nullopt};
    };
    aggregation.rows.names = [&] {
      return column_names(context_, before);
    };
    shared.names = aggregation.rows.names;
    shared.find = [&](std::string_view name, Span reference) -> RowNames::Found {
      const RowNames::Found found = aggregation.rows.find(name, reference);
      if (!found.column || std::find(keys.begin(), keys.end(), *found.column) != keys.end()) return found;
      context_.report(diag::make(Code::E0310, reference, fmt::format("`{}` has many values in a group", name)).with_label("which of them?").with_secondary((*this)[*found.column].span, "declared here")
                          .with_help(fmt::format("say how they become one, as in `{}({})`, or group by it", (*this)[*found.column].type.is_number() ? "mean" : "latest", name)));
      return {true, std::nullopt};
    };
    const auto id = define(definition.name, definition.value, definition.tags, &aggregation, shared);
    if (!id) continue;
    if (!by_time) {
      hir::Column& column = context_.out.columns[id->index()];
      if (column.tags.availability.kind != Availability::Kind::always) column.tags.availability = {Availability::Kind::all_rows, 0, {}};
    }
    made.push_back(*id);
  }
  current_ = key_columns;
  current_.insert(current_.end(), made.begin(), made.end());
}

void Pipeline::stage(const ast::WindowStage& window, const ast::Stage&) {
  const std::vector<hir::ColumnId> keys = columns(window.by);
  std::vector<std::pair<hir::ColumnId, bool>> order;
  for (const ast::OrderItem& item : window.order)
    if (const auto by = column(item.column)) order.emplace_back(*by, item.descending);
  for (const ast::Definition& definition : window.definitions) {
    Aggregation aggregation;
    aggregation.place = Aggregation::Place::window;
    aggregation.table = id_;
    aggregation.of = id_;
    aggregation.rows = rows();
    const auto made = define(definition.name, definition.value, definition.tags, &aggregation, aggregation.rows);
    for (const hir::ColumnId id : aggregation.made) {
      auto& many = std::get<hir::Aggregate>(context_.out.columns[id.index()].made_by);
      for (const hir::ColumnId key : keys) many.by.emplace_back(key, key);
      many.order = order;
    }
    if (!made) continue;
    // Of the rows of a partition some lie later, save those before this one in the order of time.
    const bool in_time = !window.order.empty() && !window.order.front().descending && time() && (*this)[*time()].name == window.order.front().column.text();
    const bool looks_ahead = std::any_of(aggregation.made.begin(), aggregation.made.end(), [&](hir::ColumnId id) {
      const Signature& signature = *find_entries(EntryKind::aggregate, (*this)[id].aggregate()->name).front();
      return !in_time || !signature.of_window || std::any_of(signature.parameters.begin(), signature.parameters.end(), [](const Parameter& p) { return p.name == "rows_ahead"; });
    });
    if (looks_ahead && time()) context_.out.columns[made->index()].tags.availability = {Availability::Kind::all_rows, 0, {}};
    current_.push_back(*made);
  }
}

void Pipeline::stage(const ast::UnionStage& united, const ast::Stage& of) {
  struct United { hir::Column column; std::vector<hir::ColumnId> from; };
  std::vector<United> result;
  for (const hir::ColumnId id : current_) result.push_back({(*this)[id], {id}});
  hir::Stage stage{hir::Stage::Kind::union_, of.word};
  for (const ast::Path& path : united.tables) {
    const hir::Table* found = other_table(path);
    if (!found) continue;
    stage.others.push_back(hir::TableId(static_cast<std::uint32_t>(found - context_.out.tables.data())));
    for (United& each : result) {
      hir::Column& ours = each.column;
      const auto match = std::find_if(found->columns.begin(), found->columns.end(), [&](hir::ColumnId id) { return (*this)[id].name == ours.name; });
      if (match == found->columns.end()) {
        if (!opaque_)
          context_.report(diag::make(Code::E0203, path.span, fmt::format("table `{}` has no column `{}`", found->name, ours.name)).with_label("`union` needs the same columns").with_secondary(ours.span, "declared here")
                              .with_help("compute it there, or leave it out here: `select * except (…)`"));
        continue;
      }
      const hir::Column& theirs = (*this)[*match];
      const bool number = ours.type.is_number() && theirs.type.is_number(), text = ours.type.is_text() && theirs.type.is_text();
      if (ours.type.base != theirs.type.base && !number && !text) {
        context_.report(diag::make(Code::E0301, path.span, fmt::format("`{}` is `{}` in one table and `{}` in the other", ours.name, to_string(ours.type), to_string(theirs.type))).with_label("do not fit together")
                            .with_secondary(ours.span, fmt::format("`{}`", to_string(ours.type))).with_secondary(theirs.span, fmt::format("`{}`", to_string(theirs.type))).with_help("declare both with one type"));
        continue;
      }
      each.from.push_back(*match);
      const bool missing = ours.type.missing || theirs.type.missing;
      if (number && ours.type.base != theirs.type.base) ours.type = Type::of(Base::float_);
      if (text && !(ours.type.known() == theirs.type.known())) {
        std::vector<std::string> domain = ours.type.domain();
        if (ours.type.closed() && theirs.type.closed())
          for (const std::string& value : theirs.type.domain())
            if (std::find(domain.begin(), domain.end(), value) == domain.end()) domain.push_back(value);
        if (!ours.type.closed() || !theirs.type.closed()) domain.clear();
        ours.type = ours.type.base == Base::category && theirs.type.base == Base::category ? Type::category(std::move(domain)) : Type::of(Base::string);
      }
      ours.type = ours.type.maybe(missing);
      ours.range = unite(ours.range, theirs.range);
      ours.tags.availability = later(ours.tags.availability, theirs.tags.availability);
      ours.tags.pii = ours.tags.pii || theirs.tags.pii;
      ours.tags.is_protected = ours.tags.is_protected || theirs.tags.is_protected;
      ours.tags.key = false;  // a key may come twice
    }
  }
  std::size_t at = 0;
  begin(std::move(stage), [&](hir::Column& copy) {
    copy = result[at].column;
    copy.table = id_;
    copy.made_by = one_of(result[at].from, copy.type, copy.range);
    ++at;
  });
}

void Pipeline::stage(const ast::SortStage& sort, const ast::Stage& of) {
  hir::Stage stage{hir::Stage::Kind::sort, of.word};
  for (const ast::OrderItem& item : sort.by)
    if (const auto by = column(item.column)) stage.order.emplace_back(*by, item.descending);
  begin(std::move(stage));
}

void Pipeline::stage(const ast::LimitStage& limit, const ast::Stage& of) {
  hir::Stage stage{hir::Stage::Kind::limit, of.word};
  stage.count = constant_int(context_, limit.rows, {1, kManyRows}, "a limit").value_or(0);
  begin(std::move(stage));
}

void Pipeline::stage(const ast::SampleStage& sample, const ast::Stage& of) {
  hir::Stage stage{hir::Stage::Kind::sample, of.word};
  stage.share = constant_float(context_, sample.share, {0, 1}, "the share of a sample").value_or(0);
  if (sample.seed) stage.seed = constant_int(context_, sample.seed, {}, "the seed of a sample").value_or(0);
  begin(std::move(stage));
}

void Pipeline::stage(const ast::UnpivotStage& unpivot, const ast::Stage& of) {
  const std::vector<hir::ColumnId> from = columns(unpivot.columns);
  std::erase_if(current_, [&](hir::ColumnId id) { return std::find(from.begin(), from.end(), id) != from.end(); });
  const bool fresh = is_new_name(unpivot.name) & is_new_name(unpivot.value);
  poisoned_.insert({unpivot.name.text, unpivot.value.text});
  if (from.size() != unpivot.columns.size() || !fresh) return;
  Type type = (*this)[from.front()].type;
  Interval range = (*this)[from.front()].range;
  for (const hir::ColumnId id : from) {
    const hir::Column& column = (*this)[id];
    const bool number = type.is_number() && column.type.is_number();
    if (!number && type.base != column.type.base) {
      context_.report(diag::make(Code::E0301, column.span, fmt::format("`{}` is `{}`, but `{}` is `{}`", column.name, to_string(column.type), (*this)[from.front()].name, to_string(type))).with_label("do not fit into one column")
                          .with_secondary(unpivot.value.span, "would hold both").with_help("unpivot columns of one type"));
      return;
    }
    if (number && type.base != column.type.base) type = Type::of(Base::float_, type.missing);
    type = type.maybe(column.type.missing);
    range = unite(range, column.range);
  }
  hir::Stage stage{hir::Stage::Kind::unpivot, of.word};
  stage.count = static_cast<std::int64_t>(from.size());
  begin(std::move(stage));
  hir::Column name, value;
  name.name = unpivot.name.text, name.span = unpivot.name.span;
  std::vector<std::string> domain;
  for (const hir::ColumnId id : from) domain.push_back((*this)[id].name);
  name.type = Type::category(std::move(domain));
  name.tags.availability = {Availability::Kind::always, 0, {}};
  name.made_by = hir::FromStage{};
  value.name = unpivot.value.text, value.span = unpivot.value.span;
  value.type = type, value.range = range;
  // Reads all of them: tags and availability are the latest and strictest of the parts.
  value.made_by = one_of(from, type, range);
  value.tags.availability = latest_of_parts(context_, *value.code());
  current_.push_back(add(std::move(name)));
  current_.push_back(add(std::move(value)));
}

void Pipeline::stage(const ast::FillStage& fill, const ast::Stage& of) {
  const std::vector<hir::ColumnId> keys = columns(fill.by);
  hir::Stage stage{hir::Stage::Kind::fill, of.word};
  stage.keys = keys;
  stage.every_us = constant_duration(context_, fill.every, "the step of `fill`");
  stage.ahead_us = fill.until_ahead ? constant_duration(context_, fill.until_ahead, "how far `fill` goes ahead") : 0;
  const auto when = time();
  if (!when && !opaque_)
    context_.report(diag::make(Code::E0310, of.word, "`fill` adds the rows that are missing in time, and these rows have none").with_label("needs `@time`").with_help("tag the time column of the table with `@time`"));
  constexpr std::int64_t kDay = 86'400'000'000;
  if (when && (*this)[*when].type.base == Base::date && stage.every_us % kDay != 0)
    context_.report(diag::make(Code::E0308, context_.file.expr(fill.every).span, fmt::format("`{}` is a date, which has no times of day", (*this)[*when].name)).with_label("is no number of days")
                        .with_secondary((*this)[*when].span, "declared here").with_help("write for example `every 1d`, or declare a `timestamp`"));
  std::set<hir::ColumnId> given;
  for (const ast::Argument& argument : fill.with) {
    if (!argument.name) continue;
    const auto id = column(ast::Path{{*argument.name}, argument.name->span});
    if (!id) continue;
    given.insert(*id);
    const hir::Column& target = (*this)[*id];
    const auto value = constant_of(context_, argument.value, target.type, std::nullopt, fmt::format("the value of `{}`", target.name));
    if (value) stage.filled.emplace_back(*id, *value);
  }
  stage.at = when;
  std::set<std::string, std::less<>> kept;
  for (const hir::ColumnId id : current_)
    if (given.contains(id) || id == when || std::find(keys.begin(), keys.end(), id) != keys.end()) kept.insert((*this)[id].name);
  const std::string time_name = when ? (*this)[*when].name : std::string();
  begin(std::move(stage), [&](hir::Column& copy) {
    if (!kept.contains(copy.name)) copy.type = copy.type.maybe();
    if (when && copy.name == time_name) copy.made_by = hir::FromStage{}, copy.type = copy.type.known();
  });
}

void Pipeline::stage(const ast::CrossStage& cross, const ast::Stage& of) {
  const std::optional<Interval> range = constant_range(context_, cross.range, "what is crossed with");
  const bool fresh = is_new_name(cross.as);
  poisoned_.insert(cross.as.text);
  if (!range || !fresh) return;
  hir::Stage stage{hir::Stage::Kind::cross, of.word};
  stage.count = static_cast<std::int64_t>(range->low), stage.last = static_cast<std::int64_t>(range->high);
  begin(std::move(stage));
  hir::Column made;
  made.name = cross.as.text, made.span = cross.as.span;
  made.type = Type::of(Base::int_);
  made.range = *range;
  made.tags.availability = {Availability::Kind::always, 0, {}};
  made.made_by = hir::FromStage{};
  current_.push_back(add(std::move(made)));
}

/// What the statement gives is read like a source. A column that it carries as it is keeps its tags; any other may come from all that the
/// statement reads, so it has the tags of all of that.
void Pipeline::stage(const ast::SqlStage& sql, const ast::Stage& of) {
  const auto give_up = [&] { unknown(), current_.clear(); };
  if (opaque_) return give_up();
  if (!context_.options.type_sql) {
    context_.not_yet("`sql(…)` stages", of.word);
    return give_up();
  }
  Schema input;
  std::vector<hir::ColumnId> given;
  for (const hir::ColumnId id : current_) {
    const Base base = (*this)[id].type.base;
    if (base == Base::vector || base == Base::list || base == Base::map || base == Base::error) continue;  // SQL would not get them as they are
    given.push_back(id);
    input.push_back({(*this)[id].name, (*this)[id].type});
  }
  const Result<SqlBinding> bound = context_.options.type_sql(sql.query.value, input);
  if (!bound) {
    diag::Diagnostic d = bound.error();
    const Span inside = d.span;
    d.span = sql.query.span;
    // Where the text stands as it is, its places are known.
    if (const std::size_t at = context_.sources.text(d.span).find(sql.query.value); inside && at != std::string_view::npos)
      d.span = {d.span.file, d.span.begin + static_cast<std::uint32_t>(at) + inside.begin, d.span.begin + static_cast<std::uint32_t>(at) + inside.end};
    context_.report(std::move(d));
    return give_up();
  }
  finish_rows();
  const bool timed = time().has_value();
  hir::Column read_all;  // what a column that is computed knows of itself
  read_all.span = sql.query.span;
  read_all.tags.availability = {Availability::Kind::always, 0, {}};
  std::vector<hir::ColumnId> reads;
  for (const std::size_t index : bound->reads) {
    const Tags& tags = (*this)[reads.emplace_back(given[index])].tags;
    read_all.tags.pii |= tags.pii, read_all.tags.is_protected |= tags.is_protected, read_all.tags.label |= tags.label, read_all.tags.ignore |= tags.ignore;
    read_all.tags.availability = later(read_all.tags.availability, tags.availability);
  }
  // A value of many rows is known when the last of them is.
  Availability& known = read_all.tags.availability;
  if (timed && !bound->row_wise && known.kind != Availability::Kind::never) known = {Availability::Kind::all_rows, 0, {}};

  std::set<hir::ColumnId> carried;
  std::map<std::string, std::string> names;  // of carried columns: before, now
  for (const SqlColumn& column : bound->columns)
    if (column.carried) carried.insert(given[*column.carried]), names.emplace((*this)[given[*column.carried]].name, column.name);
  const bool keyed = !bound->repeats_rows && std::all_of(current_.begin(), current_.end(), [&](hir::ColumnId id) { return !(*this)[id].tags.key || carried.contains(id); });

  hir::Table table;
  table.name = fmt::format("{}.{}", declaration_.name.text, context_.sources.text(of.word));
  table.span = of.word;
  table.intermediate = true;
  table.stage = hir::Stage{hir::Stage::Kind::sql, of.word, id_};
  table.stage->keys = given;
  table.source = "sql";
  table.options = {{"statement", sql.query.value}};
  table.path_span = sql.query.span;
  id_ = hir::TableId(context_.out.tables.size());
  context_.out.tables.push_back(std::move(table));
  std::vector<hir::ColumnId> made;
  carried.clear();
  for (const SqlColumn& column : bound->columns) {
    hir::Column out = column.carried ? (*this)[given[*column.carried]] : read_all;
    out.name = column.name;
    out.type = column.type;
    if (column.carried && !carried.insert(given[*column.carried]).second) out.tags.time = out.tags.weight = false;  // the first has these
    if (!keyed) out.tags.key = false;
    if (const auto now = names.find(out.tags.availability.column); now != names.end()) out.tags.availability.column = now->second;
    hir::SourceColumn source;
    source.source_name = column.name;
    if (out.type.closed()) source.allowed = out.type.domain();
    source.of = column.carried ? std::vector{given[*column.carried]} : reads;
    out.made_by = std::move(source);
    made.push_back(add(std::move(out), column.carried ? context_.facts[given[*column.carried].index()] : ColumnFacts{}));
  }
  poisoned_.clear();
  context_.out.tables[id_.index()].columns = made;
  current_ = std::move(made);
  begin({hir::Stage::Kind::same, of.word});
}

/// What the function returns is read like a source: declared columns with their contract, and nothing of the input comes along.
void Pipeline::stage(const ast::PythonStage& python, const ast::Stage& of) {
  check_python_reference(context_, python.function.value, python.function.span);
  finish_rows();
  hir::Table table;
  table.name = fmt::format("{}.{}", declaration_.name.text, context_.sources.text(of.word));
  table.span = of.word;
  table.intermediate = true;
  table.stage = hir::Stage{hir::Stage::Kind::python, of.word, id_};
  table.stage->keys = current_;
  table.source = find_entries(EntryKind::source, "python").front()->native;
  const std::string& folder = context_.modules[context_.module].folder;
  table.path = folder.empty() || python.function.value.starts_with('/') ? python.function.value : folder + "/" + python.function.value;
  table.path_span = python.function.span;
  const TableState state = resolve_stage_table(context_, declaration_, python.columns, std::move(table));
  opaque_ = state.opaque;
  poisoned_.clear();
  id_ = *state.id;
  current_ = context_.out[id_].columns;
  for (const ast::DataEntry& entry : python.columns)
    if (const auto* line = std::get_if<ast::Column>(&entry.kind))
      for (const ast::Name& name : line->names) poisoned_.insert(name.text);
  begin({hir::Stage::Kind::same, of.word});
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
  for (const ast::Stage& each : data_.stages) std::visit([&](const auto& kind) { stage(kind, each); }, each.kind);
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

}  // namespace

TableState resolve_pipeline(Context& context, const ast::Declaration& declaration, const ast::Data& data) { return Pipeline(context, declaration, data).resolve(); }

}  // namespace mlp::sema
