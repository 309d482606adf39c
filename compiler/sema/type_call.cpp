#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compiler/sema/bind_arguments.h"
#include "compiler/sema/foreign_names.h"
#include "compiler/sema/intervals.h"
#include "compiler/sema/typer.h"
#include "compiler/sema/zones.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

std::optional<NodeId> type_statistic_call(Scope& scope, const ast::Call& call, Span span);

namespace {

bool is_map(const Parameter& parameter) {
  return std::any_of(parameter.types.begin(), parameter.types.end(), [](const Type& t) { return t.base == Base::map; });
}

/// The bare word that an argument is, where the parameter takes words.
const ast::Ref* as_word(const Scope& scope, const ast::Argument& argument) {
  const auto* ref = std::get_if<ast::Ref>(&scope.file->expr(argument.value).kind);
  return ref && ref->path.parts.size() == 1 ? ref : nullptr;
}

/// Reports what no candidate takes.
void report_no_overload(const Scope& scope, const ast::Call& call, Span span, const std::vector<Bound>& bounds, const std::vector<NodeId>& typed) {
  const Builder& b = scope.builder;
  const std::string name = call.callee.text();
  if (bounds.size() == 1) {
    const Bound& bound = bounds[0];
    for (std::size_t p = 0; p < bound.argument.size(); ++p) {
      if (!bound.argument[p] || !typed[*bound.argument[p]]) continue;
      const NodeId node = typed[*bound.argument[p]];
      Candidate one{bound.signature, {p}};
      if (choose_overload(b, {one}, {node}).signature) continue;
      const Parameter& parameter = bound.signature->parameters[p];
      auto d = diag::make(Code::E0301, b[node].span,
                          fmt::format("the argument `{}` of `{}` is `{}`, but this is {}", parameter.name, name, types_text(parameter.types), type_text(b, node)))
                   .with_label(fmt::format("is {}", type_text(b, node)))
                   .with_help(fmt::format("it is declared `{}`", signature_text(*bound.signature)));
      if (auto origin = origin_of(scope, node)) d.secondary.push_back(*origin);
      scope.report(std::move(d));
      return;
    }
  }
  std::string types;
  for (const NodeId node : typed)
    if (node) types += (types.empty() ? "" : ", ") + type_text(b, node);
  auto d = diag::make(Code::E0301, span, fmt::format("no `{}` takes {}", name, types)).with_label("does not fit its arguments");
  std::string help = "there are ";
  for (std::size_t i = 0; i < bounds.size() && i < 6; ++i) help += fmt::format("{}`{}`", i ? ", " : "", signature_text(*bounds[i].signature));
  d.help = help;
  for (const NodeId node : typed)
    if (node)
      if (auto origin = origin_of(scope, node)) d.secondary.push_back(*origin);
  scope.report(std::move(d));
}

/// Whether an argument may be given to a strict parameter; reports E0302 and E0303.
bool check_argument(const Scope& scope, const Signature& signature, const Parameter& parameter, const Type& target, NodeId node) {
  const Builder& b = scope.builder;
  const expr::Node& arg = b[node];
  if (arg.type.missing && !target.missing) {
    const std::string text = scope.at ? std::string() : scope.context.text(arg.span);
    auto d = diag::make(Code::E0302, arg.span,
                        b.is_missing(node) ? fmt::format("`{}` of `{}` cannot be `missing`", parameter.name, signature.name)
                                           : fmt::format("`{}` takes known values, but this may be missing", signature.name))
                 .with_label(fmt::format("is {}", type_text(b, node)))
                 .with_help(fmt::format("say what stands in for a missing value, `{} ?? default`, or compute only where it is known: `if {} is known then … else …`",
                                        text.empty() ? "x" : text, text.empty() ? "x" : text));
    if (auto origin = origin_of(scope, node)) d.secondary.push_back(*origin);
    scope.report(std::move(d));
    return false;
  }
  if (!parameter.range || inside(arg.range, *parameter.range) || !arg.type.is_number()) return true;
  const bool constant = b.constant(node).has_value();
  auto d = diag::make(Code::E0303, arg.span,
                      constant ? fmt::format("{} is out of the range of `{}`", to_string(*b.constant(node)), parameter.name)
                               : fmt::format("`{}` of `{}` must be in {}, but this may be {}", parameter.name, signature.name, range_text(*parameter.range),
                                             range_text(arg.range)))
               .with_label(fmt::format("`{}` of `{}` is in {}", parameter.name, signature.name, range_text(*parameter.range)));
  d.help = constant ? fmt::format("give a value in {}", range_text(*parameter.range))
                    : fmt::format("declare the range of what it is computed from, such as `in {}`, or keep the value inside it", range_text(*parameter.range));
  if (auto origin = origin_of(scope, node)) d.secondary.push_back(*origin);
  scope.report(std::move(d));
  return false;
}

/// The literal pairs of a map, for native code: name, share, name, share …; and the domain.
std::optional<std::vector<NodeId>> type_map(Scope& scope, const ast::Call& call, const Bound& bound, Span span, std::vector<std::string>& names) {
  std::vector<NodeId> pairs;
  double sum = 0;
  bool good = true;
  for (const std::size_t index : bound.keyed) {
    const ast::Argument& argument = call.arguments[index];
    const Span key_span = scope.place(argument.key->span);
    const NodeId node = type_expression(scope, argument.value);
    if (!node) { good = false; continue; }
    const auto converted = scope.builder.convert(node, Type::of(Base::float_));
    const auto value = converted ? scope.builder.constant(*converted) : std::nullopt;
    const double* share = value ? std::get_if<double>(&*value) : nullptr;
    if (!share) {
      scope.report(diag::make(converted ? Code::E0304 : Code::E0301, scope.builder[node].span, fmt::format("the share of \"{}\" must be a constant number", argument.key->value))
                       .with_label(fmt::format("is {}", type_text(scope.builder, node)))
                       .with_help("write a share such as `30%`"));
      good = false;
      continue;
    }
    if (*share < 0 || *share > 1) {
      scope.report(diag::make(Code::E0303, scope.builder[node].span, fmt::format("a share lies between 0% and 100%, not at {}%", *share * 100))
                       .with_label("out of range")
                       .with_help("write a share such as `30%`"));
      good = false;
      continue;
    }
    if (std::find(names.begin(), names.end(), argument.key->value) != names.end()) {
      scope.report(diag::make(Code::E0210, key_span, fmt::format("\"{}\" is given twice", argument.key->value)).with_label("given again here").with_help("give each name one share"));
      good = false;
      continue;
    }
    names.push_back(argument.key->value);
    sum += *share;
    pairs.push_back(scope.builder.literal(argument.key->value, Type::of(Base::string), key_span));
    pairs.push_back(*converted);
  }
  if (!good) return std::nullopt;
  if (std::fabs(sum - 1) > 1e-9) {
    scope.report(diag::make(Code::E0303, span, fmt::format("the shares sum to {:.6g}%, not to 100%", sum * 100))
                     .with_label("the shares of all names make 100%")
                     .with_help(sum < 1 ? fmt::format("{:.6g}% are left to give away", (1 - sum) * 100) : fmt::format("{:.6g}% are too many", (sum - 1) * 100)));
    return std::nullopt;
  }
  return pairs;
}

NodeId type_transform(Scope& scope, const ast::Call& call, Span span, const Bound& bound, const std::vector<NodeId>& typed) {
  const Signature& signature = *bound.signature;
  std::vector<NodeId> inputs;
  std::vector<GivenOption> options;
  bool good = true;
  for (std::size_t p = 0; p < signature.parameters.size(); ++p) {
    const Parameter& parameter = signature.parameters[p];
    if (!bound.argument[p]) continue;
    const ast::Argument& argument = call.arguments[*bound.argument[p]];
    if (!is_input(signature, p)) {
      // Always by name here, so that the order in which they were written does not matter.
      options.push_back({nullptr, argument.value, scope.place(argument.span), false});
      continue;
    }
    const NodeId node = typed[*bound.argument[p]];
    if (!node) { good = false; continue; }
    const Choice choice = choose_overload(scope.builder, {Candidate{&signature, {p}}}, {node});
    if (!choice.signature) {
      report_no_overload(scope, call, span, {bound}, typed);
      good = false;
      continue;
    }
    if (!check_argument(scope, signature, parameter, choice.targets[0], node)) { good = false; continue; }
    inputs.push_back(*scope.builder.convert(node, choice.targets[0]));
  }
  // check_options takes positions in the order of the options; those not written are named by none.
  std::vector<ast::Name> names;
  names.reserve(signature.parameters.size());
  std::size_t next = 0;
  for (std::size_t p = 0; p < signature.parameters.size(); ++p) {
    if (!bound.argument[p] || is_input(signature, p)) continue;
    const ast::Argument& argument = call.arguments[*bound.argument[p]];
    names.push_back({signature.parameters[p].name, argument.name ? argument.name->span : argument.span, false});
    options[next++].name = &names.back();
  }
  const auto is_option = [&](const Parameter& parameter) {
    const auto index = static_cast<std::size_t>(&parameter - signature.parameters.data());
    return !is_input(signature, index) && !is_bound_by_planner(signature, parameter);
  };
  if (signature.native.empty()) scope.context.not_yet(fmt::format("the transform `{}`", signature.name), span);
  auto complete = check_options(scope.context, signature, options, is_option, fmt::format("`{}`", signature.name), span);
  if (!good || !complete) return {};
  expr::Fitted fitted{signature.native, std::move(inputs), std::move(*complete)};
  return scope.builder.push(std::move(fitted), signature.result, signature.result_range.value_or(Interval{}), span);
}

NodeId call_user_function(Scope& scope, const ast::Call& call, Span span, const ast::Declaration& declaration) {
  const UserFunction& function = resolve_function(scope.context, declaration, scope.place(span));
  const Binding binding = bind_arguments(scope, call, span, function.signature);
  std::vector<NodeId> typed;
  for (const ast::Argument& argument : call.arguments) typed.push_back(type_expression(scope, argument.value));
  if (!function.good) return {};
  if (!binding.bound) {
    auto d = binding.why;
    d.secondary.push_back({declaration.name.span, fmt::format("`{}` is declared here", declaration.name.text)});
    scope.report(std::move(d));
    return {};
  }
  std::vector<NodeId> args(function.signature.parameters.size());
  for (std::size_t p = 0; p < args.size(); ++p) {
    const Parameter& parameter = function.signature.parameters[p];
    if (!binding.bound->argument[p]) {
      args[p] = scope.builder.literal(*parameter.fallback, parameter.types[0], span);
      continue;
    }
    const NodeId node = typed[*binding.bound->argument[p]];
    if (!node) return {};
    const NodeId converted = require_type(scope, node, parameter.types[0].maybe(), fmt::format("`{}` of `{}`", parameter.name, function.signature.name),
                                          function.callable->parameters[p].span);
    if (!converted || !check_argument(scope, function.signature, parameter, parameter.types[0], converted)) return {};
    args[p] = converted;
  }
  // Functions that call functions twice can grow beyond all bounds.
  constexpr std::size_t kMostNodes = 20'000;
  if (scope.builder.size() > kMostNodes) {
    scope.context.report(diag::make(Code::E0105, scope.place(span), fmt::format("this expression has more than {} operations once its functions are put in", kMostNodes))
                             .with_label("too large here").with_help("give parts of it names of their own, as columns"));
    return {};
  }
  const InModule within(scope.context, declaration);
  Scope inner(scope.context, scope.builder, scope.context.file.now);
  for (std::size_t p = 0; p < args.size(); ++p) inner.locals[function.signature.parameters[p].name] = args[p];
  inner.random_allowed = scope.random_allowed;
  inner.at = scope.place(span);
  inner.quiet = true;
  const NodeId body = type_expression(inner, function.callable->binding.body);
  if (!body) return {};
  return require_type(inner, body, function.signature.result.maybe(), "the result", {});
}

std::vector<std::string_view> callable_names(const Context& context, bool transforms) {
  std::vector<std::string_view> names = declared_names(context, DeclaredKind::callable);
  for (const Signature& signature : standard_library())
    if (signature.kind == EntryKind::fn || (transforms && signature.kind == EntryKind::transform))
      if (names.empty() || names.back() != signature.name) names.push_back(signature.name);
  return names;
}

void report_unknown_callee(const Scope& scope, const ast::Call& call, const std::string& name, Span span) {
  const Span at = scope.place(call.callee.span);
  for (const Signature& signature : standard_library()) {
    if (signature.name != name) continue;
    constexpr std::string_view kKinds[] = {"a function", "a transform", "a model", "a metric", "a drift test", "a source", "a sink", "an aggregate"};
    scope.report(diag::make(Code::E0211, at, fmt::format("`{}` is {}, which computes no value of a row", name, kKinds[static_cast<int>(signature.kind)]))
                     .with_label("a function or transform is needed here")
                     .with_help(signature.doc));
    return;
  }
  if (name == "env") {
    scope.report(diag::make(Code::E0503, at, "`env(…)` gives a secret, which cannot be used here").with_label("would become part of the data")
                     .with_help("for a plain setting declare a `param`: it can be set by `--param` and by the variable MLP_PARAM_NAME"));
    return;
  }
  if (const auto declared = scope.context.names.find(name); declared != scope.context.names.end()) {
    scope.report(diag::make(Code::E0211, at, fmt::format("`{}` is {}, not a function", name, with_article(declared->second.kind)))
                     .with_label("cannot be called")
                     .with_secondary(declared->second.declaration->name.span, "declared here")
                     .with_help("only functions of the library and those declared with `fn` are called with parentheses"));
    return;
  }
  if (auto foreign = foreign_call(scope, call, span)) {
    scope.report(std::move(*foreign));
    return;
  }
  scope.report(with_suggestion(diag::make(Code::E0204, at, fmt::format("there is no function `{}`", name)).with_label("not in the standard library, nor declared here"),
                               name, at, callable_names(scope.context, true), "declare it: `fn NAME(x: TYPE) -> TYPE = …`"));
}

}  // namespace

