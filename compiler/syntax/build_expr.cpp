#include "gen/grammar/MlpParser.h"

#include <fmt/format.h>

#include "compiler/syntax/build.h"

namespace mlp::syntax {

using namespace ast;

namespace {

/// More operands in a row than this would let a reader of the tree recurse too deep.
constexpr std::uint32_t kMostExprDepth = 1000;

constexpr int kNotPrecedence = 3, kComparison = 4, kNegatePrecedence = 9, kPower = 10;

int precedence(BinaryOp op) {
  switch (op) {
    case BinaryOp::or_:
      return 1;
    case BinaryOp::and_:
      return 2;
    case BinaryOp::equal:
    case BinaryOp::not_equal:
    case BinaryOp::less:
    case BinaryOp::less_equal:
    case BinaryOp::greater:
    case BinaryOp::greater_equal:
      return kComparison;
    case BinaryOp::coalesce:
      return 5;
    case BinaryOp::range:
      return 6;
    case BinaryOp::add:
    case BinaryOp::subtract:
      return 7;
    case BinaryOp::multiply:
    case BinaryOp::divide:
      return 8;
    case BinaryOp::power:
      return kPower;
  }
  return 0;
}

BinaryOp binary_op(std::size_t type) {
  switch (type) {
    case P::R_OR:
      return BinaryOp::or_;
    case P::R_AND:
      return BinaryOp::and_;
    case P::EQUAL:
      return BinaryOp::equal;
    case P::NOT_EQUAL:
      return BinaryOp::not_equal;
    case P::LESS:
      return BinaryOp::less;
    case P::LESS_EQUAL:
      return BinaryOp::less_equal;
    case P::GREATER:
      return BinaryOp::greater;
    case P::GREATER_EQUAL:
      return BinaryOp::greater_equal;
    case P::COALESCE:
      return BinaryOp::coalesce;
    case P::RANGE:
      return BinaryOp::range;
    case P::PLUS:
      return BinaryOp::add;
    case P::MINUS:
      return BinaryOp::subtract;
    case P::STAR:
      return BinaryOp::multiply;
    case P::SLASH:
      return BinaryOp::divide;
    default:
      return BinaryOp::power;
  }
}

}  // namespace

// ---- expressions ----

ExprId Builder::push(Span span, decltype(Expr::kind) kind, std::initializer_list<ExprId> operands) {
  return push_many(span, std::move(kind), std::vector<ExprId>(operands));
}

ExprId Builder::push_many(Span span, decltype(Expr::kind) kind, const std::vector<ExprId>& operands) {
  std::uint32_t depth = 1;
  for (const ExprId operand : operands)
    if (operand) depth = std::max(depth, depth_[operand.index()] + 1);
  if (depth > kMostExprDepth) {
    if (!too_deep_)
      report(diag::Code::E0105, span, "this expression is too long", "give parts of it names of their own");
    too_deep_ = true;
    kind = Broken{};
    depth = 1;
  }
  out_.exprs.push_back({span, std::move(kind)});
  depth_.push_back(depth);
  return ExprId(out_.exprs.size() - 1);
}

ExprId Builder::expr(P::ExprContext* tree) {
  if (!tree->R_IF()) return infix(tree->operand(), tree->infixTail());
  const ExprId condition = expr(tree->expr(0)), then = expr(tree->expr(1)), otherwise = expr(tree->expr(2));
  return push(span(tree), If{condition, then, otherwise}, {condition, then, otherwise});
}

ExprId Builder::metric_item(P::MetricItemContext* tree) {
  const ExprId metric = operand(tree->operand());
  if (!tree->path()) return metric;
  return push(span(tree), MetricBy{metric, path(tree->path())}, {metric});
}

namespace {

/// An operator that waits for its right side. `unary` and `in` are told apart by `form`.
struct Waiting {
  enum class Form : std::uint8_t { binary, in, negate, not_ } form{};
  BinaryOp op{};
  bool negated = false;
  Span span;
  int precedence = 0;
};

}  // namespace

ExprId Builder::infix(P::OperandContext* first, const std::vector<P::InfixTailContext*>& rest, ExprId first_value) {
  if (rest.empty() && first_value) return first_value;
  if (rest.empty() && first->MINUS().empty() && first->R_NOT().empty()) return operand(first);
  std::vector<Waiting> waiting;
  std::vector<ExprId> values;
  const auto reduce = [&] {
    const Waiting op = waiting.back();
    waiting.pop_back();
    const ExprId right = values.back();
    values.pop_back();
    const Span right_span = out_.expr(right).span;
    if (op.form == Waiting::Form::negate || op.form == Waiting::Form::not_) {
      const UnaryOp unary = op.form == Waiting::Form::not_ ? UnaryOp::not_ : UnaryOp::negate;
      values.push_back(push(cover(op.span, right_span), Unary{unary, right, op.span}, {right}));
      return;
    }
    const ExprId left = values.back();
    values.pop_back();
    const Span whole = cover(out_.expr(left).span, right_span);
    if (op.form == Waiting::Form::in)
      values.push_back(push(whole, In{left, right, op.negated, op.span}, {left, right}));
    else
      values.push_back(push(whole, Binary{op.op, left, right, op.span}, {left, right}));
  };
  bool chained = false;
  const auto make_room = [&](int precedence, Span at) {
    while (!waiting.empty() && (waiting.back().precedence > precedence ||
                                (waiting.back().precedence == precedence && precedence != kPower))) {
      if (precedence == kComparison && waiting.back().precedence == kComparison && !chained) {
        chained = true;
        sink_.report(diag::make(diag::Code::E0101, at, "comparisons do not chain")
                         .with_secondary(waiting.back().span, "compared here already")
                         .with_help("write `a < b and b < c`, or a range: `x in 0..9`"));
      }
      reduce();
    }
  };
  // The signs before an operand wait on the stack; the operand itself is what follows them.
  const auto take = [&](P::OperandContext* tree) {
    for (antlr4::tree::ParseTree* child : tree->children) {
      auto* sign = dynamic_cast<antlr4::tree::TerminalNode*>(child);
      if (!sign) break;
      const bool minus = sign->getSymbol()->getType() == P::MINUS;
      waiting.push_back({minus ? Waiting::Form::negate : Waiting::Form::not_,
                         {},
                         false,
                         span(sign),
                         minus ? kNegatePrecedence : kNotPrecedence});
    }
    values.push_back(with_at(tree, primary(tree->primary())));
  };
  bool was_known_test = false;
  if (first_value)
    values.push_back(first_value);
  else
    take(first);
  for (P::InfixTailContext* tail : rest) {
    if (auto* op = tail->infixOp()) {
      const BinaryOp binary = binary_op(op->start->getType());
      if (was_known_test && precedence(binary) >= kComparison && !chained) {
        chained = true;
        report(diag::Code::E0101, span(op), "`is known` and `is missing` end a comparison",
               "put parentheses around it, or join tests with `and`");
      }
      was_known_test = false;
      make_room(precedence(binary), span(op));
      waiting.push_back({Waiting::Form::binary, binary, false, span(op), precedence(binary)});
      take(tail->operand());
    } else if (auto* in = tail->R_IN()) {
      was_known_test = false;
      const Span at = tail->R_NOT() ? cover(span(tail->R_NOT()), span(in)) : span(in);
      make_room(kComparison, at);
      waiting.push_back({Waiting::Form::in, {}, tail->R_NOT() != nullptr, at, kComparison});
      if (tail->set())
        values.push_back(set(tail->set()));
      else
        take(tail->operand());
    } else {
      const Span at = span(tail);
      make_room(kComparison, at);
      const ExprId value = values.back();
      values.pop_back();
      values.push_back(push(cover(out_.expr(value).span, at), IsKnown{value, tail->K_KNOWN() != nullptr, at}, {value}));
      was_known_test = true;
    }
  }
  while (!waiting.empty())
    reduce();
  return chained ? push(out_.expr(values.back()).span, Broken{}) : values.back();
}

ExprId Builder::operand(P::OperandContext* tree) {
  if (!tree->MINUS().empty() || !tree->R_NOT().empty()) return infix(tree, {});
  return with_at(tree, primary(tree->primary()));
}

ExprId Builder::with_at(P::OperandContext* tree, ExprId value) {
  if (!tree->K_AT()) return value;
  MetricAt at{value, std::nullopt, {}};
  if (tree->word()) at.of = name(tree->word());
  if (tree->path()) {
    at.value = ref(tree->path());
  } else {
    at.value = number(tree->number());
  }
  const ExprId threshold = at.value;
  return push(span(tree), std::move(at), {value, threshold});
}

ExprId Builder::primary(P::PrimaryContext* tree) {
  if (tree->literal()) return literal(tree->literal());
  if (tree->path()) {
    if (tree->arguments()) return call_of(tree->path(), tree->arguments(), tree->window(), span(tree));
    return ref(tree->path());
  }
  if (tree->list()) {
    List list;
    for (auto* each : tree->list()->expr())
      list.elements.push_back(expr(each));
    const std::vector<ExprId> elements = list.elements;
    return push_many(span(tree), std::move(list), elements);
  }
  const ExprId inner = expr(tree->expr());
  out_.exprs[inner.index()].span = span(tree);
  return inner;
}

ExprId Builder::set(P::SetContext* tree) {
  Set out;
  for (auto* each : tree->expr())
    out.elements.push_back(expr(each));
  const std::vector<ExprId> elements = out.elements;
  return push_many(span(tree), std::move(out), elements);
}

ExprId Builder::range(P::RangeContext* tree) {
  if (!tree) return {};
  const ExprId low = operand(tree->operand(0)), high = operand(tree->operand(1));
  return push(span(tree), Binary{BinaryOp::range, low, high, span(tree->RANGE())}, {low, high});
}

ExprId Builder::span_expr(P::SpanContext* tree) {
  if (!tree) return {};
  if (tree->DURATION()) return duration(tree->start);
  return ref(tree->path());
}

ExprId Builder::call(P::CallContext* tree) {
  return call_of(tree->path(), tree->arguments(), nullptr, span(tree));
}

ExprId Builder::call_of(antlr4::ParserRuleContext* callee, P::ArgumentsContext* arguments, P::WindowContext* window,
                        Span whole) {
  Call out;
  out.callee = path(callee);
  std::vector<ExprId> operands;
  for (auto* each : arguments->argument()) {
    out.arguments.push_back(argument(each));
    operands.push_back(out.arguments.back().value);
  }
  out.by = paths(arguments->paths());
  if (arguments->expr()) operands.push_back(out.where = expr(arguments->expr()));
  if (window) {
    Window over;
    over.span = span(window);
    over.next = window->K_NEXT() != nullptr;
    over.length = window->DURATION() ? duration(window->DURATION()->getSymbol()) : ref(window->safePath());
    over.ending = span_expr(window->span());
    operands.push_back(over.length);
    if (over.ending) operands.push_back(over.ending);
    out.over = std::move(over);
  }
  return push_many(whole, std::move(out), operands);
}

Argument Builder::argument(P::ArgumentContext* tree) {
  Argument out;
  out.span = span(tree);
  if (!tree->COLON()) {
    out.value = expr(tree->expr(0));
    return out;
  }
  // Before the colon: one name, or one text.
  auto* left = tree->expr(0);
  auto* primary = !left->R_IF() && left->infixTail().empty() && left->operand()->children.size() == 1
                      ? left->operand()->primary()
                      : nullptr;
  if (primary && primary->path() && !primary->arguments() && primary->path()->name().size() == 1)
    out.name = name(primary->path()->name(0));
  else if (primary && primary->literal() && primary->literal()->STRING())
    out.key = string(primary->literal()->STRING());
  else
    report(diag::Code::E0101, span(left), "before `:` stands the name of a parameter, or a text",
           "write `name: value` or `\"key\": value`");
  out.value = expr(tree->expr(1));
  return out;
}

std::vector<Argument> Builder::plain_arguments(P::ArgumentsContext* tree, std::string_view of) {
  std::vector<Argument> out;
  if (!tree) return out;
  for (auto* each : tree->argument())
    out.push_back(argument(each));
  if (tree->K_BY() || tree->K_WHERE())
    report(diag::Code::E0101, span(tree), fmt::format("{} takes no `by` or `where`", of),
           "they belong to aggregates such as `mean(x by y)`");
  return out;
}

}  // namespace mlp::syntax

namespace mlp::ast {

std::string_view token(BinaryOp op) {
  switch (op) {
    case BinaryOp::or_:
      return "or";
    case BinaryOp::and_:
      return "and";
    case BinaryOp::equal:
      return "==";
    case BinaryOp::not_equal:
      return "!=";
    case BinaryOp::less:
      return "<";
    case BinaryOp::less_equal:
      return "<=";
    case BinaryOp::greater:
      return ">";
    case BinaryOp::greater_equal:
      return ">=";
    case BinaryOp::coalesce:
      return "??";
    case BinaryOp::range:
      return "..";
    case BinaryOp::add:
      return "+";
    case BinaryOp::subtract:
      return "-";
    case BinaryOp::multiply:
      return "*";
    case BinaryOp::divide:
      return "/";
    case BinaryOp::power:
      return "^";
  }
  return {};
}

std::string_view token(UnaryOp op) {
  return op == UnaryOp::negate ? "neg" : "not";
}

}  // namespace mlp::ast
