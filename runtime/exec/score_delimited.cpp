#include <algorithm>
#include <optional>

#include "runtime/column/parallel.h"
#include "runtime/exec/score_rows.h"
#include "runtime/io/source_options.h"

namespace mlp::exec {

namespace {

/// Fragments that are in memory together; their output is taken in order.
constexpr std::size_t kFragmentsAtOnce = 8;

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

Result<void> score_delimited(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input, std::uint64_t fragment_rows,
                             Form form, std::string& head, const TakeScored& take) {
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
  const ScoreWriter writer(form, std::move(key_names));
  head = writer.head();

  const auto score = [&](const io::Fragment& fragment) -> Result<Scored> {
    MLP_TRY(io::ReadOutcome outcome, io::read_fragment(files, scan, fragment, columns, options));
    const std::span<const Column> all = outcome.batch.columns;
    MLP_TRY(const std::vector<double> predictions, scorer::predict(scorer, all.first(width), outcome.batch.rows));
    Scored scored;
    scored.bad = std::move(outcome.bad);
    writer.append(scored, predictions, fragment.first_row, outcome.bad_rows, [&](std::size_t key, std::size_t row) { return value_at(all[width + key], row); });
    return scored;
  };
  for (std::size_t first = 0; first < scan.fragments.size(); first += kFragmentsAtOnce) {
    std::vector<std::optional<Result<Scored>>> wave(std::min(kFragmentsAtOnce, scan.fragments.size() - first));
    parallel_for(wave.size(), [&](std::size_t i) { wave[i] = score(scan.fragments[first + i]); });
    for (auto& scored : wave) {
      if (!*scored) return failure(std::move(scored->error()));
      take(std::move(**scored));
    }
  }
  return {};
}

}  // namespace mlp::exec