NodeId lower_call(Scope& scope, const Signature& signature, std::vector<NodeId> args, Span span) {
  Builder& b = scope.builder;
  bool missing = false;
  for (const NodeId arg : args) missing = missing || b.type(arg).missing;
  Scope inner(scope.context, b, nullptr);
  inner.at = span;
  inner.quiet = true;
  for (std::size_t i = 0; i < args.size(); ++i) inner.locals[signature.parameters[i].name] = args[i];
  if (!signature.body.empty()) {
    const LibraryText body = library_text(scope.context, signature.body);
    inner.file = body.file;
    inner.random_allowed = scope.random_allowed;
    const NodeId value = type_expression(inner, body.root);
    if (!value) return {};
    const auto converted = b.convert(value, signature.result);
    return converted ? *converted : NodeId{};
  }
  if (signature.native.empty()) scope.context.not_yet(fmt::format("the function `{}`", signature.name), span);
  if (signature.known_when.empty()) return b.call(signature, std::move(args), signature.result.maybe(missing), span);
  const LibraryText text = library_text(scope.context, signature.known_when);
  inner.file = text.file;
  NodeId condition = type_expression(inner, text.root);
  if (!condition) return {};
  const Type known = signature.result.known().maybe(missing);
  const NodeId value = b.call(signature, std::move(args), known, span);
  if (b.constant(value)) return value;
  const auto decided = b.decide(condition);
  if (decided && *decided) return value;
  if (b.type(condition).missing) condition = b.coalesce(condition, b.literal(false, Type::of(Base::bool_), span), Type::of(Base::bool_), span);
  const NodeId none = b.literal(Value{}, known.maybe(), span);
  return b.choose(condition, value, none, known.maybe(), span);
}

