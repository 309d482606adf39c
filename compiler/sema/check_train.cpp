#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/bind_arguments.h"
#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_data.h"
#include "compiler/sema/check_flow.h"
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

/// The column that is predicted. Other forms of `predict` are not run yet: their label is the column that they name, if it is one.
std::optional<hir::ColumnId> label_of(Context& context, const ast::Predict& predict, hir::TableId table) {
  const ast::Expr& e = context.file.expr(predict.value);
  if (predict.back || predict.name || !predict.quantiles.empty() || predict.rank_by) context.not_yet("this form of `predict`", e.span);
  const ast::Ref* ref = std::get_if<ast::Ref>(&e.kind);
  if (const auto* call = std::get_if<ast::Call>(&e.kind)) {
    context.not_yet("this form of `predict`", e.span);
    if (predict.back && call->arguments.size() == 1) ref = std::get_if<ast::Ref>(&context.file.expr(call->arguments[0].value).kind);
    if (!ref) return std::nullopt;
  }
  if (!ref) {
    if (!std::holds_alternative<ast::Broken>(e.kind) && !predict.name)
      context.report(diag::make(Code::E0211, e.span, "`predict` names a column").with_label("is an expression")
                         .with_help("declare it in the table, `y : bool = … @label`, and write `predict y`"));
    return std::nullopt;
  }
  return column_of_table(context, table, ref->path);
}

/// Whether a column of type `have` may be given where `take` is taken.
bool fits(const Type& have, const Type& take) { return have.base == take.base && (!have.missing || take.missing); }

