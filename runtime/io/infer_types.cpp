#include "runtime/io/infer_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_set>

#include "runtime/column/parallel.h"
#include "runtime/io/date_text.h"
#include "runtime/io/field_text.h"
#include "runtime/io/source.h"

namespace mlp::io {

namespace {

constexpr std::size_t kFewAtOnce = 20, kFew = 1000;
constexpr std::uint64_t kLargestExact = std::uint64_t{1} << 53;

/// Numbers only where nothing of the text is lost: "007" and "+49" are names that are made of digits.
bool is_plain_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const auto digit = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  return !text.starts_with('+') && !(digit(0) && text[0] == '0' && digit(1));
}

bool is_exact_float(std::string_view text, char decimal) {
  if (!parse_float(text, decimal)) return false;
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return true;
  const auto whole = parse_int(digits);
  return whole && static_cast<std::uint64_t>(*whole) <= kLargestExact;
}

/// What can still be said of a column after some of its values.
struct Judgement {
  bool is_bool = true, is_int = true, is_float = true, is_date = true, is_timestamp = true;
  bool any_missing = false;
  std::uint64_t known = 0;
  bool many = false;  ///< more different texts than a category may have
  std::unordered_set<std::string> distinct;

  void see(std::string_view text, char decimal) {
    static const DateFormat iso;
    ++known;
    if (is_int || is_float) {
      const bool plain = is_plain_number(text);
      is_int = is_int && plain && parse_int(text);
      is_float = is_float && plain && is_exact_float(text, decimal);
    }
    is_bool = is_bool && parse_bool(text) && !parse_int(text);
    is_date = is_date && iso.read_date(text);
    is_timestamp = is_timestamp && iso.read_timestamp(text);
    if (!many) count(std::string(text));
  }

  void add(Judgement&& later) {
    is_bool = is_bool && later.is_bool, is_int = is_int && later.is_int, is_float = is_float && later.is_float;
    is_date = is_date && later.is_date, is_timestamp = is_timestamp && later.is_timestamp;
    any_missing = any_missing || later.any_missing;
    known += later.known;
    many = many || later.many;
    if (many) distinct.clear();
    while (!many && !later.distinct.empty()) count(std::move(later.distinct.extract(later.distinct.begin()).value()));
  }

  Base base() const {
    if (known == 0) return Base::string;
    if (is_bool) return Base::bool_;
    if (is_int) return Base::int_;
    if (is_float) return Base::float_;
    if (is_date) return Base::date;
    if (is_timestamp) return Base::timestamp;
    const std::size_t n = distinct.size();
    return !many && (n * 10 <= known || (n <= kFewAtOnce && n * 2 <= known)) ? Base::category : Base::string;
  }

 private:
  void count(std::string text) {
    distinct.insert(std::move(text));
    many = distinct.size() > kFew;
    if (many) distinct.clear();
  }
};

/// The columns of the table, as they are read to find out more: texts, or what files with types of their own say. Those of partitions are texts.
Result<std::vector<plan::ReadColumn>> columns_to_read(const Table& table) {
  std::vector<plan::ReadColumn> columns;
  std::vector<NamedColumns> files = columns_by_file(table);
  std::set<std::string_view> seen;
  for (const NamedColumns& file : files)
    for (const std::string& name : file.names)
      if (!name.empty() && seen.insert(name).second) columns.push_back({name, Type::of(Base::string, true), {}, {}, {}, {}, {}});
  MLP_TRY_VOID(check_names(table, columns));
  if (!table.source->form->types) return columns;
  std::set<std::string> known;
  for (const FileScan& file : table.files) {
    MLP_TRY(const std::vector<Type> types, table.source->form->types(*table.source, file));
    for (std::size_t c = 0; c < types.size(); ++c) {
      const auto at = std::ranges::find(columns, file.header[c], &plan::ReadColumn::source_name);
      if (at == columns.end()) continue;
      Type& type = at->type;
      const Base before = type.base, now = types[c].base;
      const bool first = known.insert(file.header[c]).second;
      if (first || (before == Base::int_ && now == Base::float_)) type.base = now;
      else if (now != before && !(before == Base::float_ && now == Base::int_)) type.base = Base::error;
      if (type.base == Base::error)
        return failure(diag::Code::E0804, fmt::format("the column `{}` of `{}` holds values of several kinds, or lists or objects", file.header[c], file.path),
                       "a column of a table holds values of one kind: mend the file, or declare the columns that are needed instead of `rest from lock`");
    }
  }
  return columns;
}

}  // namespace

Result<Schema> infer_types(const Table& table, const std::string& name) {
  const char decimal = table.source->options.decimal;
  MLP_TRY(std::vector<plan::ReadColumn> columns, columns_to_read(table));
  // A text that has digits in a file with types is a text.
  std::set<std::string_view> texts;
  if (table.source->form->types)
    for (const FileScan& file : table.files) texts.insert(file.header.begin(), file.header.end());

  const std::size_t count = table.fragments.size();
  std::vector<std::vector<Judgement>> judged(count);
  std::vector<BadValues> bad(count);
  std::vector<std::optional<diag::Diagnostic>> failures(count);
  parallel_for(count, [&](std::size_t f) {
    auto read = read_fragment(table, f, columns);
    if (!read) {
      failures[f] = std::move(read.error());
      return;
    }
    bad[f] = std::move(read->bad);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const Column& column = read->batch.columns[c];
      Judgement& judgement = judged[f].emplace_back();
      if (texts.contains(columns[c].source_name)) judgement.is_bool = judgement.is_int = judgement.is_float = false;
      if (column.type.base != Base::string) {
        judgement.any_missing = column.count_missing() > 0;
        continue;
      }
      for (std::size_t row = 0; row < column.rows; ++row) {
        if (column.is_known(row)) judgement.see(column.text(row), decimal);
        else judgement.any_missing = true;
      }
    }
  });
  for (auto& failed : failures)
    if (failed) return failure(std::move(*failed));
  if (std::ranges::any_of(bad, [](const BadValues& b) { return b.count > 0; })) return failure(contract_failure(name, bad));

  std::vector<Judgement> whole(columns.size());
  for (std::vector<Judgement>& part : judged)
    for (std::size_t c = 0; c < part.size(); ++c) whole[c].add(std::move(part[c]));
  Schema schema;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const bool is_text = columns[c].type.base == Base::string;
    columns[c].type = Type::of(is_text ? whole[c].base() : columns[c].type.base, whole[c].any_missing || (is_text && whole[c].known == 0));
    schema.push_back({columns[c].source_name, columns[c].type});
  }
  MLP_TRY_VOID(check_columns(*table.source, columns));
  return schema;
}

}  // namespace mlp::io
