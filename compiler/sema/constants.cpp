#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compiler/sema/block_spec.h"
#include "compiler/sema/foreign_names.h"
#include "compiler/sema/intervals.h"
#include "compiler/sema/typer.h"
#include "compiler/sema/zones.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

std::optional<Type> resolve_type(Context& context, const ast::TypeRef& ref) {
  struct Word {
    std::string_view name;
    Base base;
  };
  constexpr Word kWords[] = {{"bool", Base::bool_}, {"int", Base::int_}, {"float", Base::float_}, {"string", Base::string}, {"date", Base::date},
                             {"timestamp", Base::timestamp}, {"duration", Base::duration}, {"category", Base::category}, {"list", Base::list},
                             {"vector", Base::vector}, {"sparse", Base::vector}, {"map", Base::map}};
  const auto at = std::find_if(std::begin(kWords), std::end(kWords), [&](const Word& word) { return word.name == ref.name.text; });
  if (at == std::end(kWords)) {
    std::vector<std::string_view> candidates;
    for (const Word& word : kWords) candidates.push_back(word.name);
    if (const ForeignType foreign = foreign_type(ref.name.text); !foreign.ours.empty()) {
      auto d = diag::make(Code::E0201, ref.name.span, fmt::format("there is no type `{}`", ref.name.text)).with_label("not a type").with_help(fmt::format("did you mean `{}`?", foreign.ours));
      if (!foreign.note.empty()) d.notes.emplace_back(foreign.note);
      d.fixes.push_back({ref.name.span, std::string(foreign.ours), fmt::format("write `{}`", foreign.ours), false});
      context.report(std::move(d));
      return std::nullopt;
    }
    context.report(with_suggestion(diag::make(Code::E0201, ref.name.span, fmt::format("there is no type `{}`", ref.name.text)).with_label("not a type"),
                                   ref.name.text, ref.name.span, candidates, fmt::format("types are {}", listing(candidates, 12))));
    return std::nullopt;
  }
  switch (at->base) {
    case Base::category: {
      std::vector<std::string> domain;
      for (const ast::Text& value : ref.values) {
        if (std::find(domain.begin(), domain.end(), value.value) != domain.end()) {
          context.report(diag::make(Code::E0210, value.span, fmt::format("\"{}\" stands twice in the list of values", value.value)).with_label("again here").with_help("leave one of the two out"));
          return std::nullopt;
        }
        domain.push_back(value.value);
      }
      return Type::category(std::move(domain), ref.ordered, ref.missing);
    }
    case Base::list: {
      if (ref.element.empty()) return std::nullopt;
      const auto element = resolve_type(context, ref.element.front());
      if (!element) return std::nullopt;
      return Type::list(*element, ref.missing);
    }
    case Base::vector: {
      const std::int64_t width = ref.width.value_or(0);
      if (width < 0 || width > 1'000'000) {
        context.report(diag::make(Code::E0303, ref.span, fmt::format("the width of a `{}` is in 1..1_000_000", at->name)).with_label("out of range").with_help("give a smaller width"));
        return std::nullopt;
      }
      if (at->name != "sparse") return Type::vector(static_cast<std::uint32_t>(width), ref.missing);
      context.not_yet("sparse vectors", ref.span);
      return Type::sparse(static_cast<std::uint32_t>(width), ref.missing);
    }
    default: return Type::of(at->base, ref.missing);
  }
}

bool check_range(Context& context, const Value& value, const std::optional<Interval>& range, const std::string& what, Span span,
                 std::optional<diag::Label> declared) {
  if (!range) return true;
  double number = 0;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) number = static_cast<double>(*whole);
  else if (const auto* real = std::get_if<double>(&value)) number = *real;
  else return true;
  if (range->contains(number)) return true;
  auto d = diag::make(Code::E0303, span, fmt::format("{} must be in {}, not {}", what, range_text(*range), to_string(value)))
               .with_label("out of range")
               .with_help(fmt::format("give a value in {}", range_text(*range)));
  if (declared) d.secondary.push_back(*declared);
  context.report(std::move(d));
  return false;
}

