#include "runtime/interp/slots.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "compiler/support/check.h"

namespace mlp::interp {

namespace {

template <class T>
void put(Constant& constant, T value) {
  static_assert(sizeof value <= sizeof constant.bytes);
  std::memcpy(constant.bytes, &value, sizeof value);
  constant.known = true;
}

Text text_of(const std::string& text) { return {text.data(), static_cast<std::int64_t>(text.size())}; }

double weight_of(const expr::Node& node) {
  const auto* literal = std::get_if<expr::Literal>(&node.op);
  MLP_CHECK(literal);
  if (const auto* real = std::get_if<double>(&literal->value)) return *real;
  const auto* whole = std::get_if<std::int64_t>(&literal->value);
  MLP_CHECK(whole);
  return static_cast<double>(*whole);
}

constexpr std::size_t kRecent = 256;  // the most; a power of two

}  // namespace

Slot slot_of(const Type& type) {
  switch (type.base) {
    case Base::bool_: return Slot::bool_;
    case Base::int_:
    case Base::date:
    case Base::timestamp:
    case Base::duration: return Slot::int_;
    case Base::float_: return Slot::float_;
    case Base::string:
    case Base::category: return Slot::text;
    case Base::error:
    case Base::list:
    case Base::vector:
    case Base::map: break;
  }
  fail_check(__FILE__, __LINE__, "a type that no expression computes");
}

std::size_t size_of(Slot slot) {
  switch (slot) {
    case Slot::bool_: return sizeof(std::uint8_t);
    case Slot::int_: return sizeof(std::int64_t);
    case Slot::float_: return sizeof(double);
    case Slot::text: return sizeof(Text);
    case Slot::bits: return sizeof(std::uint64_t);
    case Slot::weights: return sizeof(const Weights*);
  }
  fail_check(__FILE__, __LINE__, "a slot of no kind");
}

std::unique_ptr<Constant> make_constant(const Value& value, const Type& type) {
  auto constant = std::make_unique<Constant>();
  constant->slot = slot_of(type);
  if (std::holds_alternative<std::monostate>(value)) {
    if (constant->slot == Slot::text) put(*constant, text_of(constant->text));
    constant->known = false;
    return constant;
  }
  switch (constant->slot) {
    case Slot::bool_:
      MLP_CHECK(std::holds_alternative<bool>(value));
      put(*constant, static_cast<std::uint8_t>(std::get<bool>(value)));
      break;
    case Slot::int_:
      MLP_CHECK(std::holds_alternative<std::int64_t>(value));
      put(*constant, std::get<std::int64_t>(value));
      break;
    case Slot::float_: {
      const auto* whole = std::get_if<std::int64_t>(&value);
      MLP_CHECK(whole || std::holds_alternative<double>(value));
      const double number = whole ? static_cast<double>(*whole) : std::get<double>(value);
      if (native_detail::is_value(number)) put(*constant, number);
      break;
    }
    case Slot::text:
      MLP_CHECK(std::holds_alternative<std::string>(value));
      constant->text = std::get<std::string>(value);
      put(*constant, text_of(constant->text));
      break;
    case Slot::bits:
    case Slot::weights: MLP_CHECK(false);
  }
  return constant;
}

std::unique_ptr<ConstantWeights> make_weights(const expr::Expr& e, std::span<const expr::NodeId> pairs) {
  MLP_CHECK(!pairs.empty() && pairs.size() % 2 == 0);
  auto result = std::make_unique<ConstantWeights>();
  std::vector<double> weights;
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    const auto* name = std::get_if<expr::Literal>(&e[pairs[i]].op);
    MLP_CHECK(name && std::holds_alternative<std::string>(name->value));
    result->names.push_back(std::get<std::string>(name->value));
    weights.push_back(weight_of(e[pairs[i + 1]]));
    MLP_CHECK(weights.back() >= 0);
  }
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  MLP_CHECK(total > 0);
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    sum += weights[i];
    result->cumulative.push_back(sum / total);
    result->texts.push_back(text_of(result->names[i]));
  }
  result->cumulative.back() = 1;
  result->weights = {static_cast<std::int64_t>(weights.size()), result->cumulative.data(), result->texts.data()};
  return result;
}

BoundCall bind_call(const expr::Expr& e, const expr::Call& call) {
  BoundCall bound;
  bound.function = find_native_function(call.native);
  MLP_CHECK(bound.function);
  const std::span<const Slot> parameters = bound.function->arguments;
  bound.random = bound.function->is_random();
  const auto map = std::ranges::find(parameters, Slot::weights);
  const bool has_map = map != parameters.end();
  if (has_map) MLP_CHECK(map + 1 == parameters.end());
  bound.first = bound.random ? 1 : 0;
  if (!has_map && !bound.random && parameters.size() == call.args.size() + 1) {
    MLP_CHECK(parameters.front() == Slot::int_);
    bound.row = true;
    bound.first = 1;
  }
  bound.plain = parameters.size() - bound.first - (has_map ? 1 : 0);
  MLP_CHECK(has_map ? call.args.size() > bound.plain : call.args.size() == bound.plain);
  for (std::size_t i = 0; i < bound.plain; ++i) MLP_CHECK(slot_of(e[call.args[i]].type) == parameters[bound.first + i]);
  return bound;
}

