#include "gen/grammar/MlpParser.h"

#include <fmt/format.h>

#include "compiler/syntax/build.h"

namespace mlp::syntax {

using namespace ast;

SplitForm Builder::split_form(P::SplitFormContext* tree) {
  using Kind = SplitForm::Kind;
  SplitForm out;
  out.span = span(tree);
  switch (tree->start->getType()) {
    case P::K_TIME:
      out.kind = Kind::time;
      break;
    case P::K_GROUP:
      out.kind = Kind::group;
      break;
    case P::K_FOLD:
      out.kind = Kind::fold;
      break;
    case P::K_ROLLING:
      out.kind = Kind::rolling;
      break;
    default:
      out.kind = Kind::random;
  }
  const std::string word(text(tree->start));
  if (tree->parts())
    for (auto* each : tree->parts()->number())
      out.parts.push_back(number(each));
  if (tree->parts() && (out.parts.size() < 2 || out.parts.size() > 3))
    report(diag::Code::E0101, span(tree->parts()), "a split has two or three parts",
           "write train/validation/test, as in `70/15/15`, or train/test");
  if (tree->INT()) out.count = push(span(tree->INT()), Int{integer(tree->INT())});
  if (tree->path()) out.group_by = path(tree->path());
  out.by_time = out.kind == Kind::fold && tree->K_TIME();
  for (auto* option : tree->splitOption()) {
    // Which form takes which option; one that would do nothing is a mistake.
    bool fits = true, again = false;
    const auto set = [&](ExprId& slot, bool allowed, auto* from) {
      fits = allowed;
      again = bool(slot);
      if constexpr (std::is_same_v<decltype(from), P::SpanContext*>)
        slot = span_expr(from);
      else
        slot = operand(from);
    };
    const bool dealt = out.kind == Kind::random || out.kind == Kind::group || (out.kind == Kind::fold && !out.by_time);
    switch (option->start->getType()) {
      case P::K_STRATIFIED:
        fits = dealt;
        again = out.stratified.has_value();
        out.stratified = path(option->path());
        break;
      case P::K_BY:
        fits = out.kind == Kind::random || (out.kind == Kind::fold && !out.group_by && !out.by_time);
        again = !out.by.empty();
        out.by = paths(option->paths());
        break;
      case P::K_SEED:
        set(out.seed, true, option->operand());
        break;
      case P::K_GAP:
        set(out.gap, out.kind == Kind::time || out.kind == Kind::rolling || out.by_time, option->span());
        break;
      case P::K_EVERY:
        set(out.every, out.kind == Kind::rolling, option->span());
        break;
      default:
        set(out.horizon, out.kind == Kind::rolling, option->span());
    }
    if (again)
      report(diag::Code::E0210, span(option), fmt::format("`{}` is written twice", text(option->start)),
             "keep one of them");
    else if (!fits)
      report(diag::Code::E0206, span(option), fmt::format("a `{}` split has no `{}`", word, text(option->start)),
             "remove it, or choose another kind of split");
  }
  if (out.kind == Kind::rolling && (!out.every || !out.horizon))
    report(diag::Code::E0207, out.span, "a `rolling` split needs `every` and `horizon`",
           "write `rolling 8 every 7d horizon 28d`");
  return out;
}

Objective Builder::objective(P::ObjectiveContext* tree) {
  return {tree->K_MAXIMIZE() != nullptr, metric_item(tree->metricItem()), span(tree)};
}

Model Builder::model(P::ModelEntryContext* tree) {
  Model out;
  out.name = path(tree->path());
  out.arguments = plain_arguments(tree->arguments(), "a model");
  for (auto* each : tree->modelParameter()) {
    ModelParameter parameter;
    parameter.name = name(each->name());
    parameter.span = span(each);
    parameter.tuned = each->TUNE_RANGE() != nullptr;
    parameter.log_scale = each->K_LOG() != nullptr;
    if (parameter.tuned)
      parameter.value = range(each->range());
    else
      parameter.value = each->expr() ? expr(each->expr()) : operand(each->operand());
    out.parameters.push_back(std::move(parameter));
  }
  out.span = span(tree);
  return out;
}

TrainEntry Builder::train_entry(P::TrainEntryContext* tree) {
  TrainEntry out;
  out.span = span(tree);
  out.word = span(tree->start);
  out.doc = doc(tree);
  out.because = because(tree->because());
  if (auto* e = tree->predictEntry()) {
    Predict predict;
    const auto values = e->expr();
    std::size_t next = 1;
    predict.value = expr(values[0]);
    if (e->ASSIGN()) {
      const Ref* ref = std::get_if<Ref>(&out_.expr(predict.value).kind);
      if (ref && ref->path.parts.size() == 1)
        predict.name = ref->path.parts[0];
      else
        report(diag::Code::E0101, out_.expr(predict.value).span, "before `=` stands the name of the label",
               "write `predict name = …`; a comparison is `==`");
      predict.value = expr(values[next++]);
    }
    if (e->K_BACK()) predict.back = name(e->name());
    if (e->K_QUANTILES())
      for (; next < values.size(); ++next)
        predict.quantiles.push_back(expr(values[next]));
    if (e->K_RANK()) predict.rank_by = path(e->path());
    out.kind = std::move(predict);
  } else if (auto* e = tree->rankEntry()) {
    out.kind = RankBy{path(e->path())};
  } else if (auto* e = tree->splitEntry()) {
    UseSplit use;
    if (e->path()) use.name = path(e->path());
    if (e->splitForm()) use.form = split_form(e->splitForm());
    out.kind = std::move(use);
  } else if (auto* e = tree->modelEntry()) {
    out.kind = model(e);
  } else if (auto* e = tree->tuneEntry()) {
    Tune tune;
    tune.objective = objective(e->objective());
    for (auto* option : e->tuneOption()) {
      bool again = false;
      if (option->K_TRIALS()) {
        again = bool(tune.trials);
        tune.trials = operand(option->operand());
      } else if (option->K_STRATEGY()) {
        again = tune.strategy.has_value();
        tune.strategy = name(option->name());
      } else {
        again = tune.early_stop.has_value();
        tune.early_stop = span(option);
        if (option->INT()) tune.early_stop_rounds = push(span(option->INT()), Int{integer(option->INT())});
      }
      if (again)
        report(diag::Code::E0210, span(option), fmt::format("`{}` is written twice", text(option->start)),
               "keep one of them");
    }
    if (!tune.trials)
      report(diag::Code::E0207, span(e), "`tune` does not say how many trials", "write `tune maximize auc trials 12`");
    out.kind = std::move(tune);
  } else if (auto* e = tree->earlyStopEntry()) {
    out.kind = EarlyStop{e->INT() ? push(span(e->INT()), Int{integer(e->INT())}) : ExprId{}};
  } else if (auto* e = tree->calibrateEntry()) {
    out.kind = Calibrate{name(e->name())};
  } else if (auto* e = tree->decideEntry()) {
    Decide decide;
    decide.subject = name(e->name());
    decide.op = e->LESS()         ? BinaryOp::less
                : e->LESS_EQUAL() ? BinaryOp::less_equal
                : e->GREATER()    ? BinaryOp::greater
                                  : BinaryOp::greater_equal;
    if (e->objective())
      decide.objective = objective(e->objective());
    else
      decide.threshold = expr(e->expr());
    out.kind = std::move(decide);
  } else if (auto* e = tree->refitEntry()) {
    Refit refit;
    for (auto* each : e->name())
      refit.parts.push_back(name(each));
    out.kind = std::move(refit);
  } else if (auto* e = tree->perEntry()) {
    out.kind = Per{path(e->path()), operand_or_none(e->operand()), e->K_GLOBAL() != nullptr};
  } else if (auto* e = tree->seedEntry()) {
    out.kind = Seed{expr(e->expr())};
  } else if (auto* e = tree->trainWhere()) {
    out.kind = TrainWhere{expr(e->expr())};
  } else if (auto* e = tree->weightsEntry()) {
    out.kind = Weights{path(e->path())};
  } else if (auto* e = tree->sampleEntry()) {
    SampleClass sample;
    const auto columns = e->path();
    sample.value = e->literal() ? literal(e->literal()) : ref(columns[0]);
    sample.share = e->number() ? number(e->number()) : ref(columns.back());
    sample.corrected = e->K_CORRECTED() != nullptr;
    out.kind = sample;
  }
  return out;
}

EvaluateEntry Builder::evaluate_entry(P::EvaluateEntryContext* tree) {
  EvaluateEntry out;
  out.span = span(tree);
  out.word = span(tree->start);
  out.doc = doc(tree);
  out.because = because(tree->because());
  if (auto* e = tree->metricsEntry()) {
    Metrics metrics;
    for (auto* each : e->metricItem())
      metrics.metrics.push_back(metric_item(each));
    out.kind = std::move(metrics);
  } else if (auto* e = tree->sliceEntry()) {
    Slice slice;
    for (auto* each : e->sliceItem()) {
      SliceItem item{{}, span(each)};
      for (auto* column : each->path())
        item.columns.push_back(path(column));
      slice.items.push_back(std::move(item));
    }
    slice.at_least = operand_or_none(e->operand());
    if (e->operand()) slice.unit = name_of(e->stop);
    out.kind = std::move(slice);
  } else if (auto* e = tree->explainEntry()) {
    out.kind = Explain{operand(e->operand())};
  } else if (auto* e = tree->resampleEntry()) {
    out.kind = Resample{path(e->path())};
  } else if (auto* e = tree->gateEntry()) {
    Gate gate;
    const ExprId by_metric = e->metricItem()->path() ? metric_item(e->metricItem()) : ExprId{};
    gate.condition = infix(e->metricItem()->operand(), e->infixTail(), by_metric);
    std::size_t next = 0;
    gate.beats_production = e->K_BEATS() != nullptr;
    if (gate.beats_production) gate.margin = operand(e->operand(next++));
    if (e->K_WITH()) gate.confidence = operand(e->operand(next));
    gate.text = cover(span(e->metricItem()), span(e->stop));
    const auto* binary = std::get_if<Binary>(&out_.expr(gate.condition).kind);
    const bool compares = binary && binary->op >= BinaryOp::equal && binary->op <= BinaryOp::greater_equal;
    if (gate.beats_production == compares && !std::holds_alternative<Broken>(out_.expr(gate.condition).kind)) {
      const bool joined = binary && (binary->op == BinaryOp::and_ || binary->op == BinaryOp::or_);
      report(diag::Code::E0101, joined ? binary->op_span : gate.text,
             compares ? "`beats production` compares a metric, not a comparison"
             : joined ? "a gate is one comparison"
                      : "a gate compares a metric with a bound",
             compares ? "write `require auc beats production by -0.005`"
             : joined ? "write two gates, each on a line of its own; all gates have to pass"
                      : "write `require auc >= 0.9` or `require auc beats production by 0`");
      gate.condition = push(gate.text, Broken{});
      gate.beats_production = false;
    }
    out.kind = std::move(gate);
  }
  return out;
}

void Builder::kind(P::SplitDeclContext* tree, Declaration& out) {
  out.name = name(tree->name());
  out.kind = Split{path(tree->path()), split_form(tree->splitForm())};
}

void Builder::kind(P::TrainDeclContext* tree, Declaration& out) {
  out.name = name(tree->name());
  Train train;
  for (auto* each : tree->path())
    train.of.push_back(path(each));
  for (auto* each : tree->trainEntry())
    train.entries.push_back(train_entry(each));
  out.kind = std::move(train);
}

void Builder::kind(P::EvaluateDeclContext* tree, Declaration& out) {
  Evaluate evaluate;
  evaluate.model = path(tree->path());
  out.name = subject(evaluate.model);
  for (auto* each : tree->evaluateEntry())
    evaluate.entries.push_back(evaluate_entry(each));
  out.kind = std::move(evaluate);
}

}  // namespace mlp::syntax
