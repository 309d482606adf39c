#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/bind_arguments.h"
#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_data.h"
#include "compiler/sema/check_flow.h"
#include "compiler/sema/foreign_names.h"
#include "compiler/sema/intervals.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

namespace {

template <class Entry>
const ast::TrainEntry* entry_of(const ast::Train& train) {
  for (const ast::TrainEntry& entry : train.entries)
    if (std::holds_alternative<Entry>(entry.kind)) return &entry;
  return nullptr;
}

/// The column that is predicted: one of the table, or one that is computed here, from later rows perhaps.
std::optional<hir::ColumnId> label_of(Context& context, const ast::Predict& predict, hir::TableId table, hir::Train& out) {
  const ast::Expr& e = context.file.expr(predict.value);
  if (predict.back || !predict.quantiles.empty() || predict.rank_by) context.not_yet("this form of `predict`", e.span);
  if (predict.rank_by) column_of_table(context, table, *predict.rank_by);
  double below = 0;
  for (const ast::ExprId id : predict.quantiles) {
    const auto quantile = constant_float(context, id, {0, 1}, "a quantile");
    if (quantile && *quantile <= below)
      context.report(diag::make(Code::E0303, context.file.expr(id).span, "quantiles have to rise from one to the next, between 0 and 1").with_label(below == 0 ? "is 0" : "is not above the one before").with_help("write for example `quantiles (0.1, 0.5, 0.9)`"));
    if (quantile) below = *quantile;
  }
  if (const auto* ref = std::get_if<ast::Ref>(&e.kind); ref && !predict.name) return column_of_table(context, table, ref->path);
  if (std::holds_alternative<ast::Broken>(e.kind)) return std::nullopt;
  const auto* call = std::get_if<ast::Call>(&e.kind);
  if (!predict.name && !predict.back && !(call && call->over)) {
    const auto* text = std::get_if<ast::String>(&e.kind);
    context.report(diag::make(Code::E0211, e.span, "`predict` needs the name of a column").with_label(text ? "is a text" : "is an expression")
                       .with_help(text ? "write the name of the column without quotes" : "name the label, `predict y = …`, or declare it in the table: `y : bool = … @label`"));
    return std::nullopt;
  }
  const ast::Declaration* declared = declaration_of(context, table);
  if (!declared) return std::nullopt;
  const RowNames rows = names_of_table(context, *declared, {table, is_opaque(context, table)});
  Builder b;
  Scope scope(context, b, context.file.now);
  scope.rows = &rows;
  Aggregation aggregation;
  aggregation.place = Aggregation::Place::label;
  aggregation.table = table;
  aggregation.has_time = context.out[table].time || rows.opaque;
  scope.aggregation = &aggregation;
  const NodeId node = type_expression(scope, predict.value);
  if (predict.back) {
    const auto functions = find_entries(EntryKind::fn, predict.back->text);
    const bool fits_back = std::any_of(functions.begin(), functions.end(), [](const Signature* s) { return s->parameters.size() == 1 && s->result.is_number(); });
    if (!fits_back) {
      std::vector<std::string_view> candidates;
      for (const Signature& signature : standard_library())
        if (signature.kind == EntryKind::fn && signature.parameters.size() == 1 && signature.result.base == Base::float_ && signature.parameters[0].types[0].base == Base::float_) candidates.push_back(signature.name);
      context.report(with_suggestion(diag::make(functions.empty() ? Code::E0204 : Code::E0301, predict.back->span, functions.empty() ? fmt::format("there is no function `{}`", predict.back->text)
                                                                                                                                    : fmt::format("`{}` makes no number of a number, so it undoes nothing", predict.back->text))
                                         .with_label("is no inverse"), predict.back->text, predict.back->span, candidates, "name the inverse function: `predict log(y) back exp`"));
    } else if (node && !b.type(node).is_number()) {
      context.report(diag::make(Code::E0301, e.span, fmt::format("`back` undoes a function of a number, but this is {}", type_text(b, node))).with_label("is no number").with_help("leave `back` out"));
    }
  }
  if (!node || b.is_missing(node)) return std::nullopt;
  hir::Column label;
  label.name = predict.name ? predict.name->text : context.text(e.span);
  label.span = predict.name ? predict.name->span : e.span;
  label.type = b.type(node);
  label.range = b.range(node);
  label.tags.label = true;
  label.table = table;
  expr::Expr code = b.finish(node);
  if (predict.back && code.inputs.size() == 1) out.measured = hir::ColumnId(code.inputs[0].column);
  label.made_by = std::move(code);
  for (const hir::ColumnId made : aggregation.made)
    if (const hir::Aggregate& many = *context.out[made].aggregate(); many.next) out.label_window_us = std::max(out.label_window_us, many.over_us);
  return context.add_column(std::move(label));
}

/// Whether a column of type `have` may be given where `take` is taken.
bool fits(const Type& have, const Type& take) { return have.base == take.base && (!have.missing || take.missing); }

NodeId input_of(Builder& b, const hir::Column& column, hir::ColumnId id) { return b.input(id.value, column.type, column.range, column.name, column.span); }

/// A column that the model reads without a preparation; an int becomes a float where the model takes no int.
expr::Expr as_it_is(const hir::Column& column, hir::ColumnId id, bool taken) {
  Builder b;
  const NodeId node = input_of(b, column, id);
  return b.finish(taken ? node : *b.convert(node, Type::of(Base::float_)));
}

/// What a model's signature makes of a column; one expression a text, less those with a mistake, which was reported.
std::vector<expr::Expr> prepare(Context& context, hir::ColumnId id, const std::vector<std::string>& texts) {
  std::vector<expr::Expr> out;
  for (const std::string& text : texts) {
    const LibraryText library = library_text(context, text);
    Builder b;
    Scope scope(context, b, library.file);
    scope.at = context.out[id].span;
    scope.fitted_allowed = true;
    scope.locals["it"] = input_of(b, context.out[id], id);
    if (const NodeId node = type_expression(scope, library.root)) out.push_back(b.finish(node));
  }
  return out;
}

void build_matrix(Context& context, hir::Train& train, const Signature& model, const ast::Model& written) {
  for (const hir::ColumnId id : context.out[train.view].columns) {
    const hir::Column& column = context.out[id];
    if (column.type.is_error()) continue;
    const bool taken = std::any_of(model.takes.begin(), model.takes.end(), [&](const Type& t) { return fits(column.type, t); });
    const bool wider = column.type.base == Base::int_ &&
                       std::any_of(model.takes.begin(), model.takes.end(), [&](const Type& t) { return t.base == Base::float_ && (!column.type.missing || t.missing); });
    if (!taken && !wider) {
      const bool only_missing = std::any_of(model.takes.begin(), model.takes.end(), [&](const Type& t) { return t.base == column.type.base; });
      auto d = diag::make(only_missing ? Code::E0302 : Code::E0306, written.name.span,
                          fmt::format("`{}` cannot take the column `{}`, which is `{}`", model.name, column.name, to_string(column.type)))
                   .with_label(fmt::format("takes {}", types_text(model.takes))).with_secondary(column.span, fmt::format("`{}`", to_string(column.type)));
      d.help = only_missing ? fmt::format("say what stands in for a missing value: `{} ?? default`", column.name)
               : column.type.base == Base::string ? "declare it `category` in the table: a model learns from values that come again, not from free text"
                                                  : "take it out of the view, or compute a number or category from it";
      context.report(std::move(d));
      continue;
    }
    // The preparation for exactly this type, else one for the same base that takes it.
    const std::vector<std::string>* texts = nullptr;
    for (const auto& [type, outputs] : model.prepares)
      if (type.base == column.type.base && type.missing == column.type.missing) texts = &outputs;
    if (!texts)
      for (const auto& [type, outputs] : model.prepares)
        if (fits(column.type, type)) { texts = &outputs; break; }
    // Models of one kind over one view read the same.
    const auto [at, fresh] = context.prepared.try_emplace({id, texts ? static_cast<const void*>(texts) : &model});
    if (fresh) at->second = texts ? prepare(context, id, *texts) : std::vector{as_it_is(column, id, taken)};
    for (const expr::Expr& code : at->second) train.matrix.push_back({id, code});
  }
}

/// Transforms that read the label must be able to read this one.
void check_label_use(Context& context, const hir::Train& train, Span span) {
  const Type& label = context.out[train.label].type;
  const auto check = [&](const expr::Expr& code) {
    for (const expr::Node& node : code.nodes) {
      const auto* fitted = std::get_if<expr::Fitted>(&node.op);
      const Signature* signature = fitted ? find_native(fitted->native) : nullptr;
      if (!signature || !signature->uses_label) continue;
      for (const Parameter& parameter : signature->parameters) {
        if (!is_bound_by_planner(*signature, parameter)) continue;
        const bool good = std::any_of(parameter.types.begin(), parameter.types.end(),
                                      [&](const Type& t) { return t.base == label.base || (t.base == Base::float_ && label.base == Base::int_); });
        if (good) continue;
        context.report(diag::make(Code::E0301, span, fmt::format("`{}` in this view cannot use the label `{}`", signature->name, context.out[train.label].name))
                           .with_label(fmt::format("the label is `{}`", to_string(label)))
                           .with_secondary(node.span, fmt::format("takes a label of {}", types_text(parameter.types))).with_help("use another transform"));
      }
    }
  };
  for (const hir::ColumnId column : context.out[train.view].columns)
    if (const expr::Expr* code = context.out[column].code()) check(*code);
}

/// Something of a train that is fitted or chosen on validation rows.
struct NeedsValidation {
  Span span;
  std::string what;
};

void check_word(Context& context, const ast::Name& name, const std::vector<std::string_view>& words, std::string_view what) {
  if (std::find(words.begin(), words.end(), name.text) != words.end()) return;
  context.report(with_suggestion(diag::make(Code::E0303, name.span, fmt::format("there is no {} `{}`", what, name.text)).with_label("not known here"), name.text, name.span, words, fmt::format("there are {}", listing(words))));
}

/// `maximize auc`: the metric, and whether this way is better.
void check_objective(Context& context, const ast::Objective& objective, const hir::Train& train, const ast::Train& written) {
  const auto metric = check_metric(context, train, written, objective.metric);
  if (!metric || metric->higher_is_better == objective.maximize) return;
  context.report(diag::make(Code::E0611, objective.span, fmt::format("`{}` is better {}", metric->text, metric->higher_is_better ? "higher" : "lower")).with_label("would search for the worst")
                     .with_help(fmt::format("write `{} {}`", metric->higher_is_better ? "maximize" : "minimize", metric->text)));
}

/// Entries that read the table, and need no label.
void check_row_entries(Context& context, const ast::Train& train, hir::Train& out, const hir::TableId table) {
  const ast::Declaration* declared = declaration_of(context, table);
  for (const ast::TrainEntry& entry : train.entries) {
    if (const auto* where = std::get_if<ast::TrainWhere>(&entry.kind)) {
      if (!declared) continue;
      const RowNames rows = names_of_table(context, *declared, {table, is_opaque(context, table)});
      Builder b;
      Scope scope(context, b, context.file.now);
      scope.rows = &rows;
      const NodeId node = type_expression(scope, where->condition);
      if (!node) continue;
      if (b.type(node).base != Base::bool_) {
        type_condition(scope, where->condition, "the condition of `where`");
        continue;
      }
      out.where = b.finish(node);
      if (!entry.because) warn_selection_by_outcome(context, *out.where, entry.word);
    } else if (const auto* weights = std::get_if<ast::Weights>(&entry.kind)) {
      if (weights->column.text() == "balanced") {
        context.not_yet("`weights balanced`", entry.span);
      } else if (const auto column = column_of_table(context, table, weights->column)) {
        if (context.out[*column].type.is_number()) out.weight = column;
        else context.report(diag::make(Code::E0301, weights->column.span, fmt::format("weights are numbers, not `{}`", to_string(context.out[*column].type))).with_label("is no number")
                                .with_secondary(context.out[*column].span, "declared here").with_help("name a column of numbers"));
      }
    } else if (const auto* refit = std::get_if<ast::Refit>(&entry.kind)) {
      std::vector<std::string> parts;
      for (const ast::Name& part : refit->parts) parts.push_back(part.text);
      if (parts == std::vector<std::string>{"none"}) out.refit = hir::Refit::none;
      else if (parts == std::vector<std::string>{"all"}) out.refit = hir::Refit::all;
      else if (parts == std::vector<std::string>{"train", "validation"}) out.refit = hir::Refit::train_and_validation;
      else context.report(diag::make(Code::E0303, entry.span, "`refit` takes `none`, `train+validation` or `all`").with_label("none of these").with_help("`none` keeps the model that the gates measured"));
    } else if (const auto* per = std::get_if<ast::Per>(&entry.kind)) {
      context.not_yet("`per`: families of models", entry.span);
      const auto column = column_of_table(context, table, per->column);
      if (column && context.out[*column].type.base == Base::float_)
        context.report(diag::make(Code::E0301, per->column.span, "a model for each value needs a column with few values, not a `float`").with_label("is `float`").with_secondary(context.out[*column].span, "declared here")
                           .with_help("compute a category from it in the table"));
      if (per->at_least) constant_int(context, per->at_least, {1, 1e15}, "the least size of a segment");
    } else if (const auto* rank = std::get_if<ast::RankBy>(&entry.kind)) {
      context.not_yet("`rank by`", entry.span);
      column_of_table(context, table, rank->column);
    }
  }
}

/// Entries about the label and its rows.
void check_label_entries(Context& context, const ast::Train& train, const hir::Train& out, std::vector<NeedsValidation>& needs) {
  const hir::Column label = context.out[out.label];
  const auto needs_bool = [&](Span span, std::string_view what) {
    if (label.type.base == Base::bool_) return true;
    context.report(diag::make(Code::E0301, span, fmt::format("{} is for a label that is true or false, but `{}` is `{}`", what, label.name, to_string(label.type))).with_label("does not fit the label")
                       .with_secondary(label.span, "the label").with_help("leave it out"));
    return false;
  };
  const ast::TrainEntry* tuned = nullptr;
  if (const ast::TrainEntry* model = entry_of<ast::Model>(train))
    for (const ast::ModelParameter& parameter : std::get<ast::Model>(model->kind).parameters)
      if (parameter.tuned && !tuned) {
        tuned = model;
        if (!entry_of<ast::Tune>(train))
          context.report(diag::make(Code::E0611, parameter.span, fmt::format("`{}` is to be searched, but there is no `tune` that says how", parameter.name.text)).with_label("searched for what?")
                             .with_help("add for example `tune maximize auc trials 20`, or write a value"));
      }
  for (const ast::TrainEntry& entry : train.entries) {
    if (const auto* tune = std::get_if<ast::Tune>(&entry.kind)) {
      context.not_yet("`tune`", entry.span);
      needs.push_back({entry.word, "a search compares its trials"});
      check_objective(context, tune->objective, out, train);
      if (tune->trials) constant_int(context, tune->trials, {1, 100'000}, "the number of trials");
      if (tune->strategy) check_word(context, *tune->strategy, {"random", "grid", "tpe", "asha"}, "strategy");
      if (tune->early_stop_rounds) constant_int(context, tune->early_stop_rounds, {1, 100'000}, "the number of rounds");
      if (!tuned)
        context.report(diag::make(Code::E0611, entry.word, "`tune` searches parameters, and none is to be searched").with_label("no parameter is written `tune`").with_help("write a range for a parameter of the model, `depth: tune 3..8`, or leave `tune` out"));
    } else if (const auto* early = std::get_if<ast::EarlyStop>(&entry.kind)) {
      context.not_yet("`early_stop`", entry.span);
      needs.push_back({entry.word, "early stopping watches the metric"});
      if (early->rounds) constant_int(context, early->rounds, {1, 100'000}, "the number of rounds");
    } else if (const auto* calibrate = std::get_if<ast::Calibrate>(&entry.kind)) {
      context.not_yet("`calibrate`", entry.span);
      if (needs_bool(entry.word, "calibration")) needs.push_back({entry.word, "a calibration is fitted"});
      check_word(context, calibrate->method, {"isotonic", "sigmoid"}, "calibration");
    } else if (const auto* decide = std::get_if<ast::Decide>(&entry.kind)) {
      context.not_yet("`decide`", entry.span);
      const bool binary = needs_bool(entry.word, "a decision");
      if (decide->subject.text != "p")
        context.report(diag::make(Code::E0201, decide->subject.span, fmt::format("a decision is about the probability `p`, not `{}`", decide->subject.text)).with_label("not known here").with_help("write `decide when p >= …`")
                           .with_fix({decide->subject.span, "p", "write `p`", true}));
      if (decide->threshold) constant_float(context, decide->threshold, {0, 1}, "the threshold of a decision");
      if (decide->objective && binary) {
        needs.push_back({entry.word, "the threshold is searched"});
        check_objective(context, *decide->objective, out, train);
      }
    } else if (const auto* sample = std::get_if<ast::SampleClass>(&entry.kind)) {
      context.not_yet("`sample` of a class", entry.span);
      if (needs_bool(entry.word, "`sample`")) constant_of(context, sample->value, Type::of(Base::bool_), std::nullopt, "the class that is sampled");
      constant_float(context, sample->share, {0, 1}, "the share of a class");
    }
  }
}

void check_against_split(Context& context, const hir::Train& train, const hir::Split& split, const ast::TrainEntry& entry, const std::vector<NeedsValidation>& needs) {
  const bool none = split.percent.size() == 3 && split.percent[1] == 0;
  for (const NeedsValidation& each : needs)
    if (none)
      context.report(diag::make(Code::E0610, each.span, fmt::format("{} on validation rows, and the split has none", each.what)).with_label("needs validation rows").with_secondary(split.span, "0% for validation")
                         .with_help("give validation a part: `70/15/15`"));
  if (train.label_window_us > 0 && split.gap_us >= 0 && split.gap_us < train.label_window_us && (split.kind == hir::SplitKind::time || split.kind == hir::SplitKind::rolling))
    context.report(diag::make(Code::E0404, entry.span, fmt::format("the gap is shorter than the {} that the label looks ahead", duration_text(train.label_window_us))).with_label("training labels reach into the test rows")
                       .with_secondary(context.out[train.label].span, fmt::format("looks {} ahead", duration_text(train.label_window_us))).with_help("leave the gap out: it is then the label's window"));
}

/// Models that are not of the library: bound to Python here, read from a file, made of others. False: none of these.
bool check_other_model(Context& context, const ast::Model& model) {
  const std::string name = model.name.text();
  const auto at = context.names.find(name);
  if (at != context.names.end() && (at->second.kind == DeclaredKind::broken || at->second.kind == DeclaredKind::import_)) return true;
  if (at != context.names.end() && at->second.kind == DeclaredKind::callable) return std::get<ast::Callable>(at->second.declaration->kind).kind == ast::CallableKind::model;
  const auto wrong = [&](Span span, std::string message, std::string help) {
    context.report(diag::make(Code::E0209, span, std::move(message)).with_label("does not fit").with_help(std::move(help)));
    return true;
  };
  if (name == "python" || name == "onnx") {
    const bool python = name == "python";
    const auto* text = model.arguments.size() == 1 ? std::get_if<ast::String>(&context.file.expr(model.arguments[0].value).kind) : nullptr;
    if (!text) return wrong(model.span, python ? "`python` takes the file and the class in one text" : "`onnx` takes the path of a file", python ? "write `python(\"net.py:Net\")`" : "write `onnx(\"m.onnx\")`");
    if (python) check_python_reference(context, text->value, context.file.expr(model.arguments[0].value).span);
    return true;
  }
  if (name == "stack") {
    if (model.arguments.size() < 2) return wrong(model.span, "`stack` combines two or more models", "write `stack(a, b) { by logistic }`");
    for (const ast::Argument& argument : model.arguments) {
      const auto* ref = std::get_if<ast::Ref>(&context.file.expr(argument.value).kind);
      if (!ref) wrong(argument.span, "`stack` takes trained models by name", "write the name of a `train`");
      else if (const ast::Declaration* train = find_declared(context, ref->path, DeclaredKind::train)) resolve_train(context, *train);
    }
    for (const ast::ModelParameter& parameter : model.parameters) {
      const auto* ref = std::get_if<ast::Ref>(&context.file.expr(parameter.value).kind);
      if (parameter.name.text != "by") context.report(with_suggestion(diag::make(Code::E0208, parameter.name.span, fmt::format("`stack` has no parameter `{}`", parameter.name.text)).with_label("no such parameter"), parameter.name.text, parameter.name.span, {"by"}, "it has `by`"));
      else if (!ref || find_entries(EntryKind::model, ref->path.text()).empty()) context.report(diag::make(Code::E0204, parameter.span, "`by` names the model that combines the others").with_label("is no model").with_help("write for example `by logistic`"));
    }
    return true;
  }
  if (name == "auto") {
    for (const ast::ModelParameter& parameter : model.parameters) {
      if (parameter.name.text == "budget") constant_duration(context, parameter.value, "the budget");
      else context.report(with_suggestion(diag::make(Code::E0208, parameter.name.span, fmt::format("`auto` has no parameter `{}`", parameter.name.text)).with_label("no such parameter"), parameter.name.text, parameter.name.span, {"budget"}, "it has `budget`"));
    }
    return true;
  }
  return false;
}

/// The view of a train: one, or several side by side.
std::optional<hir::ViewId> compose_views(Context& context, const std::vector<ast::Path>& paths) {
  std::vector<std::pair<hir::ViewId, Span>> views;
  bool good = true;
  for (const ast::Path& path : paths) {
    const ast::Declaration* declared = find_declared(context, path, DeclaredKind::view);
    const auto resolved = declared ? resolve_view(context, *declared, path.span) : std::nullopt;
    if (resolved) views.emplace_back(*resolved, path.span);
    else good = false;
  }
  if (!good || views.empty()) return std::nullopt;
  if (views.size() == 1) return views.front().first;
  hir::View both = context.out[views.front().first];
  std::map<std::string, hir::ColumnId, std::less<>> names;
  for (const hir::ColumnId id : both.columns) names.emplace(context.out[id].name, id);
  for (std::size_t i = 1; i < views.size(); ++i) {
    const hir::View& view = context.out[views[i].first];
    if (!(view.table == both.table) || view.at != both.at) {
      const bool table = !(view.table == both.table);
      context.report(diag::make(Code::E0211, views[i].second, fmt::format("`{}` and `{}` are views of different {}", both.name, view.name, table ? "tables" : "times")).with_label("rows do not belong together")
                         .with_secondary(context.out[views.front().first].span, "one").with_secondary(view.span, "the other").with_help(table ? "views are put side by side row by row: let both be `of` one table" : "let both be `at` one time"));
      good = false;
      continue;
    }
    if (context.incomplete_views.contains(views[i].first)) context.incomplete_views.insert(views.front().first);
    for (const hir::ColumnId id : view.columns) {
      const auto [at, fresh] = names.emplace(context.out[id].name, id);
      if (fresh) {
        both.columns.push_back(id);
        continue;
      }
      context.report(diag::make(Code::E0202, views[i].second, fmt::format("both views have a column `{}`", at->first)).with_label("which one would it be?").with_secondary(context.out[at->second].span, "in one")
                         .with_secondary(context.out[id].span, "and in the other").with_help("rename one of the two"));
      good = false;
    }
  }
  if (!good) return std::nullopt;
  both.name.clear();
  for (const auto& [view, span] : views) both.name += (both.name.empty() ? "" : " + ") + context.out[view].name;
  const hir::ViewId id(context.out.views.size());
  if (context.incomplete_views.contains(views.front().first)) context.incomplete_views.insert(id);
  context.out.views.push_back(std::move(both));
  return id;
}

/// The model's entry of the library and its options; nullptr after a report.
const Signature* read_model(Context& context, const ast::Model& model, hir::Train& out) {
  const std::string name = model.name.text();
  const auto entries = find_entries(EntryKind::model, name);
  if (entries.empty()) {
    if (check_other_model(context, model)) {
      context.not_yet("models of your own, stacks and `auto`", model.span);
      return nullptr;
    }
    std::vector<std::string_view> candidates;
    for (const Signature& signature : standard_library())
      if (signature.kind == EntryKind::model) candidates.push_back(signature.name);
    context.report(with_meaning(diag::make(Code::E0204, model.name.span, fmt::format("there is no model `{}`", name)).with_label("not in the standard library"), Named::model, name, model.name.span,
                                   candidates, fmt::format("models are {}", listing(candidates, 12))));
    return nullptr;
  }
  const Signature& signature = *entries.front();
  std::vector<GivenOption> given;
  for (const ast::ModelParameter& parameter : model.parameters) {
    given.push_back({&parameter.name, parameter.value, parameter.span, parameter.tuned});
    if (!parameter.tuned) continue;
    context.not_yet("`tune`", parameter.span);
    const auto range = constant_range(context, parameter.value, fmt::format("the range of `{}`", parameter.name.text));
    for (const Parameter& declared : signature.parameters)
      if (range && declared.name == parameter.name.text && declared.range && !inside(*range, *declared.range))
        context.report(diag::make(Code::E0303, context.file.expr(parameter.value).span, fmt::format("`{}` of `{}` must be in {}", declared.name, name, range_text(*declared.range)))
                           .with_label("reaches beyond it").with_help(fmt::format("stay in {}", range_text(*declared.range))));
  }
  if (signature.native.empty()) context.not_yet(fmt::format("the model `{}`", name), model.span);
  out.model = signature.native;
  out.binned = signature.binned;
  auto options = check_options(context, signature, given, [](const Parameter&) { return true; }, fmt::format("the model `{}`", name), model.name.span);
  if (options) out.options = std::move(*options);
  return &signature;
}

}  // namespace

std::optional<hir::TrainId> resolve_train(Context& context, const ast::Declaration& declaration) {
  const InModule within(context, declaration);
  if (const auto done = context.trains.find(&declaration); done != context.trains.end()) return done->second;
  context.trains[&declaration] = std::nullopt;
  const auto& train = std::get<ast::Train>(declaration.kind);
  std::vector<Span> words;
  for (const ast::TrainEntry& entry : train.entries) words.push_back(entry.word);
  check_fields(context, declaration, "train", kTrainFields, words);

  hir::Train out;
  out.name = full_name(context, declaration);
  out.span = declaration.name.span;
  out.doc = declaration.doc;
  const std::optional<hir::ViewId> view = compose_views(context, train.of);
  if (const auto* entry = entry_of<ast::Seed>(train))
    if (const auto seed = constant_int(context, std::get<ast::Seed>(entry->kind).value, {}, "the seed")) out.seed = *seed;
  const ast::TrainEntry* model_entry = entry_of<ast::Model>(train);
  const ast::Model* model = model_entry ? &std::get<ast::Model>(model_entry->kind) : nullptr;
  const std::size_t errors = context.sink.error_count();
  const Signature* signature = model ? read_model(context, *model, out) : nullptr;
  const bool has_model = model && (signature || context.sink.error_count() == errors);
  const ast::TrainEntry* split_entry = entry_of<ast::UseSplit>(train);
  const auto* use = split_entry ? &std::get<ast::UseSplit>(split_entry->kind) : nullptr;
  std::optional<hir::SplitId> split;
  if (use && use->name) {
    const ast::Declaration* declared = find_declared(context, *use->name, DeclaredKind::split);
    split = declared ? resolve_split(context, *declared) : std::nullopt;
  }
  if (!view) return std::nullopt;
  out.view = *view;
  const hir::TableId table = context.out[*view].table;
  if (split && !(context.out[*split].table == table)) {
    context.report(diag::make(Code::E0211, use->name->span, fmt::format("`{}` splits another table than `{}`", use->name->text(), context.out[*view].name))
                       .with_label(fmt::format("splits `{}`", context.out[context.out[*split].table].name))
                       .with_secondary(context.out[*view].span, fmt::format("is of `{}`", context.out[table].name)).with_help("declare a split of that table"));
    split.reset();
  }
  if (use && use->form) split = check_split_form(context, *use->form, {}, table, out.seed, split_entry->because.has_value() || declaration.because.has_value(), use->form->span);
  const ast::TrainEntry* predict_entry = entry_of<ast::Predict>(train);
  const auto* predict = predict_entry ? &std::get<ast::Predict>(predict_entry->kind) : nullptr;
  const auto label = predict ? label_of(context, *predict, table, out) : std::nullopt;
  check_row_entries(context, train, out, table);
  if (!out.weight) out.weight = context.out[table].weight;
  if (use && use->form && use->form->kind != ast::SplitForm::Kind::random && use->form->kind != ast::SplitForm::Kind::group && !entry_of<ast::Refit>(train) && !declaration.incomplete)
    context.report(diag::make(Code::E0207, split_entry->span, fmt::format("`{}` has to say which rows the final model is fitted on", out.name)).with_label("`refit` is missing")
                       .with_help("write `refit all`, `refit train+validation` or `refit none`"));
  else if (split && context.out[*split].kind != hir::SplitKind::random && context.out[*split].kind != hir::SplitKind::group && !(use && use->form) && !entry_of<ast::Refit>(train) && !declaration.incomplete)
    context.report(diag::make(Code::E0207, split_entry->span, fmt::format("`{}` has to say which rows the final model is fitted on", out.name)).with_label("`refit` is missing")
                       .with_help("write `refit all`, or `refit none`"));
  if (!label) return std::nullopt;
  out.label = *label;
  const hir::Column target = context.out[*label];
  const Span predict_span = context.file.expr(predict->value).span;
  switch (target.type.base) {
    case Base::bool_: out.task = hir::Task::binary; break;
    case Base::int_:
    case Base::float_: out.task = hir::Task::regression; break;
    case Base::category:
      out.task = hir::Task::classes;
      context.not_yet("predicting one of several classes", predict_span);
      break;
    default:
      context.report(diag::make(Code::E0301, predict_span, fmt::format("`{}` is `{}`, which no model predicts", target.name, to_string(target.type))).with_label("is no bool, number or category")
                         .with_secondary(target.span, "declared here").with_help("compute a bool or a number from it, tagged `@label`"));
      return std::nullopt;
  }
  if (signature) {
    const bool predicts = std::any_of(signature->predicts.begin(), signature->predicts.end(),
                                      [&](const Type& t) { return t.base == target.type.base || (t.base == Base::float_ && target.type.base == Base::int_); });
    if (!predicts) {
      std::vector<std::string_view> others;
      for (const Signature& other : standard_library())
        if (other.kind == EntryKind::model && (others.empty() || others.back() != other.name) && std::any_of(other.predicts.begin(), other.predicts.end(), [&](const Type& t) { return t.base == target.type.base || (t.base == Base::float_ && target.type.base == Base::int_); }))
          others.push_back(other.name);
      context.report(diag::make(Code::E0306, model->name.span, fmt::format("`{}` predicts {}, but `{}` is `{}`", signature->name, types_text(signature->predicts), target.name, to_string(target.type)))
                         .with_label("cannot predict it").with_secondary(predict_span, "predicted here").with_help(fmt::format("models that can are {}", listing(others))));
    }
    build_matrix(context, out, *signature, *model);
    check_label_use(context, out, predict_span);
  }
  for (const hir::ColumnId column : context.out[*view].columns)
    if (!target.tags.label && sources_of(context, column).contains(*label))
      context.report(diag::make(Code::E0401, context.out[column].span, fmt::format("`{}` knows `{}`, which `{}` predicts", context.out[column].name, target.name, out.name))
                         .with_label("knows the answer").with_secondary(predict_span, "predicted here").with_help("take it out of the view"));
  if (!is_opaque(context, table) && !context.incomplete_views.contains(*view)) check_reconstruction(context, *view, *label, predict_span);
  std::vector<NeedsValidation> needs;
  check_label_entries(context, train, out, needs);
  if (split) check_against_split(context, out, context.out[*split], *split_entry, needs);
  if (!split || !has_model) return std::nullopt;
  out.split = *split;
  context.out.trains.push_back(std::move(out));
  return context.trains[&declaration] = hir::TrainId(context.out.trains.size() - 1);
}

}  // namespace mlp::sema
