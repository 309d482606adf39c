#include "compiler/stdlibgen/entries.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mlp::stdlib {

namespace {

using diag::Code;

constexpr std::array<std::string_view, 15> kOperators = {"+",  "-", "*",  "/",   "^",   "==",  "!=", "<",
                                                         "<=", ">", ">=", "neg", "not", "and", "or"};

class Collector {
 public:
  Collector(const ast::File& file, const SourceMap& sources, diag::Sink& sink)
      : file_(file), sources_(sources), sink_(sink) {}

  Signature entry(const ast::Declaration& declaration) {
    const auto& callable = std::get<ast::Callable>(declaration.kind);
    Signature out;
    out.kind = static_cast<EntryKind>(callable.kind);
    out.name = declaration.name.text;
    out.doc = one_line(declaration.doc);
    out.place = place(declaration.span);
    if (out.doc.empty())
      report(Code::E0207, declaration.name.span, fmt::format("`{}` has no documentation", out.name),
             "write a `##` line above it");
    if (callable.op) {
      out.op = callable.op->value;
      if (std::ranges::find(kOperators, out.op) == kOperators.end())
        report(Code::E0101, callable.op->span, fmt::format("`{}` is no operator", out.op),
               fmt::format("operators are {}", fmt::join(kOperators, " ")));
    }
    for (const ast::Parameter& each : callable.parameters) {
      for (const Parameter& other : out.parameters)
        if (other.name == each.name.text)
          report(Code::E0202, each.name.span, fmt::format("parameter `{}` is declared twice", each.name.text),
                 "give it another name");
      out.parameters.push_back(parameter(each));
    }
    if (callable.result) {
      out.result = type(*callable.result);
      if (!callable.result->words.empty()) {
        out.domain_of = callable.result->words[0].text;
        const auto map = std::ranges::find(out.parameters, out.domain_of, &Parameter::name);
        if (map == out.parameters.end() || map->types[0].base != Base::map)
          report(Code::E0201, callable.result->words[0].span,
                 fmt::format("`{}` is no parameter of type map", out.domain_of),
                 "name the parameter whose keys are the domain");
      }
    }
    out.result_range = interval(callable.result_range);
    if (callable.known_when) out.known_when = text(callable.known_when);
    out.row = callable.row;
    out.random = callable.random;
    if (callable.interpreted_because) out.interpreted_because = callable.interpreted_because->value;
    for (const ast::FitField& field : callable.fits)
      out.fits.emplace_back(field.name.text, type(field.type));
    out.uses_label = out.kind == EntryKind::transform &&
                     std::ranges::find(out.parameters, std::string("label"), &Parameter::name) != out.parameters.end();
    out.cross_fit = static_cast<int>(callable.cross_fit.value_or(0));
    for (const ast::TypeRef& each : callable.predicts)
      out.predicts.push_back(type(each));
    for (const ast::TypeRef& each : callable.takes)
      out.takes.push_back(type(each));
    out.binned = callable.binned;
    for (const ast::Preparation& each : callable.prepares) {
      auto& line = out.prepares.emplace_back(type(each.type), std::vector<std::string>());
      for (const ast::ExprId output : each.outputs)
        line.second.push_back(text(output));
    }
    if (callable.better)
      out.higher_is_better = callable.better->text == "higher";
    else if (out.kind == EntryKind::drift)
      out.higher_is_better = false;
    out.of_decision = callable.of_decision;
    out.of_window = callable.of_window;
    out.declassifies = callable.declassifies;
    bind(declaration, callable, out);
    check(declaration, callable, out);
    return out;
  }

  void report(Code code, Span at, std::string message, std::string help) {
    sink_.report(diag::make(code, at, std::move(message)).with_help(std::move(help)));
  }

 private:
  static std::string one_line(std::string text) {
    std::ranges::replace(text, '\n', ' ');
    return text;
  }
  std::string text(ast::ExprId id) const {
    std::string out;
    for (const char c : sources_.text(file_.expr(id).span))
      if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
        out += c;
      else if (!out.empty() && out.back() != ' ')
        out += ' ';
    return out;
  }
  std::string place(Span span) const {
    std::string_view path = sources_.file(span.file).path;
    if (const std::size_t slash = path.rfind('/'); slash != std::string_view::npos)
      if (const std::size_t folder = path.rfind('/', slash - 1); folder != std::string_view::npos)
        path.remove_prefix(folder + 1);
    return fmt::format("{}:{}", path, sources_.locate(span.file, span.begin).line);
  }

