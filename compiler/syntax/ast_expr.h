#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "compiler/support/id.h"
#include "compiler/support/span.h"

/// Names, expressions and types as written; the part of the AST that all declarations share.
namespace mlp::ast {

using ExprId = Id<struct ExprTag>;

/// A name as used; `quoted` when it stood in backticks (the text is without them).
struct Name {
  std::string text;
  Span span;
  bool quoted = false;
};

/// `trips.fare`, `shared.customers.age`, or just `fare`.
struct Path {
  std::vector<Name> parts;  ///< at least one
  Span span;
  /// As written, with dots.
  std::string text() const {
    std::string out;
    for (const Name& part : parts)
      (out += out.empty() ? "" : ".") += part.text;
    return out;
  }
};

/// A string literal, escapes and quotes taken away.
struct Text {
  std::string value;
  Span span;
};

// ---------------------------------------------------------------------------------------------------------------- expressions

struct Missing {};
struct Bool {
  bool value = false;
};
struct Int {
  std::int64_t value = 0;
};
struct Float {
  double value = 0;
};
/// `10%` is 0.1.
struct Percent {
  double fraction = 0;
};
/// `7d`, in microseconds.
struct Duration {
  std::int64_t microseconds = 0;
};
struct String {
  std::string value;
};
/// A name alone, or with dots.
struct Ref {
  Path path;
};

enum class UnaryOp : std::uint8_t { negate, not_ };
struct Unary {
  UnaryOp op{};
  ExprId operand;
  Span op_span;
};

enum class BinaryOp : std::uint8_t {
  or_,
  and_,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  coalesce,
  range,
  add,
  subtract,
  multiply,
  divide,
  power
};
/// The token: "and", "==", "??", "..", "+" …
std::string_view token(BinaryOp op);
/// "neg" for unary minus (as Signature::op), "not".
std::string_view token(UnaryOp op);

struct Binary {
  BinaryOp op{};
  ExprId left, right;
  Span op_span;
};

/// `x in 1..9`, `x not in ("a", "b")`: `set` is a Set, a range, or any expression.
struct In {
  ExprId value, set;
  bool negated = false;
  Span op_span;
};

/// `("a", "b")` directly after `in`; at least one element.
struct Set {
  std::vector<ExprId> elements;
};
/// `[a, b]`.
struct List {
  std::vector<ExprId> elements;
};

/// `x is known`, `x is missing`.
struct IsKnown {
  ExprId value;
  bool known = true;  ///< false: `is missing`
  Span op_span;
};

struct If {
  ExprId condition, then, otherwise;
};

/// `smoothing: 20`, `"basic": 50%`, or a value by position.
struct Argument {
  std::optional<Name> name;
  std::optional<Text> key;  ///< of a map; at most one of name and key is there
  ExprId value;
  Span span;
};

/// `over 7d`, `over next 90d`, `over 28d ending 7d ago`.
struct Window {
  bool next = false;
  ExprId length;  ///< a Duration or a Ref
  ExprId ending;  ///< a Duration or a Ref; none: ends at the row's time
  Span span;
};

/// `mean(trips.fare by driver_id where fare > 0) over 30d`.
struct Call {
  Path callee;
  std::vector<Argument> arguments;
  std::vector<Path> by;
  ExprId where;  ///< none where not written
  std::optional<Window> over;
};

/// `f1 at 0.5`, `recall at precision 90%`, `precision at top 200`. Stands in metrics and gates only.
struct MetricAt {
  ExprId metric;
  std::optional<Name> of;  ///< `precision` or `top`; none: a threshold of the probability
  ExprId value;
};

/// `ndcg(10) by session` in `metrics` and `require`.
struct MetricBy {
  ExprId metric;
  Path by;
};

/// What could not be understood; reported already.
struct Broken {};

struct Expr {
  Span span;
  std::variant<Broken, Missing, Bool, Int, Float, Percent, Duration, String, Ref, Unary, Binary, In, Set, List, IsKnown,
               If, Call, MetricAt, MetricBy>
      kind;
};

// ---------------------------------------------------------------------------------------------------------------- types

/// `int`, `category("a" < "b")?`, `vector(64)`, `list(int)`, `one_of(a, b)`, `category(options)`; resolved by sema.
struct TypeRef {
  Name name;                          ///< the word: int, category, one_of …
  bool missing = false;               ///< `?`
  std::vector<Text> values;           ///< category("a", "b")
  bool ordered = false;               ///< category("a" < "b")
  std::vector<Name> words;            ///< one_of(a, b); category(options)
  std::vector<TypeRef> element;       ///< list(T): one
  std::optional<std::int64_t> width;  ///< vector(N)
  Span span;
};

/// `A | B`: any of these; one for most.
using TypeRefs = std::vector<TypeRef>;

/// `smoothing: float in 0..10_000 = 10`.
struct Parameter {
  Name name;
  TypeRefs types;
  ExprId range;     ///< Binary range, or none
  ExprId fallback;  ///< `= 10`; none: required
  std::string doc;
  Span span;
};

}  // namespace mlp::ast
