#include <fmt/format.h>

#include "compiler/sema/foreign_names.h"
#include "compiler/sema/intervals.h"
#include "compiler/sema/typer.h"
#include "compiler/syntax/ast.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

void Scope::report(diag::Diagnostic diagnostic) const {
  if (!quiet) context.report(std::move(diagnostic));
}

std::string type_text(const Builder& builder, NodeId node) {
  return builder.is_missing(node) ? "missing" : fmt::format("`{}`", to_string(builder.type(node)));
}

std::optional<diag::Label> origin_of(const Scope& scope, NodeId node) {
  const auto* input = std::get_if<expr::Input>(&scope.builder[node].op);
  if (!input || scope.statistics) return std::nullopt;
  const std::uint32_t column = scope.builder.inputs()[input->index].column;
  if (column >= scope.context.out.columns.size()) return std::nullopt;
  const hir::Column& declared = scope.context.out.columns[column];
  if (!declared.span) return std::nullopt;
  return diag::Label{declared.span, fmt::format("`{}` is declared here, `{}`", declared.name, to_string(declared.type))};
}

std::set<std::string, std::less<>> known_where(const ast::File& file, ast::ExprId condition, bool truth) {
  std::set<std::string, std::less<>> names;
  const ast::Expr& e = file.expr(condition);
  if (const auto* is = std::get_if<ast::IsKnown>(&e.kind)) {
    const auto* ref = std::get_if<ast::Ref>(&file.expr(is->value).kind);
    if (ref && is->known == truth && ref->path.parts.size() == 1) names.insert(ref->path.parts[0].text);
  } else if (const auto* no = std::get_if<ast::Unary>(&e.kind); no && no->op == ast::UnaryOp::not_) {
    return known_where(file, no->operand, !truth);
  } else if (const auto* both = std::get_if<ast::Binary>(&e.kind)) {
    if ((both->op == ast::BinaryOp::and_ && truth) || (both->op == ast::BinaryOp::or_ && !truth)) {
      names = known_where(file, both->left, truth);
      names.merge(known_where(file, both->right, truth));
    }
  }
  return names;
}

namespace {

/// Names narrowed for the time of a scope.
class Narrowed {
 public:
  Narrowed(Scope& scope, const std::set<std::string, std::less<>>& names) : scope_(scope), before_(scope.known) {
    scope.known.insert(names.begin(), names.end());
  }
  ~Narrowed() { scope_.known = std::move(before_); }
  Narrowed(const Narrowed&) = delete;
  Narrowed& operator=(const Narrowed&) = delete;

