#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_flow.h"
#include "compiler/sema/intervals.h"
#include "compiler/sema/pipeline.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

namespace {

constexpr double kManyRows = 1e15;

}  // namespace

void Pipeline::stage(const ast::WhereStage& where, const ast::Stage& of) { keep_rows(where.condition, rows(), of, false); }

std::optional<hir::ColumnId> Pipeline::condition_of(ast::ExprId given, const RowNames& rows, const ast::Stage& of, bool checked) {
  Builder b;
  Scope scope(context_, b, context_.file.now);
  scope.rows = &rows;
  scope.random_allowed = !checked;
  scope.quiet = checked;
  const NodeId node = type_expression(scope, given);
  if (!node) return std::nullopt;
  if (b.type(node).base != Base::bool_) {
    type_condition(scope, given, "the condition of `where`");
    return std::nullopt;
  }
  hir::Column condition;
  condition.name = "where";
  condition.span = of.word;
  condition.type = b.type(node);
  expr::Expr code = b.finish(node);
  if (!of.because && !checked) warn_selection_by_outcome(context_, code, of.word);
  condition.made_by = std::move(code);
  const hir::ColumnId id = add(std::move(condition));
  added_.push_back(id);
  return id;
}

void Pipeline::keep_rows(ast::ExprId given, const RowNames& rows, const ast::Stage& of, bool checked) {
  hir::Stage stage{hir::Stage::Kind::filter, of.word};
  stage.condition = condition_of(given, rows, of, checked);
  if (!stage.condition) return;
  const std::set<std::string, std::less<>> known = known_where(context_.file, given, true);
  begin(std::move(stage), [&](hir::Column& copy) {
    if (known.contains(copy.name)) copy.type = copy.type.known();
  });
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
  for (std::size_t i = 0; i < from.size(); ++i) {
    const hir::Column& column = (*this)[from[i]];
    const bool number = type.is_number() && column.type.is_number();
    if (!number && type.base != column.type.base) {
      context_.report(diag::make(Code::E0301, unpivot.columns[i].span, fmt::format("`{}` is `{}`, but `{}` is `{}`", column.name, to_string(column.type), (*this)[from.front()].name, to_string(type))).with_label("do not fit into one column")
                          .with_secondary(unpivot.value.span, "would hold both").with_secondary(column.span, fmt::format("`{}` is declared here, `{}`", column.name, to_string(column.type)))
                          .with_help("unpivot columns of one type"));
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

}  // namespace mlp::sema