std::optional<Value> constant_of(Context& context, ast::ExprId id, const Type& type, std::optional<Interval> range, const std::string& what) {
  Builder builder;
  Scope scope(context, builder, context.file.now);
  const NodeId node = type_expression(scope, id);
  if (!node) return std::nullopt;
  const Span span = context.file.expr(id).span;
  if (!builder.constant(node)) {
    context.report(diag::make(Code::E0304, span, fmt::format("{} must be a constant", what)).with_label("is computed").with_help("write a value, or a `param`"));
    return std::nullopt;
  }
  const NodeId typed = require_type(scope, node, type, what, {});
  if (!typed) return std::nullopt;
  const auto value = builder.constant(typed);
  if (!value || !check_range(context, *value, range, what, span)) return std::nullopt;
  return value;
}

std::optional<std::int64_t> constant_int(Context& context, ast::ExprId id, Interval range, const std::string& what) {
  const auto value = constant_of(context, id, Type::of(Base::int_), range, what);
  return value ? std::optional(std::get<std::int64_t>(*value)) : std::nullopt;
}

std::optional<double> constant_float(Context& context, ast::ExprId id, Interval range, const std::string& what) {
  const auto value = constant_of(context, id, Type::of(Base::float_), range, what);
  return value ? std::optional(std::get<double>(*value)) : std::nullopt;
}

std::int64_t constant_duration(Context& context, ast::ExprId id, const std::string& what) {
  const auto value = constant_of(context, id, Type::of(Base::duration), std::nullopt, what);
  if (!value) return 0;
  const std::int64_t length = std::get<std::int64_t>(*value);
  if (length > 0) return length;
  context.report(diag::make(Code::E0303, context.file.expr(id).span, fmt::format("{} must be longer than 0", what)).with_label("no time at all").with_help("write a duration, such as `180d` or `20ms`"));
  return 0;
}

std::optional<Interval> constant_range(Context& context, ast::ExprId id, const std::string& what) {
  const ast::Expr& e = context.file.expr(id);
  const auto* range = std::get_if<ast::Binary>(&e.kind);
  if (!range || range->op != ast::BinaryOp::range) {
    if (!std::holds_alternative<ast::Broken>(e.kind))
      context.report(diag::make(Code::E0301, e.span, fmt::format("{} is a range, such as `0..120`", what)).with_label("is no range").with_help("write `in LOW..HIGH`; both ends are in"));
    return std::nullopt;
  }
  const auto low = constant_float(context, range->left, {}, fmt::format("the low end of {}", what));
  const auto high = constant_float(context, range->right, {}, fmt::format("the high end of {}", what));
  if (!low || !high) return std::nullopt;
  if (*low > *high) {
    context.report(diag::make(Code::E0303, e.span, fmt::format("{} is empty: its low end is above its high end", what))
                       .with_label("no value lies in it")
                       .with_help(fmt::format("did you mean `{}`?", range_text({*high, *low}))));
    return std::nullopt;
  }
  return Interval{*low, *high};
}

namespace {

/// The word of a `one_of` parameter, a constant of the type of any other.
std::optional<Value> option_value(Context& context, const Signature& signature, const Parameter& parameter, const GivenOption& given) {
  const std::string what = fmt::format("`{}` of `{}`", parameter.name, signature.name);
  const ast::Expr& e = context.file.expr(given.value);
  if (parameter.secret) {
    const auto* ref = std::get_if<ast::Ref>(&e.kind);
    const auto* call = std::get_if<ast::Call>(&e.kind);
    const auto at = ref ? context.names.find(ref->path.text()) : context.names.end();
    // Where it is kept stands for it: the value is in no plan and no key.
    const auto kept = [&](const std::optional<hir::AlertTarget>& secret) -> std::optional<Value> {
      if (!secret) return std::nullopt;
      if (secret->secret == hir::AlertTarget::Secret::env) return Value(fmt::format("env(\"{}\")", secret->value));
      const std::string& folder = context.modules[context.module].folder;
      return Value(fmt::format("file(\"{}{}\")", folder.empty() || secret->value.starts_with('/') ? "" : folder + "/", secret->value));
    };
    if (at != context.names.end() && at->second.kind == DeclaredKind::secret) return kept(check_secret(context, *at->second.declaration));
    if (call && (call->callee.text() == "env" || call->callee.text() == "file")) return kept(secret_of(context, given.value, what));
    if (at != context.names.end() && at->second.kind == DeclaredKind::broken) return std::nullopt;
    context.report(diag::make(Code::E0505, e.span, fmt::format("{} is a secret, and does not belong into a program", what)).with_label("everybody who reads the file sees it")
                       .with_help("declare it, `secret NAME = env(\"VARIABLE\")`, and write its name here"));
    return std::nullopt;
  }
  if (!parameter.one_of.empty()) {
    const auto* ref = std::get_if<ast::Ref>(&e.kind);
    const std::vector<std::string_view> words(parameter.one_of.begin(), parameter.one_of.end());
    const std::string word = ref ? ref->path.text() : std::string();
    if (std::find(words.begin(), words.end(), word) != words.end()) return Value(word);
    context.report(with_suggestion(diag::make(ref ? Code::E0303 : Code::E0301, e.span,
                                              ref ? fmt::format("`{}` is not one of the words that {} takes", word, what) : fmt::format("{} takes a word without quotes", what))
                                       .with_label("not one of them"),
                                   word, e.span, words, fmt::format("it takes {}", listing(words))));
    return std::nullopt;
  }
  // Try the types in order, quietly; the report is made for the first.
  for (const Type& type : parameter.types) {
    Builder builder;
    Scope scope(context, builder, context.file.now);
    scope.quiet = true;
    const NodeId node = type_expression(scope, given.value);
    if (!node || !builder.constant(node)) break;
    if (!require_type(scope, node, type, what, {})) continue;
    const auto value = constant_of(context, given.value, type, parameter.range, what);
    if (const auto* text = value && parameter.name == kZoneParameter ? std::get_if<std::string>(&*value) : nullptr; text && !check_zone(context, *text, e.span)) return std::nullopt;
    return value;
  }
  return constant_of(context, given.value, parameter.types.front(), parameter.range, what);
}

}  // namespace