 private:
  Scope& scope_;
  std::set<std::string, std::less<>> before_;
};

/// An operand of and, or, not: a bool, missing or not.
NodeId type_truth(Scope& scope, ast::ExprId id, std::string_view op) {
  const NodeId node = type_expression(scope, id);
  if (!node) return {};
  if (scope.builder.is_missing(node)) return *scope.builder.convert(node, Type::of(Base::bool_));
  if (scope.builder.type(node).base == Base::bool_) return node;
  auto d = diag::make(Code::E0301, scope.place(scope.file->expr(id).span),
                      fmt::format("`{}` takes conditions, not {}", op, type_text(scope.builder, node)))
               .with_label(fmt::format("is {}", type_text(scope.builder, node)))
               .with_help("compare it with something, so that it is true or false");
  if (auto label = origin_of(scope, node)) d.secondary.push_back(*label);
  scope.report(std::move(d));
  return {};
}

/// What two branches have in common, both converted to it; nullopt where there is no such type.
std::optional<Type> common_type(Builder& b, NodeId& left, NodeId& right) {
  const bool left_empty = b.is_missing(left), right_empty = b.is_missing(right);
  if (left_empty && right_empty) return std::nullopt;
  if (left_empty) return left = *b.convert(left, b.type(right)), b.type(right).maybe();
  if (right_empty) return right = *b.convert(right, b.type(left)), b.type(left).maybe();
  const Type l = b.type(left), r = b.type(right);
  const bool missing = l.missing || r.missing;
  if (l.base == r.base && l.base != Base::category) {
    if (l.known() == r.known()) return l.maybe(missing);
    return std::nullopt;
  }
  if (l.is_number() && r.is_number()) {
    const Type real = Type::of(Base::float_);
    left = *b.convert(left, real), right = *b.convert(right, real);
    return real.maybe(missing);
  }
  // A text constant beside a category is one of its values, or a new one.
  const auto domain_with = [&](const Type& category, NodeId other) -> std::optional<Type> {
    const auto value = b.constant(other);
    const auto* text = value ? std::get_if<std::string>(&*value) : nullptr;
    if (!text) return std::nullopt;
    std::vector<std::string> domain = category.domain();
    if (!domain.empty() && std::find(domain.begin(), domain.end(), *text) == domain.end()) domain.push_back(*text);
    const bool ordered = category.detail && category.detail->ordered && domain.size() == category.domain().size();
    return Type::category(std::move(domain), ordered);
  };
  if (l.is_text() && r.is_text()) {
    Type type = Type::of(Base::string);
    if (l.base == Base::category && r.base == Base::category) {
      std::vector<std::string> domain = l.domain();
      if (domain.empty() || r.domain().empty()) domain.clear();
      else for (const std::string& value : r.domain()) if (std::find(domain.begin(), domain.end(), value) == domain.end()) domain.push_back(value);
      type = Type::category(std::move(domain), l.known() == r.known() && l.detail && l.detail->ordered);
    } else if (l.base == Base::category) {
      if (auto wider = domain_with(l, right)) type = *wider;
    } else if (auto wider = domain_with(r, left)) {
      type = *wider;
    }
    left = *b.convert(left, type), right = *b.convert(right, type);
    return type.maybe(missing);
  }
  if ((l.base == Base::date && r.base == Base::timestamp) || (l.base == Base::timestamp && r.base == Base::date)) {
    const Type moment = Type::of(Base::timestamp);
    left = *b.convert(left, moment), right = *b.convert(right, moment);
    return moment.maybe(missing);
  }
  return std::nullopt;
}

NodeId type_coalesce(Scope& scope, const ast::Binary& op, Span span) {
  NodeId value = type_expression(scope, op.left);
  NodeId fallback = type_expression(scope, op.right);
  if (!value || !fallback) return {};
  const Type before = scope.builder.type(value), after = scope.builder.type(fallback);
  const auto type = common_type(scope.builder, value, fallback);
  if (!type) {
    auto d = diag::make(Code::E0301, scope.place(op.op_span), "both sides of `??` need one type")
                 .with_label("these do not fit together")
                 .with_secondary(scope.place(scope.file->expr(op.left).span), fmt::format("`{}`", to_string(before)))
                 .with_secondary(scope.place(scope.file->expr(op.right).span), fmt::format("`{}`", to_string(after)))
                 .with_help(fmt::format("the right side stands in where the left one is missing: give a value of type `{}`", to_string(before.known())));
    scope.report(std::move(d));
    return {};
  }
  if (!scope.builder.type(value).missing) return value;
  Type result = type->known().maybe(scope.builder.type(fallback).missing);
  return scope.builder.coalesce(value, fallback, std::move(result), span);
}

NodeId type_if(Scope& scope, const ast::If& op, Span span) {
  const NodeId condition = type_condition(scope, op.condition, "the condition of `if`");
  NodeId yes, no;
  {
    const Narrowed narrowed(scope, known_where(*scope.file, op.condition, true));
    yes = type_expression(scope, op.then);
  }
  {
    const Narrowed narrowed(scope, known_where(*scope.file, op.condition, false));
    no = type_expression(scope, op.otherwise);
  }
  if (!condition || !yes || !no) return {};
  const Type first = scope.builder.type(yes), second = scope.builder.type(no);
  const auto type = common_type(scope.builder, yes, no);
  if (!type) {
    scope.report(diag::make(Code::E0301, scope.place(span), "both branches of `if` need one type")
                     .with_label("neither type holds both")
                     .with_secondary(scope.place(scope.file->expr(op.then).span), fmt::format("`{}`", to_string(first)))
                     .with_secondary(scope.place(scope.file->expr(op.otherwise).span), fmt::format("`{}`", to_string(second)))
                     .with_help("cast one of them, so that both have one type"));
    return {};
  }
  if (const auto truth = scope.builder.decide(condition)) return *truth ? yes : no;
  return scope.builder.choose(condition, yes, no, *type, span);
}

NodeId type_binary(Scope& scope, const ast::Binary& op, Span span) {
  Builder& b = scope.builder;
  switch (op.op) {
    case ast::BinaryOp::and_:
    case ast::BinaryOp::or_: {
      const bool both = op.op == ast::BinaryOp::and_;
      const NodeId left = type_truth(scope, op.left, ast::token(op.op));
      const Narrowed narrowed(scope, known_where(*scope.file, op.left, both));
      const NodeId right = type_truth(scope, op.right, ast::token(op.op));
      if (!left || !right) return {};
      return both ? b.conjunction(left, right, span) : b.disjunction(left, right, span);
    }
    case ast::BinaryOp::coalesce: return type_coalesce(scope, op, span);
    case ast::BinaryOp::range:
      scope.report(diag::make(Code::E0301, scope.place(span), "a range is no value")
                       .with_label("stands alone")
                       .with_help("ranges stand after `in`, without parentheses: `x in 1..9`"));
      return {};
    default: break;
  }
  if (op.op == ast::BinaryOp::equal || op.op == ast::BinaryOp::not_equal)
    for (const auto& [word, value] : {std::pair(op.right, op.left), std::pair(op.left, op.right)}) {
      if (!is_null_word(scope, word)) continue;
      if (!type_expression(scope, value) || scope.at) return {};
      const std::string test = op.op == ast::BinaryOp::equal ? "is missing" : "is known";
      const std::string meant = fmt::format("{} {}", scope.context.text(scope.file->expr(value).span), test), null = scope.context.text(scope.file->expr(word).span);
      scope.report(diag::make(Code::E0201, scope.place(scope.file->expr(word).span), fmt::format("there is no `{}`: a value that is not there is `missing`, and equals nothing", null)).with_label("not known here")
                       .with_help(fmt::format("write `{}`", meant)).with_fix({span, meant, fmt::format("write `{}`", test), true}));
      return {};
    }
  const NodeId left = type_expression(scope, op.left), right = type_expression(scope, op.right);
  if (!left || !right) return {};
  const NodeId node = apply_operator(scope, ast::token(op.op), {left, right}, scope.place(op.op_span), span);
  if (op.op >= ast::BinaryOp::equal && op.op <= ast::BinaryOp::greater_equal) warn_decided(scope, node, {left, right}, span);
  return node;
}

}  // namespace

