#include "runtime/batch/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>

#include "runtime/column/parallel.h"

namespace mlp::batch {

namespace {

/// Blocks that are in memory together.
constexpr std::size_t kBlocksAtOnce = 8;

/// What names a row is written as it stands in the file: in a text all but whole numbers are texts.
plan::ReadColumn key_column(const plan::RawField& field, bool of_texts) {
  plan::ReadColumn column;
  column.source_name = field.read.source_name;
  const Base base = field.read.type.base;
  const bool is_number = base == Base::int_ || (!of_texts && (base == Base::bool_ || base == Base::float_));
  column.type = Type::of(is_number ? base : Base::string, true);
  return column;
}

/// How the file is read: as those of the table are, save what its ending says.
Result<io::Source> source_of(const scorer::Schema& schema, io::FileSystem& files, const std::string& input, const io::Form* form, std::uint64_t fragment_rows) {
  io::Source source;
  source.files = &files;
  source.form = form;
  source.hashes = false;
  MLP_TRY(source.options, io::read_options(schema.source, schema.workflow, fragment_rows));
  if (input.find(".tsv") != std::string::npos) source.options.delimiter = '\t';
  else if (source.options.delimiter == '\t' && input.find(".csv") != std::string::npos) source.options.delimiter = ',';
  for (const auto* fields : {&schema.request, &schema.key})
    for (const plan::RawField& field : *fields) source.other_names.emplace_back(field.read.source_name, field.name);
  return source;
}

}  // namespace

std::unexpected<diag::Diagnostic> other_form(const std::string& path, const char* verb, const char* help) {
  return failure(diag::Code::E0601, fmt::format("`{}` is of a form that cannot be {} yet", path, verb), help);
}

Result<void> read_rows(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input, std::uint64_t fragment_rows,
                       const TakeKeys& take_keys, const BlockWork& work) {
  const scorer::Schema& schema = scorer::schema(scorer);
  const io::Form* const form = io::form_of_path(input);
  if (!form) return other_form(input, "read", "give a CSV, TSV, JSON Lines, Parquet or Arrow file (.csv, .tsv, .jsonl, .parquet, .arrow)");
  MLP_TRY(io::Source source, source_of(schema, files, input, form, fragment_rows));
  std::vector<plan::ReadColumn> columns, keys;
  for (const plan::RawField& field : schema.request) columns.push_back(field.read);
  MLP_TRY_VOID(io::check_columns(source, columns));
  MLP_TRY(io::FileScan scan, io::look(source, input));
  std::vector<io::FileScan> one;
  one.push_back(std::move(scan));
  const io::Table table = io::join_files(std::make_shared<const io::Source>(std::move(source)), std::move(one));
  MLP_TRY_VOID(io::check_names(table, columns));

  std::vector<std::string> key_names;
  for (const plan::RawField& field : schema.key) {
    keys.push_back(key_column(field, form == io::find_form("csv")));
    key_names.push_back(field.read.source_name);
  }
  if (!io::check_names(table, keys)) keys.clear(), key_names.clear();
  const std::size_t width = columns.size();
  columns.insert(columns.end(), keys.begin(), keys.end());
  take_keys(std::move(key_names));

  const auto read = [&](std::size_t fragment) -> Result<RowBlock> {
    MLP_TRY(io::ReadOutcome outcome, io::read_fragment(table, fragment, columns));
    RowBlock block;
    block.rows = outcome.batch.rows;
    block.first_row = outcome.batch.first_row;
    block.bad = std::move(outcome.bad);
    block.bad_rows = std::move(outcome.bad_rows);
    auto& all = outcome.batch.columns;
    const auto of_keys = std::make_shared<std::vector<Column>>(std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(width)), std::make_move_iterator(all.end()));
    all.resize(width);
    block.request = std::move(all);
    block.key = [of_keys](std::size_t key, std::size_t row) { return value_at((*of_keys)[key], row); };
    return block;
  };
  for (std::size_t first = 0; first < table.fragments.size(); first += kBlocksAtOnce) {
    const std::size_t count = std::min(kBlocksAtOnce, table.fragments.size() - first);
    std::vector<std::optional<Result<std::function<void()>>>> done(count);
    parallel_for(count, [&](std::size_t i) {
      Result<RowBlock> block = read(first + i);
      if (block) done[i] = work(std::move(*block));
      else done[i] = failure(std::move(block.error()));
    });
    for (auto& outcome : done) {
      if (!*outcome) return failure(std::move(outcome->error()));
      (**outcome)();
    }
  }
  MLP_TRY(const io::FileStamp after, files.stat(input));
  if (after != table.files[0].stamp) return io::source_changed(input);
  return {};
}

}  // namespace mlp::batch
