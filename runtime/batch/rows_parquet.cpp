#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <set>

#include "runtime/batch/forms.h"
#include "runtime/io/parquet/parquet.h"
#include "runtime/scorer/records.h"

namespace mlp::batch {

namespace {

constexpr std::size_t kRowsOfBlock = 1 << 14;

/// The name that the file has for the field, or nothing.
std::optional<std::string> name_in(const std::vector<std::string>& names, const plan::RawField& field) {
  for (const std::string& name : {field.read.source_name, field.name})
    if (std::ranges::find(names, name) != names.end()) return name;
  return std::nullopt;
}

}  // namespace

Result<void> read_parquet(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input, const TakeKeys& take_keys, const BlockWork& work) {
  const scorer::Schema& schema = scorer::schema(scorer);
  MLP_TRY(const io::FileStamp before, files.stat(input));
  MLP_TRY(const std::vector<std::string> names, io::parquet_names(input));
  std::vector<io::ParquetColumn> columns;
  std::vector<std::string> lacking, key_names;
  for (const plan::RawField& field : schema.request) {
    if (auto name = name_in(names, field)) columns.push_back({std::move(*name), field.read.format});
    else lacking.push_back(field.read.source_name);
  }
  if (!lacking.empty())
    return failure(diag::Code::E0803, fmt::format("`{}` has no column{} `{}`", input, lacking.size() == 1 ? "" : "s", fmt::join(lacking, "`, `")),
                   fmt::format("it has `{}`", fmt::join(names, "`, `")));
  const std::size_t width = columns.size();
  for (const plan::RawField& field : schema.key)
    if (auto name = name_in(names, field)) key_names.push_back(std::move(*name));
  if (key_names.size() != schema.key.size()) key_names.clear();
  for (std::size_t i = 0; i < key_names.size(); ++i) columns.push_back({key_names[i], schema.key[i].read.format});
  take_keys(key_names);
  if (columns.empty()) return failure(diag::Code::E0601, fmt::format("`{}` cannot be scored: the model asks for no column", input), "give a CSV file");

  MLP_TRY(const std::unique_ptr<io::ParquetRows> rows, io::read_parquet(input, columns));
  for (std::uint64_t first = 0;;) {
    std::vector<std::vector<std::vector<Value>>> wave;
    while (wave.size() < kBlocksAtOnce) {
      MLP_TRY(auto some, rows->next(kRowsOfBlock));
      if (some.empty()) break;
      wave.push_back(std::move(some));
    }
    if (wave.empty()) break;
    const auto read = [&](std::size_t i) -> Result<RowBlock> {
      RowBlock block;
      block.rows = wave[i].size();
      block.first_row = first + i * kRowsOfBlock;  // only the last block has fewer
      std::vector<scorer::Record> records;
      const auto keys = std::make_shared<std::vector<std::vector<Value>>>();
      records.reserve(block.rows);
      for (std::vector<Value>& row : wave[i]) {
        keys->emplace_back(std::make_move_iterator(row.begin() + static_cast<std::ptrdiff_t>(width)), std::make_move_iterator(row.end()));
        records.emplace_back(std::make_move_iterator(row.begin()), std::make_move_iterator(row.begin() + static_cast<std::ptrdiff_t>(width)));
      }
      scorer::RecordBatch batch = scorer::to_columns(scorer, records);
      for (const scorer::Fault& fault : batch.faults) block.bad.add({input, block.first_row + fault.record + 1, schema.request[fault.field].name, fault.value, fault.reason});
      block.request = std::move(batch.columns);
      block.bad_rows = std::move(batch.bad);
      block.key = [keys](std::size_t key, std::size_t row) { return (*keys)[row][key]; };
      return block;
    };
    MLP_TRY_VOID(work_on(wave.size(), read, work));
    for (const auto& some : wave) first += some.size();
  }
  MLP_TRY(const io::FileStamp after, files.stat(input));
  if (after != before) return failure(diag::Code::E0805, fmt::format("`{}` changed while it was read", input), "run again when nothing writes to it");
  return {};
}

}  // namespace mlp::batch
