#include "compiler/sema/bind_arguments.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/foreign_names.h"

namespace mlp::sema {

using diag::Code;

bool is_bound_by_planner(const Signature& signature, const Parameter& parameter) {
  return signature.uses_label && parameter.name == "label";
}

bool is_input(const Signature& signature, std::size_t index) {
  const Parameter& parameter = signature.parameters[index];
  if (is_bound_by_planner(signature, parameter) || parameter.fallback || !parameter.one_of.empty()) return false;
  return index == 0 || std::any_of(parameter.types.begin(), parameter.types.end(), [](const Type& t) { return t.missing; });
}

std::string types_text(const std::vector<Type>& types) {
  std::string out;
  for (const Type& type : types) out += (out.empty() ? "" : " | ") + to_string(type);
  return out;
}

std::string signature_text(const Signature& signature) {
  std::string out = signature.name + "(";
  bool first = true;
  for (const Parameter& parameter : signature.parameters) {
    if (is_bound_by_planner(signature, parameter)) continue;
    if (!first) out += ", ";
    first = false;
    out += parameter.name + ": ";
    if (parameter.one_of.empty()) {
      out += types_text(parameter.types);
    } else {
      out += "one_of(";
      for (std::size_t i = 0; i < parameter.one_of.size(); ++i) out += (i ? ", " : "") + parameter.one_of[i];
      out += ")";
    }
    if (parameter.fallback) out += " = " + (parameter.one_of.empty() ? to_string(*parameter.fallback) : std::get<std::string>(*parameter.fallback));
  }
  return out + ")";
}

namespace {

/// `0,5` among the arguments: two whole numbers with a comma and no blank between them; else empty.
std::string decimal_comma(const Scope& scope, const ast::Call& call) {
  if (scope.at) return {};
  for (std::size_t i = 0; i + 1 < call.arguments.size(); ++i) {
    const Span first = call.arguments[i].span, second = call.arguments[i + 1].span;
    const auto whole = [&](const ast::Argument& a) { return a.value && std::holds_alternative<ast::Int>(scope.file->expr(a.value).kind); };
    if (whole(call.arguments[i]) && whole(call.arguments[i + 1]) && first.end + 1 == second.begin) return scope.context.text({first.file, first.begin, second.end});
  }
  return {};
}

}  // namespace

Binding bind_arguments(const Scope& scope, const ast::Call& call, Span span, const Signature& signature) {
  Bound bound;
  bound.signature = &signature;
  bound.argument.resize(signature.parameters.size());
  const auto help = [&] { return fmt::format("it is declared `{}`", signature_text(signature)); };
  const auto failed = [&](Code code, Span at, std::string message, std::string label) {
    return Binding{std::nullopt, diag::make(code, at, std::move(message)).with_label(std::move(label)).with_help(help())};
  };
  std::size_t next = 0;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const ast::Argument& argument = call.arguments[i];
    const Span at = scope.place(argument.span);
    if (argument.key) {
      bound.keyed.push_back(i);
      continue;
    }
    std::size_t index = 0;
    if (argument.name) {
      while (index < signature.parameters.size() && signature.parameters[index].name != argument.name->text) ++index;
      if (index == signature.parameters.size()) {
        std::vector<std::string_view> candidates;
        for (const Parameter& parameter : signature.parameters)
          if (!is_bound_by_planner(signature, parameter)) candidates.push_back(parameter.name);
        const Span name_span = scope.place(argument.name->span);
        return {std::nullopt, with_meaning(diag::make(Code::E0208, name_span, fmt::format("`{}` has no parameter `{}`", signature.name, argument.name->text))
                                                  .with_label("no such parameter"),
                                              Named::parameter, argument.name->text, name_span, candidates, help())};
      }
      if (is_bound_by_planner(signature, signature.parameters[index]))
        return failed(Code::E0208, at, fmt::format("`{}` of `{}` is not written here: it is the label of the model", argument.name->text, signature.name),
                      "leave it out");
    } else {
      while (next < signature.parameters.size() &&
             (is_bound_by_planner(signature, signature.parameters[next]) || bound.argument[next] ||
              std::any_of(signature.parameters[next].types.begin(), signature.parameters[next].types.end(),
                          [](const Type& t) { return t.base == Base::map; })))
        ++next;
      if (next == signature.parameters.size()) {
        Binding too_many = failed(Code::E0209, at, fmt::format("`{}` takes {}, but {} are given", signature.name,
                                                               counted(signature.parameters.size() - (signature.uses_label ? 1 : 0), "argument"), call.arguments.size()),
                                  "one too many");
        if (const std::string number = decimal_comma(scope, call); !number.empty()) too_many.why.notes.push_back(fmt::format("is `{}` one number? then write `{}.{}`", number, number.substr(0, number.find(',')), number.substr(number.find(',') + 1)));
        return too_many;
      }
      index = next;
    }
    if (bound.argument[index]) return failed(Code::E0210, at, fmt::format("`{}` is given twice", signature.parameters[index].name), "given again here");
    bound.argument[index] = i;
  }
  bool has_map = false;
  for (std::size_t i = 0; i < signature.parameters.size(); ++i) {
    const Parameter& parameter = signature.parameters[i];
    const bool map = std::any_of(parameter.types.begin(), parameter.types.end(), [](const Type& t) { return t.base == Base::map; });
    has_map = has_map || map;
    if (bound.argument[i] || parameter.fallback || is_bound_by_planner(signature, parameter)) continue;
    if (map && !bound.keyed.empty()) continue;
    return failed(Code::E0209, span, fmt::format("`{}` needs {}", signature.name, map ? "named shares" : fmt::format("the argument `{}`", parameter.name)),
                  map ? "no `\"name\": share` is given" : fmt::format("`{}` is missing", parameter.name));
  }
  if (!has_map && !bound.keyed.empty())
    return failed(Code::E0209, scope.place(call.arguments[bound.keyed.front()].span), fmt::format("`{}` takes no `\"name\": value`", signature.name), "too many");
  return {std::move(bound), {}};
}

}  // namespace mlp::sema
