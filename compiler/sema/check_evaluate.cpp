#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/bind_arguments.h"
#include "compiler/sema/foreign_names.h"
#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_data.h"
#include "compiler/sema/intervals.h"
#include "compiler/sema/typer.h"

namespace mlp::sema {

using diag::Code;

namespace {

/// Parameters of a metric that the runtime binds: prediction, label, weight.
bool is_figure_option(const Parameter& parameter) { return parameter.name != "p" && parameter.name != "y" && parameter.name != "weight"; }

class EvaluateBlock {
 public:
  EvaluateBlock(Context& context, const hir::Train& train, const ast::Train& written, bool opaque)
      : context_(context), train_(train), written_(written), opaque_(opaque) {}

  std::optional<hir::Metric> metric(ast::ExprId id, const hir::Train& of);
  std::optional<hir::Gate> gate(const ast::Gate& gate, Span span);
  std::optional<hir::ColumnId> group_column(const ast::Path& path);

 private:
  std::optional<hir::GateSide> side(ast::ExprId id);
  bool is_column_valued(const Signature& signature, const ast::Name& name, ast::ExprId value);
  const ast::Decide* decision_by(std::string_view name) const;
  std::optional<hir::GateSide> figure(ast::ExprId id);
  std::optional<double> number(ast::ExprId id);
  void check_decidable(const hir::Gate& gate, const ast::Gate& written);
  std::optional<hir::Metric> named_metric(const std::string& name, Span name_span, const ast::Call* call, bool has_threshold, Span span, const hir::Train& of);

