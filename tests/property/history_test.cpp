// Values of histories and of what lies ahead equal their definition, on random tables with ties, gaps, late rows and missing values.
#include <catch2/catch.hpp>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <set>

#include "runtime/learn/exact_sum.h"
#include "runtime/learn/native.h"
#include "runtime/relation/history.h"

using namespace mlp;

namespace {

std::uint64_t seed(std::uint64_t otherwise) {
  const char* given = std::getenv("MLP_SEED");
  const std::uint64_t value = given ? std::strtoull(given, nullptr, 10) : otherwise;
  std::cout << "MLP_SEED=" << value << "\n";
  return value;
}

struct Table {
  Column key, time;                 ///< of the rows that ask
  Column their_key, their_known, values, flags, words;
  std::vector<std::uint8_t> where;
};

template <class Push>
Column random_column(std::mt19937_64& random, Type type, std::size_t rows, double missing, Push push) {
  ColumnBuilder builder(type, rows);
  std::bernoulli_distribution is_missing(missing);
  for (std::size_t i = 0; i < rows; ++i) {
    if (is_missing(random)) builder.push_missing();
    else push(builder);
  }
  return builder.finish();
}

Table random_table(std::mt19937_64& random) {
  const auto below = [&](std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n)); };
  const std::size_t asking = static_cast<std::size_t>(below(60)), rows = static_cast<std::size_t>(below(120));
  const std::int64_t keys = 1 + below(6), times = 1 + below(40);
  const bool sorted = below(2) == 0, wide = below(3) == 0;
  std::int64_t clock = 0;
  const auto time = [&] { return sorted ? clock += below(3) : below(times); };
  Table t;
  const auto key = [&](ColumnBuilder& b) { b.push_text(std::string(1, static_cast<char>('a' + below(keys)))); };
  t.key = random_column(random, Type::of(Base::category, true), asking, 0.05, key);
  t.time = random_column(random, Type::of(Base::timestamp, true), asking, 0.05, [&](ColumnBuilder& b) { b.push_int(time()); });
  clock = 0;
  t.their_key = random_column(random, Type::of(Base::string, true), rows, 0.05, key);
  // Some rows are known late, some never.
  t.their_known = random_column(random, Type::of(Base::timestamp, true), rows, 0.05, [&](ColumnBuilder& b) { b.push_int(time() + (below(4) == 0 ? below(9) : 0)); });
  t.values = random_column(random, Type::of(Base::float_, true), rows, 0.1, [&](ColumnBuilder& b) {
    const double x = static_cast<double>(below(9)) - 4 + 0.1 * static_cast<double>(below(10));
    b.push_float(wide ? std::ldexp(x, static_cast<int>(below(1200)) - 600) : x);
  });
  t.flags = random_column(random, Type::of(Base::bool_, true), rows, 0.1, [&](ColumnBuilder& b) { b.push_bool(below(2) == 0); });
  t.words = random_column(random, Type::of(Base::string, true), rows, 0.1, [&](ColumnBuilder& b) { b.push_text(std::string(1, static_cast<char>('p' + below(4)))); });
  for (std::size_t i = 0; i < rows; ++i) t.where.push_back(below(3) != 0);
  return t;
}

/// The rows of the window by the definition, in the order of the time from which they are known, then of the table.
std::vector<std::size_t> rows_by_definition(const Table& t, std::size_t row, const relation::Window& w) {
  std::vector<std::size_t> out;
  if (!t.key.is_known(row) || !t.time.is_known(row)) return out;
  const std::int64_t now = t.time.values<std::int64_t>()[row];
  const auto known = t.their_known.values<std::int64_t>();
  for (std::size_t i = 0; i < t.their_known.rows; ++i) {
    if (!t.their_key.is_known(i) || !t.their_known.is_known(i) || t.their_key.text(i) != t.key.text(row)) continue;
    const bool in = w.next ? known[i] > now && known[i] <= now + w.over : known[i] < now - w.ending && (w.over == 0 || known[i] >= now - w.ending - w.over);
    if (in) out.push_back(i);
  }
  std::stable_sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) { return known[a] < known[b]; });
  return out;
}

/// Missing reads NaN.
double number(const Column& column, std::size_t row) { return column.is_known(row) ? number_at(column, row) : std::nan(""); }
bool same(double a, double b) { return (std::isnan(a) && std::isnan(b)) || a == b; }