void warn_decided(const Scope& scope, NodeId node, std::initializer_list<NodeId> operands, Span span) {
  const Builder& b = scope.builder;
  // Said of what the user wrote and can see the ranges of: not of inlined texts, nor of settings alone.
  if (!node || scope.at || scope.quiet || scope.locals.contains("it")) return;
  NodeId wide;
  for (const NodeId operand : operands)
    if (operand && b.type(operand).is_number() && !b.constant(operand)) wide = operand;
  const auto decided = wide ? b.decide(node) : std::nullopt;
  if (!decided) return;
  // 15 where 15% is meant: a share lies between 0 and 1.
  std::string share;
  for (const NodeId operand : operands)
    if (const auto value = operand ? b.constant(operand) : std::nullopt; value && b.range(wide) == Interval{0, 1}) {
      const auto* whole = std::get_if<std::int64_t>(&*value);
      const auto* real = std::get_if<double>(&*value);
      const double bound = whole ? static_cast<double>(*whole) : real ? *real : 0;
      if (bound > 1 && bound <= 100) share = scope.context.text(b[operand].span);
    }
  auto d = diag::make(Code::W0301, span, fmt::format("this is always {}{}", *decided ? "true" : "false", b.type(wide).missing ? ", or missing" : ""))
               .with_label(fmt::format("`{}` lies in {}", scope.context.text(b[wide].span), range_text(b.range(wide))))
               .with_help(share.empty() ? "compare with a value inside of that range, or leave the comparison out" : fmt::format("a share is written in percent: did you mean `{}%`?", share));
  if (auto origin = origin_of(scope, wide)) d.secondary.push_back(*origin);
  scope.report(std::move(d));
}

