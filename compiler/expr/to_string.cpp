// Expressions as the language writes them.

#include <chrono>
#include <fmt/format.h>

#include "compiler/expr/expr.h"
#include "compiler/support/check.h"
#include "compiler/types/signature.h"

namespace mlp::expr {

namespace {

/// How tight a form binds: LANGUAGE.md, section 3, loosest first.
enum Binding : int { kChoose = 1, kOr, kAnd, kNot, kCompare, kCoalesce, kSum, kProduct, kMinus, kPower, kAtom };

int binding_of(std::string_view op) {
  if (op == "+" || op == "-") return kSum;
  if (op == "*" || op == "/") return kProduct;
  if (op == "neg") return kMinus;
  if (op == "^") return kPower;
  return kCompare;
}

std::string of_micros(std::int64_t micros) {
  if (micros < 0 && micros > std::numeric_limits<std::int64_t>::min()) return "-" + of_micros(-micros);
  struct Unit { std::int64_t micros; const char* name; };
  for (const Unit unit : {Unit{86'400'000'000, "d"}, Unit{3'600'000'000, "h"}, Unit{60'000'000, "min"}, Unit{1'000'000, "s"}})
    if (micros % unit.micros == 0 && micros != 0) return fmt::format("{}{}", micros / unit.micros, unit.name);
  return micros == 0 ? "0s" : fmt::format("{}ms", static_cast<double>(micros) / 1000);
}

/// `2024-01-31`; the calendar of the standard library ends with the year 32767.
std::string of_days(std::int64_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}
bool has_calendar_day(std::int64_t days) { return days > -11'000'000 && days < 11'000'000; }

std::string of_literal(const Value& value, const Type& type) {
  const auto* number = std::get_if<std::int64_t>(&value);
  if (!number) return mlp::to_string(value);
  constexpr std::int64_t kDay = 86'400'000'000;
  if (type.base == Base::duration) return of_micros(*number);
  if (type.base == Base::date && has_calendar_day(*number)) return fmt::format("date(\"{}\")", of_days(*number));
  const std::int64_t rest = *number % kDay < 0 ? *number % kDay + kDay : *number % kDay;
  const std::int64_t day = *number / kDay - (*number % kDay < 0 ? 1 : 0);
  if (type.base == Base::timestamp && has_calendar_day(day)) {
    std::string fraction = rest % 1'000'000 ? fmt::format(".{:06}", rest % 1'000'000) : "";
    return fmt::format("timestamp(\"{}T{:02}:{:02}:{:02}{}Z\")", of_days(day), rest / 3'600'000'000, rest / 60'000'000 % 60,
                       rest / 1'000'000 % 60, fraction);
  }
  return mlp::to_string(value);
}

/// The call inside of `if KNOWN_WHEN then call else missing`, which the compiler writes around a call that may fail: what the
/// user wrote is the call. A choice of the user's own has a span of its own.
std::optional<NodeId> guarded_call(const Expr& e, const Choose& choice, Span span) {
  const auto* none = std::get_if<Literal>(&e[choice.no].op);
  const bool is_guard = span && none && std::holds_alternative<std::monostate>(none->value) && std::holds_alternative<Call>(e[choice.yes].op) &&
                        e[choice.yes].span == span && e[choice.no].span == span;
  return is_guard ? std::optional(choice.yes) : std::nullopt;
}

struct Writer {
  const Expr& e;
  std::string text;

  void operand(NodeId id, int at_least) {
    const int own = binding(e[id]);
    if (own < at_least) text += '(';
    write(id);
    if (own < at_least) text += ')';
  }