void read_texts(const Column& column, std::size_t from, std::size_t count, Text* to) {
  if (column.type.base == Base::string) {
    const std::span<const std::int64_t> offsets = column.offsets.as<std::int64_t>();
    const char* const bytes = reinterpret_cast<const char*>(column.data.data());
    for (std::size_t i = 0; i < count; ++i)
      to[i] = {bytes + offsets[from + i], offsets[from + i + 1] - offsets[from + i]};
    return;
  }
  MLP_CHECK(column.type.base == Base::category);
  if (!column.dictionary) {  // nothing is known
    std::fill_n(to, count, Text{"", 0});
    return;
  }
  const std::span<const std::int32_t> codes = column.values<std::int32_t>();
  const std::vector<std::string>& values = column.dictionary->values;
  for (std::size_t i = 0; i < count; ++i)
    to[i] = column.is_known(from + i) ? text_of(values[static_cast<std::size_t>(codes[from + i])]) : Text{"", 0};
}

TextColumn::TextColumn(Type type, std::size_t expected_rows) : type_(std::move(type)) {
  known_.reserve(expected_rows);
  if (type_.base == Base::string) {
    offsets_.reserve(expected_rows + 1);
    offsets_.push_back(0);
  } else {
    MLP_CHECK(type_.base == Base::category);
    codes_.reserve(expected_rows);
    recent_.resize(std::min(kRecent, std::bit_ceil(std::max<std::size_t>(expected_rows, 1))));
  }
}

std::int32_t TextColumn::code_of(Text text) {
  const auto place = reinterpret_cast<std::uintptr_t>(text.data);
  Recent& recent = recent_[(place ^ place >> 8) & (recent_.size() - 1)];
  // Memory of texts made earlier is used again, so the bytes are looked at too.
  const std::string_view view(text.data, static_cast<std::size_t>(text.size));
  if (recent.data == text.data && recent.size == text.size && distinct_[static_cast<std::size_t>(recent.code)] == view)
    return recent.code;
  auto at = code_of_.find(view);
  if (at == code_of_.end()) {
    const std::string& kept = distinct_.emplace_back(view);
    at = code_of_.emplace(kept, static_cast<std::int32_t>(distinct_.size() - 1)).first;
  }
  recent = {text.data, text.size, at->second};
  return at->second;
}

void TextColumn::append(const Text* texts, const std::uint8_t* known, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_known = known == nullptr || known[i] != 0;
    known_.push_back(is_known);
    any_missing_ |= !is_known;
    if (type_.base == Base::string) {
      if (is_known) bytes_.append(texts[i].data, static_cast<std::size_t>(texts[i].size));
      offsets_.push_back(static_cast<std::int64_t>(bytes_.size()));
    } else {
      codes_.push_back(is_known ? code_of(texts[i]) : -1);
    }
  }
  rows_ += count;
}

Column TextColumn::finish() {
  Column column;
  column.type = type_;
  column.rows = rows_;
  if (any_missing_) column.known = Buffer::copy(known_.data(), known_.size());
  if (type_.base == Base::string) {
    column.data = Buffer::copy(bytes_.data(), bytes_.size());
    column.offsets = Buffer::copy(offsets_.data(), offsets_.size() * sizeof(std::int64_t));
    return column;
  }
  std::vector<std::int32_t> order(distinct_.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](std::int32_t a, std::int32_t b) {
    return distinct_[static_cast<std::size_t>(a)] < distinct_[static_cast<std::size_t>(b)];
  });
  std::vector<std::int32_t> place(distinct_.size());
  auto dictionary = std::make_shared<Dictionary>();
  for (const std::int32_t code : order) {
    place[static_cast<std::size_t>(code)] = static_cast<std::int32_t>(dictionary->values.size());
    dictionary->values.push_back(std::move(distinct_[static_cast<std::size_t>(code)]));
  }
  column.data = Buffer(rows_ * sizeof(std::int32_t));
  const std::span<std::int32_t> codes = column.data.as_mutable<std::int32_t>();
  for (std::size_t i = 0; i < rows_; ++i) codes[i] = codes_[i] < 0 ? 0 : place[static_cast<std::size_t>(codes_[i])];
  column.dictionary = std::move(dictionary);
  return column;
}

}  // namespace mlp::interp