void build_matrix(Context& context, hir::Train& train, const Signature& model, const ast::Model& written) {
  for (const hir::ColumnId id : context.out[train.view].columns) {
    const hir::Column column = context.out[id];
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
    const auto input = [&](Builder& b) { return b.input(id.value, column.type, column.range, column.name, column.span); };
    if (!texts) {
      Builder b;
      NodeId node = input(b);
      if (!taken) node = *b.convert(node, Type::of(Base::float_));
      train.matrix.push_back({id, b.finish(node)});
      continue;
    }
    for (const std::string& text : *texts) {
      const LibraryText library = library_text(context, text);
      Builder b;
      Scope scope(context, b, library.file);
      scope.at = column.span;
      scope.fitted_allowed = true;
      scope.locals["it"] = input(b);
      const NodeId node = type_expression(scope, library.root);
      if (node) train.matrix.push_back({id, b.finish(node)});
    }
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

void check_other_entries(Context& context, const ast::Train& train, hir::Train& out, const hir::TableId table) {
  const ast::Declaration* declared = declaration_of(context, table);
  for (const ast::TrainEntry& entry : train.entries) {
    if (const auto* where = std::get_if<ast::TrainWhere>(&entry.kind)) {
      context.not_yet("`where` of a train", entry.span);
      if (!declared) continue;
      const RowNames rows = names_of_table(context, *declared, {table, is_opaque(context, table)});
      Builder b;
      Scope scope(context, b, &context.file);
      scope.rows = &rows;
      type_expression(scope, where->condition);
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
      column_of_table(context, table, per->column);
    } else if (std::holds_alternative<ast::Tune>(entry.kind)) {
      context.not_yet("`tune`", entry.span);
    } else if (std::holds_alternative<ast::EarlyStop>(entry.kind)) {
      context.not_yet("`early_stop`", entry.span);
    } else if (std::holds_alternative<ast::Calibrate>(entry.kind)) {
      context.not_yet("`calibrate`", entry.span);
    } else if (std::holds_alternative<ast::Decide>(entry.kind)) {
      context.not_yet("`decide`", entry.span);
    } else if (std::holds_alternative<ast::SampleClass>(entry.kind)) {
      context.not_yet("`sample` of a class", entry.span);
    } else if (std::holds_alternative<ast::RankBy>(entry.kind)) {
      context.not_yet("`rank by`", entry.span);
    }
  }
}

/// The model's entry of the library and its options; nullptr after a report.
const Signature* read_model(Context& context, const ast::Model& model, hir::Train& out) {
  const std::string name = model.name.text();
  const auto entries = find_entries(EntryKind::model, name);
  if (entries.empty()) {
    if (!model.arguments.empty() || (model.parameters.empty() && name == "auto")) {
      context.not_yet("models of your own, stacks and `auto`", model.span);
      return nullptr;
    }
    std::vector<std::string_view> candidates;
    for (const Signature& signature : standard_library())
      if (signature.kind == EntryKind::model) candidates.push_back(signature.name);
    context.report(with_suggestion(diag::make(Code::E0204, model.name.span, fmt::format("there is no model `{}`", name)).with_label("not in the standard library"), name, model.name.span,
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
  out.model = signature.native;
  out.binned = signature.binned;
  auto options = check_options(context, signature, given, [](const Parameter&) { return true; }, fmt::format("the model `{}`", name), model.name.span);
  if (options) out.options = std::move(*options);
  return &signature;
}

}  // namespace

std::optional<hir::TrainId> resolve_train(Context& context, const ast::Declaration& declaration) {
  if (const auto done = context.trains.find(&declaration); done != context.trains.end()) return done->second;
  context.trains[&declaration] = std::nullopt;
  const auto& train = std::get<ast::Train>(declaration.kind);
  std::vector<Span> words;
  for (const ast::TrainEntry& entry : train.entries) words.push_back(entry.word);
  check_fields(context, declaration, "train", kTrainFields, words);

  hir::Train out;
  out.name = declaration.name.text;
  out.span = declaration.name.span;
  out.doc = declaration.doc;
  std::optional<hir::ViewId> view;
  for (const ast::Path& path : train.of) {
    const ast::Declaration* declared = find_declared(context, path, DeclaredKind::view);
    const auto resolved = declared ? resolve_view(context, *declared, path.span) : std::nullopt;
    if (!view) view = resolved;
  }
  if (train.of.size() > 1) context.not_yet("trains of several views", train.of[1].span);

  if (const auto* entry = entry_of<ast::Seed>(train))
    if (const auto seed = constant_int(context, std::get<ast::Seed>(entry->kind).value, {}, "the seed")) out.seed = *seed;
  const ast::TrainEntry* model_entry = entry_of<ast::Model>(train);
  const ast::Model* model = model_entry ? &std::get<ast::Model>(model_entry->kind) : nullptr;
  const Signature* signature = model ? read_model(context, *model, out) : nullptr;
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
  const auto label = predict ? label_of(context, *predict, table) : std::nullopt;
  check_other_entries(context, train, out, table);
  if (!out.weight) out.weight = context.out[table].weight;
  if (use && use->form && use->form->kind != ast::SplitForm::Kind::random && use->form->kind != ast::SplitForm::Kind::group && !entry_of<ast::Refit>(train) && !declaration.incomplete)
    context.report(diag::make(Code::E0207, split_entry->span, fmt::format("`{}` has to say which rows the final model is fitted on", out.name)).with_label("`refit` is missing")
                       .with_help("write `refit all`, `refit train+validation` or `refit none`"));
  else if (split && context.out[*split].kind == hir::SplitKind::fold && !(use && use->form) && !entry_of<ast::Refit>(train) && !declaration.incomplete)
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
    case Base::category: context.not_yet("predicting one of several classes", predict_span); return std::nullopt;
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
        if (other.kind == EntryKind::model && std::any_of(other.predicts.begin(), other.predicts.end(), [&](const Type& t) { return t.base == target.type.base || (t.base == Base::float_ && target.type.base == Base::int_); }))
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
  if (!split || !signature) return std::nullopt;
  out.split = *split;
  context.out.trains.push_back(std::move(out));
  return context.trains[&declaration] = hir::TrainId(context.out.trains.size() - 1);
}

}  // namespace mlp::sema