NodeId type_expression(Scope& scope, ast::ExprId id) {
  struct Visitor {
    Scope& scope;
    Span span;  ///< as nodes keep it
    Builder& b;
    NodeId operator()(const ast::Broken&) const { return {}; }
    NodeId operator()(const ast::Missing&) const { return b.missing(span); }
    NodeId operator()(const ast::Bool& v) const { return b.literal(v.value, Type::of(Base::bool_), span); }
    NodeId operator()(const ast::Int& v) const { return b.literal(v.value, Type::of(Base::int_), span); }
    NodeId operator()(const ast::Float& v) const { return b.literal(v.value, Type::of(Base::float_), span); }
    NodeId operator()(const ast::Percent& v) const { return b.literal(v.fraction, Type::of(Base::float_), span); }
    NodeId operator()(const ast::Duration& v) const { return b.literal(v.microseconds, Type::of(Base::duration), span); }
    NodeId operator()(const ast::String& v) const { return b.literal(v.value, Type::of(Base::string), span); }
    NodeId operator()(const ast::Ref& v) const { return type_name(scope, v.path, span); }
    NodeId operator()(const ast::Unary& v) const {
      if (v.op == ast::UnaryOp::not_) {
        const NodeId value = type_truth(scope, v.operand, "not");
        return value ? b.negation(value, span) : value;
      }
      const NodeId value = type_expression(scope, v.operand);
      return value ? apply_operator(scope, ast::token(v.op), {value}, scope.place(v.op_span), span) : value;
    }
    NodeId operator()(const ast::Binary& v) const { return type_binary(scope, v, span); }
    NodeId operator()(const ast::In& v) const { return type_in(scope, v, span); }
    NodeId operator()(const ast::Set&) const { return misplaced("a set in parentheses stands after `in` only", "`x in (\"a\", \"b\")`"); }
    NodeId operator()(const ast::List&) const { return misplaced("a list is no value of a row", "to test membership write `x in (a, b)`"); }
    NodeId operator()(const ast::IsKnown& v) const {
      const NodeId value = type_expression(scope, v.value);
      if (!value) return {};
      if (!b.type(value).missing) {
        // Inside a narrowed branch, and in functions written for `T?`, this is simply decided.
        return b.literal(v.known, Type::of(Base::bool_), span);
      }
      return b.is_known(value, !v.known, span);
    }
    NodeId operator()(const ast::If& v) const { return type_if(scope, v, span); }
    NodeId operator()(const ast::Call& v) const { return type_call(scope, v, span); }
    NodeId operator()(const ast::MetricAt&) const { return misplaced("`at` stands in `metrics` and `require` only", "leave it out here: write the threshold where the metric is asked for, `metrics f1 at 0.5`"); }
    NodeId operator()(const ast::MetricBy&) const { return misplaced("`by` after a call stands in `metrics` and `require` only", "write it inside of the parentheses: `mean(trips.fare by card)`"); }
    NodeId misplaced(std::string message, std::string help) const {
      scope.report(diag::make(Code::E0301, span, std::move(message)).with_label("not here").with_help(std::move(help)));
      return {};
    }
  };
  const ast::Expr& e = scope.file->expr(id);
  const Nested nested(scope.context, scope.place(e.span));
  if (!nested.good) return {};
  return std::visit(Visitor{scope, scope.place(e.span), scope.builder}, e.kind);
}

NodeId type_condition(Scope& scope, ast::ExprId id, const std::string& what) {
  const NodeId node = type_expression(scope, id);
  if (!node) return {};
  const Span span = scope.place(scope.file->expr(id).span);
  const Type& type = scope.builder.type(node);
  if (type.base != Base::bool_) {
    auto d = diag::make(Code::E0301, span, fmt::format("{} must be true or false, but is {}", what, type_text(scope.builder, node)))
                 .with_label(fmt::format("is {}", type_text(scope.builder, node)))
                 .with_help("compare it, as in `x > 0` or `x == \"a\"`");
    if (auto label = origin_of(scope, node)) d.secondary.push_back(*label);
    scope.report(std::move(d));
    return {};
  }
  if (type.missing) {
    auto d = diag::make(Code::E0302, span, fmt::format("{} may be missing", what))
                 .with_label("is `bool?`: true, false or missing")
                 .with_help("say what holds where it is missing: `(…) ?? false`");
    scope.report(std::move(d));
    return {};
  }
  return node;
}

