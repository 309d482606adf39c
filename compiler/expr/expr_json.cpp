#include "compiler/expr/expr_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "compiler/support/check.h"

namespace mlp::expr {

namespace {

using nlohmann::json;

constexpr int kVersion = 1;

json of_value(const Value& value) {
  struct {
    json operator()(std::monostate) const { return nullptr; }
    json operator()(bool v) const { return v; }
    json operator()(std::int64_t v) const { return v; }
    // JSON cannot tell 1.0 from 1 everywhere, so a float wears brackets.
    json operator()(double v) const {
      MLP_CHECK(std::isfinite(v));
      return json::array({v});
    }
    json operator()(const std::string& v) const { return v; }
  } visitor;
  return std::visit(visitor, value);
}

std::optional<Value> value_of(const json& j) {
  if (j.is_null()) return Value{};
  if (j.is_boolean()) return Value{j.get<bool>()};
  if (j.is_number_unsigned() && j.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return std::nullopt;
  if (j.is_number_integer()) return Value{j.get<std::int64_t>()};
  if (j.is_string()) return Value{j.get<std::string>()};
  if (j.is_array() && j.size() == 1 && j[0].is_number()) return Value{j[0].get<double>()};
  return std::nullopt;
}

json of_ids(const std::vector<NodeId>& ids) {
  json list = json::array();
  for (const NodeId id : ids) list.push_back(id.value);
  return list;
}

json of_op(const Op& op) {
  struct {
    json operator()(const Literal& o) const { return {"literal", of_value(o.value)}; }
    json operator()(const Input& o) const { return {"input", o.index}; }
    json operator()(const Call& o) const { return {"call", o.native, of_ids(o.args), o.stream}; }
    json operator()(const Convert& o) const { return {"convert", o.value.value}; }
    json operator()(const And& o) const { return {"and", o.left.value, o.right.value}; }
    json operator()(const Or& o) const { return {"or", o.left.value, o.right.value}; }
    json operator()(const Not& o) const { return {"not", o.value.value}; }
    json operator()(const Choose& o) const { return {"choose", o.condition.value, o.yes.value, o.no.value}; }
    json operator()(const Coalesce& o) const { return {"coalesce", o.value.value, o.fallback.value}; }
    json operator()(const IsKnown& o) const { return {"is_known", o.value.value, o.negated}; }
    json operator()(const InSet& o) const {
      json set = json::array();
      for (const Value& value : o.set) set.push_back(of_value(value));
      return {"in_set", o.value.value, std::move(set), o.negated};
    }
    json operator()(const Fitted& o) const {
      json options = json::array();
      for (const auto& [name, value] : o.options) options.push_back(json::array({name, of_value(value)}));
      return {"fitted", o.native, of_ids(o.args), std::move(options)};
    }
  } visitor;
  return std::visit(visitor, op);
}

/// Reads the parts of an operation; `good` turns false at the first that does not fit.
struct OpReader {
  const json& j;
  std::size_t node;  ///< operands stand before it
  std::size_t inputs;
  bool good = true;

  const json& at(std::size_t i) {
    static const json nothing;
    if (i < j.size()) return j[i];
    good = false;
    return nothing;
  }
  NodeId id_of(const json& part) {
    if (part.is_number_unsigned() && part.get<std::uint64_t>() < node) return NodeId(part.get<std::size_t>());
    good = false;
    return NodeId();
  }
  NodeId id(std::size_t i) { return id_of(at(i)); }
  std::vector<NodeId> ids(std::size_t i) {
    std::vector<NodeId> result;
    if (!at(i).is_array()) good = false;
    else for (const json& part : at(i)) result.push_back(id_of(part));
    return result;
  }
  std::string text(std::size_t i) {
    if (at(i).is_string()) return at(i).get<std::string>();
    good = false;
    return {};
  }
  bool flag(std::size_t i) {
    if (at(i).is_boolean()) return at(i).get<bool>();
    good = false;
    return false;
  }
  std::uint64_t number(std::size_t i) {
    if (at(i).is_number_unsigned()) return at(i).get<std::uint64_t>();
    good = false;
    return 0;
  }
  Value value(const json& part) {
    std::optional<Value> result = value_of(part);
    if (!result) good = false;
    return result.value_or(Value{});
  }

  std::optional<Op> read() {
    if (!j.is_array() || j.empty() || !j[0].is_string()) return std::nullopt;
    const std::string kind = j[0].get<std::string>();
    std::optional<Op> op;
    if (kind == "literal") op = Literal{value(at(1))};
    else if (kind == "input") {
      const std::uint64_t index = number(1);
      if (index >= inputs) return std::nullopt;
      op = Input{static_cast<std::uint32_t>(index)};
    }
    else if (kind == "call") op = Call{text(1), ids(2), number(3)};
    else if (kind == "convert") op = Convert{id(1)};
    else if (kind == "and") op = And{id(1), id(2)};
    else if (kind == "or") op = Or{id(1), id(2)};
    else if (kind == "not") op = Not{id(1)};
    else if (kind == "choose") op = Choose{id(1), id(2), id(3)};
    else if (kind == "coalesce") op = Coalesce{id(1), id(2)};
    else if (kind == "is_known") op = IsKnown{id(1), flag(2)};
    else if (kind == "in_set") {
      InSet set{id(1), {}, flag(3)};
      if (!at(2).is_array()) return std::nullopt;
      for (const json& part : at(2)) set.set.push_back(value(part));
      op = std::move(set);
    } else if (kind == "fitted") {
      Fitted fitted{text(1), ids(2), {}};
      if (!at(3).is_array()) return std::nullopt;
      for (const json& part : at(3)) {
        if (!part.is_array() || part.size() != 2 || !part[0].is_string()) return std::nullopt;
        fitted.options.emplace_back(part[0].get<std::string>(), value(part[1]));
      }
      op = std::move(fitted);
    }
    return good ? op : std::nullopt;
  }
};

json of_end(double end) { return std::isfinite(end) ? json(end) : json(nullptr); }

std::unexpected<diag::Diagnostic> damaged(const std::string& what) {
  return failure(diag::Code::E0903, "a stored expression cannot be read: " + what, "Run the command again from the sources; the plan is made anew.");
}

}  // namespace

std::string encode(const Expr& e) {
  json nodes = json::array();
  for (const Node& node : e.nodes) {
    json entry = {{"op", of_op(node.op)}, {"type", to_string(node.type)}};
    if (node.range != Interval{}) entry["range"] = {of_end(node.range.low), of_end(node.range.high)};
    if (node.span) entry["span"] = {node.span.file, node.span.begin, node.span.end};
    nodes.push_back(std::move(entry));
  }
  json inputs = json::array();
  for (const InputColumn& input : e.inputs)
    inputs.push_back({{"column", input.column}, {"type", to_string(input.type)}, {"name", input.name}});
  return json{{"expr", kVersion}, {"nodes", std::move(nodes)}, {"inputs", std::move(inputs)}}.dump();
}

Result<Expr> decode_expr(std::string_view text) {
  const json j = json::parse(text, nullptr, false);
  if (!j.is_object()) return damaged("it is no JSON object");
  const auto version = j.find("expr");
  if (version == j.end() || !version->is_number_integer()) return damaged("it has no version");
  if (*version != kVersion)
    return failure(diag::Code::E0909, "a stored expression has a format of another version of mlpc",
                   "Run the command again from the sources; the plan is made anew.");
  const auto nodes = j.find("nodes"), inputs = j.find("inputs");
  if (nodes == j.end() || !nodes->is_array() || inputs == j.end() || !inputs->is_array()) return damaged("it has no nodes");

  const auto type_of = [](const json& entry) -> std::optional<Type> {
    const auto type = entry.find("type");
    return type != entry.end() && type->is_string() ? parse_type(type->get<std::string>()) : std::nullopt;
  };
  const auto is_index = [](const json& part) { return part.is_number_unsigned() && part.get<std::uint64_t>() <= 0xFFFF'FFFFu; };
  Expr e;
  for (const json& entry : *inputs) {
    if (!entry.is_object()) return damaged("an input is no object");
    const auto column = entry.find("column"), name = entry.find("name");
    auto type = type_of(entry);
    if (!type || column == entry.end() || !is_index(*column) || name == entry.end() || !name->is_string())
      return damaged("an input is not whole");
    e.inputs.push_back({column->get<std::uint32_t>(), std::move(*type), name->get<std::string>()});
  }
  for (const json& entry : *nodes) {
    if (!entry.is_object()) return damaged("a node is no object");
    const auto op_json = entry.find("op");
    auto type = type_of(entry);
    if (!type || op_json == entry.end()) return damaged("a node is not whole");
    auto op = OpReader{*op_json, e.nodes.size(), e.inputs.size()}.read();
    if (!op) return damaged("a node is not well formed");
    Interval range;
    if (const auto ends = entry.find("range"); ends != entry.end()) {
      if (!ends->is_array() || ends->size() != 2) return damaged("a range is not well formed");
      for (const json& end : *ends)
        if (!end.is_null() && !end.is_number()) return damaged("a range is not well formed");
      if (!(*ends)[0].is_null()) range.low = (*ends)[0].get<double>();
      if (!(*ends)[1].is_null()) range.high = (*ends)[1].get<double>();
    }
    Span span;
    if (const auto place = entry.find("span"); place != entry.end()) {
      if (!place->is_array() || place->size() != 3) return damaged("a place is not well formed");
      for (const json& part : *place)
        if (!is_index(part)) return damaged("a place is not well formed");
      span = {(*place)[0].get<std::uint32_t>(), (*place)[1].get<std::uint32_t>(), (*place)[2].get<std::uint32_t>()};
    }
    e.push(std::move(*op), std::move(*type), range, span);
  }
  if (e.nodes.empty()) return damaged("it has no nodes");
  return e;
}

}  // namespace mlp::expr
