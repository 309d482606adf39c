#include <algorithm>
#include <memory>

#include "runtime/batch/forms.h"
#include "runtime/io/source.h"

namespace mlp::batch {

namespace {

/// A column goes by its name in the table's files, or else by its name in the workflow.
void bind_name(const io::FileScan& scan, const plan::RawField& field, plan::ReadColumn& column) {
  const auto has = [&](const std::string& name) { return std::ranges::find(scan.header, name) != scan.header.end(); };
  if (!has(column.source_name) && has(field.name)) column.source_name = field.name;
}

/// Whole numbers are written as such, all else as it stands in the file.
plan::ReadColumn key_column(const plan::RawField& field) {
  plan::ReadColumn column;
  column.source_name = field.read.source_name;
  column.type = Type::of(field.read.type.base == Base::int_ ? Base::int_ : Base::string, true);
  return column;
}

}  // namespace

Result<void> read_delimited(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input, std::uint64_t fragment_rows,
                            const TakeKeys& take_keys, const BlockWork& work) {
  const scorer::Schema& schema = scorer::schema(scorer);
  io::Source source{&files, io::find_form("csv"), {}};
  MLP_TRY(source.options, io::read_options(schema.source, schema.workflow, fragment_rows));
  if (input.ends_with(".tsv")) source.options.delimiter = '\t';
  else if (source.options.delimiter == '\t' && input.ends_with(".csv")) source.options.delimiter = ',';
  std::vector<plan::ReadColumn> columns;
  for (const plan::RawField& field : schema.request) columns.push_back(field.read);
  MLP_TRY_VOID(io::check_columns(source, columns));
  MLP_TRY(const io::FileScan scan, io::look(source, input));
  const io::Table table = io::join_files(std::make_shared<const io::Source>(source), {scan});
  for (std::size_t i = 0; i < columns.size(); ++i) bind_name(scan, schema.request[i], columns[i]);
  MLP_TRY_VOID(io::bind_columns(scan, columns));

  std::vector<plan::ReadColumn> keys;
  for (const plan::RawField& field : schema.key) bind_name(scan, field, keys.emplace_back(key_column(field)));
  if (!io::bind_columns(scan, keys)) keys.clear();
  std::vector<std::string> key_names;
  for (const plan::ReadColumn& key : keys) key_names.push_back(key.source_name);
  const std::size_t width = columns.size();
  columns.insert(columns.end(), keys.begin(), keys.end());
  take_keys(std::move(key_names));

  for (std::size_t first = 0; first < table.fragments.size(); first += kBlocksAtOnce) {
    const auto read = [&](std::size_t i) -> Result<RowBlock> {
      MLP_TRY(io::ReadOutcome outcome, io::read_fragment(table, first + i, columns));
      RowBlock block;
      block.rows = outcome.batch.rows;
      block.first_row = outcome.batch.first_row;
      block.bad = std::move(outcome.bad);
      block.bad_rows = std::move(outcome.bad_rows);
      auto& all = outcome.batch.columns;
      const auto key_columns = std::make_shared<std::vector<Column>>(std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(width)), std::make_move_iterator(all.end()));
      all.resize(width);
      block.request = std::move(all);
      block.key = [key_columns](std::size_t key, std::size_t row) { return value_at((*key_columns)[key], row); };
      return block;
    };
    MLP_TRY_VOID(work_on(std::min(kBlocksAtOnce, table.fragments.size() - first), read, work));
  }
  return {};
}

}  // namespace mlp::batch