namespace {

/// Where a function makes the value missing: under what condition it is known.
std::string why_missing(const Builder& b, NodeId node) {
  const auto* choose = std::get_if<expr::Choose>(&b[node].op);
  const auto* call = choose ? std::get_if<expr::Call>(&b[choose->yes].op) : nullptr;
  const Signature* signature = call ? find_native(call->native) : nullptr;
  if (!signature || signature->known_when.empty()) return {};
  const bool op = !signature->op.empty();
  return fmt::format("`{}` of `{}` is known when `{}`, which no declared range shows here", op ? signature->op : signature->name,
                     [&] {
                       std::string names;
                       for (const Parameter& parameter : signature->parameters) names += (names.empty() ? "" : ", ") + parameter.name;
                       return names;
                     }(),
                     signature->known_when);
}

}  // namespace

NodeId require_type(Scope& scope, NodeId node, const Type& type, const std::string& what, Span declared) {
  if (!node || type.is_error()) return {};
  Builder& b = scope.builder;
  const Span span = b[node].span;
  const auto fail = [&](Code code, std::string message, std::string label, std::string help) -> NodeId {
    auto d = diag::make(code, span, std::move(message)).with_label(std::move(label)).with_help(std::move(help));
    if (declared) d.secondary.push_back({declared, fmt::format("{} is declared `{}` here", what, to_string(type))});
    if (code == Code::E0302)
      if (auto reason = why_missing(b, node); !reason.empty()) d.notes.push_back(std::move(reason));
    if (auto label = origin_of(scope, node); label && label->span != declared) d.secondary.push_back(*label);
    scope.report(std::move(d));
    return {};
  };
  if (b.is_missing(node)) {
    if (!type.missing)
      return fail(Code::E0302, fmt::format("{} cannot be missing", what), "is missing", fmt::format("declare {} `{}?`", what, to_string(type)));
    return *b.convert(node, type);
  }
  const Type from = b.type(node);
  if (type.closed() && from.is_text()) {
    std::vector<std::string> values = from.domain();
    if (const auto value = b.constant(node); value && std::holds_alternative<std::string>(*value)) values = {std::get<std::string>(*value)};
    for (const std::string& value : values)
      if (std::find(type.domain().begin(), type.domain().end(), value) == type.domain().end()) {
        std::vector<std::string_view> candidates(type.domain().begin(), type.domain().end());
        auto d = with_suggestion(diag::make(Code::E0305, span, fmt::format("\"{}\" is no value of {}", value, what))
                                     .with_label("not one of its values"),
                                 value, span, candidates, fmt::format("its values are {}", listing(candidates)));
        d.fixes.clear();
        if (declared) d.secondary.push_back({declared, fmt::format("its values are declared here: `{}`", to_string(type.known()))});
        scope.report(std::move(d));
        return {};
      }
  }
  const auto converted = b.convert(node, type);
  const bool compatible = converted && (type.base != Base::vector || from.known() == type.known() || !type.detail);
  if (!compatible) {
    std::string help = "cast it, or change the declared type";
    if (const auto value = b.constant(node); value && type.base == Base::duration && !scope.at)
      help = std::holds_alternative<std::string>(*value) ? "write a duration, without quotes: `7d`, `24h`, `15min`" : "write a number with its unit: `7d`, `24h`, `15min`";
    if (from.base == Base::float_ && type.base == Base::int_) help = "a float does not become an int by itself: cast it with `int(…)`, or declare `float`";
    return fail(Code::E0301, fmt::format("{} is `{}`, but this is {}", what, to_string(type.known()), type_text(b, node)),
                fmt::format("is {}", type_text(b, node)), std::move(help));
  }
  if (from.missing && !type.missing)
    return fail(Code::E0302, fmt::format("{} is `{}`, but this may be missing", what, to_string(type)), fmt::format("is {}", type_text(b, node)),
                fmt::format("say what stands in for a missing value with `?? default`, or declare {} `{}?`", what, to_string(type)));
  return *converted;
}

NodeId type_as(Scope& scope, ast::ExprId id, const Type& type, const std::string& what, Span declared) {
  const NodeId node = type_expression(scope, id);
  if (!node) return {};
  return require_type(scope, node, type, what, declared);
}

}  // namespace mlp::sema
