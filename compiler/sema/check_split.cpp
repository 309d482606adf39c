#include <fmt/format.h>

#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_data.h"
#include "compiler/sema/typer.h"

namespace mlp::sema {

using diag::Code;

bool is_opaque(const Context& context, hir::TableId table) {
  for (const auto& [declaration, state] : context.tables)
    if (state.id == table) return state.opaque;
  return true;
}

const ast::Declaration* declaration_of(const Context& context, hir::TableId table) {
  for (const auto& [declaration, state] : context.tables)
    if (state.id == table) return declaration;
  return nullptr;
}

std::optional<hir::ColumnId> column_of_table(Context& context, hir::TableId table, const ast::Path& path) {
  const ast::Declaration* declaration = declaration_of(context, table);
  if (!declaration) return std::nullopt;
  const std::string& name = path.parts.back().text;
  const bool own = path.parts.size() == 1 || (path.parts.size() == 2 && path.parts[0].text == declaration->name.text);
  if (own)
    for (const hir::ColumnId column : context.out[table].columns)
      if (context.out[column].name == name) return column;
  const RowNames rows = names_of_table(context, *declaration, {table, is_opaque(context, table)});
  if (own) {
    const RowNames::Found found = rows.find(name, path.span);
    if (found.found) return found.column;
  }
  if (rows.opaque) return std::nullopt;
  const auto candidates = rows.names();
  auto d = diag::make(Code::E0203, path.span, fmt::format("{} has no column `{}`", rows.owner, path.text())).with_label("no such column");
  d.secondary.push_back({rows.declared, fmt::format("{} is declared here", rows.owner)});
  context.report(with_suggestion(std::move(d), path.text(), path.span, candidates, fmt::format("it has {}", listing(candidates))));
  return std::nullopt;
}

namespace {

/// Whether a column that was reported, and so is not in the table, is its time.
bool declares_time(const Context& context, hir::TableId table) {
  const ast::Declaration* declaration = declaration_of(context, table);
  const auto* data = declaration ? std::get_if<ast::Data>(&declaration->kind) : nullptr;
  if (!data) return false;
  if (!data->source) return true;  // a pipeline may derive one
  for (const ast::DataEntry& entry : data->entries)
    if (const auto* column = std::get_if<ast::Column>(&entry.kind))
      for (const ast::Tag& tag : column->tags)
        if (tag.kind == ast::TagKind::time) return true;
  return false;
}

bool read_parts(Context& context, const ast::SplitForm& form, hir::Split& split) {
  bool good = true;
  int sum = 0;
  double shares = 0;
  for (const ast::ExprId part : form.parts) {
    const ast::Expr& e = context.file.expr(part);
    const auto* real = std::get_if<ast::Float>(&e.kind);
    const auto* percent = std::get_if<ast::Percent>(&e.kind);
    if (real || percent) shares += real ? real->value : percent->fraction;
  }
  if (shares > 0) {
    const Span span = cover(context.file.expr(form.parts.front()).span, context.file.expr(form.parts.back()).span);
    auto d = diag::make(Code::E0301, span, "the parts of a split are whole numbers of percent").with_label("train/validation/test").with_help("write for example `70/15/15`");
    if (std::fabs(shares - 1) < 1e-6 && form.parts.size() == 3) {
      std::string meant;
      for (const ast::ExprId part : form.parts) {
        const ast::Expr& e = context.file.expr(part);
        const auto* real = std::get_if<ast::Float>(&e.kind);
        const auto* percent = std::get_if<ast::Percent>(&e.kind);
        meant += fmt::format("{}{}", meant.empty() ? "" : "/", std::lround((real ? real->value : percent ? percent->fraction : 0) * 100));
      }
      d.help = fmt::format("did you mean `{}`?", meant);
      d.fixes.push_back({span, meant, fmt::format("write `{}`", meant), false});
    }
    context.report(std::move(d));
    return false;
  }
  for (const ast::ExprId part : form.parts) {
    const auto percent = constant_int(context, part, {0, 100}, "a part of a split");
    if (!percent) { good = false; continue; }
    split.percent.push_back(static_cast<int>(*percent));
    sum += static_cast<int>(*percent);
  }
  if (!good) return false;
  const Span span = form.parts.empty() ? form.span : cover(context.file.expr(form.parts.front()).span, context.file.expr(form.parts.back()).span);
  if (split.percent.size() != 3) {
    context.report(diag::make(Code::E0209, span, fmt::format("a split has three parts, not {}", split.percent.size())).with_label("train/validation/test")
                       .with_help("write for example `70/15/15`; gates look at validation rows while developing, at test rows with `--final`"));
    return false;
  }
  if (sum != 100) {
    context.report(diag::make(Code::E0303, span, fmt::format("the parts sum to {}%, not to 100%", sum)).with_label("train/validation/test in percent")
                       .with_help(sum < 100 ? fmt::format("{}% of the rows are in no part", 100 - sum) : fmt::format("{}% are too many", sum - 100)));
    return false;
  }
  if (split.percent[0] == 0) {
    context.report(diag::make(Code::E0303, context.file.expr(form.parts[0]).span, "no rows are left to train on").with_label("0% of the rows").with_help("give the first part more"));
    return false;
  }
  return true;
}

}  // namespace

std::optional<hir::SplitId> check_split_form(Context& context, const ast::SplitForm& form, std::string name, hir::TableId table_id,
                                             std::optional<std::int64_t> default_seed, bool because, Span span) {
  hir::Split split;
  split.name = std::move(name);
  split.span = span;
  split.table = table_id;
  split.seed = default_seed.value_or(0);
  using Kind = ast::SplitForm::Kind;
  bool good = true;
  const hir::Table table = context.out[table_id];
  if (form.seed) {
    const auto seed = constant_int(context, form.seed, {}, "the seed of a split");
    if (seed) split.seed = *seed;
    good = good && seed;
  }
  if (form.stratified) {
    split.stratified = column_of_table(context, table_id, *form.stratified);
    if (!split.stratified) good = is_opaque(context, table_id) && good;
    else if (const Type& type = context.out[*split.stratified].type; type.base == Base::float_) {
      context.report(diag::make(Code::E0301, form.stratified->span, "rows are stratified by a column with few values, not by a `float`").with_label("is `float`")
                         .with_secondary(context.out[*split.stratified].span, "declared here").with_help("stratify by a bool or category column"));
      good = false;
    }
  }
  for (const ast::Path& path : form.by) {
    const auto column = column_of_table(context, table_id, path);
    if (column) split.by.push_back(*column);
    else good = false;
  }
  if (form.by.empty()) split.by = table.key;
  const auto read_length = [&](ast::ExprId duration, std::int64_t& into) {
    if (!duration) return;
    into = constant_duration(context, duration, "this length of time");
    good = good && into;
  };
  read_length(form.every, split.every_us);
  read_length(form.horizon, split.horizon_us);
  if (form.gap) {
    const auto gap = constant_of(context, form.gap, Type::of(Base::duration), std::nullopt, "the gap of a split");
    if (gap) split.gap_us = std::get<std::int64_t>(*gap);
    good = good && gap;
  }
  if (form.group_by) {
    const auto group = column_of_table(context, table_id, *form.group_by);
    if (group) split.by = {*group};
    good = good && group;
  }

  const bool needs_time = form.kind == Kind::time || form.kind == Kind::rolling || form.by_time;
  if (needs_time && !table.time && !is_opaque(context, table_id) && !declares_time(context, table_id)) {
    context.report(diag::make(Code::E0207, form.span, fmt::format("table `{}` has no `@time`, so it cannot be split by time", table.name)).with_label("needs the time of a row")
                       .with_secondary(table.span, "declared here").with_help("tag the column that says when a row happened with `@time`"));
    return std::nullopt;
  }
  if (needs_time) split.seed = 0;  // nothing is drawn
  switch (form.kind) {
    case Kind::random:
      split.kind = hir::SplitKind::random;
      good = read_parts(context, form, split) && good;
      break;
    case Kind::fold: {
      split.kind = hir::SplitKind::fold;
      const auto folds = constant_int(context, form.count, {2, 100}, "the number of folds");
      if (folds) split.folds = static_cast<int>(*folds);
      good = good && folds;
      split.by_time = form.by_time;
      break;
    }
    case Kind::time:
      split.kind = hir::SplitKind::time;
      good = read_parts(context, form, split) && good;
      break;
    case Kind::group:
      split.kind = hir::SplitKind::group;
      good = read_parts(context, form, split) && good;
      break;
    case Kind::rolling: {
      split.kind = hir::SplitKind::rolling;
      const auto windows = constant_int(context, form.count, {1, 300}, "the number of windows");
      if (windows) split.folds = static_cast<int>(*windows);
      good = good && windows;
      for (const auto& [length, word] : {std::pair{form.every, "every"}, {form.horizon, "horizon"}})
        if (!length) {
          context.report(diag::make(Code::E0207, form.span, fmt::format("a rolling split needs `{}`", word)).with_label(fmt::format("`{}` is missing", word)).with_help("write for example `rolling 8 every 7d horizon 28d`"));
          good = false;
        }
      break;
    }
  }
  const bool by_row = form.kind == Kind::random || (form.kind == Kind::fold && !form.by_time && !form.group_by);
  if (by_row && form.by.empty() && table.key.size() > 1 && !because) {
    std::vector<std::string_view> names;
    for (const hir::ColumnId key : table.key) names.push_back(context.out[key].name);
    context.report(diag::make(Code::W0403, form.span, fmt::format("rows of one `{}` can be in training and in test", names.front())).with_label(fmt::format("rows are dealt by {} together", listing(names)))
                       .with_secondary(context.out[table.key.front()].span, "a part of the key").with_help(fmt::format("deal whole groups, `by {}`, or say why not with `because \"…\"`", names.front())));
  }
  if ((form.kind == Kind::random || (form.kind == Kind::fold && !form.by_time && !form.group_by)) && table.time && !because) {
    context.report(diag::make(Code::E0403, form.span, fmt::format("a random split of `{}` lets the model see the future", table.name))
                       .with_label("rows of one time go to training and to test")
                       .with_secondary(context.out[*table.time].span, "the table has a time")
                       .with_help("split by time, `time 70/15/15`, or say why not with `because \"…\"`"));
    good = false;
  }
  if (!good) return std::nullopt;
  for (std::size_t i = 0; i < context.out.splits.size(); ++i) {
    const hir::Split& other = context.out.splits[i];
    if (other.table == split.table && other.kind == split.kind && other.percent == split.percent && other.folds == split.folds &&
        other.stratified == split.stratified && other.by == split.by && other.gap_us == split.gap_us && other.every_us == split.every_us &&
        other.horizon_us == split.horizon_us && other.by_time == split.by_time && other.seed == split.seed)
      return hir::SplitId(i);
  }
  context.out.splits.push_back(std::move(split));
  return hir::SplitId(context.out.splits.size() - 1);
}

std::optional<hir::SplitId> resolve_split(Context& context, const ast::Declaration& declaration) {
  const InModule within(context, declaration);
  if (const auto done = context.splits.find(&declaration); done != context.splits.end()) return done->second;
  context.splits[&declaration] = std::nullopt;
  const auto& split = std::get<ast::Split>(declaration.kind);
  const ast::Declaration* table = find_declared(context, split.of, DeclaredKind::table);
  if (!table) return std::nullopt;
  const TableState state = resolve_table(context, *table, split.of.span);
  if (!state.id) return std::nullopt;
  const auto id = check_split_form(context, split.form, declaration.name.text, *state.id, std::nullopt, declaration.because.has_value(), declaration.name.span);
  return context.splits[&declaration] = id;
}

}  // namespace mlp::sema
