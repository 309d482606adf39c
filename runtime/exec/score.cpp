#include "runtime/exec/score.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "runtime/exec/score_rows.h"

namespace mlp::exec {

namespace {

bool ends_in(const std::string& path, std::initializer_list<std::string_view> endings) {
  for (const std::string_view ending : endings)
    if (path.ends_with(ending)) return true;
  return false;
}

std::unexpected<diag::Diagnostic> other_form(const std::string& path, const char* verb, const char* help) {
  return failure(diag::Code::E0601, fmt::format("`{}` is of a form that cannot be {} yet", path, verb), help);
}

std::string csv_text(const Value& value) {
  std::string text = std::holds_alternative<std::monostate>(value) ? "" : std::holds_alternative<std::string>(value) ? std::get<std::string>(value) : to_string(value);
  if (text.find_first_of("\",\r\n") == std::string::npos && !text.starts_with(' ') && !text.ends_with(' ')) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
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

}  // namespace

std::string ScoreWriter::head() const {
  if (form_ == Form::json_lines) return "";
  std::string head;
  for (const std::string& key : keys_) head += csv_text(Value(key)) + ",";
  return keys_.empty() ? "row,prediction\n" : head + "prediction\n";
}

void ScoreWriter::append(Scored& scored, const std::vector<double>& predictions, std::uint64_t first_row, const std::vector<std::uint32_t>& bad,
                         const std::function<Value(std::size_t, std::size_t)>& key) const {
  auto out = std::back_inserter(scored.text);
  auto next_bad = bad.begin();
  for (std::uint32_t row = 0; row < predictions.size(); ++row) {
    if (next_bad != bad.end() && *next_bad == row) {
      ++next_bad;
      continue;
    }
    if (std::isnan(predictions[row])) {
      ++scored.undefined;
      continue;
    }
    ++scored.written;
    const bool csv = form_ == Form::delimited;
    if (!csv) scored.text += '{';
    if (keys_.empty()) fmt::format_to(out, "{}{}", csv ? "" : "\"row\":", first_row + row + 1);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (i) scored.text += ',';
      if (csv) scored.text += csv_text(key(i, row));
      else scored.text += json_text(keys_[i]) + ":" + json_text(key(i, row));
    }
    // The shortest text that reads back as the same double.
    if (csv) fmt::format_to(out, ",{}\n", predictions[row]);
    else fmt::format_to(out, ",\"prediction\":{}}}\n", predictions[row]);
  }
  scored.rows += predictions.size();
  scored.bad_rows += bad.size();
}

Result<ScoreReport> score_file(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input,
                               const std::string& output, std::uint64_t fragment_rows) {
  const bool to_lines = ends_in(output, {".jsonl", ".ndjson"});
  if (!to_lines && !ends_in(output, {".csv"})) return other_form(output, "written", "name it .csv or .jsonl");
  const bool lines = ends_in(input, {".jsonl", ".ndjson"});
  if (!lines && !ends_in(input, {".csv", ".tsv", ".txt", ".data"})) return other_form(input, "read", "give a CSV, TSV or JSON Lines file (.csv, .tsv, .jsonl)");
  MLP_TRY(const io::FileStamp from, files.stat(input));
  if (const auto to = files.stat(output); to && to->inode == from.inode && to->device == from.device)
    return failure(diag::Code::E0904, fmt::format("`{}` is the file that is read; it would be overwritten", output), "give the predictions a file of their own");

  ScoreReport report;
  std::string text, head;
  const TakeScored take = [&](Scored&& part) {
    text += part.text;
    report.bad.append(part.bad);
    report.rows += part.rows;
    report.bad_rows += part.bad_rows;
    report.undefined += part.undefined;
    report.scored += part.written;
  };
  const Form form = to_lines ? Form::json_lines : Form::delimited;
  MLP_TRY_VOID(lines ? score_json_lines(scorer, files, input, form, head, take) : score_delimited(scorer, files, input, fragment_rows, form, head, take));
  MLP_TRY_VOID(files.write_atomically(output, head + text));
  return report;
}

}  // namespace mlp::exec
