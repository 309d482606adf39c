#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "compiler/sema/intervals.h"
#include "compiler/sema/typer.h"

namespace mlp::sema {

using diag::Code;

namespace {

/// A number with `_` between digits, as the language writes it; the whole text must be one.
template <class Number>
std::optional<Number> parse_number(std::string text) {
  std::erase(text, '_');
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

/// The value that a text from outside stands for.
std::optional<Value> parse_value(const std::string& text, const Type& type) {
  switch (type.base) {
    case Base::bool_:
      if (text == "true") return Value(true);
      if (text == "false") return Value(false);
      return std::nullopt;
    case Base::int_:
      if (const auto number = parse_number<std::int64_t>(text)) return Value(*number);
      return std::nullopt;
    case Base::float_: {
      const bool percent = text.ends_with('%');
      const auto number = parse_number<double>(percent ? text.substr(0, text.size() - 1) : text);
      if (!number || !std::isfinite(*number)) return std::nullopt;
      return Value(percent ? *number / 100 : *number);
    }
    case Base::duration: {
      struct Unit {
        std::string_view name;
        double microseconds;
      };
      constexpr Unit kUnits[] = {{"ms", 1e3}, {"min", 6e7}, {"s", 1e6}, {"h", 3.6e9}, {"d", 8.64e10}, {"w", 6.048e11}, {"y", 3.1536e13}};
      for (const Unit& unit : kUnits)
        if (text.ends_with(unit.name))
          if (const auto number = parse_number<std::int64_t>(text.substr(0, text.size() - unit.name.size())))
            return Value(static_cast<std::int64_t>(static_cast<double>(*number) * unit.microseconds));
      return std::nullopt;
    }
    case Base::string: return Value(text);
    case Base::category:
      if (type.closed() && std::find(type.domain().begin(), type.domain().end(), text) == type.domain().end()) return std::nullopt;
      return Value(text);
    default: return std::nullopt;
  }
}

struct Outside {
  std::string text;
  std::string from;
};

std::optional<Outside> from_outside(const Context& context, const std::string& name) {
  if (const auto at = context.options.params.find(name); at != context.options.params.end()) return Outside{at->second, "--param"};
  if (!context.options.read_environment) return std::nullopt;
  const std::string variable = "MLP_PARAM_" + name;
  if (const char* value = std::getenv(variable.c_str())) return Outside{value, variable};
  return std::nullopt;
}

}  // namespace

std::optional<hir::Param> resolve_param(Context& context, const ast::Declaration& declaration, Span reference) {
  const InModule within(context, declaration);
  if (const auto done = context.params.find(&declaration); done != context.params.end()) return done->second;
  const auto& param = std::get<ast::Param>(declaration.kind);
  const std::string name = full_name(context, declaration);
  const VisitGuard guard(context, &declaration, name, declaration.name.span, reference);
  if (!guard.good) return std::nullopt;
  const auto resolve = [&]() -> std::optional<hir::Param> {
    if (!param.type) return std::nullopt;
    const auto type = resolve_type(context, *param.type);
    std::optional<Interval> range;
    bool good = type.has_value();
    if (param.range) {
      range = constant_range(context, param.range, fmt::format("the range of `{}`", name));
      good = good && range;
    }
    if (!good) return std::nullopt;
    hir::Param out{name, *type, {}, "default", declaration.name.span};
    // The default is checked even where it is not used, so that what is wrong does not depend on the caller.
    std::optional<Value> fallback;
    if (param.fallback) {
      fallback = constant_of(context, param.fallback, *type, range, fmt::format("the default of `{}`", name));
      if (!fallback) return std::nullopt;
      out.value = *fallback;
    }
    if (const auto outside = from_outside(context, name)) {
      const auto value = parse_value(outside->text, *type);
      out.from = outside->from;
      if (!value) {
        context.report(diag::make(Code::E0301, declaration.name.span, fmt::format("`{}` for `{}` (from {}) is no `{}`", outside->text, name, outside->from, to_string(*type)))
                           .with_label(fmt::format("declared `{}`", to_string(*type)))
                           .with_help(fmt::format("give a value of type `{}`", to_string(*type))));
        return std::nullopt;
      }
      if (!check_range(context, *value, range, fmt::format("`{}` (from {})", name, outside->from), declaration.name.span)) return std::nullopt;
      out.value = *value;
    } else if (const auto* env = env_entry<ast::Param>(context, declaration.name.text); env && env->fallback) {
      const auto value = constant_of(context, env->fallback, *type, range, fmt::format("`{}` in `{}`", name, context.options.env));
      if (!value) return std::nullopt;
      out.value = *value;
      out.from = fmt::format("env {}", context.options.env);
    } else if (!fallback) {
      context.report(diag::make(Code::E0209, declaration.name.span, fmt::format("`{}` has no value", name)).with_label("no default, and none was given")
                         .with_help(fmt::format("give one with `--param {}=…`, or write a default: `= …`", name)));
      return std::nullopt;
    }
    return out;
  };
  auto result = resolve();
  context.params[&declaration] = result;
  if (result) context.out.params.push_back(*result);
  return result;
}

void check_option_params(Context& context) {
  if (!context.options.env.empty()) {
    std::vector<std::string_view> envs;
    for (const ast::Declaration& declaration : context.file.now->declarations)
      if (std::holds_alternative<ast::Env>(declaration.kind)) envs.push_back(declaration.name.text);
    if (std::find(envs.begin(), envs.end(), context.options.env) == envs.end()) {
      auto d = with_suggestion(diag::make(Code::E0201, {}, fmt::format("`--env {}` names no environment of this file", context.options.env)), context.options.env, {}, envs,
                               envs.empty() ? "this file declares no `env`" : fmt::format("its environments are {}", listing(envs)));
      d.fixes.clear();
      context.report(std::move(d));
    }
  }
  for (const auto& [name, value] : context.options.params) {
    const auto at = context.names.find(name);
    if (const std::size_t dot = name.find('.'); dot != std::string::npos) {
      const Declared* imported = find_imported(context, ast::Path{{{name.substr(0, dot), {}}, {name.substr(dot + 1), {}}}, {}});
      if (imported && imported->kind == DeclaredKind::param) continue;
    }
    if (at != context.names.end() && (at->second.kind == DeclaredKind::param || at->second.kind == DeclaredKind::broken)) continue;
    const auto candidates = declared_names(context, DeclaredKind::param);
    auto d = with_suggestion(diag::make(Code::E0201, {}, fmt::format("`--param {}=…` names no param of this file", name)), name, {}, candidates,
                             candidates.empty() ? "this file declares no params" : fmt::format("its params are {}", listing(candidates)));
    d.fixes.clear();
    context.report(std::move(d));
  }
}

}  // namespace mlp::sema
