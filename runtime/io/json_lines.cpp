#include "runtime/io/json_lines.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/column/parallel.h"
#include "runtime/io/contract_column.h"
#include "runtime/io/csv_records.h"
#include "runtime/io/json_records.h"
#include "runtime/io/row_finder.h"
#include "runtime/io/text_file.h"

namespace mlp::io {

namespace {

/// As find_rows sees it.
bool is_blank(std::string_view line) { return is_blank_line(line, ',', true); }

/// The lines of a text that are rows, without their ends, and their numbers from that of the first on.
template <class Each>
void for_rows(std::string_view text, std::uint64_t line, Each each) {
  for (; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    if (const std::string_view row = text.substr(0, end); !is_blank(row)) each(row, line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

}  // namespace

Result<FileScan> look_at_json(const Source& source, const std::string& path) {
  FileScan scan;
  scan.path = path;
  MLP_TRY(const std::shared_ptr<File> file, open_text(source, path));
  MLP_TRY(scan.stamp, file->stamp());
  // The first row tells whether this is such a file; what is wrong with another one is said with its line when it is read.
  LineSource lines(*file);
  for (std::uint64_t number = 1;; ++number) {
    MLP_TRY(const auto line, lines.next());
    if (!line) break;
    if (is_blank(*line)) continue;
    std::vector<std::optional<Value>> none;
    JsonRecordReader reader({}, 0);
    if (const auto fault = reader.read(line->ends_with('\n') ? line->substr(0, line->size() - 1) : *line, none); fault && !fault->is_object)
      return no_table(path, number, fmt::format("its first line is no JSON object: {}", fault->reason), "write one object a line: {\"age\": 46, …}");
    break;
  }
  RowRules rules;
  rules.quotes = false;
  rules.trim = true;
  MLP_TRY_VOID(find_rows(*file, scan, rules, 0, 1, source.options.fragment_rows));
  if (scan.rows == 0) return no_table(path, 0, "it is empty", "write one object a line, or leave the file out");

  std::vector<std::vector<std::string>> names(scan.fragments.size());
  MLP_TRY_VOID(hash_fragments(*file, scan, Hasher("json/1").finish(), [&](std::size_t fragment, std::string_view bytes) {
    JsonRecordReader reader({}, 0);
    for_rows(bytes, 0, [&](std::string_view row, std::uint64_t) { reader.add_names(row, names[fragment]); });
  }));
  MLP_TRY(const FileStamp after, file->stamp());
  if (after != scan.stamp) return source_changed(path);

  Hasher hasher("json file/1");
  for (const Fragment& fragment : scan.fragments) hasher.add(fragment.content);
  scan.content = hasher.finish();
  for (const auto& some : names)
    for (const std::string& name : some)
      if (std::ranges::find(scan.header, name) == scan.header.end()) scan.header.push_back(name);
  return scan;
}

Result<std::vector<Type>> types_of_json(const Source& source, const FileScan& scan) {
  std::vector<std::pair<std::string, std::uint32_t>> names;
  for (const std::string& name : scan.header) names.emplace_back(name, static_cast<std::uint32_t>(names.size()));
  enum Kind : unsigned { truth = 1, whole = 2, fraction = 4, text = 8, other = 16 };
  std::vector<std::vector<unsigned>> kinds(scan.fragments.size());
  std::vector<std::optional<diag::Diagnostic>> failures(scan.fragments.size());
  parallel_for(scan.fragments.size(), [&](std::size_t f) {
    const auto bytes = read_bytes(source, scan, scan.fragments[f]);
    if (!bytes) {
      failures[f] = bytes.error();
      return;
    }
    kinds[f].resize(names.size());
    JsonRecordReader reader(names, names.size());
    std::vector<std::optional<Value>> record;
    for_rows(*bytes, 1, [&](std::string_view row, std::uint64_t) {
      if (const auto fault = reader.read(row, record)) {
        const auto at = std::ranges::find(scan.header, fault->field);
        if (at != scan.header.end()) kinds[f][static_cast<std::size_t>(at - scan.header.begin())] |= other;
        return;  // what is no object is said when the rows are read
      }
      for (std::size_t c = 0; c < names.size(); ++c) {
        if (!record[c]) continue;
        // bool, int, double and string are the alternatives 1 to 4 of a Value.
        if (const std::size_t kind = record[c]->index(); kind > 0) kinds[f][c] |= 1u << (kind - 1);
      }
    });
  });
  for (auto& failed : failures)
    if (failed) return failure(std::move(*failed));
  std::vector<Type> types;
  for (std::size_t c = 0; c < names.size(); ++c) {
    unsigned all = 0;
    for (const auto& some : kinds) all |= some[c];
    const Base base = all == 0 || all == text ? Base::string : all == truth ? Base::bool_ : all == whole ? Base::int_ : (all & ~(whole | fraction)) == 0 ? Base::float_ : Base::error;
    types.push_back(Type::of(base));
  }
  return types;
}

Result<ReadOutcome> read_json(const Source& source, const FileScan& scan, const Fragment& fragment, std::span<const plan::ReadColumn> columns) {
  MLP_TRY(const std::vector<FieldReader> fields, make_field_readers(columns, source.options));
  MLP_TRY(const std::string bytes, read_bytes(source, scan, fragment));
  // Columns may be of one field.
  std::vector<std::pair<std::string, std::uint32_t>> names;
  std::vector<std::uint32_t> position_of;
  for (const plan::ReadColumn& column : columns) {
    const auto at = std::ranges::find(names, column.source_name, &std::pair<std::string, std::uint32_t>::first);
    position_of.push_back(at == names.end() ? static_cast<std::uint32_t>(names.size()) : at->second);
    if (at == names.end()) names.emplace_back(column.source_name, position_of.back());
  }
  const std::size_t positions = names.size();
  for (const auto& [of, other] : source.other_names)
    if (const auto at = std::ranges::find(names, of, &std::pair<std::string, std::uint32_t>::first); at != names.end())
      if (std::ranges::find(names, other, &std::pair<std::string, std::uint32_t>::first) == names.end()) names.emplace_back(other, at->second);

  std::vector<ContractColumn> readers;
  for (const FieldReader& field : fields) readers.emplace_back(field, fragment.rows, source.most_shown);
  JsonRecordReader reader(std::move(names), positions);
  std::vector<std::optional<Value>> record;
  std::vector<std::uint64_t> lines;
  BadCells bad;
  bool changed = false;
  for_rows(bytes, fragment.first_line, [&](std::string_view row, std::uint64_t line) {
    changed = changed || lines.size() == fragment.rows;
    if (changed) return;
    const auto fault = reader.read(row, record);
    if (fault) bad.add({static_cast<std::uint32_t>(lines.size()), fault->field, fault->value, fault->reason}, source.most_shown);
    lines.push_back(line);
    for (std::size_t c = 0; c < readers.size(); ++c) {
      if (fault) readers[c].add_nothing();
      else if (const auto& value = record[position_of[c]]) std::visit([&](const auto& known) { readers[c].add(known); }, *value);
      else readers[c].add_missing();
    }
  });
  if (changed || lines.size() != fragment.rows) return source_changed(scan.path);
  return collect(readers, bad, scan.path, fragment, source.most_shown, [&](std::uint32_t row) { return lines[row]; });
}

}  // namespace mlp::io
