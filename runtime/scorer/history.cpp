#include "runtime/scorer/history.h"

#include <algorithm>
#include <bit>

#include "compiler/support/check.h"
#include "runtime/column/byte_list.h"
#include "runtime/column/codec.h"
#include "runtime/learn/native.h"

namespace mlp::scorer {

namespace {

/// The bytes of a key: equal for equal values, also of a category and a string. Empty where a value is missing: equal to nothing.
std::string key_at(std::span<const Column> keys, std::size_t row) {
  std::string out = "k";
  for (const Column& key : keys) {
    if (!key.is_known(row)) return {};
    if (key.type.is_text()) {
      const std::string_view text = key.text(row);
      const auto size = static_cast<std::uint64_t>(text.size());
      out.append(reinterpret_cast<const char*>(&size), sizeof size).append(text);
      continue;
    }
    std::int64_t number = 0;
    if (key.type.base == Base::bool_) number = key.values<std::uint8_t>()[row];
    else if (key.type.base == Base::float_) number = std::bit_cast<std::int64_t>(key.values<double>()[row] == 0 ? 0.0 : key.values<double>()[row]);
    else number = key.values<std::int64_t>()[row];
    out.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  return out;
}

std::unexpected<diag::Diagnostic> damaged() { return failure(diag::Code::E0903, "rows that the scorer looks up are damaged", "run the workflow again"); }

std::int64_t minus(std::int64_t a, std::int64_t b) {
  std::int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return b > 0 ? INT64_MIN : INT64_MAX;
}

}  // namespace

Result<std::shared_ptr<const KeptHistory>> load_history(std::string_view bytes) {
  MLP_TRY(const std::vector<std::string> parts, unpack(bytes));
  if (parts.size() < 2 || parts[0].size() != 3) return damaged();
  const auto key_count = static_cast<std::size_t>(static_cast<unsigned char>(parts[0][0]));
  const bool timed = parts[0][1] != 0, has_values = parts[0][2] != 0;
  if (parts.size() != 1 + key_count + (timed ? 1 : 0) + (has_values ? 1 : 0)) return damaged();
  auto history = std::make_shared<KeptHistory>();
  std::vector<Column> columns;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    MLP_TRY(columns.emplace_back(), decode_column(parts[i]));
    if (columns.back().rows != columns.front().rows) return damaged();
  }
  const std::size_t rows = columns.empty() ? 0 : columns.front().rows;
  history->keys.assign(columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(key_count));
  history->timed = timed;
  if (timed) {
    if (columns[key_count].type.base != Base::timestamp) return damaged();
    const auto times = columns[key_count].values<std::int64_t>();
    history->known.assign(times.begin(), times.end());
  }
  if (has_values) history->values = columns.back();
  for (std::size_t i = 0; i < rows; ++i) {
    const auto [at, fresh] = history->stretch_of.try_emplace(key_at(history->keys, i), static_cast<std::int64_t>(i), static_cast<std::int64_t>(i));
    if (!fresh && at->second.second != static_cast<std::int64_t>(i)) return damaged();  // not sorted by key
    if (timed && at->second.second > at->second.first && history->known[i] < history->known[i - 1]) return damaged();
    at->second.second = static_cast<std::int64_t>(i) + 1;
  }
  return history;
}

bool fits(const KeptHistory& history, const plan::ScorerColumn& column) {
  return column.inputs.size() == history.keys.size() + (history.timed ? 1 : 0);
}

Column look_up(const KeptHistory& history, const plan::ScorerColumn& column, std::span<const Column> by, std::size_t rows) {
  // The rows of all stretches one after the other, so that the work is as much as they are.
  std::vector<std::int64_t> list, begin(rows), end(rows);
  // Without times all rows of one key ask for the same.
  std::unordered_map<std::string, std::size_t> asked;
  for (std::size_t i = 0; i < rows; ++i) {
    begin[i] = static_cast<std::int64_t>(list.size());
    const std::string key = key_at(by.first(std::min(by.size(), history.keys.size())), i);
    if (!history.timed) {
      const auto [before, fresh] = asked.try_emplace(key, i);
      if (!fresh) {
        begin[i] = begin[before->second], end[i] = end[before->second];
        continue;
      }
    }
    const auto found = key.empty() ? history.stretch_of.end() : history.stretch_of.find(key);
    if (found != history.stretch_of.end()) {
      auto [low, high] = found->second;
      if (history.timed) {
        const Column& time = by[history.keys.size()];
        if (time.is_known(i)) {
          const std::int64_t until = minus(time.values<std::int64_t>()[i], column.ending_us);
          const auto from = history.known.begin();
          const auto last = std::lower_bound(from + low, from + high, until);
          const auto first = column.over_us > 0 ? std::lower_bound(from + low, last, minus(until, column.over_us)) : from + low;
          low = first - from, high = last - from;
        } else {
          high = low;
        }
      }
      if (column.native.empty() && high > low) low = high - 1;
      for (std::int64_t row = low; row < high; ++row) list.push_back(row);
    }
    end[i] = static_cast<std::int64_t>(list.size());
  }
  if (column.native.empty()) {
    std::vector<std::int64_t> row(rows, -1);
    for (std::size_t i = 0; i < rows; ++i)
      if (end[i] > begin[i]) row[i] = list[static_cast<std::size_t>(begin[i])];
    if (history.values) return take(*history.values, row, std::monostate{}, column.type);
    ColumnBuilder found(Type::of(Base::bool_), rows);
    for (const std::int64_t each : row) found.push_bool(each >= 0);
    return found.finish();
  }
  std::optional<Column> values;
  if (history.values) values = take(*history.values, list, std::monostate{}, history.values->type);
  learn::AggregateInput input;
  input.values = values ? &*values : nullptr;
  input.rows = list.size();
  input.begin = begin, input.end = end;
  input.options = column.options;
  input.type = column.type;
  return learn::find_aggregate(column.native)->value(input);
}

}  // namespace mlp::scorer
