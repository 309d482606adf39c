#include "runtime/batch/score.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "runtime/batch/rows.h"
#include "runtime/io/csv_records.h"
#include "runtime/io/parquet.h"

namespace mlp::batch {

namespace {

bool ends_in(const std::string& path, std::initializer_list<std::string_view> endings) {
  for (const std::string_view ending : endings)
    if (path.ends_with(ending)) return true;
  return false;
}

enum class Form : std::uint8_t { delimited, json_lines, parquet };

/// Predictions of some rows, as they are written.
struct Scored {
  std::string text;                         ///< of forms that are texts
  std::vector<std::vector<Value>> columns;  ///< of Parquet: those of the key, or the rows' numbers, then the predictions
  io::BadValues bad;
  std::uint64_t rows = 0, bad_rows = 0, outside = 0, undefined = 0, written = 0;
};

/// Writes the lines of the output.
struct ScoreWriter {
  Form form;
  std::vector<std::string> keys;  ///< names of the columns that name a row; empty: its number does

  /// What stands before the first line.
  std::string head() const;
  /// The columns of a Parquet file, without their values. `schema` has the types of the key.
  std::vector<io::ParquetOutput> parquet(const scorer::Schema& schema) const;
  /// The lines of the rows, without those that are bad or have no prediction.
  Scored write(RowBlock&& block, const std::vector<double>& predictions) const;
};

std::string csv_text(const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return "";
  return io::csv_field(std::holds_alternative<std::string>(value) ? std::get<std::string>(value) : to_string(value));
}

std::string json_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += {'\\', c};
    else if (static_cast<unsigned char>(c) < 0x20) out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else out += c;
  }
  return out + "\"";
}

std::string json_text(const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return "null";
  if (const auto* text = std::get_if<std::string>(&value)) return json_text(*text);
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  return to_string(value);
}

std::string ScoreWriter::head() const {
  if (form == Form::json_lines) return "";
  std::string head;
  for (const std::string& key : keys) head += csv_text(Value(key)) + ",";
  return keys.empty() ? "row,prediction\n" : head + "prediction\n";
}

Scored ScoreWriter::write(RowBlock&& block, const std::vector<double>& predictions) const {
  Scored scored;
  auto out = std::back_inserter(scored.text);
  const std::vector<std::uint32_t>& bad = block.bad_rows;
  auto next_bad = bad.begin();
  for (std::uint32_t row = 0; row < predictions.size(); ++row) {
    if (next_bad != bad.end() && *next_bad == row) {
      ++next_bad;
      continue;
    }
    if (std::isnan(predictions[row])) {
      ++(scorer::is_out_of_population(predictions[row]) ? scored.outside : scored.undefined);
      continue;
    }
    ++scored.written;
    if (form == Form::parquet) {
      scored.columns.resize(std::max<std::size_t>(keys.size(), 1) + 1);
      if (keys.empty()) scored.columns[0].push_back(static_cast<std::int64_t>(block.first_row + row + 1));
      for (std::size_t i = 0; i < keys.size(); ++i) scored.columns[i].push_back(block.key(i, row));
      scored.columns.back().push_back(predictions[row]);
      continue;
    }
    const bool csv = form == Form::delimited;
    if (!csv) scored.text += '{';
    if (keys.empty()) fmt::format_to(out, "{}{}", csv ? "" : "\"row\":", block.first_row + row + 1);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (i) scored.text += ',';
      if (csv) scored.text += csv_text(block.key(i, row));
      else scored.text += json_text(keys[i]) + ":" + json_text(block.key(i, row));
    }
    // The shortest text that reads back as the same double.
    if (csv) fmt::format_to(out, ",{}\n", predictions[row]);
    else fmt::format_to(out, ",\"prediction\":{}}}\n", predictions[row]);
  }
  scored.rows += predictions.size();
  scored.bad_rows += bad.size();
  scored.bad = std::move(block.bad);
  return scored;
}

std::vector<io::ParquetOutput> ScoreWriter::parquet(const scorer::Schema& schema) const {
  std::vector<io::ParquetOutput> columns;
  if (keys.empty()) columns.push_back({"row", Base::int_, {}});
  for (std::size_t i = 0; i < keys.size(); ++i) columns.push_back({keys[i], schema.key[i].read.type.base == Base::int_ ? Base::int_ : Base::string, {}});
  columns.push_back({"prediction", Base::float_, {}});
  return columns;
}

bool is_parquet(const std::string& path) { return ends_in(path, {".parquet"}); }
bool is_lines(const std::string& path) { return ends_in(path, {".jsonl", ".ndjson"}); }

}  // namespace

Result<ScoreReport> score_file(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input,
                               const std::string& output, std::uint64_t fragment_rows) {
  const bool to_lines = is_lines(output), to_parquet = is_parquet(output);
  if (!to_lines && !to_parquet && !ends_in(output, {".csv"})) return other_form(output, "written", "name it .csv, .jsonl or .parquet");
  MLP_TRY(const io::FileStamp from, files.stat(input));
  if (const auto to = files.stat(output); to && to->inode == from.inode && to->device == from.device)
    return failure(diag::Code::E0904, fmt::format("`{}` is the file that is read; it would be overwritten", output), "give the predictions a file of their own");

  ScoreReport report;
  std::string text;
  std::vector<io::ParquetOutput> columns;
  ScoreWriter writer{to_parquet ? Form::parquet : to_lines ? Form::json_lines : Form::delimited, {}};
  const auto take_keys = [&](std::vector<std::string> keys) {
    writer.keys = std::move(keys);
    columns = writer.parquet(scorer::schema(scorer));
  };
  const auto score = [&](RowBlock&& block) -> Result<std::function<void()>> {
    MLP_TRY(const std::vector<double> predictions, scorer::predict(scorer, block.request, block.rows));
    return [&, part = writer.write(std::move(block), predictions)] {
      text += part.text;
      for (std::size_t i = 0; i < part.columns.size(); ++i) columns[i].values.insert(columns[i].values.end(), part.columns[i].begin(), part.columns[i].end());
      report.bad.append(part.bad);
      report.rows += part.rows;
      report.bad_rows += part.bad_rows;
      report.undefined += part.undefined;
      report.outside += part.outside;
      report.scored += part.written;
    };
  };
  MLP_TRY_VOID(read_rows(scorer, files, input, fragment_rows, take_keys, score));
  if (to_parquet) {
    MLP_TRY(text, io::write_parquet(columns));
    MLP_TRY_VOID(files.write_atomically(output, text));
    return report;
  }
  MLP_TRY_VOID(files.write_atomically(output, writer.head() + text));
  return report;
}

}  // namespace mlp::batch
