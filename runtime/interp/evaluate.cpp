#include "runtime/interp/evaluate.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

#include "compiler/support/check.h"
#include "kernels/arena.h"
#include "kernels/checked.h"
#include "runtime/interp/slots.h"

namespace mlp::interp {

namespace {

using namespace mlp::expr;

/// The values of one node in the rows of a chunk. Where `known` is 0 the value is zero (an empty text).
struct Values {
  const std::byte* data = nullptr;
  const std::uint8_t* known = nullptr;  ///< null: all are

  template <class T>
  const T* as() const { return reinterpret_cast<const T*>(data); }
  bool is_known(std::size_t row) const { return known == nullptr || known[row] != 0; }
};

/// What a node needs from chunk to chunk.
struct Place {
  bool needed = false;
  Slot slot = Slot::bool_;
  std::unique_ptr<std::byte[]> data;
  std::unique_ptr<std::uint8_t[]> known;
  std::unique_ptr<Constant> constant;
  std::unique_ptr<ConstantWeights> weights;
  std::optional<BoundCall> call;
  Values values;
};

struct Interpreter {
  const Expr& e;
  const Batch& inputs;
  std::vector<Place> places;
  std::vector<std::int64_t> ordinals;
  std::vector<std::uint64_t> bits;
  std::vector<std::uint8_t> argument_known;
  Arena arena;
  std::size_t from = 0, count = 0;  ///< the rows of the chunk
  std::size_t capacity;             ///< the most rows of a chunk: a request of one row makes room for one

  Interpreter(const Expr& expression, const Batch& batch)
      : e(expression),
        inputs(batch),
        places(expression.nodes.size()),
        argument_known(std::min(kChunk, batch.rows)),
        capacity(std::min(kChunk, batch.rows)) {}

  void prepare();
  void compute(std::size_t node);
  const Values& of(NodeId id) const { return places[id.index()].values; }

