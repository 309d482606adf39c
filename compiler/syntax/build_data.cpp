#include "gen/grammar/MlpParser.h"

#include <fmt/format.h>

#include <array>

#include "compiler/diag/render.h"
#include "compiler/syntax/build.h"

namespace mlp::syntax {

using namespace ast;

SourceRef Builder::source(P::SourceRefContext* tree) {
  SourceRef out{call(tree->call()), std::nullopt};
  if (tree->path()) out.version_by = path(tree->path());
  return out;
}

std::vector<DataEntry> Builder::data_block(P::DataBlockContext* tree) {
  std::vector<DataEntry> out;
  if (tree)
    for (auto* each : tree->dataEntry())
      out.push_back(data_entry(each));
  return out;
}

DataEntry Builder::data_entry(P::DataEntryContext* tree) {
  DataEntry out;
  out.span = span(tree);
  out.doc = doc(tree);
  out.because = because(tree->because());
  if (tree->column()) {
    out.kind = column(tree->column());
  } else if (auto* expect = tree->expectEntry()) {
    out.kind = Expect{expr(expect->expr()), expect->K_FOR() != nullptr, expect->K_WARN() != nullptr};
  } else if (auto* reject = tree->rejectEntry()) {
    if (const Name to = name(reject->word()); to.text != "to")
      report(diag::Code::E0101, to.span, fmt::format("`{}` does not fit here", to.text),
             "write `reject up to 1% into \"rejected.parquet\"`");
    const ExprId share = operand(reject->operand());
    out.kind = Reject{share, string(reject->STRING())};
  } else {
    out.kind = RestFromLock{};
  }
  return out;
}

Column Builder::column(P::ColumnContext* tree) {
  Column out;
  out.names = names(tree->names());
  out.type = type(tree->type());
  for (auto* each : tree->columnClause()) {
    bool again = false;
    if (each->K_AS()) {
      again = out.as.has_value();
      out.as = string(each->STRING(0));
    } else if (each->R_IN()) {
      again = bool(out.in);
      out.in = each->set() ? set(each->set()) : range(each->range());
    } else if (each->K_MATCHES()) {
      again = out.matches.has_value();
      out.matches = string(each->STRING(0));
    } else if (each->K_UNIQUE()) {
      again = out.unique.has_value();
      out.unique = span(each);
    } else if (each->K_VALUES()) {
      again = !out.values.empty();
      out.values = strings(each->STRING());
      if (out.values.size() != 2)
        report(diag::Code::E0101, span(each), "`values` names two texts",
               "write `values (TRUE_ONE, FALSE_ONE)`, as in `values (\"Yes\", \"No\")`");
    } else if (each->K_FORMAT()) {
      again = out.format.has_value();
      out.format = string(each->STRING(0));
    } else if (auto made = tag(each->tag())) {
      out.tags.push_back(std::move(*made));
    }
    if (again)
      report(diag::Code::E0210, span(each), fmt::format("`{}` is written twice", text(each->start)),
             "keep one of them");
  }
  if (tree->expr()) out.value = expr(tree->expr());
  for (auto& each : tags(tree->tag()))
    out.tags.push_back(std::move(each));
  return out;
}

std::optional<Tag> Builder::tag(P::TagContext* tree) {
  struct Word {
    std::string_view text;
    TagKind kind;
  };
  static constexpr std::array kTags = {Word{"key", TagKind::key},
                                       Word{"time", TagKind::time},
                                       Word{"label", TagKind::label},
                                       Word{"pii", TagKind::pii},
                                       Word{"protected", TagKind::protected_},
                                       Word{"weight", TagKind::weight},
                                       Word{"ignore", TagKind::ignore},
                                       Word{"available", TagKind::available}};
  const Name word = name(tree->name());
  const auto* known = std::find_if(kTags.begin(), kTags.end(), [&](const Word& w) { return w.text == word.text; });
  if (known == kTags.end()) {
    std::vector<std::string_view> all;
    for (const Word& w : kTags)
      all.push_back(w.text);
    static constexpr std::pair<std::string_view, std::string_view> kElsewhere[] = {
        {"primary_key", "key"}, {"primary", "key"},   {"pk", "key"},           {"id", "key"},        {"target", "label"},
        {"y", "label"},         {"timestamp", "time"}, {"datetime", "time"},    {"event_time", "time"}, {"sensitive", "protected"},
        {"personal", "pii"},    {"private", "pii"},   {"weights", "weight"},   {"drop", "ignore"},   {"exclude", "ignore"}};
    const auto* elsewhere = std::ranges::find(kElsewhere, word.text, &std::pair<std::string_view, std::string_view>::first);
    const std::string_view meant = elsewhere != std::end(kElsewhere) ? elsewhere->second : diag::did_you_mean(word.text, all);
    auto d = diag::make(diag::Code::E0101, span(tree), fmt::format("there is no tag `@{}`", word.text))
                 .with_help(meant.empty() ? "tags are @key @time @label @pii @protected @weight @ignore @available(…)"
                                          : fmt::format("did you mean `@{}`?", meant));
    if (!meant.empty()) d.fixes.push_back({word.span, std::string(meant), "correct the tag", false});
    sink_.report(std::move(d));
    return std::nullopt;
  }
  Tag out;
  out.kind = known->kind;
  out.span = span(tree);
  auto* argument = tree->tagArgument();
  const auto wrong = [&] {
    if (out.kind == TagKind::available)
      report(diag::Code::E0101, out.span, "`@available` says when the value is known",
             "write `(at column)`, `(after 30d)`, `(28d before)`, `(always)` or `(never)`");
    else
      report(diag::Code::E0101, out.span, fmt::format("`@{}` does not take this", word.text),
             "write the tag alone, or `@time(zone: \"Europe/Berlin\")`");
  };
  if (out.kind != TagKind::available) {
    if (!argument) return out;
    if (argument->COLON() && argument->word()) {
      Argument made{name(argument->word()), std::nullopt, expr(argument->expr()), span(argument)};
      out.arguments.push_back(std::move(made));
    } else {
      wrong();
    }
    return out;
  }
  Availability when;
  if (!argument || argument->COLON()) {
    wrong();
    return std::nullopt;
  }
  if (argument->K_AT()) {
    when.kind = Availability::Kind::at;
    when.column = path(argument->path());
  } else if (argument->K_AFTER()) {
    when.kind = Availability::Kind::after;
    when.offset = span_expr(argument->span());
  } else if (argument->K_BEFORE()) {
    when.kind = Availability::Kind::before;
    when.offset = argument->DURATION()
                      ? duration(argument->DURATION()->getSymbol())
                      : push(span(argument->word()), Ref{Path{{name(argument->word())}, span(argument->word())}});
  } else {
    const Name always = name(argument->word());
    if (always.text != "always" && always.text != "never") {
      wrong();
      return std::nullopt;
    }
    when.kind = always.text == "always" ? Availability::Kind::always : Availability::Kind::never;
  }
  out.availability = std::move(when);
  return out;
}

std::vector<Tag> Builder::tags(const std::vector<P::TagContext*>& trees) {
  std::vector<Tag> out;
  for (auto* each : trees)
    if (auto made = tag(each)) out.push_back(std::move(*made));
  return out;
}

Definition Builder::definition(P::DefinitionContext* tree) {
  Definition out;
  out.name = name(tree->name());
  out.value = expr(tree->expr());
  out.tags = tags(tree->tag());
  out.span = span(tree);
  return out;
}

std::vector<Definition> Builder::definitions(P::DefinitionsContext* tree) {
  std::vector<Definition> out;
  for (auto* each : tree->definition())
    out.push_back(definition(each));
  return out;
}

AllColumns Builder::all_columns(P::AllColumnsContext* tree) {
  AllColumns out;
  if (tree->names()) out.except = names(tree->names());
  out.span = span(tree);
  return out;
}

std::vector<OrderItem> Builder::order(P::OrderItemsContext* tree) {
  std::vector<OrderItem> out;
  for (auto* each : tree->orderItem())
    out.push_back({path(each->path()), each->K_DESC() != nullptr});
  return out;
}

Argument Builder::named_value(P::NamedValueContext* tree) {
  return {name(tree->name()), std::nullopt, expr(tree->expr()), span(tree)};
}

Stage Builder::stage(P::StageContext* tree) {
  Stage out;
  out.span = span(tree);
  out.doc = doc(tree);
  out.because = because(tree->because());
  auto* body = dynamic_cast<antlr4::ParserRuleContext*>(tree->children[1]);
  out.word = span(body->start);
  if (auto* s = tree->whereStage()) {
    out.kind = WhereStage{expr(s->expr())};
  } else if (auto* s = tree->joinStage()) {
    JoinStage join;
    join.one = !s->K_ONE().empty();
    join.left = !s->K_LEFT().empty();
    join.table = path(s->safePath());
    join.on = expr(s->expr());
    out.kind = std::move(join);
  } else if (auto* s = tree->asofStage()) {
    out.kind = AsofJoinStage{path(s->path(0)), paths(s->paths()), path(s->path(1))};
  } else if (auto* s = tree->dedupeStage()) {
    DedupeStage dedupe{paths(s->paths()), std::nullopt, std::nullopt};
    if (s->K_KEEP()) {
      dedupe.keep = name(s->name());
      dedupe.of = path(s->path());
      if (dedupe.keep->text != "latest" && dedupe.keep->text != "earliest")
        report(diag::Code::E0101, dedupe.keep->span, fmt::format("`{}` is not a row to keep", dedupe.keep->text),
               "write `keep latest COLUMN` or `keep earliest COLUMN`");
    }
    out.kind = std::move(dedupe);
  } else if (auto* s = tree->deriveStage()) {
    DeriveStage derive;
    for (auto* each : s->definition())
      derive.definitions.push_back(definition(each));
    out.kind = std::move(derive);
  } else if (auto* s = tree->groupStage()) {
    auto by = paths(s->paths());
    out.kind = GroupStage{std::move(by), definitions(s->definitions())};
  } else if (auto* s = tree->windowStage()) {
    WindowStage window{paths(s->paths()), {}, {}};
    if (s->word()) {
      if (const Name order_word = name(s->word()); order_word.text != "order")
        report(diag::Code::E0101, order_word.span, fmt::format("`{} by` does not fit here", order_word.text),
               "write `window by K order by T { … }`");
      window.order = order(s->orderItems());
    }
    window.definitions = definitions(s->definitions());
    out.kind = std::move(window);
  } else if (auto* s = tree->selectStage()) {
    SelectStage select;
    if (s->allColumns()) select.all = all_columns(s->allColumns());
    for (auto* each : s->selectItem()) {
      SelectItem item;
      item.value = expr(each->expr());
      if (each->name()) item.as = name(each->name());
      item.tags = tags(each->tag());
      item.span = span(each);
      select.items.push_back(std::move(item));
    }
    out.kind = std::move(select);
  } else if (auto* s = tree->unionStage()) {
    out.kind = UnionStage{paths(s->paths())};
  } else if (auto* s = tree->sortStage()) {
    out.kind = SortStage{order(s->orderItems())};
  } else if (auto* s = tree->limitStage()) {
    out.kind = LimitStage{operand(s->operand())};
  } else if (auto* s = tree->sampleStage()) {
    const ExprId share = operand(s->operand(0));
    out.kind = SampleStage{share, operand_or_none(s->operand(1))};
  } else if (auto* s = tree->unpivotStage()) {
    out.kind = UnpivotStage{paths(s->paths()), name(s->name(0)), name(s->name(1))};
  } else if (auto* s = tree->fillStage()) {
    FillStage fill{paths(s->paths()), span_expr(s->span(0)), s->K_UNTIL() ? span_expr(s->span(1)) : ExprId{}, {}};
    for (auto* each : s->namedValue())
      fill.with.push_back(named_value(each));
    out.kind = std::move(fill);
  } else if (auto* s = tree->crossStage()) {
    const ExprId over = expr(s->expr());
    out.kind = CrossStage{over, name(s->name())};
  } else if (auto* s = tree->sqlStage()) {
    out.kind = SqlStage{string(s->STRING())};
  } else if (auto* s = tree->pythonStage()) {
    out.kind = PythonStage{string(s->STRING()), data_block(s->dataBlock())};
  }
  return out;
}

void Builder::kind(P::DataDeclContext* tree, Declaration& out) {
  out.name = name(tree->name());
  Data data;
  if (tree->sourceRef()) data.source = source(tree->sourceRef());
  data.entries = data_block(tree->dataBlock());
  if (tree->path()) data.input = path(tree->path());
  for (auto* each : tree->stage())
    data.stages.push_back(stage(each));
  out.kind = std::move(data);
}

void Builder::kind(P::FeatureDeclContext* tree, Declaration& out) {
  out.name = name(tree->name());
  Feature feature;
  feature.of = path(tree->path(0));
  if (tree->K_AT()) feature.at = path(tree->path(1));
  for (auto* each : tree->featureEntry()) {
    FeatureEntry entry;
    entry.span = span(each);
    entry.doc = doc(each);
    entry.because = because(each->because());
    if (auto* taken = each->takenColumns()) {
      TakenColumns columns;
      if (taken->allColumns()) columns.all = all_columns(taken->allColumns());
      for (auto* column : taken->name())
        columns.columns.push_back(name(column));
      entry.kind = std::move(columns);
    } else if (each->definition()) {
      entry.kind = definition(each->definition());
    } else if (auto* column = each->eachColumn()) {
      EachColumn made;
      made.type = type(column->type());
      made.as = string(column->STRING());
      made.value = expr(column->expr());
      entry.kind = std::move(made);
    } else if (auto* p = each->publishEntry()) {
      Publish publish;
      publish.where = name(p->word());
      publish.live = p->K_LIVE() != nullptr;
      if (p->K_REFRESH()) publish.refresh = span_expr(p->span(0));
      if (p->K_EXPIRE()) publish.expire = span_expr(p->span(p->K_REFRESH() ? 1 : 0));
      entry.kind = std::move(publish);
    }
    feature.entries.push_back(std::move(entry));
  }
  out.kind = std::move(feature);
}

}  // namespace mlp::syntax
