#include "gen/grammar/MlpParser.h"

#include <fmt/format.h>

#include "compiler/syntax/build.h"

namespace mlp::syntax {

using namespace ast;

DeployEntry Builder::deploy_entry(P::DeployEntryContext* tree) {
  DeployEntry out;
  out.span = span(tree);
  out.word = span(tree->start);
  out.doc = doc(tree);
  out.because = because(tree->because());
  if (auto* e = tree->stageEntry()) {
    StageOf stage;
    stage.stage = name(e->name());
    for (auto* need : e->stageNeed()) {
      if (need->K_FINAL()) {
        stage.final = span(need);
        continue;
      }
      if (stage.approval) report(diag::Code::E0210, span(need), "`approval` is written twice", "keep one of them");
      stage.approval = span(need);
      if (need->STRING()) stage.approval_from = string(need->STRING());
      if (need->name()) stage.approval_per = name(need->name());
      stage.approval_valid = span_expr(need->span());
    }
    out.kind = std::move(stage);
  } else if (auto* e = tree->serveEntry()) {
    Serve serve;
    for (auto* each : e->serveOption())
      serve.options.push_back({name(each->word()), each->literal() ? literal(each->literal()) : ref(each->path())});
    out.kind = std::move(serve);
  } else if (auto* e = tree->canaryEntry()) {
    Canary canary;
    canary.share = operand(e->operand(0));
    canary.duration = span_expr(e->span());
    canary.at_least = operand_or_none(e->operand(1));
    if (e->expr()) canary.require = expr(e->expr());
    out.kind = canary;
  } else if (auto* e = tree->batchEntry()) {
    out.kind = BatchInto{path(e->path()), call(e->call()), paths(e->paths())};
  }
  return out;
}

std::vector<Action> Builder::actions(P::ActionsContext* tree) {
  std::vector<Action> out;
  for (auto* each : tree->action()) {
    Action action;
    action.kind = each->K_ALERT()      ? ActionKind::alert
                  : each->K_RETRAIN()  ? ActionKind::retrain
                  : each->K_ROLLBACK() ? ActionKind::rollback
                                       : ActionKind::stop;
    action.cooldown = span_expr(each->span());
    action.span = span(each);
    out.push_back(action);
  }
  return out;
}

MonitorEntry Builder::monitor_entry(P::MonitorEntryContext* tree) {
  MonitorEntry out;
  out.span = span(tree);
  out.word = span(tree->start);
  out.doc = doc(tree);
  out.because = because(tree->because());
  // A check is shown by its text between its word and its arrow.
  const auto shown = [&](P::ActionsContext* end) {
    const Lexeme& from = chunk_->lexemes[tree->start->getTokenIndex() + 1];
    const Lexeme& to = chunk_->lexemes[end->start->getTokenIndex() - 1];
    return Span{file_, from.begin, to.end};
  };
  if (auto* e = tree->rhythmEntry()) {
    Rhythm rhythm;
    rhythm.every = span_expr(e->span());
    if (e->overLast()) rhythm.over_last = span_expr(e->overLast()->span());
    rhythm.at_least = operand_or_none(e->operand());
    out.kind = rhythm;
  } else if (auto* e = tree->driftEntry()) {
    DriftCheck check;
    check.condition = expr(e->expr());
    check.on = paths(e->paths());
    check.same = span_expr(e->span(0));
    check.ago = span_expr(e->span(1));
    check.actions = actions(e->actions());
    out.text = shown(e->actions());
    out.kind = std::move(check);
  } else if (auto* e = tree->qualityEntry()) {
    const ExprId condition = expr(e->expr());
    out.text = shown(e->actions());
    out.kind = QualityCheck{condition, actions(e->actions())};
  } else if (auto* e = tree->performanceEntry()) {
    PerformanceCheck check;
    check.condition = expr(e->expr(0));
    if (e->arguments())
      check.labels = call_of(e->path(), e->arguments(), nullptr, cover(span(e->path()), span(e->arguments())));
    else
      check.labels = ref(e->path());
    check.key = paths(e->paths());
    check.within = span_expr(e->span());
    if (e->K_ABSENT()) check.absent_means = expr(e->expr(1));
    check.actions = actions(e->actions());
    out.text = shown(e->actions());
    out.kind = std::move(check);
  } else if (auto* e = tree->alertEntry()) {
    AlertTo alert;
    for (auto* each : e->call())
      alert.targets.push_back(call(each));
    out.kind = std::move(alert);
  }
  return out;
}

void Builder::kind(P::DeployDeclContext* tree, Declaration& out) {
  out.name = name(tree->name());
  Deploy deploy;
  deploy.of = path(tree->path());
  for (auto* each : tree->deployEntry())
    deploy.entries.push_back(deploy_entry(each));
  out.kind = std::move(deploy);
}

void Builder::kind(P::MonitorDeclContext* tree, Declaration& out) {
  Monitor monitor;
  monitor.deployment = path(tree->path());
  out.name = subject(monitor.deployment);
  for (auto* each : tree->monitorEntry())
    monitor.entries.push_back(monitor_entry(each));
  out.kind = std::move(monitor);
}

void Builder::kind(P::ExploreDeclContext* tree, Declaration& out) {
  Explore explore;
  explore.of = path(tree->path());
  out.name = subject(explore.of);
  for (auto* each : tree->exploreEntry())
    for (auto& column : paths(each->paths()))
      explore.by.push_back(std::move(column));
  out.kind = std::move(explore);
}

void Builder::kind(P::TestDeclContext* tree, Declaration& out) {
  const Text title = string(tree->STRING());
  out.name = {title.value, title.span, true};
  Test test;
  test.of = path(tree->path());
  for (auto* each : tree->testEntry()) {
    if (each->K_EXPECT()) {
      test.expect.push_back(expr(each->expr()));
      continue;
    }
    Given given;
    if (each->path()) given.of = path(each->path());
    for (auto* value : each->namedValue())
      given.values.push_back(named_value(value));
    given.span = span(each);
    test.given.push_back(std::move(given));
  }
  out.kind = std::move(test);
}

void Builder::kind(P::ScheduleDeclContext* tree, Declaration& out) {
  out.name = {"schedule", span(tree->start), false};
  Schedule schedule;
  std::size_t next_span = 0;
  for (auto* each : tree->word())
    schedule.days.push_back(name(each));
  if (tree->K_EVERY()) schedule.every = span_expr(tree->span(next_span++));
  if (auto* time = tree->TIME_OF_DAY()) {
    const std::string_view clock = text(time->getSymbol());
    const int hour = (clock[0] - '0') * 10 + clock[1] - '0', minute = (clock[3] - '0') * 10 + clock[4] - '0';
    if (hour > 23 || minute > 59)
      report(diag::Code::E0104, span(time), fmt::format("`{}` is no time of day", clock),
             "times go from 00:00 to 23:59");
    schedule.minute_of_day = hour * 60 + minute;
  }
  if (tree->STRING()) schedule.zone = string(tree->STRING());
  if (tree->K_AFTER()) schedule.after = path(tree->path());
  if (tree->K_FRESH()) schedule.fresh = span_expr(tree->span(next_span));
  for (auto* each : tree->job())
    schedule.jobs.push_back({name(each->word()), path(each->path()), span(each)});
  out.kind = std::move(schedule);
}

}  // namespace mlp::syntax