  void compute(Place& place, const Node& node, const Literal& op);
  void compute(Place& place, const Node& node, const Input& op);
  void compute(Place& place, const Node& node, const Call& op);
  void compute(Place& place, const Node& node, const Convert& op);
  void compute(Place& place, const Node& node, const And& op);
  void compute(Place& place, const Node& node, const Or& op);
  void compute(Place& place, const Node& node, const Not& op);
  void compute(Place& place, const Node& node, const Choose& op);
  void compute(Place& place, const Node& node, const Coalesce& op);
  void compute(Place& place, const Node& node, const IsKnown& op);
  void compute(Place& place, const Node& node, const InSet& op);
  [[noreturn]] void compute(Place&, const Node&, const Fitted&) {
    fail_check(__FILE__, __LINE__, "a fitted transform reached the interpreter");
  }
  template <class T>
  void choose(Place& place, const std::uint8_t* takes_yes, const Values& yes, const Values& no);
  void pick(Place& place, const std::uint8_t* takes_yes, const Values& yes, const Values& no);
  template <class T, class Contains>
  void test_set(Place& place, const Values& values, bool negated, Contains contains);
};

void Interpreter::prepare() {
  MLP_CHECK(inputs.columns.size() == e.inputs.size());
  places.back().needed = true;
  for (std::size_t i = e.nodes.size(); i-- > 0;) {
    Place& place = places[i];
    if (!place.needed) continue;
    const Node& node = e.nodes[i];
    MLP_CHECK(!std::holds_alternative<Fitted>(node.op));
    place.slot = slot_of(node.type);
    if (const auto* call = std::get_if<Call>(&node.op)) {
      place.call = bind_call(e, *call);
      const BoundCall& bound = *place.call;
      MLP_CHECK(bound.function->result == place.slot);
      if (bound.plain < call->args.size()) place.weights = make_weights(e, std::span(call->args).subspan(bound.plain));
      if (bound.row) ordinals.resize(capacity);
      if (bound.random) bits.resize(capacity);
      for (std::size_t arg = 0; arg < bound.plain; ++arg) places[call->args[arg].index()].needed = true;
    } else {
      for (const NodeId operand : operands(node.op)) {
        MLP_CHECK(operand.index() < i);
        places[operand.index()].needed = true;
      }
    }
    const bool borrows = std::holds_alternative<Input>(node.op) && place.slot != Slot::text;
    if (!borrows) place.data = std::make_unique<std::byte[]>(capacity * size_of(place.slot));
    if (!std::holds_alternative<Input>(node.op)) place.known = std::make_unique<std::uint8_t[]>(capacity);
    if (const auto* literal = std::get_if<Literal>(&node.op)) {
      place.constant = make_constant(literal->value, node.type);
      const std::size_t size = size_of(place.slot);
      for (std::size_t row = 0; row < capacity; ++row)
        std::memcpy(place.data.get() + row * size, place.constant->bytes, size);
      std::fill_n(place.known.get(), capacity, place.constant->known);
    }
    place.values = {place.data.get(), place.known.get()};
  }
}

void Interpreter::compute(std::size_t index) {
  Place& place = places[index];
  const Node& node = e.nodes[index];
  std::visit([&](const auto& op) { compute(place, node, op); }, node.op);
}

void Interpreter::compute(Place&, const Node&, const Literal&) {}  // filled once

void Interpreter::compute(Place& place, const Node& node, const Input& op) {
  MLP_CHECK(op.index < inputs.columns.size());
  const Column& column = inputs.columns[op.index];
  MLP_CHECK(column.rows == inputs.rows && slot_of(column.type) == place.slot && column.type.base == node.type.base);
  place.values.known = column.known ? column.known.as<std::uint8_t>().data() + from : nullptr;
  if (place.slot == Slot::text) read_texts(column, from, count, reinterpret_cast<Text*>(place.data.get()));
  else place.values.data = column.data.data() + from * size_of(place.slot);
}

void Interpreter::compute(Place& place, const Node&, const Call& op) {
  const BoundCall& bound = *place.call;
  std::vector<LoopArgument> arguments(bound.function->arguments.size());
  const Weights* weights = place.weights ? &place.weights->weights : nullptr;
  if (bound.row) {
    for (std::size_t row = 0; row < count; ++row)
      ordinals[row] = static_cast<std::int64_t>(inputs.first_row + from + row);
    arguments[0] = {ordinals.data(), 1};
  }
  if (bound.random) {
    for (std::size_t row = 0; row < count; ++row) bits[row] = draw_bits(op.stream, inputs.first_row + from + row);
    arguments[0] = {bits.data(), 1};
  }
  bool all_known = true;
  for (std::size_t i = 0; i < bound.plain; ++i) {
    const Values& values = of(op.args[i]);
    arguments[bound.first + i] = {values.data, 1};
    if (values.known == nullptr) continue;
    if (all_known) std::copy_n(values.known, count, argument_known.begin());
    else for (std::size_t row = 0; row < count; ++row) argument_known[row] &= values.known[row];
    all_known = false;
  }
  if (weights) arguments.back() = {&weights, 0};
  bound.function->run({count, arguments.data(), all_known ? nullptr : argument_known.data(), &arena, place.data.get(),
                       place.known.get()});
}

void Interpreter::compute(Place& place, const Node& node, const Convert& op) {
  const Values& values = of(op.value);
  const Base base = e[op.value].type.base, to_base = node.type.base;
  if (values.known) std::copy_n(values.known, count, place.known.get());
  else std::fill_n(place.known.get(), count, std::uint8_t{1});
  if (base == Base::int_ && to_base == Base::float_) {
    double* const to = reinterpret_cast<double*>(place.data.get());
    for (std::size_t row = 0; row < count; ++row) to[row] = static_cast<double>(values.as<std::int64_t>()[row]);
  } else if (base == Base::date && to_base == Base::timestamp) {
    std::int64_t* const to = reinterpret_cast<std::int64_t*>(place.data.get());
    for (std::size_t row = 0; row < count; ++row) {
      const std::int64_t micros = checked_multiply(values.as<std::int64_t>()[row], kMicrosPerDay);
      if (micros == kNoInt) place.known[row] = 0;
      to[row] = micros == kNoInt ? 0 : micros;
    }
  } else {
    const bool texts = e[op.value].type.is_text() && node.type.is_text();
    MLP_CHECK(texts || base == to_base);
    std::memcpy(place.data.get(), values.data, count * size_of(place.slot));
  }
}

void Interpreter::compute(Place& place, const Node& node, const And& op) {
  const Values &left = of(op.left), &right = of(op.right);
  MLP_CHECK(e[op.left].type.base == Base::bool_ && e[op.right].type.base == Base::bool_ && node.type.base == Base::bool_);
  std::uint8_t* const to = reinterpret_cast<std::uint8_t*>(place.data.get());
  for (std::size_t row = 0; row < count; ++row) {
    const bool a = left.as<std::uint8_t>()[row], b = right.as<std::uint8_t>()[row];
    const bool a_known = left.is_known(row), b_known = right.is_known(row);
    place.known[row] = (a_known && b_known) || (a_known && !a) || (b_known && !b);
    to[row] = a_known && b_known && a && b;
  }
}

void Interpreter::compute(Place& place, const Node& node, const Or& op) {
  const Values &left = of(op.left), &right = of(op.right);
  MLP_CHECK(e[op.left].type.base == Base::bool_ && e[op.right].type.base == Base::bool_ && node.type.base == Base::bool_);
  std::uint8_t* const to = reinterpret_cast<std::uint8_t*>(place.data.get());
  for (std::size_t row = 0; row < count; ++row) {
    const bool a = left.is_known(row) && left.as<std::uint8_t>()[row];
    const bool b = right.is_known(row) && right.as<std::uint8_t>()[row];
    place.known[row] = a || b || (left.is_known(row) && right.is_known(row));
    to[row] = a || b;
  }
}

void Interpreter::compute(Place& place, const Node& node, const Not& op) {
  const Values& values = of(op.value);
  MLP_CHECK(e[op.value].type.base == Base::bool_ && node.type.base == Base::bool_);
  std::uint8_t* const to = reinterpret_cast<std::uint8_t*>(place.data.get());
  for (std::size_t row = 0; row < count; ++row) {
    place.known[row] = values.is_known(row);
    to[row] = values.is_known(row) && !values.as<std::uint8_t>()[row];
  }
}

/// Row by row one of two values: 1 takes `yes`, 0 takes `no`, 2 is missing.
template <class T>
void Interpreter::choose(Place& place, const std::uint8_t* which, const Values& yes, const Values& no) {
  T* const to = reinterpret_cast<T*>(place.data.get());
  for (std::size_t row = 0; row < count; ++row) {
    const Values& source = which[row] == 1 ? yes : no;
    const bool known = which[row] != 2 && source.is_known(row);
    place.known[row] = known;
    to[row] = known ? source.as<T>()[row] : T{};
  }
}

void Interpreter::pick(Place& place, const std::uint8_t* which, const Values& yes, const Values& no) {
  switch (place.slot) {
    case Slot::bool_: return choose<std::uint8_t>(place, which, yes, no);
    case Slot::int_: return choose<std::int64_t>(place, which, yes, no);
    case Slot::float_: return choose<double>(place, which, yes, no);
    case Slot::text: return choose<Text>(place, which, yes, no);
    case Slot::bits:
    case Slot::weights: MLP_CHECK(false);
  }
}

void Interpreter::compute(Place& place, const Node& node, const Choose& op) {
  const Values& condition = of(op.condition);
  MLP_CHECK(e[op.condition].type.base == Base::bool_ && slot_of(e[op.yes].type) == slot_of(node.type) &&
            slot_of(e[op.no].type) == slot_of(node.type));
  // A condition is typed as never missing; where one is all the same (an overflow), so is the result.
  for (std::size_t row = 0; row < count; ++row)
    argument_known[row] = condition.is_known(row) ? condition.as<std::uint8_t>()[row] : 2;
  pick(place, argument_known.data(), of(op.yes), of(op.no));
}

void Interpreter::compute(Place& place, const Node& node, const Coalesce& op) {
  const Values& values = of(op.value);
  MLP_CHECK(slot_of(e[op.value].type) == slot_of(node.type) && slot_of(e[op.fallback].type) == slot_of(node.type));
  for (std::size_t row = 0; row < count; ++row) argument_known[row] = values.is_known(row);
  pick(place, argument_known.data(), values, of(op.fallback));
}

void Interpreter::compute(Place& place, const Node& node, const IsKnown& op) {
  const Values& values = of(op.value);
  MLP_CHECK(node.type.base == Base::bool_);
  std::fill_n(place.known.get(), count, std::uint8_t{1});
  std::uint8_t* const to = reinterpret_cast<std::uint8_t*>(place.data.get());
  for (std::size_t row = 0; row < count; ++row) to[row] = values.is_known(row) != op.negated;
}

template <class T, class Contains>
void Interpreter::test_set(Place& place, const Values& values, bool negated, Contains contains) {
  std::uint8_t* const to = reinterpret_cast<std::uint8_t*>(place.data.get());
  for (std::size_t row = 0; row < count; ++row) {
    place.known[row] = values.is_known(row);
    to[row] = values.is_known(row) && contains(values.as<T>()[row]) != negated;
  }
}

void Interpreter::compute(Place& place, const Node& node, const InSet& op) {
  const Values& values = of(op.value);
  const Type& type = e[op.value].type;
  MLP_CHECK(node.type.base == Base::bool_);
  std::vector<std::unique_ptr<Constant>> constants;
  for (const Value& value : op.set) {
    constants.push_back(make_constant(value, type));
    MLP_CHECK(constants.back()->known);
  }
  const auto numbers = [&]<class T>(std::type_identity<T>) {
    std::vector<T> set(constants.size());
    for (std::size_t i = 0; i < set.size(); ++i) std::memcpy(&set[i], constants[i]->bytes, sizeof(T));
    std::ranges::sort(set);
    test_set<T>(place, values, op.negated, [&](T x) { return std::ranges::binary_search(set, x); });
  };
  switch (slot_of(type)) {
    case Slot::bool_: return numbers(std::type_identity<std::uint8_t>{});
    case Slot::int_: return numbers(std::type_identity<std::int64_t>{});
    case Slot::float_: return numbers(std::type_identity<double>{});
    case Slot::text: {
      std::vector<std::string_view> set;
      for (const auto& constant : constants) set.push_back(constant->text);
      std::ranges::sort(set);
      return test_set<Text>(place, values, op.negated, [&](Text x) {
        return std::ranges::binary_search(set, std::string_view(x.data, static_cast<std::size_t>(x.size)));
      });
    }
    case Slot::bits:
    case Slot::weights: MLP_CHECK(false);
  }
}

}  // namespace

Result<Column> evaluate(const Expr& e, const Batch& inputs) {
  MLP_CHECK(!e.nodes.empty());
  const Type& type = e.type();
  if (const auto* input = std::get_if<Input>(&e.nodes.back().op)) {
    MLP_CHECK(input->index < inputs.columns.size());
    Column column = inputs.columns[input->index];
    MLP_CHECK(column.rows == inputs.rows && column.type.base == type.base);
    column.type = type;
    return column;
  }
  Interpreter interpreter(e, inputs);
  interpreter.prepare();
  const Slot slot = slot_of(type);
  const std::size_t size = size_of(slot);
  std::optional<TextColumn> texts;
  Column column;
  if (slot == Slot::text) texts.emplace(type, inputs.rows);
  else column = {.type = type, .rows = inputs.rows, .data = Buffer(inputs.rows * size)};
  std::vector<std::uint8_t> known(inputs.rows);

  for (std::size_t from = 0; from < inputs.rows; from += kChunk) {
    interpreter.from = from;
    interpreter.count = std::min(kChunk, inputs.rows - from);
    for (std::size_t node = 0; node < e.nodes.size(); ++node)
      if (interpreter.places[node].needed) interpreter.compute(node);
    const Values& root = interpreter.places.back().values;
    if (texts) {
      texts->append(root.as<Text>(), root.known, interpreter.count);
    } else {
      std::memcpy(column.data.mutable_data() + from * size, root.data, interpreter.count * size);
      std::copy_n(root.known, interpreter.count, known.begin() + static_cast<std::ptrdiff_t>(from));
    }
    interpreter.arena.clear();
  }
  if (texts) return texts->finish();
  if (std::ranges::find(known, 0) != known.end()) column.known = Buffer::copy(known.data(), known.size());
  return column;
}

}  // namespace mlp::interp