NodeId type_call(Scope& scope, const ast::Call& call, Span span) {
  Context& context = scope.context;
  if (auto statistic = type_statistic_call(scope, call, span)) return *statistic;
  if (const auto aggregate = type_aggregate(scope, call, span)) return *aggregate;
  const std::string name = call.callee.text();
  if (const auto declared = context.names.find(name); declared != context.names.end() && declared->second.kind == DeclaredKind::callable) {
    const auto& callable = std::get<ast::Callable>(declared->second.declaration->kind);
    if (callable.kind == ast::CallableKind::fn) return call_user_function(scope, call, span, *declared->second.declaration);
    context.not_yet("functions bound to Python", span);
    return {};
  } else if (declared != context.names.end() && declared->second.kind == DeclaredKind::broken) {
    return {};
  }
  if (call.callee.parts.size() > 1 && is_imported(context, call.callee)) {
    if (!is_loaded(context, call.callee)) return {};
    const ast::Declaration* declaration = find_declared(context, call.callee, DeclaredKind::callable);
    if (!declaration) return {};
    if (std::get<ast::Callable>(declaration->kind).kind == ast::CallableKind::fn) return call_user_function(scope, call, span, *declaration);
    context.not_yet("functions bound to Python", span);
    return {};
  }
  std::span<const Signature* const> entries = find_entries(EntryKind::fn, name);
  const bool transform = entries.empty();
  if (transform) entries = find_entries(EntryKind::transform, name);
  if (entries.empty()) {
    report_unknown_callee(scope, call, name, scope.place(span));
    return {};
  }

  // Arguments are typed once; a bare word where some overload takes words is none.
  std::vector<Bound> bounds;
  diag::Diagnostic why;
  for (const Signature* entry : entries) {
    Binding binding = bind_arguments(scope, call, span, *entry);
    if (binding.bound) bounds.push_back(std::move(*binding.bound));
    else why = std::move(binding.why);
  }
  std::vector<NodeId> typed(call.arguments.size());
  std::vector<bool> skipped(call.arguments.size(), false);
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    skipped[i] = call.arguments[i].key.has_value();
    for (const Bound& bound : bounds)
      for (std::size_t p = 0; p < bound.argument.size(); ++p)
        if (bound.argument[p] == i && ((!bound.signature->parameters[p].one_of.empty() && as_word(scope, call.arguments[i])) ||
                                       (transform && !is_input(*bound.signature, p))))
          skipped[i] = true;
    if (!skipped[i]) typed[i] = type_expression(scope, call.arguments[i].value);
  }
  if (bounds.empty()) {
    if (entries.size() > 1) {
      why.help = "there are ";
      for (std::size_t i = 0; i < entries.size() && i < 6; ++i) why.help += fmt::format("{}`{}`", i ? ", " : "", signature_text(*entries[i]));
    }
    scope.report(std::move(why));
    return {};
  }
  if (transform) {
    if (!scope.fitted_allowed) {
      scope.report(diag::make(Code::E0309, span, fmt::format("the transform `{}` is fitted on training rows, so it cannot stand here", name))
                       .with_label("fitted, not computed row by row")
                       .with_help("use it in a `feature` view: each `train` fits it on its own training rows"));
      return {};
    }
    return type_transform(scope, call, span, bounds.front(), typed);
  }
  for (std::size_t i = 0; i < typed.size(); ++i)
    if (!skipped[i] && !typed[i]) return {};

  std::vector<Candidate> candidates;
  std::vector<NodeId> given;
  for (std::size_t i = 0; i < typed.size(); ++i)
    if (!skipped[i]) given.push_back(typed[i]);
  for (const Bound& bound : bounds) {
    Candidate candidate{bound.signature, {}};
    for (std::size_t i = 0; i < typed.size(); ++i) {
      if (skipped[i]) continue;
      for (std::size_t p = 0; p < bound.argument.size(); ++p)
        if (bound.argument[p] == i) candidate.parameter.push_back(p);
    }
    candidates.push_back(std::move(candidate));
  }
  const Choice choice = choose_overload(scope.builder, candidates, given);
  if (!choice.signature) {
    report_no_overload(scope, call, span, bounds, typed);
    return {};
  }
  const auto chosen = static_cast<std::size_t>(std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& c) { return c.signature == choice.signature; }) -
                                               candidates.begin());
  const Signature& signature = *choice.signature;
  const Bound& bound = bounds[chosen];
  if ((signature.random || signature.row) && !scope.random_allowed) {
    scope.report(diag::make(Code::E0304, span, fmt::format("`{}` differs from row to row, so it cannot stand here", name))
                     .with_label("needs a row")
                     .with_help("it belongs into a column of a table"));
    return {};
  }
  std::vector<NodeId> args;
  std::vector<std::string> domain;
  std::int64_t seed = 0;
  bool good = true;
  for (std::size_t p = 0; p < signature.parameters.size(); ++p) {
    const Parameter& parameter = signature.parameters[p];
    if (is_map(parameter)) {
      auto pairs = type_map(scope, call, bound, span, domain);
      if (!pairs) good = false;
      else args.insert(args.end(), pairs->begin(), pairs->end());
      continue;
    }
    NodeId arg;
    if (!bound.argument[p]) {
      arg = scope.builder.literal(*parameter.fallback, parameter.types[0].maybe(std::holds_alternative<std::monostate>(*parameter.fallback)), span);
      if (auto converted = scope.builder.convert(arg, parameter.types[0])) arg = *converted;
    } else if (const ast::Argument& argument = call.arguments[*bound.argument[p]]; skipped[*bound.argument[p]]) {
      const std::string& word = as_word(scope, argument)->path.parts[0].text;
      if (std::find(parameter.one_of.begin(), parameter.one_of.end(), word) == parameter.one_of.end()) {
        const std::vector<std::string_view> words(parameter.one_of.begin(), parameter.one_of.end());
        scope.report(with_suggestion(diag::make(Code::E0303, scope.place(argument.span), fmt::format("`{}` is not one of the words that `{}` takes", word, parameter.name))
                                         .with_label("not one of them"),
                                     word, scope.place(argument.span), words, fmt::format("it takes {}", listing(words))));
        good = false;
        continue;
      }
      arg = scope.builder.literal(word, Type::of(Base::string), span);
    } else {
      const std::vector<std::size_t>& order = candidates[chosen].parameter;
      const auto at = static_cast<std::size_t>(std::find(order.begin(), order.end(), p) - order.begin());
      const Type& target = choice.targets[at];
      if (!check_argument(scope, signature, parameter, target, given[at])) { good = false; continue; }
      arg = *scope.builder.convert(given[at], target);
      const auto value = parameter.name == kZoneParameter && !scope.quiet ? scope.builder.constant(arg) : std::nullopt;
      if (const auto* text = value ? std::get_if<std::string>(&*value) : nullptr; text && !check_zone(context, *text, scope.builder[given[at]].span)) good = false;
    }
    if (signature.random && parameter.name == "seed") {
      const auto value = scope.builder.constant(arg);
      if (!value || !std::holds_alternative<std::int64_t>(*value)) {
        scope.report(diag::make(Code::E0304, scope.builder[arg].span, "the seed must be a constant").with_label("differs from row to row").with_help("write a number, or a `param`"));
        good = false;
        continue;
      }
      seed = std::get<std::int64_t>(*value);
      continue;
    }
    args.push_back(arg);
  }
  if (!good) return {};
  if (signature.declassifies && !scope.quiet) {
    const auto reason = scope.builder.constant(args.back());
    const std::string* text = reason ? std::get_if<std::string>(&*reason) : nullptr;
    if (!text || text->find_first_not_of(" \t\n") == std::string::npos) {
      scope.report(diag::make(Code::E0504, scope.builder[args.back()].span, fmt::format("`{}` needs a reason", name)).with_label(text ? "says nothing" : "must be a text in quotes")
                       .with_help("say why the value may be used: the lineage shows it"));
      return {};
    }
    const std::size_t index = *bound.argument[0];
    context.declassified.push_back(scope.place(scope.file->expr(call.arguments[index].value).span));
  }
  if (!signature.random && domain.empty()) return lower_call(scope, signature, std::move(args), span);
  bool missing = false;
  for (const NodeId arg : args) missing = missing || scope.builder.type(arg).missing;
  Type result = signature.result.maybe(missing);
  if (!signature.domain_of.empty()) result = Type::category(std::move(domain), false, result.missing);
  // The stream is that of the seed alone until the whole table is known; see assign_streams.
  return scope.builder.push(expr::Call{signature.native, std::move(args), static_cast<std::uint64_t>(seed)}, std::move(result),
                            signature.result_range.value_or(Interval{}), span);
}

}  // namespace mlp::sema