std::optional<hir::Options> check_options(Context& context, const Signature& signature, const std::vector<GivenOption>& given,
                                          const std::function<bool(const Parameter&)>& is_option, const std::string& what, Span span) {
  std::vector<std::string_view> candidates;
  for (const Parameter& parameter : signature.parameters)
    if (is_option(parameter)) candidates.push_back(parameter.name);
  std::map<const Parameter*, const GivenOption*> bound;
  std::set<const Parameter*> poisoned;
  bool good = true;
  for (const GivenOption& option : given) {
    const Parameter* found = nullptr;
    for (const Parameter& parameter : signature.parameters) {
      if (!is_option(parameter)) continue;
      if (option.name ? parameter.name == option.name->text : !bound.contains(&parameter)) {
        found = &parameter;
        break;
      }
    }
    if (!found) {
      if (option.name)
        context.report(with_meaning(diag::make(Code::E0208, option.name->span, fmt::format("{} has no parameter `{}`", what, option.name->text)).with_label("no such parameter"),
                                       Named::parameter, option.name->text, option.name->span, candidates,
                                       candidates.empty() ? "it has no parameters" : fmt::format("it has {}", listing(candidates, 12))));
      else
        context.report(diag::make(Code::E0209, option.span, fmt::format("{} takes {}", what, counted(candidates.size(), "argument"))).with_label("one too many")
                           .with_help(candidates.empty() ? "leave it out" : fmt::format("it has {}", listing(candidates, 12))));
      good = false;
      continue;
    }
    auto [at, fresh] = bound.try_emplace(found, &option);
    if (!fresh) {
      context.report(diag::make(Code::E0210, option.span, fmt::format("`{}` is given twice", found->name)).with_label("given again here")
                         .with_secondary(at->second->span, "first given here").with_help("leave one of the two out"));
      good = false;
    }
  }
  hir::Options options;
  for (const Parameter& parameter : signature.parameters) {
    if (!is_option(parameter)) continue;
    if (const auto at = bound.find(&parameter); at != bound.end()) {
      if (at->second->not_yet) {
        if (parameter.fallback) options.emplace_back(parameter.name, *parameter.fallback);
        continue;
      }
      auto value = option_value(context, signature, parameter, *at->second);
      if (!value) { good = false; continue; }
      options.emplace_back(parameter.name, std::move(*value));
    } else if (parameter.fallback) {
      Value value = *parameter.fallback;
      if (const auto* whole = std::get_if<std::int64_t>(&value); whole && parameter.types.front().base == Base::float_) value = static_cast<double>(*whole);
      options.emplace_back(parameter.name, std::move(value));
    } else if (good) {
      context.report(diag::make(Code::E0209, span, fmt::format("{} needs `{}`", what, parameter.name)).with_label(fmt::format("`{}` is missing", parameter.name))
                         .with_help(parameter.doc.empty() ? fmt::format("write `{}: …`", parameter.name) : parameter.doc));
      good = false;
    }
  }
  if (!good) return std::nullopt;
  return options;
}

}  // namespace mlp::sema