  Type type(const ast::TypeRef& ref) {
    std::string written = ref.name.text;
    if (!ref.values.empty()) {
      std::vector<std::string> values;
      for (const ast::Text& value : ref.values)
        values.push_back(value.value);
      return Type::category(std::move(values), ref.ordered, ref.missing);
    }
    if (!ref.element.empty()) return Type::list(type(ref.element[0]), ref.missing);
    if (ref.width) written += fmt::format("({})", *ref.width);
    if (ref.missing) written += '?';
    if (auto parsed = parse_type(written)) return *parsed;
    report(Code::E0201, ref.span, fmt::format("there is no type `{}`", ref.name.text),
           "types are bool, int, float, string, date, timestamp, duration, category, list(T), vector, map, and `T?`");
    return Type::error();
  }

  Parameter parameter(const ast::Parameter& from) {
    Parameter out;
    out.name = from.name.text;
    out.doc = one_line(from.doc);
    for (const ast::TypeRef& each : from.types) {
      if (each.name.text == "secret") {
        out.secret = true;
        out.types.push_back(Type::of(Base::string));
      } else if (each.name.text == "one_of") {
        for (const ast::Name& word : each.words)
          out.one_of.push_back(word.text);
        out.types.push_back(Type::of(Base::string));
      } else {
        out.types.push_back(type(each));
      }
    }
    out.range = interval(from.range);
    if (from.fallback) out.fallback = fallback(from, out);
    return out;
  }

  std::optional<Value> fallback(const ast::Parameter& from, const Parameter& parameter) {
    const ast::Expr& expr = file_.expr(from.fallback);
    if (!parameter.one_of.empty()) {
      const auto* ref = std::get_if<ast::Ref>(&expr.kind);
      if (ref && std::ranges::find(parameter.one_of, ref->path.text()) != parameter.one_of.end())
        return Value(ref->path.text());
      report(Code::E0303, expr.span, "the default is none of the words",
             fmt::format("write one of {}", fmt::join(parameter.one_of, ", ")));
      return std::nullopt;
    }
    auto value = constant(from.fallback);
    if (!value) {
      report(Code::E0304, expr.span, "a default is a constant", "write a number, a text, `true`, `false` or `missing`");
      return std::nullopt;
    }
    const bool takes_float = std::ranges::any_of(parameter.types, [](const Type& t) { return t.base == Base::float_; });
    const bool takes_int = std::ranges::any_of(
        parameter.types, [](const Type& t) { return t.base == Base::int_ || t.base == Base::duration; });
    if (const auto* whole = std::get_if<std::int64_t>(&*value); whole && takes_float && !takes_int)
      value = static_cast<double>(*whole);
    const auto fits = [&](const Type& t) {
      switch (value->index()) {
        case 0:
          return t.missing;
        case 1:
          return t.base == Base::bool_;
        case 2:
          return t.base == Base::int_ || t.base == Base::duration;
        case 3:
          return t.base == Base::float_;
        default:
          return t.is_text();
      }
    };
    if (std::ranges::none_of(parameter.types, fits))
      report(Code::E0301, expr.span, "the default is of another type than the parameter", "change one of them");
    if (parameter.range) {
      const auto* whole = std::get_if<std::int64_t>(&*value);
      const auto* real = std::get_if<double>(&*value);
      if ((whole && !parameter.range->contains(static_cast<double>(*whole))) ||
          (real && !parameter.range->contains(*real)))
        report(Code::E0303, expr.span, "the default is outside of its range", "change one of them");
    }
    return value;
  }

  std::optional<Value> constant(ast::ExprId id) const {
    const auto& kind = file_.expr(id).kind;
    if (std::holds_alternative<ast::Missing>(kind)) return Value();
    if (const auto* v = std::get_if<ast::Bool>(&kind)) return Value(v->value);
    if (const auto* v = std::get_if<ast::Int>(&kind)) return Value(v->value);
    if (const auto* v = std::get_if<ast::Float>(&kind)) return Value(v->value);
    if (const auto* v = std::get_if<ast::Percent>(&kind)) return Value(v->fraction);
    if (const auto* v = std::get_if<ast::Duration>(&kind)) return Value(v->microseconds);
    if (const auto* v = std::get_if<ast::String>(&kind)) return Value(v->value);
    if (const auto* v = std::get_if<ast::Unary>(&kind); v && v->op == ast::UnaryOp::negate) {
      const auto inner = constant(v->operand);
      if (inner && std::holds_alternative<std::int64_t>(*inner)) return Value(-std::get<std::int64_t>(*inner));
      if (inner && std::holds_alternative<double>(*inner)) return Value(-std::get<double>(*inner));
    }
    return std::nullopt;
  }

