#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/foreign_names.h"
#include "compiler/sema/intervals.h"
#include "compiler/sema/typer.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

namespace {

/// What it costs to give a node this type; nullopt: it cannot be. Exact 0; constants convert for nothing at run time.
std::optional<int> cost(const Builder& b, NodeId node, const Type& target) {
  if (b.is_missing(node)) return 0;
  const Base from = b.type(node).base, to = target.base;
  const bool constant = b.constant(node).has_value();
  if (from == to) return 0;
  if (from == Base::int_ && to == Base::float_) return constant ? 1 : 2;
  if (from == Base::string && to == Base::category && constant) return 1;
  if (from == Base::category && to == Base::string) return 2;
  if (from == Base::date && to == Base::timestamp) return 2;
  if (from == Base::string && to == Base::category) return 3;
  return std::nullopt;
}

bool is_comparison(std::string_view token) {
  return token == "==" || token == "!=" || token == "<" || token == "<=" || token == ">" || token == ">=";
}
bool is_equality(std::string_view token) { return token == "==" || token == "!="; }

void report_domain(const Scope& scope, const std::string& value, const Type& type, Span span, NodeId category, std::string_view consequence) {
  const std::vector<std::string_view> domain(type.domain().begin(), type.domain().end());
  auto d = with_suggestion(diag::make(Code::E0305, span, fmt::format("\"{}\" is no value of this category, {}", value, consequence))
                               .with_label("not one of its values"),
                           value, span, domain, fmt::format("its values are {}", listing(domain)));
  for (diag::Fix& fix : d.fixes) fix.replacement = fmt::format("\"{}\"", fix.replacement);
  if (auto origin = origin_of(scope, category)) d.secondary.push_back(*origin);
  scope.report(std::move(d));
}

/// Comparison of a category with a constant: equality is checked against a closed domain, order is that of the declaration.
/// nullopt: nothing special.
std::optional<NodeId> compare_category(Scope& scope, std::string_view token, NodeId left, NodeId right, Span op_span, Span span) {
  Builder& b = scope.builder;
  const bool swapped = b.type(left).base != Base::category;
  const NodeId category = swapped ? right : left, other = swapped ? left : right;
  const Type type = b.type(category);
  if (type.base != Base::category) return std::nullopt;
  const auto constant = b.constant(other);
  const std::string* text = constant ? std::get_if<std::string>(&*constant) : nullptr;
  if (type.closed() && text && std::find(type.domain().begin(), type.domain().end(), *text) == type.domain().end()) {
    report_domain(scope, *text, type, b[other].span, category, is_equality(token) ? (token == "==" ? "so this is never true" : "so this is always true") : "so there is no order");
    return NodeId{};
  }
  if (is_equality(token)) return std::nullopt;
  if (!type.detail || !type.detail->ordered) {
    auto d = diag::make(Code::E0301, op_span, fmt::format("`{}` needs an order, and this category has none", token))
                 .with_label("categories are equal or not")
                 .with_help("declare the order of the values, `category(\"low\" < \"high\")`, or compare the text: `string(…)`");
    if (auto origin = origin_of(scope, category)) d.secondary.push_back(*origin);
    scope.report(std::move(d));
    return NodeId{};
  }
  if (!text) {
    scope.report(diag::make(Code::E0301, op_span, fmt::format("`{}` compares an ordered category with one of its values, and with nothing else", token))
                     .with_label("the other side is no constant")
                     .with_help("write one of its values, in quotes"));
    return NodeId{};
  }
  const std::size_t rank = static_cast<std::size_t>(std::find(type.domain().begin(), type.domain().end(), *text) - type.domain().begin());
  const bool less = (token == "<" || token == "<=") != swapped, equal = token.size() == 2;
  std::vector<Value> set;
  for (std::size_t i = 0; i < type.domain().size(); ++i)
    if ((less ? i < rank : i > rank) || (equal && i == rank)) set.emplace_back(type.domain()[i]);
  return b.in_set(category, std::move(set), false, span);
}

}  // namespace

Choice choose_overload(const Builder& builder, const std::vector<Candidate>& candidates, const std::vector<NodeId>& args) {
  Choice best;
  int best_cost = 0;
  for (const Candidate& candidate : candidates) {
    int total = 0;
    bool fits = true;
    std::vector<Type> targets;
    for (std::size_t i = 0; i < args.size() && fits; ++i) {
      const std::vector<Type>& types = candidate.signature->parameters[candidate.parameter[i]].types;
      std::optional<int> cheapest;
      const Type* target = nullptr;
      for (const Type& type : types)
        if (const auto c = args[i] ? cost(builder, args[i], type) : std::optional(0); c && (!cheapest || *c < *cheapest)) cheapest = c, target = &type;
      fits = cheapest.has_value();
      if (fits) total += *cheapest, targets.push_back(*target);
    }
    if (!fits || (best.signature && total >= best_cost)) continue;
    best = {candidate.signature, std::move(targets)};
    best_cost = total;
  }
  return best;
}

