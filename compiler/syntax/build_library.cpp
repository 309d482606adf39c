#include "gen/grammar/MlpParser.h"

#include <fmt/format.h>

#include "compiler/syntax/build.h"

namespace mlp::syntax {

using namespace ast;

TypeRef Builder::type(P::TypeContext* tree) {
  TypeRef out;
  out.name = name(tree->name());
  out.missing = tree->QUESTION() != nullptr;
  out.span = span(tree);
  auto* arguments = tree->typeArguments();
  if (!arguments) return out;
  out.values = strings(arguments->STRING());
  out.ordered = !arguments->LESS().empty();
  if (arguments->INT()) out.width = integer(arguments->INT());
  const auto inner = arguments->type();
  if (inner.empty()) return out;
  if (out.name.text == "list") {
    for (auto* each : inner)
      out.element.push_back(type(each));
    return out;
  }
  for (auto* each : inner) {
    if (each->typeArguments() || each->QUESTION())
      report(diag::Code::E0101, span(each), fmt::format("`{}(…)` holds plain words", out.name.text),
             "write words without `?` and parentheses, as in `one_of(auto, squared)`");
    out.words.push_back(name(each->name()));
  }
  return out;
}

TypeRefs Builder::types(P::TypesContext* tree) {
  TypeRefs out;
  for (auto* each : tree->type())
    out.push_back(type(each));
  return out;
}

Parameter Builder::parameter(P::ParameterContext* tree) {
  Parameter out;
  out.name = name(tree->name());
  out.types = types(tree->types());
  out.range = range(tree->range());
  if (tree->expr()) out.fallback = expr(tree->expr());
  out.doc = doc(tree);
  out.span = span(tree);
  return out;
}

Binding Builder::binding(P::ExprContext* tree, CallableKind kind) {
  Binding out;
  if (!tree) return out;
  out.span = span(tree);
  // `native`, `native("x")` and `python("m:f")` are not expressions; a name in backticks is one.
  auto* operand = !tree->R_IF() && tree->infixTail().empty() ? tree->operand() : nullptr;
  auto* primary = operand && operand->children.size() == 1 ? operand->primary() : nullptr;
  if (primary && primary->path() && !primary->window() && primary->path()->name().size() == 1) {
    const Name word = name(primary->path()->name(0));
    const bool native = word.text == "native" && !word.quoted, python = word.text == "python" && !word.quoted;
    if ((native || python) && primary->arguments()) {
      const auto arguments = plain_arguments(primary->arguments(), fmt::format("`{}(…)`", word.text));
      const String* symbol = arguments.size() == 1 && !arguments[0].name && !arguments[0].key
                                 ? std::get_if<String>(&out_.expr(arguments[0].value).kind)
                                 : nullptr;
      out.kind = native ? Binding::Kind::native : Binding::Kind::python;
      if (symbol)
        out.symbol = Text{symbol->value, arguments[0].span};
      else
        report(diag::Code::E0101, out.span, fmt::format("`{}(…)` takes one text", word.text),
               native ? "write `native(\"symbol\")`" : "write `python(\"file.py:name\")`");
      return out;
    }
    if (native) {
      out.kind = Binding::Kind::native;
      return out;
    }
  }
  out.kind = Binding::Kind::expression;
  out.body = expr(tree);
  if (kind != CallableKind::fn)
    report(diag::Code::E0101, out.span, "only a `fn` is an expression",
           "write `= native` or `= python(\"file.py:name\")`");
  return out;
}

void Builder::clause(P::CallableClauseContext* tree, Callable& callable) {
  bool again = false;
  if (auto* op = tree->operatorClause()) {
    again = callable.op.has_value();
    callable.op = string(op->STRING());
  } else if (tree->K_KNOWN()) {
    again = bool(callable.known_when);
    callable.known_when = expr(tree->expr());
  } else if (tree->K_ROW()) {
    again = std::exchange(callable.row, true);
  } else if (tree->K_RANDOM()) {
    again = std::exchange(callable.random, true);
  } else if (tree->K_INTERPRETED()) {
    again = callable.interpreted_because.has_value();
    callable.interpreted_because = string(tree->STRING());
  } else if (tree->K_FITS()) {
    again = !callable.fits.empty();
    for (auto* field : tree->fitField())
      callable.fits.push_back({name(field->name()), type(field->type())});
  } else if (tree->K_CROSS_FIT()) {
    again = callable.cross_fit.has_value();
    callable.cross_fit = integer(tree->INT());
  } else if (tree->K_BETTER()) {
    again = callable.better.has_value();
    callable.better = name_of(tree->stop);
  } else if (tree->K_DECLASSIFIES()) {
    again = std::exchange(callable.declassifies, true);
  } else {
    again = std::exchange(tree->K_WINDOW() ? callable.of_window : callable.of_decision, true);
  }
  if (again)
    report(diag::Code::E0210, span(tree), fmt::format("`{}` is written twice", text(tree->start)), "keep one of them");
}

void Builder::kind(P::CallableDeclContext* tree, Declaration& out) {
  Callable callable;
  switch (tree->start->getType()) {
    case P::K_TRANSFORM:
      callable.kind = CallableKind::transform;
      break;
    case P::K_METRIC:
      callable.kind = CallableKind::metric;
      break;
    case P::K_DRIFT:
      callable.kind = CallableKind::drift;
      break;
    case P::K_SOURCE:
      callable.kind = CallableKind::source;
      break;
    case P::K_SINK:
      callable.kind = CallableKind::sink;
      break;
    case P::K_AGGREGATE:
      callable.kind = CallableKind::aggregate;
      break;
    default:
      callable.kind = CallableKind::fn;
  }
  out.name = name(tree->name());
  if (auto* op = tree->operatorClause()) callable.op = string(op->STRING());
  for (auto* each : tree->parameters()->parameter())
    callable.parameters.push_back(parameter(each));
  if (tree->type()) callable.result = type(tree->type());
  callable.result_range = range(tree->range());
  for (auto* each : tree->callableClause())
    clause(each, callable);
  callable.binding = binding(tree->expr(), callable.kind);
  const bool has_result = callable.kind != CallableKind::source && callable.kind != CallableKind::sink;
  if (has_result && !callable.result)
    report(diag::Code::E0101, out.name.span, fmt::format("`{}` does not say what it gives", out.name.text),
           "write `-> TYPE` after the parameters");
  out.kind = std::move(callable);
}

void Builder::kind(P::ModelDeclContext* tree, Declaration& out) {
  Callable callable;
  callable.kind = CallableKind::model;
  out.name = name(tree->name());
  callable.predicts = types(tree->types());
  for (auto* each : tree->type())
    callable.takes.push_back(type(each));
  for (auto* each : tree->modelClause()) {
    if (each->K_BINNED()) callable.binned = true;
    for (auto* line : each->preparation()) {
      Preparation preparation{type(line->type()), {}, span(line)};
      for (auto* value : line->expr())
        preparation.outputs.push_back(expr(value));
      callable.prepares.push_back(std::move(preparation));
    }
  }
  for (auto* each : tree->parameter())
    callable.parameters.push_back(parameter(each));
  const auto bodies = tree->expr();
  if (!bodies.empty()) callable.binding = binding(bodies[0], callable.kind);
  if (bodies.size() > 1)
    report(diag::Code::E0210, span(bodies[1]), "the model is bound twice", "keep one `= native` or `= python(…)`");
  out.kind = std::move(callable);
}

void Builder::kind(P::ImportDeclContext* tree, Declaration& out) {
  out.name = name(tree->name());
  out.kind = Import{string(tree->STRING())};
}

void Builder::kind(P::ParamDeclContext* tree, Declaration& out) {
  out.name = name(tree->name());
  Param param;
  param.type = type(tree->type());
  param.range = range(tree->range());
  param.fallback = expr(tree->expr());
  out.kind = std::move(param);
}

void Builder::kind(P::SecretDeclContext* tree, Declaration& out) {
  out.name = name(tree->name());
  out.kind = Secret{expr(tree->expr())};
}

void Builder::kind(P::EnvDeclContext* tree, Declaration& out) {
  out.name = name(tree->name());
  Env env;
  for (auto* each : tree->envEntry()) {
    EnvEntry entry;
    entry.name = name(each->name());
    entry.span = span(each);
    entry.doc = doc(each);
    if (each->sourceRef()) {
      Data data;
      data.source = source(each->sourceRef());
      entry.kind = std::move(data);
    } else {
      Param param;
      if (each->type()) param.type = type(each->type());
      param.range = range(each->range());
      param.fallback = expr(each->expr());
      entry.kind = std::move(param);
    }
    env.entries.push_back(std::move(entry));
  }
  out.kind = std::move(env);
}

}  // namespace mlp::syntax