double by_definition(const std::string& name, const Table& t, const Column* column, const std::vector<std::size_t>& window) {
  std::vector<std::size_t> rows;
  for (const std::size_t i : window)
    if (t.where[i] && (!column || column->is_known(i))) rows.push_back(i);
  const auto n = static_cast<double>(rows.size());
  const auto x = [&](std::size_t i) { return number_at(*column, i); };
  if (name == "count_of_rows") return n;
  if (name == "any_of_rows") return std::any_of(rows.begin(), rows.end(), [&](std::size_t i) { return !column || x(i) != 0; });
  if (name == "distinct_of_rows") {
    std::set<std::string> words;
    for (const std::size_t i : rows) words.insert(std::string(column->text(i)));
    return static_cast<double>(words.size());
  }
  if (name == "ratio_of_rows") return rows.empty() ? std::nan("") : static_cast<double>(std::count_if(rows.begin(), rows.end(), [&](std::size_t i) { return x(i) != 0; })) / n;
  learn::ExactSum sum, squares;
  for (const std::size_t i : rows) sum.add(x(i)), squares.add_product(x(i), x(i));
  if (name == "sum_of_rows") return sum.value();
  if (rows.empty()) return std::nan("");
  if (name == "mean_of_rows") return sum.value() / n;
  if (name == "std_of_rows") {
    const learn::Moments m = learn::moments(rows.size(), sum, squares);
    return rows.size() < 2 ? std::nan("") : std::ldexp(std::sqrt(m.variance * (n / (n - 1))), m.exponent);
  }
  if (name == "latest_of_rows") return x(rows.back());
  if (name == "first_of_rows") return x(rows.front());
  std::vector<double> values;
  for (const std::size_t i : rows) values.push_back(x(i));
  std::sort(values.begin(), values.end());
  if (name == "min_of_rows") return values.front();
  if (name == "max_of_rows") return values.back();
  const double position = 0.3 * (n - 1);
  const auto low = static_cast<std::size_t>(position);
  const double part = position - static_cast<double>(low);
  return part > 0 ? values[low] + part * (values[low + 1] - values[low]) : values[low];
}

}  // namespace

TEST_CASE("values of histories equal their definition, row by row") {
  const std::size_t tables = std::getenv("MLP_SOAK") ? 1000 : 50;
  std::mt19937_64 random(seed(5));
  struct Asked { const char* native; int column; };  // 0 none, 1 values, 2 flags, 3 words
  constexpr Asked kAsked[] = {{"count_of_rows", 0}, {"count_of_rows", 1}, {"any_of_rows", 0}, {"any_of_rows", 2}, {"ratio_of_rows", 2}, {"distinct_of_rows", 3}, {"sum_of_rows", 1},
                              {"mean_of_rows", 1}, {"std_of_rows", 1}, {"latest_of_rows", 1}, {"first_of_rows", 1}, {"min_of_rows", 1}, {"max_of_rows", 1}, {"quantile_of_rows", 1}};
  for (std::size_t n = 0; n < tables; ++n) {
    const Table t = random_table(random);
    const Column asking[] = {t.key};
    const relation::History history = relation::match_history({t.their_key}, asking, &t.time, &t.their_known);
    const relation::Window windows[] = {{0, 0, false}, {3, 0, false}, {7, 2, false}, {0, 4, false}, {5, 0, true}};
    for (const relation::Window& window : windows) {
      if (!window.next) {
        // The way of `latest` of its own.
        std::vector<std::uint8_t> counts;
        for (std::size_t i = 0; i < t.values.rows; ++i) counts.push_back(t.where[i] && t.values.is_known(i));
        const relation::Rows latest = relation::latest_before(relation::KeyIndex({t.their_key}, t.their_key.rows), asking, t.time, t.their_known, window, counts);
        for (std::size_t row = 0; row < t.key.rows; ++row) {
          INFO("latest, table " << n << " row " << row << " over " << window.over << " ending " << window.ending);
          const double found = latest[row] < 0 ? std::nan("") : number_at(t.values, static_cast<std::size_t>(latest[row]));
          REQUIRE(same(found, by_definition("latest_of_rows", t, &t.values, rows_by_definition(t, row, window))));
        }
      }
      const relation::Stretches stretches = relation::stretches(history.view(), &t.time, window);
      const auto in_order = [&](const Column& column) { return take(column, history.rows, std::monostate{}, column.type); };
      std::vector<std::uint8_t> use;
      for (const std::int64_t row : history.rows) use.push_back(t.where[static_cast<std::size_t>(row)]);
      for (const Asked& asked : kAsked) {
        const Column* column = asked.column == 1 ? &t.values : asked.column == 2 ? &t.flags : asked.column == 3 ? &t.words : nullptr;
        const std::string name = asked.native;
        std::optional<Column> given;
        if (column) given = in_order(*column);
        learn::AggregateInput input;
        input.values = given ? &*given : nullptr;
        input.rows = history.rows.size();
        input.use = use;
        input.begin = stretches.begin, input.end = stretches.end;
        input.options = {{"share", 0.3}};
        const bool whole = name == "count_of_rows" || name == "distinct_of_rows";
        input.type = name == "any_of_rows" ? Type::of(Base::bool_) : whole ? Type::of(Base::int_) : Type::of(Base::float_, true);
        const Column found = learn::find_aggregate(name)->value(input);
        REQUIRE(found.rows == t.key.rows);
        for (std::size_t i = 0; i < found.rows; ++i) {
          const auto row = static_cast<std::size_t>(history.asking[i]);
          double expected = by_definition(name, t, column, rows_by_definition(t, row, window));
          if (!std::isfinite(expected)) expected = std::nan("");  // infinities are missing
          INFO(name << " table " << n << " row " << row << " over " << window.over << " ending " << window.ending << (window.next ? " next" : ""));
          REQUIRE(same(number(found, i), expected));
        }
      }
    }
  }
}