NodeId apply_operator(Scope& scope, std::string_view token, std::vector<NodeId> operands, Span op_span, Span span) {
  Builder& b = scope.builder;
  for (const NodeId operand : operands) {
    if (!b.is_missing(operand)) continue;
    const std::string_view test = token == "!=" ? "known" : "missing";
    auto d = diag::make(Code::E0301, op_span, is_equality(token) ? fmt::format("nothing equals `missing`, not even another `missing`")
                                                                 : fmt::format("`{}` cannot compute with `missing`", token))
                 .with_label("is never true or false")
                 .with_help(is_equality(token) ? fmt::format("write `… is {}`", test) : "leave it out, or give it a value");
    const NodeId other = operands.size() == 2 ? operands[operands[0] == operand ? 1 : 0] : NodeId{};
    if (is_equality(token) && other && !scope.at && !b.is_missing(other)) {
      d.fixes.push_back({span, fmt::format("{} is {}", scope.context.text(b[other].span), test), fmt::format("write `is {}`", test), true});
      d.help = fmt::format("write `{} is {}`", scope.context.text(b[other].span), test);
    }
    scope.report(std::move(d));
    return {};
  }
  for (const NodeId operand : operands) {
    const auto constant = b.constant(operand);
    if (!is_comparison(token) || scope.at || !constant || !std::holds_alternative<std::monostate>(*constant)) continue;
    const std::string text = scope.context.text(b[operand].span);
    scope.report(diag::make(Code::E0308, b[operand].span, fmt::format("`{}` has no value, so the comparison is true for no row", text))
                     .with_label("is missing")
                     .with_help(b.type(operand).base == Base::date || b.type(operand).base == Base::timestamp ? "write a day that exists, as in `date(\"2024-02-29\")`" : "write a value that can be computed, such as `12.5`"));
    return {};
  }
  if (is_comparison(token) && operands.size() == 2)
    if (auto special = compare_category(scope, token, operands[0], operands[1], op_span, span)) return *special;
  std::vector<Candidate> candidates;
  for (const Signature* signature : find_operators(token)) {
    if (signature->parameters.size() != operands.size()) continue;
    candidates.push_back({signature, operands.size() == 1 ? std::vector<std::size_t>{0} : std::vector<std::size_t>{0, 1}});
  }
  const Choice choice = choose_overload(b, candidates, operands);
  if (!choice.signature) {
    const std::string shown(token == "neg" ? "-" : token);
    const std::string types = operands.size() == 1 ? type_text(b, operands[0])
                                                   : fmt::format("{} and {}", type_text(b, operands[0]), type_text(b, operands[1]));
    auto d = diag::make(Code::E0301, op_span, is_comparison(token) ? fmt::format("{} cannot be compared with `{}`", types, shown)
                                                                   : fmt::format("`{}` does not take {}", shown, types))
                 .with_label("does not fit these types");
    for (const NodeId operand : operands) d.secondary.push_back({b[operand].span, fmt::format("is {}", type_text(b, operand))});
    for (const NodeId operand : operands)
      if (auto origin = origin_of(scope, operand)) d.secondary.push_back(*origin);
    const bool text = std::any_of(operands.begin(), operands.end(), [&](NodeId n) { return b.type(n).is_text(); });
    const bool number = std::any_of(operands.begin(), operands.end(), [&](NodeId n) { return b.type(n).is_number(); });
    const bool truth = std::any_of(operands.begin(), operands.end(), [&](NodeId n) { return b.type(n).base == Base::bool_; });
    d.help = text && number ? "cast one side: `float(…)` makes a number of a text, `string(…)` a text of a number"
             : truth && number ? "a condition becomes a number with `float(…)` or `int(…)`"
                               : "cast one side, so that both have one type";
    if (token == "+" && operands.size() == 2 && b.type(operands[0]).is_text() && b.type(operands[1]).is_text()) d.help = "texts are joined with `concat(a, b)`";
    for (std::size_t i = 0; i < operands.size() && operands.size() == 2 && !scope.at; ++i) {
      const Base other = b.type(operands[1 - i]).base;
      if ((other != Base::date && other != Base::timestamp) || !b.constant(operands[i])) continue;
      const std::string day = date_text(scope.context, b[operands[i]].span);
      if (day.empty()) continue;
      const std::string meant = fmt::format("{}(\"{}\")", day.find(':') == std::string::npos ? "date" : "timestamp", day);
      d.help = fmt::format("did you mean `{}`?", meant);
      d.fixes.push_back({b[operands[i]].span, meant, fmt::format("write `{}`", meant), false});
    }
    scope.report(std::move(d));
    return {};
  }
  std::vector<NodeId> args;
  for (std::size_t i = 0; i < operands.size(); ++i) args.push_back(*b.convert(operands[i], choice.targets[i]));
  return lower_call(scope, *choice.signature, std::move(args), span);
}