  Context& context_;
  const hir::Train& train_;
  const ast::Train& written_;
  bool opaque_;
};

std::optional<hir::ColumnId> EvaluateBlock::group_column(const ast::Path& path) {
  const auto column = column_of_table(context_, context_.out[train_.view].table, path);
  if (!column) return std::nullopt;
  const hir::Column& declared = context_.out[*column];
  if (declared.type.base != Base::float_) return column;
  context_.report(diag::make(Code::E0301, path.span, fmt::format("rows are grouped by a column with few values, not by the `float` `{}`", declared.name)).with_label("is `float`")
                      .with_secondary(declared.span, "declared here").with_help("compute a category or bool from it in the table"));
  return std::nullopt;
}

/// A cost may be a column: then it differs from row to row.
bool EvaluateBlock::is_column_valued(const Signature& signature, const ast::Name& name, ast::ExprId value) {
  const auto parameter = std::find_if(signature.parameters.begin(), signature.parameters.end(), [&](const Parameter& p) { return p.name == name.text; });
  if (parameter == signature.parameters.end() || parameter->fallback || !is_figure_option(*parameter)) return false;
  const hir::TableId table = context_.out[train_.view].table;
  const ast::Declaration* declaration = declaration_of(context_, table);
  if (!declaration) return false;
  const RowNames rows = names_of_table(context_, *declaration, {table, opaque_});
  Builder b;
  Scope scope(context_, b, context_.file.now);
  scope.rows = &rows;
  scope.quiet = true;
  const expr::NodeId look = type_expression(scope, value);
  if (look && b.constant(look)) return false;
  Builder again;
  Scope telling(context_, again, context_.file.now);
  telling.rows = &rows;
  type_as(telling, value, Type::of(Base::float_), fmt::format("`{}`", name.text), {});
  return true;
}

/// The `decide` of the train whose search is for this metric.
const ast::Decide* EvaluateBlock::decision_by(std::string_view name) const {
  for (const ast::TrainEntry& entry : written_.entries) {
    const auto* decide = std::get_if<ast::Decide>(&entry.kind);
    const auto* call = decide && decide->objective ? std::get_if<ast::Call>(&context_.file.expr(decide->objective->metric).kind) : nullptr;
    if (call && call->callee.text() == name) return decide;
  }
  return nullptr;
}

std::optional<hir::Metric> EvaluateBlock::named_metric(const std::string& name, Span name_span, const ast::Call* call, bool has_threshold, Span span, const hir::Train& of) {
  const auto entries = find_entries(EntryKind::metric, name);
  if (const auto own = context_.names.find(name); own != context_.names.end() && own->second.kind == DeclaredKind::callable) {
    const auto& callable = std::get<ast::Callable>(own->second.declaration->kind);
    if (callable.kind == ast::CallableKind::metric) {
      context_.not_yet("metrics of your own", span);
      return hir::Metric{{}, context_.text(span), {}, !callable.better || callable.better->text == "higher"};
    }
  }
  if (entries.empty()) {
    std::vector<std::string_view> candidates;
    for (const Signature& signature : standard_library())
      if (signature.kind == EntryKind::metric && (candidates.empty() || candidates.back() != signature.name)) candidates.push_back(signature.name);
    context_.report(with_meaning(diag::make(Code::E0204, name_span, fmt::format("there is no metric `{}`", name)).with_label("not in the standard library"), Named::metric, name, name_span, candidates,
                                    fmt::format("metrics are {}", listing(candidates, 16))));
    return std::nullopt;
  }
  const Type label = context_.out[context_.out.measured_of(of)].type;
  const auto takes = [&](const Signature& signature) {
    for (const Parameter& parameter : signature.parameters)
      if (parameter.name == "y")
        return std::any_of(parameter.types.begin(), parameter.types.end(),
                           [&](const Type& t) { return t.base == label.base || (t.base == Base::float_ && label.base == Base::int_); });
    return true;
  };
  const auto fitting = std::find_if(entries.begin(), entries.end(), [&](const Signature* s) { return takes(*s); });
  if (fitting == entries.end()) {
    std::vector<std::string_view> others;
    for (const Signature& signature : standard_library())
      if (signature.kind == EntryKind::metric && takes(signature) && (others.empty() || others.back() != signature.name)) others.push_back(signature.name);
    context_.report(diag::make(Code::E0307, name_span, fmt::format("`{}` does not fit a model of `{}`", name, context_.out[of.label].name))
                        .with_label(of.task == hir::Task::binary ? "does not fit a label that is true or false" : of.task == hir::Task::classes ? "does not fit a label of several classes" : "does not fit a label that is a number")
                        .with_secondary(context_.out[of.label].span, fmt::format("the label, `{}`", to_string(label)))
                        .with_help(fmt::format("metrics that fit are {}", listing(others, 16))));
    return std::nullopt;
  }
  const Signature& signature = **fitting;
  if (signature.of_decision && !has_threshold) {
    const bool decides = std::any_of(written_.entries.begin(), written_.entries.end(), [](const ast::TrainEntry& e) { return std::holds_alternative<ast::Decide>(e.kind); });
    if (!decides) {
      context_.report(diag::make(Code::E0602, name_span, fmt::format("`{}` is a metric of decisions, but `{}` makes none", name, of.name)).with_label("needs a threshold of the probability")
                          .with_secondary(of.span, "gives probabilities").with_help(fmt::format("write `{} at 0.5`, or `decide when p >= …` in the train", name)));
      return std::nullopt;
    }
  }
  if (signature.of_decision) context_.not_yet("metrics of decisions", span);
  if (signature.native.empty()) context_.not_yet(fmt::format("the metric `{}`", name), span);
  std::vector<GivenOption> given;
  std::set<std::string, std::less<>> of_row;
  if (call) {
    if (!call->by.empty() || call->where || call->over) context_.not_yet("this form of a metric", span);
    for (const ast::Argument& argument : call->arguments) {
      if (argument.name && is_column_valued(signature, *argument.name, argument.value)) of_row.insert(argument.name->text);
      else given.push_back({argument.name ? &*argument.name : nullptr, argument.value, argument.span, false});
    }
  } else if (const ast::Decide* decide = decision_by(name)) {
    // Bare, it is as `decide` says.
    for (const ast::Argument& argument : std::get<ast::Call>(context_.file.expr(decide->objective->metric).kind).arguments)
      if (argument.name) of_row.insert(argument.name->text);
  }
  auto options = check_options(context_, signature, given, [&](const Parameter& parameter) { return is_figure_option(parameter) && !of_row.contains(parameter.name); }, fmt::format("the metric `{}`", name), span);
  if (!options) return std::nullopt;
  return hir::Metric{signature.native, context_.text(span), std::move(*options), signature.higher_is_better};
}

std::optional<hir::Metric> EvaluateBlock::metric(ast::ExprId id, const hir::Train& of) {
  const ast::Expr& e = context_.file.expr(id);
  if (const auto* ref = std::get_if<ast::Ref>(&e.kind)) return named_metric(ref->path.text(), ref->path.span, nullptr, false, e.span, of);
  if (const auto* call = std::get_if<ast::Call>(&e.kind)) return named_metric(call->callee.text(), call->callee.span, call, false, e.span, of);
  if (const auto* at = std::get_if<ast::MetricAt>(&e.kind)) {
    const ast::Expr& inner = context_.file.expr(at->metric);
    const bool whole = at->of && at->of->text != "precision";
    const auto value = whole ? std::optional<double>() : constant_float(context_, at->value, {0, 1}, "a threshold");
    if (whole) constant_int(context_, at->value, {1, 1e12}, "a number of rows");
    else if (!value) return std::nullopt;
    if (at->of) context_.not_yet("metrics at a precision or among the top", e.span);
    const auto* ref = std::get_if<ast::Ref>(&inner.kind);
    const auto* call = std::get_if<ast::Call>(&inner.kind);
    if (!ref && !call) return std::nullopt;
    const ast::Path& path = ref ? ref->path : call->callee;
    auto result = named_metric(path.text(), path.span, call, true, e.span, of);
    if (result && value && !at->of) result->options.emplace_back("at", *value);
    return result;
  }
  if (const auto* by = std::get_if<ast::MetricBy>(&e.kind)) {
    context_.not_yet("metrics by groups", e.span);
    group_column(by->by);
    return metric(by->metric, of);
  }
  if (!std::holds_alternative<ast::Broken>(e.kind))
    context_.report(diag::make(Code::E0211, e.span, "a metric is needed here").with_label("is none")
                        .with_help(std::holds_alternative<ast::List>(e.kind)     ? "write metrics without brackets: `metrics auc, log_loss`"
                                   : std::holds_alternative<ast::String>(e.kind) ? "write the name of the metric without quotes"
                                                                                 : "write the name of a metric, such as `auc` or `rmse`"));
  return std::nullopt;
}

std::optional<double> EvaluateBlock::number(ast::ExprId id) {
  Builder b;
  Scope scope(context_, b, context_.file.now);
  scope.quiet = true;
  // A look only: what is no number is typed again as a figure, and says there what it cannot do.
  const std::size_t said = context_.out.not_yet.size();
  const expr::NodeId node = type_expression(scope, id);
  context_.out.not_yet.resize(said);
  if (!node || !b.type(node).is_number()) return std::nullopt;
  const auto real = b.convert(node, Type::of(Base::float_));
  const auto value = real ? b.constant(*real) : std::nullopt;
  return value && std::holds_alternative<double>(*value) ? std::optional(std::get<double>(*value)) : std::nullopt;
}

/// A metric of this model, of another one, of the best constant, or over groups.
std::optional<hir::GateSide> EvaluateBlock::figure(ast::ExprId id) {
  struct Grouping {
    std::string_view name;
    hir::Measure::Over over;
  };
  constexpr Grouping kGroupings[] = {{"min", hir::Measure::Over::min}, {"max", hir::Measure::Over::max}, {"gap", hir::Measure::Over::gap}};
  const ast::Expr& e = context_.file.expr(id);
  hir::GateSide out;
  hir::Measure measure;
  if (const auto* call = std::get_if<ast::Call>(&e.kind); call && !call->by.empty() && call->callee.parts.size() == 1) {
    for (const Grouping& grouping : kGroupings) {
      if (grouping.name != call->callee.text()) continue;
      if (call->arguments.size() != 1 || call->by.size() != 1) {
        context_.report(diag::make(Code::E0209, e.span, fmt::format("`{}` takes one metric and one column", grouping.name)).with_label("not these")
                            .with_help(fmt::format("write `{}(METRIC by COLUMN)`", grouping.name)));
        return std::nullopt;
      }
      if (call->where) context_.not_yet("`where` in a gate", e.span);
      auto of = metric(call->arguments[0].value, train_);
      const auto by = group_column(call->by[0]);
      if (!of || !by) return std::nullopt;
      measure.over = grouping.over;
      measure.metric = std::move(*of);
      measure.by = by;
      out.measure = std::move(measure);
      return out;
    }
  }
  if (const auto* ref = std::get_if<ast::Ref>(&e.kind); ref && ref->path.parts.size() == 2) {
    const ast::Name& owner = ref->path.parts[0];
    const ast::Name& name = ref->path.parts[1];
    const hir::Train* of = &train_;
    hir::Train other;
    if (owner.text == "constant") {
      measure.constant = true;
    } else {
      const ast::Path path{{owner}, owner.span};
      const ast::Declaration* declaration = find_declared(context_, path, DeclaredKind::train);
      const auto resolved = declaration ? resolve_train(context_, *declaration) : std::nullopt;
      if (!resolved) return std::nullopt;
      other = context_.out[*resolved];
      of = &other;
      measure.model = resolved;
      const bool label = context_.out.measured_of(other) != context_.out.measured_of(train_);
      if (!(other.split == train_.split) || label) {
        context_.report(diag::make(Code::E0602, e.span, fmt::format("`{}` and `{}` cannot be compared: {}", train_.name, other.name, label ? "they predict different columns" : "they have different splits"))
                            .with_label("models are compared on equal rows only").with_secondary(train_.span, "this model").with_secondary(other.span, "and this one")
                            .with_help(label ? "compare models of one label" : "give both trains the same `split`"));
        return std::nullopt;
      }
    }
    auto metric = named_metric(name.text, name.span, nullptr, false, name.span, *of);
    if (!metric) return std::nullopt;
    measure.metric = std::move(*metric);
    out.measure = std::move(measure);
    return out;
  }
  auto plain = metric(id, train_);
  if (!plain) return std::nullopt;
  measure.metric = std::move(*plain);
  out.measure = std::move(measure);
  return out;
}

std::optional<hir::GateSide> EvaluateBlock::side(ast::ExprId id) {
  const ast::Expr& e = context_.file.expr(id);
  if (const auto constant = number(id)) return hir::GateSide{std::nullopt, 1, *constant};
  if (const auto* negated = std::get_if<ast::Unary>(&e.kind); negated && negated->op == ast::UnaryOp::negate) {
    auto inner = side(negated->operand);
    if (inner) inner->scale = -inner->scale, inner->offset = -inner->offset;
    return inner;
  }
  const auto* op = std::get_if<ast::Binary>(&e.kind);
  if (!op || (op->op != ast::BinaryOp::add && op->op != ast::BinaryOp::subtract && op->op != ast::BinaryOp::multiply && op->op != ast::BinaryOp::divide)) return figure(id);
  auto left = side(op->left);
  auto right = side(op->right);
  if (!left || !right) return std::nullopt;
  const auto unsupported = [&]() -> std::optional<hir::GateSide> {
    context_.report(diag::make(Code::E0602, e.span, "each side of a gate may have one metric, and numbers that it is multiplied with or added to").with_label("is more than that")
                        .with_help("write for example `auc >= other.auc - 0.02`"));
    return std::nullopt;
  };
  switch (op->op) {
    case ast::BinaryOp::add:
    case ast::BinaryOp::subtract: {
      const double sign = op->op == ast::BinaryOp::add ? 1 : -1;
      if (left->measure && right->measure) return unsupported();
      if (right->measure) return hir::GateSide{right->measure, sign * right->scale, left->offset + sign * right->offset};
      left->offset += sign * right->offset;
      return left;
    }
    case ast::BinaryOp::multiply:
      if (left->measure && right->measure) return unsupported();
      if (right->measure) std::swap(left, right);
      left->scale *= right->offset, left->offset *= right->offset;
      return left;
    default:
      if (right->measure || right->offset == 0) return unsupported();
      left->scale /= right->offset, left->offset /= right->offset;
      return left;
  }
}

/// A gate whose outcome its metric's range decides is a mistake.
void EvaluateBlock::check_decidable(const hir::Gate& gate, const ast::Gate& written) {
  const bool left = gate.left.measure.has_value();
  const hir::GateSide &figure = left ? gate.left : gate.right, &bound = left ? gate.right : gate.left;
  if (bound.measure || !figure.measure) return;
  const Signature* signature = find_native(figure.measure->metric.native);
  if (!signature || !signature->result_range) return;
  Interval range = *signature->result_range;
  if (figure.measure->over == hir::Measure::Over::gap) range = {0, range.high - range.low};
  range = {range.low * figure.scale + figure.offset, range.high * figure.scale + figure.offset};
  if (range.low > range.high) std::swap(range.low, range.high);
  const auto decided = left ? decide_comparison(gate.comparison, range, exactly(bound.offset)) : decide_comparison(gate.comparison, exactly(bound.offset), range);
  if (!decided) return;
  context_.report(diag::make(Code::E0602, context_.file.expr(written.condition).span, fmt::format("this gate {}", *decided ? "passes whatever the model does" : "can never pass"))
                      .with_label(fmt::format("`{}` lies in {}", figure.measure->metric.text, range_text(*signature->result_range)))
                      .with_help(fmt::format("compare with a value inside {}", range_text(range))));
}

std::optional<hir::Gate> EvaluateBlock::gate(const ast::Gate& written, Span span) {
  hir::Gate out;
  out.span = span;
  out.text = context_.text(written.text);
  if (written.confidence) {
    const auto confidence = constant_float(context_, written.confidence, {0.5, 0.9999}, "a confidence");
    if (!confidence) return std::nullopt;
    out.confidence = *confidence;
  }
  if (written.beats_production) {
    auto figure_side = figure(written.condition);
    if (!figure_side) return std::nullopt;
    out.beats_production = true;
    out.left = std::move(*figure_side);
    out.comparison = ">=";
    if (written.margin) {
      const auto margin = constant_float(context_, written.margin, {}, "the margin of a gate");
      if (!margin) return std::nullopt;
      out.right.offset = *margin;
    }
    return out;
  }
  const ast::Expr& e = context_.file.expr(written.condition);
  const auto* comparison = std::get_if<ast::Binary>(&e.kind);
  const bool ordered = comparison && (comparison->op == ast::BinaryOp::less || comparison->op == ast::BinaryOp::less_equal || comparison->op == ast::BinaryOp::greater || comparison->op == ast::BinaryOp::greater_equal);
  if (!ordered) {
    if (!std::holds_alternative<ast::Broken>(e.kind))
      context_.report(diag::make(Code::E0602, comparison ? comparison->op_span : e.span, "a gate is a comparison with `>=`, `>`, `<=` or `<`").with_label("cannot be decided")
                          .with_help("write for example `require METRIC >= 0.9`"));
    return std::nullopt;
  }
  out.comparison = std::string(ast::token(comparison->op));
  auto left = side(comparison->left), right = side(comparison->right);
  if (!left || !right) return std::nullopt;
  if (!left->measure && !right->measure) {
    context_.report(diag::make(Code::E0602, e.span, "this gate compares constants").with_label("no metric in it").with_help("name a metric on one side"));
    return std::nullopt;
  }
  out.left = std::move(*left);
  out.right = std::move(*right);
  check_decidable(out, written);
  return out;
}

}  // namespace

std::optional<hir::Metric> check_metric(Context& context, const hir::Train& train, const ast::Train& written, ast::ExprId metric) {
  return EvaluateBlock(context, train, written, is_opaque(context, context.out[train.view].table)).metric(metric, train);
}

void check_evaluate(Context& context, const ast::Declaration& declaration) {
  const auto& evaluate = std::get<ast::Evaluate>(declaration.kind);
  std::vector<Span> words;
  for (const ast::EvaluateEntry& entry : evaluate.entries) words.push_back(entry.word);
  check_fields(context, declaration, "evaluate", kEvaluateFields, words);
  const ast::Declaration* declared = find_declared(context, evaluate.model, DeclaredKind::train);
  const auto train_id = declared ? resolve_train(context, *declared) : std::nullopt;
  if (!train_id) return;
  for (const hir::Evaluate& other : context.out.evaluates)
    if (other.train == *train_id)
      context.report(diag::make(Code::E0202, evaluate.model.span, fmt::format("`{}` is evaluated twice", evaluate.model.text())).with_label("again here").with_secondary(other.span, "first here")
                         .with_help("put the entries into one block"));
  const hir::Train train = context.out[*train_id];
  const hir::TableId table = context.out[train.view].table;
  EvaluateBlock block(context, train, std::get<ast::Train>(declared->kind), is_opaque(context, table));
  hir::Evaluate out;
  out.train = *train_id;
  out.span = evaluate.model.span;
  for (const ast::EvaluateEntry& entry : evaluate.entries) {
    if (const auto* metrics = std::get_if<ast::Metrics>(&entry.kind)) {
      for (const ast::ExprId id : metrics->metrics)
        if (auto metric = block.metric(id, train)) out.metrics.push_back(std::move(*metric));
    } else if (const auto* slice = std::get_if<ast::Slice>(&entry.kind)) {
      std::int64_t least = 0;
      if (slice->at_least) least = constant_int(context, slice->at_least, {0, 1e15}, "the least size of a slice").value_or(0);
      const bool positives = slice->unit && slice->unit->text == "positives";
      if (slice->unit && !positives && slice->unit->text != "rows")
        context.report(diag::make(Code::E0308, slice->unit->span, fmt::format("a slice is counted in `rows` or `positives`, not in `{}`", slice->unit->text)).with_label("not a unit here").with_help("write `rows`"));
      if (positives && train.task != hir::Task::binary)
        context.report(diag::make(Code::E0308, slice->unit->span, train.task == hir::Task::regression ? "a number has no positives" : "several classes have no positives").with_label(fmt::format("the label is `{}`", to_string(context.out[train.label].type))).with_help("write `rows`"));
      for (const ast::SliceItem& item : slice->items) {
        hir::Slice made;
        made.at_least_rows = positives ? 0 : static_cast<std::uint64_t>(least);
        made.at_least_positives = positives ? static_cast<std::uint64_t>(least) : 0;
        bool good = true;
        for (const ast::Path& path : item.columns) {
          const auto column = block.group_column(path);
          if (column) made.columns.push_back(*column);
          else good = false;
        }
        if (good) out.slices.push_back(std::move(made));
      }
    } else if (const auto* explain = std::get_if<ast::Explain>(&entry.kind)) {
      context.not_yet("`explain`", entry.span);
      if (explain->top) constant_int(context, explain->top, {1, 1e6}, "the number of columns to explain");
    } else if (const auto* resample = std::get_if<ast::Resample>(&entry.kind)) {
      if (const auto column = block.group_column(resample->by)) out.resample_by.push_back(*column);
    } else if (const auto* gate = std::get_if<ast::Gate>(&entry.kind)) {
      if (auto made = block.gate(*gate, entry.span)) out.gates.push_back(std::move(*made));
    }
  }
  context.out.evaluates.push_back(std::move(out));
}

}  // namespace mlp::sema