  std::optional<Interval> interval(ast::ExprId id) {
    if (!id) return std::nullopt;
    const auto* range = std::get_if<ast::Binary>(&file_.expr(id).kind);
    if (!range) return std::nullopt;
    const auto bound = [&](ast::ExprId side) {
      const auto value = constant(side);
      if (value && std::holds_alternative<std::int64_t>(*value))
        return static_cast<double>(std::get<std::int64_t>(*value));
      if (value && std::holds_alternative<double>(*value)) return std::get<double>(*value);
      report(Code::E0304, file_.expr(side).span, "a bound is a number", "write a number");
      return 0.0;
    };
    const Interval out{bound(range->left), bound(range->right)};
    if (out.low > out.high)
      report(Code::E0303, file_.expr(id).span, "the range is empty", "the lower bound stands first");
    return out;
  }

  void bind(const ast::Declaration& declaration, const ast::Callable& callable, Signature& out) {
    using Kind = ast::Binding::Kind;
    const ast::Binding& binding = callable.binding;
    switch (binding.kind) {
      case Kind::expression:
        out.body = text(binding.body);
        return;
      case Kind::python:
        report(Code::E0601, binding.span, "the standard library is not bound to Python", "write `= native`");
        return;
      case Kind::implied:
        return;  // declared, so that programs can be checked; nothing runs it yet
      case Kind::native:
        out.native = binding.symbol ? binding.symbol->value : out.name;
    }
    if (out.native.empty() || (out.native[0] >= '0' && out.native[0] <= '9') ||
        out.native.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") !=
            std::string::npos)
      report(Code::E0101, binding.span ? binding.span : declaration.name.span,
             fmt::format("`{}` is no C++ name", out.native), "a symbol has letters, digits and `_`");
    out.can_fail = out.kind == EntryKind::fn && out.result.missing && out.known_when.empty();
  }

  void check(const ast::Declaration& declaration, const ast::Callable& callable, const Signature& out) {
    const auto only = [&](bool there, bool fits, std::string_view what) {
      if (there && !fits)
        report(Code::E0206, declaration.name.span, fmt::format("`{}` does not belong to this kind of entry", what),
               "remove it");
    };
    only(!out.op.empty() || out.row || out.random || !out.interpreted_because.empty() || out.declassifies,
         out.kind == EntryKind::fn, "operator, row, random, interpreted because, declassifies");
    only(!out.known_when.empty(), out.kind == EntryKind::fn || out.kind == EntryKind::aggregate, "known when");
    only(out.of_window, out.kind == EntryKind::aggregate, "of window");
    only(!out.fits.empty() || out.cross_fit != 0, out.kind == EntryKind::transform, "fits, cross_fit");
    only(callable.better.has_value() || out.of_decision, out.kind == EntryKind::metric || out.kind == EntryKind::drift,
         "better, of decision");
    if (out.kind == EntryKind::transform && out.fits.empty())
      report(Code::E0207, declaration.name.span, fmt::format("transform `{}` does not say what it fits", out.name),
             "write `fits { name: type }`");
    if (out.kind == EntryKind::metric && !callable.better)
      report(Code::E0207, declaration.name.span, fmt::format("metric `{}` does not say which way is better", out.name),
             "write `better higher` or `better lower`");
    if (out.kind == EntryKind::model && !out.binned && out.prepares.empty())
      report(Code::E0207, declaration.name.span, fmt::format("model `{}` does not say what it reads", out.name),
             "write `binned` or `prepares { … }`");
  }

  const ast::File& file_;
  const SourceMap& sources_;
  diag::Sink& sink_;
};

}  // namespace

void collect_entries(const ast::File& file, const SourceMap& sources, std::vector<Signature>& entries,
                     diag::Sink& sink) {
  Collector collector(file, sources, sink);
  for (const ast::Declaration& declaration : file.declarations) {
    if (std::holds_alternative<ast::BrokenDeclaration>(declaration.kind)) continue;
    if (!std::holds_alternative<ast::Callable>(declaration.kind)) {
      collector.report(
          Code::E0211, declaration.word,
          "the standard library declares functions, transforms, models, metrics, drift tests, sources, sinks and aggregates only",
          "move it into a workflow");
      continue;
    }
    Signature made = collector.entry(declaration);
    for (const Signature& other : entries) {
      if (made.native.empty() || other.kind != made.kind || other.native != made.native) continue;
      if (made.kind == EntryKind::aggregate && made.name == other.name) continue;  // overloads share one native: it reads the type of its column
      collector.report(Code::E0202, declaration.name.span,
                       fmt::format("the native `{}` is bound at {} already", made.native, other.place),
                       "each overload names a symbol of its own: `= native(\"symbol\")`");
    }
    entries.push_back(std::move(made));
  }
}

}  // namespace mlp::stdlib