  int binding(const Node& node) const {
    struct {
      const Writer& writer;
      Span span;
      int operator()(const Literal& op) const {
        const auto* number = std::get_if<std::int64_t>(&op.value);
        const auto* real = std::get_if<double>(&op.value);
        return (number && *number < 0) || (real && *real < 0) ? kMinus : kAtom;
      }
      int operator()(const Input&) const { return kAtom; }
      int operator()(const Call& op) const {
        const Signature* signature = find_native(op.native);
        return signature && !signature->op.empty() ? binding_of(signature->op) : kAtom;
      }
      int operator()(const Convert& op) const { return writer.binding(writer.e[op.value]); }
      int operator()(const And&) const { return kAnd; }
      int operator()(const Or&) const { return kOr; }
      int operator()(const Not&) const { return kNot; }
      int operator()(const Choose& op) const {
        const auto call = guarded_call(writer.e, op, span);
        return call ? writer.binding(writer.e[*call]) : static_cast<int>(kChoose);
      }
      int operator()(const Coalesce&) const { return kCoalesce; }
      int operator()(const IsKnown&) const { return kCompare; }
      int operator()(const InSet&) const { return kCompare; }
      int operator()(const Fitted&) const { return kAtom; }
    } visitor{*this, node.span};
    return std::visit(visitor, node.op);
  }

  void list(const std::vector<NodeId>& args) {
    for (std::size_t i = 0; i < args.size(); ++i) {
      if (i) text += ", ";
      operand(args[i], kChoose);
    }
  }

  void write(NodeId id) {
    const Node& node = e[id];
    struct {
      Writer& w;
      const Node& node;
      void operator()(const Literal& op) { w.text += of_literal(op.value, node.type); }
      void operator()(const Input& op) { w.text += w.e.inputs[op.index].name; }
      void operator()(const Call& op) {
        const Signature* signature = find_native(op.native);
        const std::string token = signature ? signature->op : "";
        if (token == "neg" && op.args.size() == 1) {
          w.text += '-';
          w.operand(op.args[0], kPower);
        } else if (!token.empty() && op.args.size() == 2) {
          // Left-associative; comparisons do not associate at all.
          const int own = binding_of(token);
          w.operand(op.args[0], own == kCompare || own == kPower ? own + 1 : own);
          w.text += " " + token + " ";
          w.operand(op.args[1], own == kPower ? kMinus : own + 1);
        } else {
          w.text += (signature ? signature->name : op.native) + "(";
          w.list(op.args);
          w.text += ')';
        }
      }
      void operator()(const Convert& op) { w.write(op.value); }
      void infix(NodeId left, const char* token, NodeId right, int own) {
        w.operand(left, own);
        w.text += token;
        w.operand(right, own + 1);
      }
      void operator()(const And& op) { infix(op.left, " and ", op.right, kAnd); }
      void operator()(const Or& op) { infix(op.left, " or ", op.right, kOr); }
      void operator()(const Not& op) { w.text += "not "; w.operand(op.value, kNot); }
      void operator()(const Choose& op) {
        if (const auto call = guarded_call(w.e, op, node.span)) return w.write(*call);
        w.text += "if ";
        w.operand(op.condition, kOr);
        w.text += " then ";
        w.operand(op.yes, kOr);
        w.text += " else ";
        w.operand(op.no, kChoose);
      }
      void operator()(const Coalesce& op) { infix(op.value, " ?? ", op.fallback, kCoalesce); }
      void operator()(const IsKnown& op) {
        w.operand(op.value, kCoalesce);
        w.text += op.negated ? " is missing" : " is known";
      }
      void operator()(const InSet& op) {
        w.operand(op.value, kCoalesce);
        w.text += op.negated ? " not in (" : " in (";
        for (std::size_t i = 0; i < op.set.size(); ++i) {
          if (i) w.text += ", ";
          w.text += of_literal(op.set[i], w.e[op.value].type);
        }
        w.text += ')';
      }
      void operator()(const Fitted& op) {
        const Signature* signature = find_native(op.native);
        w.text += (signature ? signature->name : op.native) + "(";
        w.list(op.args);
        bool first = op.args.empty();
        for (const auto& [name, value] : op.options) {
          w.text += (first ? "" : ", ") + name + ": " + mlp::to_string(value);
          first = false;
        }
        w.text += ')';
      }
    } visitor{*this, node};
    std::visit(visitor, node.op);
  }
};

}  // namespace

std::string to_string(const Expr& e) { return e.nodes.empty() ? std::string() : to_string(e, e.root()); }

std::string to_string(const Expr& e, NodeId at) {
  MLP_CHECK(at.index() < e.nodes.size());
  Writer writer{e, {}};
  writer.write(at);
  return std::move(writer.text);
}

}  // namespace mlp::expr
