#include "runtime/learn/cells.h"

#include <algorithm>
#include <map>

#include "compiler/support/check.h"

namespace mlp::learn {

Numbers::Numbers(const Column& column) {
  if (column.known) known_ = column.known.as<std::uint8_t>().first(column.rows);
  switch (column.type.base) {
    case Base::float_: values_ = column.values<double>().first(column.rows); return;
    case Base::bool_: {
      const auto from = column.values<std::uint8_t>().first(column.rows);
      converted_.assign(from.begin(), from.end());
      break;
    }
    case Base::int_:
    case Base::date:
    case Base::timestamp:
    case Base::duration: {
      const auto from = column.values<std::int64_t>().first(column.rows);
      converted_.reserve(column.rows);
      for (const std::int64_t v : from) converted_.push_back(static_cast<double>(v));
      break;
    }
    case Base::error:
    case Base::string:
    case Base::category:
    case Base::list:
    case Base::vector:
    case Base::map: MLP_CHECK(!"a number column"); break;
  }
  values_ = converted_;
}

Coded::Coded(const Column& column) {
  if (column.known) known_ = column.known.as<std::uint8_t>().first(column.rows);
  if (column.type.base == Base::category) {
    codes_ = column.values<std::int32_t>().first(column.rows);
    if (column.dictionary)
      for (const std::string& value : column.dictionary->values) texts_.push_back(value);
    return;
  }
  own_codes_.reserve(column.rows);
  if (column.type.base == Base::bool_) {
    texts_ = {"false", "true"};
    for (const std::uint8_t v : column.values<std::uint8_t>().first(column.rows)) own_codes_.push_back(v);
  } else {
    MLP_CHECK(column.type.base == Base::string);
    std::map<std::string_view, std::int32_t> seen;
    for (std::size_t i = 0; i < column.rows; ++i) {
      if (!column.is_known(i)) {
        own_codes_.push_back(-1);
        continue;
      }
      const auto [at, fresh] = seen.try_emplace(column.text(i), static_cast<std::int32_t>(texts_.size()));
      if (fresh) texts_.push_back(at->first);
      own_codes_.push_back(at->second);
    }
  }
  codes_ = own_codes_;
}

FloatCells::FloatCells(std::size_t rows)
    : rows_(rows), data_(rows * sizeof(double)), mask_(rows), values_(data_.as_mutable<double>()), known_(mask_.as_mutable<std::uint8_t>()) {}

Column FloatCells::finish(bool maybe) && {
  const bool all = std::ranges::all_of(known_, [](std::uint8_t k) { return k != 0; });
  MLP_CHECK(maybe || all);
  Column out;
  out.type = Type::of(Base::float_, maybe);
  out.rows = rows_;
  out.data = std::move(data_);
  if (!all) out.known = std::move(mask_);
  return out;
}

Column int_column(std::vector<std::int64_t> values, std::vector<std::uint8_t> known) {
  Column out;
  out.type = Type::of(Base::int_, true);
  out.rows = values.size();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (known[i] == 0) values[i] = 0;
  out.data = Buffer::copy(values.data(), values.size() * sizeof(std::int64_t));
  if (std::ranges::any_of(known, [](std::uint8_t k) { return k == 0; })) out.known = Buffer::copy(known.data(), known.size());
  return out;
}

namespace {
const Value& option(const Options& options, std::string_view name) {
  const auto at = std::ranges::find(options, name, &Options::value_type::first);
  MLP_CHECK(at != options.end());
  return at->second;
}
}  // namespace

double number_option(const Options& options, std::string_view name) {
  const Value& v = option(options, name);
  if (const auto* i = std::get_if<std::int64_t>(&v)) return static_cast<double>(*i);
  if (const auto* b = std::get_if<bool>(&v)) return *b ? 1 : 0;
  const auto* d = std::get_if<double>(&v);
  MLP_CHECK(d != nullptr);
  return *d;
}

std::string_view text_option(const Options& options, std::string_view name) {
  const auto* s = std::get_if<std::string>(&option(options, name));
  MLP_CHECK(s != nullptr);
  return *s;
}

}  // namespace mlp::learn