NodeId type_in(Scope& scope, const ast::In& in, Span span) {
  Builder& b = scope.builder;
  const ast::Expr& set = scope.file->expr(in.set);
  const NodeId value = type_expression(scope, in.value);
  const Span op_span = scope.place(in.op_span);
  if (const auto* range = std::get_if<ast::Binary>(&set.kind); range && range->op == ast::BinaryOp::range) {
    const NodeId low = type_expression(scope, range->left), high = type_expression(scope, range->right);
    if (!value || !low || !high) return {};
    const NodeId above = apply_operator(scope, ">=", {value, low}, op_span, span);
    if (!above) return {};
    const NodeId below = apply_operator(scope, "<=", {value, high}, op_span, span);
    if (!below) return {};
    const NodeId both = b.conjunction(above, below, span);
    warn_decided(scope, both, {value}, span);
    return in.negated ? b.negation(both, span) : both;
  }
  const auto* elements = std::get_if<ast::Set>(&set.kind);
  const auto* list = std::get_if<ast::List>(&set.kind);
  if (!elements && !list) {
    auto d = diag::make(Code::E0301, scope.place(set.span), "after `in` stands a range or a set").with_label("is neither").with_help("write `in 1..9` or `in (a, b)`; for one value write `==`");
    if (value && b.type(value).is_text() && !scope.at) {
      const NodeId whole = type_expression(scope, in.set);
      if (!whole) return {};
      const std::string meant = fmt::format("{}contains({}, {})", in.negated ? "not " : "", scope.context.text(set.span), scope.context.text(scope.file->expr(in.value).span));
      if (b.type(whole).is_text()) {
        d.help = fmt::format("did you mean `{}`?", meant);
        d.fixes.push_back({span, meant, "look for a part of the text", false});
      }
    }
    scope.report(std::move(d));
    return {};
  }
  if (!value) return {};
  const Type type = b.type(value).known();
  if (b.is_missing(value)) return *b.convert(value, Type::of(Base::bool_));
  std::vector<Value> values;
  bool good = true;
  Type common = type;
  for (const ast::ExprId element : elements ? elements->elements : list->elements) {
    const NodeId node = type_expression(scope, element);
    if (!node) { good = false; continue; }
    const Span at = b[node].span;
    const auto constant = b.constant(node);
    if (!constant || b.is_missing(node)) {
      scope.report(diag::make(Code::E0304, at, "what stands in a set must be constant")
                       .with_label(constant ? "`missing` is in no set" : "differs from row to row")
                       .with_help(constant ? "test `… is missing` beside the set" : "compare with `==` and join the comparisons with `or`"));
      good = false;
      continue;
    }
    Type target = common;
    if (type.base == Base::int_ && b.type(node).base == Base::float_) target = common = Type::of(Base::float_);
    const auto text = std::get_if<std::string>(&*constant);
    if (type.closed() && text && std::find(type.domain().begin(), type.domain().end(), *text) == type.domain().end()) {
      report_domain(scope, *text, type, at, value, "so it is never found");
      good = false;
      continue;
    }
    const auto converted = target.base == Base::category ? (text ? std::optional(node) : std::nullopt) : b.convert(node, target);
    const auto folded = converted ? b.constant(*converted) : std::nullopt;
    if (!folded) {
      auto d = diag::make(Code::E0301, at, fmt::format("the set holds {}, but the value is `{}`", type_text(b, node), to_string(type)))
                   .with_label(fmt::format("is {}", type_text(b, node)))
                   .with_secondary(b[value].span, fmt::format("is `{}`", to_string(type)))
                   .with_help("let all that stands in the set have the type of the value");
      scope.report(std::move(d));
      good = false;
      continue;
    }
    values.push_back(*folded);
  }
  if (!good) return {};
  if (common.base != type.base)
    for (Value& v : values)
      if (const auto* whole = std::get_if<std::int64_t>(&v)) v = static_cast<double>(*whole);
  const NodeId tested = common.base == type.base ? value : *b.convert(value, common);
  return b.in_set(tested, std::move(values), in.negated, span);
}

}  // namespace mlp::sema
