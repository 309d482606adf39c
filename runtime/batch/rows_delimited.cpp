#include <algorithm>
#include <memory>

#include "runtime/batch/forms.h"
#include "runtime/io/source_options.h"

namespace mlp::batch {

namespace {

/// A column goes by its name in the table's files, or else by its name in the workflow.
void bind_name(const io::FileScan& scan, const plan::RawField& field, io::CsvColumn& column) {
  const auto has = [&](const std::string& name) { return std::ranges::find(scan.header, name) != scan.header.end(); };
  if (!has(column.name) && has(field.name)) column.name = field.name;
}

/// Whole numbers are written as such, all else as it stands in the file.
io::CsvColumn key_column(const plan::RawField& field) {
  io::CsvColumn column;
  column.name = field.read.source_name;
  column.type = Type::of(field.read.type.base == Base::int_ ? Base::int_ : Base::string, true);
  return column;
}

}  // namespace

Result<void> read_delimited(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input, std::uint64_t fragment_rows,
                            const TakeKeys& take_keys, const BlockWork& work) {
  const scorer::Schema& schema = scorer::schema(scorer);
  MLP_TRY(io::CsvOptions options, io::csv_options(schema.source, schema.workflow, fragment_rows));
  if (input.ends_with(".tsv")) options.delimiter = '\t';
  else if (options.delimiter == '\t' && input.ends_with(".csv")) options.delimiter = ',';
  std::vector<io::CsvColumn> columns;
  for (const plan::RawField& field : schema.request) columns.push_back(io::csv_column(field.read));
  MLP_TRY_VOID(io::check_csv(columns, options));
  MLP_TRY(const io::FileScan scan, io::scan_csv(files, input, options));
  for (std::size_t i = 0; i < columns.size(); ++i) bind_name(scan, schema.request[i], columns[i]);
  MLP_TRY_VOID(io::bind_columns(scan, columns));

  std::vector<io::CsvColumn> keys;
  for (const plan::RawField& field : schema.key) bind_name(scan, field, keys.emplace_back(key_column(field)));
  if (!io::bind_columns(scan, keys)) keys.clear();
  std::vector<std::string> key_names;
  for (const io::CsvColumn& key : keys) key_names.push_back(key.name);
  const std::size_t width = columns.size();
  columns.insert(columns.end(), keys.begin(), keys.end());
  take_keys(std::move(key_names));

  for (std::size_t first = 0; first < scan.fragments.size(); first += kBlocksAtOnce) {
    const auto read = [&](std::size_t i) -> Result<RowBlock> {
      const io::Fragment& fragment = scan.fragments[first + i];
      MLP_TRY(io::ReadOutcome outcome, io::read_fragment(files, scan, fragment, columns, options));
      RowBlock block;
      block.rows = outcome.batch.rows;
      block.first_row = fragment.first_row;
      block.bad = std::move(outcome.bad);
      block.bad_rows = std::move(outcome.bad_rows);
      auto& all = outcome.batch.columns;
      const auto key_columns = std::make_shared<std::vector<Column>>(std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(width)), std::make_move_iterator(all.end()));
      all.resize(width);
      block.request = std::move(all);
      block.key = [key_columns](std::size_t key, std::size_t row) { return value_at((*key_columns)[key], row); };
      return block;
    };
    MLP_TRY_VOID(work_on(std::min(kBlocksAtOnce, scan.fragments.size() - first), read, work));
  }
  return {};
}

}  // namespace mlp::batch
