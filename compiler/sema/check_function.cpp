#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/intervals.h"
#include "compiler/sema/typer.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

namespace {

bool resolve_signature(Context& context, UserFunction& function) {
  const ast::Callable& callable = *function.callable;
  Signature& signature = function.signature;
  signature.kind = EntryKind::fn;
  signature.name = function.declaration->name.text;
  signature.doc = function.declaration->doc;
  bool good = true;
  for (const ast::Parameter& parameter : callable.parameters) {
    Parameter out;
    out.name = parameter.name.text;
    out.doc = parameter.doc;
    const bool twice = std::any_of(signature.parameters.begin(), signature.parameters.end(), [&](const Parameter& p) { return p.name == out.name; });
    if (twice) {
      context.report(diag::make(Code::E0202, parameter.name.span, fmt::format("the parameter `{}` is declared twice", out.name)).with_label("declared again here").with_help("rename one of the two"));
      good = false;
    }
    if (parameter.types.size() != 1) {
      context.not_yet("functions whose parameters take one of several types", parameter.span);
      return false;
    }
    const auto type = resolve_type(context, parameter.types.front());
    if (!type) { good = false; continue; }
    out.types = {*type};
    if (parameter.range) {
      out.range = constant_range(context, parameter.range, fmt::format("the range of `{}`", out.name));
      good = good && out.range;
    }
    if (parameter.fallback) {
      out.fallback = constant_of(context, parameter.fallback, *type, out.range, fmt::format("the default of `{}`", out.name));
      good = good && out.fallback;
    }
    signature.parameters.push_back(std::move(out));
  }
  if (callable.result) {
    const auto type = resolve_type(context, *callable.result);
    if (type) signature.result = *type;
    good = good && type;
  }
  if (callable.result_range) {
    signature.result_range = constant_range(context, callable.result_range, "the range of the result");
    good = good && signature.result_range;
  }
  return good && callable.result;
}

}  // namespace

const UserFunction& resolve_function(Context& context, const ast::Declaration& declaration, Span reference) {
  const InModule within(context, declaration);
  if (const auto done = context.functions.find(&declaration); done != context.functions.end()) {
    // Being resolved right now: the caller stands inside it.
    const bool open = std::any_of(context.visits.begin(), context.visits.end(), [&](const Visit& v) { return v.what == &declaration; });
    if (open) const VisitGuard circle(context, &declaration, declaration.name.text, declaration.name.span, reference);
    return done->second;
  }
  UserFunction& function = context.functions[&declaration];
  function.declaration = &declaration;
  function.callable = &std::get<ast::Callable>(declaration.kind);
  const VisitGuard guard(context, &declaration, declaration.name.text, declaration.name.span, reference);
  if (!guard.good || !resolve_signature(context, function)) return function;
  if (function.callable->binding.kind != ast::Binding::Kind::expression || !function.callable->binding.body) {
    context.not_yet("functions bound to other code", declaration.span);
    return function;
  }
  // Once for its own sake: with parameters of exactly the declared types and ranges.
  Builder builder;
  Scope scope(context, builder, context.file.now);
  scope.random_allowed = true;
  const std::uint32_t base = static_cast<std::uint32_t>(context.out.columns.size());
  for (std::size_t i = 0; i < function.signature.parameters.size(); ++i) {
    const Parameter& parameter = function.signature.parameters[i];
    scope.locals[parameter.name] = builder.input(0x8000'0000u + base + static_cast<std::uint32_t>(i), parameter.types[0], parameter.range.value_or(Interval{}),
                                                 parameter.name, function.callable->parameters[i].name.span);
  }
  const NodeId body = type_as(scope, function.callable->binding.body, function.signature.result, fmt::format("the result of `{}`", declaration.name.text),
                              function.callable->result->span);
  function.good = static_cast<bool>(body);
  const auto& range = function.signature.result_range;
  if (body && range && !inside(builder.range(body), *range)) {
    context.report(diag::make(Code::E0303, builder[body].span, fmt::format("the result of `{}` must be in {}, but this may be {}", declaration.name.text,
                                                                           range_text(*range), range_text(builder.range(body))))
                       .with_label(fmt::format("may be {}", range_text(builder.range(body))))
                       .with_secondary(function.callable->result->span, "its range is declared here")
                       .with_help("declare the ranges of the parameters, or a wider range of the result"));
    function.good = false;
  }
  return function;
}

}  // namespace mlp::sema
