#include "runtime/exec/score.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include "runtime/column/parallel.h"
#include "runtime/io/source_options.h"

namespace mlp::exec {

namespace {

/// Fragments that are in memory together; their output is written in order.
constexpr std::size_t kFragmentsAtOnce = 8;

enum class Form : std::uint8_t { csv, json_lines };

Result<Form> form_of(const std::string& path) {
  const auto ends = [&](std::string_view with) { return path.ends_with(with); };
  if (ends(".csv")) return Form::csv;
  if (ends(".jsonl") || ends(".ndjson")) return Form::json_lines;
  return failure(diag::Code::E0601, fmt::format("`{}` is no form that predictions can be written in yet", path), "name it .csv or .jsonl");
}

struct Scored {
  std::string text;
  io::BadValues bad;
  std::uint64_t bad_rows = 0, undefined = 0, written = 0;
};

Result<Scored> score_fragment(const scorer::LoadedScorer& scorer, io::FileSystem& files, const io::FileScan& scan, const io::Fragment& fragment,
                              std::span<const io::CsvColumn> columns, const io::CsvOptions& options, Form form) {
  MLP_TRY(io::ReadOutcome outcome, io::read_fragment(files, scan, fragment, columns, options));
  MLP_TRY(const std::vector<double> predictions, scorer::predict(scorer, outcome.batch.columns, outcome.batch.rows));
  Scored scored;
  scored.bad = std::move(outcome.bad);
  scored.bad_rows = outcome.bad_rows.size();
  auto out = std::back_inserter(scored.text);
  auto bad = outcome.bad_rows.begin();
  for (std::uint32_t row = 0; row < outcome.batch.rows; ++row) {
    if (bad != outcome.bad_rows.end() && *bad == row) {
      ++bad;
      continue;
    }
    const double value = predictions[row];
    if (std::isnan(value)) {
      ++scored.undefined;
      continue;
    }
    ++scored.written;
    const std::uint64_t number = fragment.first_row + row + 1;
    if (form == Form::csv) fmt::format_to(out, "{},{}\n", number, value);
    else fmt::format_to(out, "{{\"row\":{},\"prediction\":{}}}\n", number, value);
  }
  return scored;
}

}  // namespace

Result<ScoreReport> score_file(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input,
                               const std::string& output, std::uint64_t fragment_rows) {
  MLP_TRY(const Form form, form_of(output));
  const scorer::Schema& schema = scorer::schema(scorer);
  MLP_TRY(io::CsvOptions options, io::csv_options(schema.source, schema.workflow, fragment_rows));
  if (input.ends_with(".tsv")) options.delimiter = '\t';
  else if (!input.ends_with(".csv") && !input.ends_with(".txt") && !input.ends_with(".data"))
    return failure(diag::Code::E0601, fmt::format("`{}` is no form that rows can be read from yet", input), "give a CSV or TSV file");
  std::vector<io::CsvColumn> columns;
  for (const plan::RawField& field : schema.request) columns.push_back(io::csv_column(field.read));
  MLP_TRY_VOID(io::check_csv(columns, options));
  MLP_TRY(const io::FileScan scan, io::scan_csv(files, input, options));
  MLP_TRY_VOID(io::bind_columns(scan, columns));

  ScoreReport report;
  report.rows = scan.rows;
  std::string text = form == Form::csv ? "row,prediction\n" : "";
  for (std::size_t first = 0; first < scan.fragments.size(); first += kFragmentsAtOnce) {
    std::vector<std::optional<Result<Scored>>> wave(std::min(kFragmentsAtOnce, scan.fragments.size() - first));
    parallel_for(wave.size(), [&](std::size_t i) {
      wave[i] = score_fragment(scorer, files, scan, scan.fragments[first + i], columns, options, form);
    });
    for (auto& scored : wave) {
      if (!*scored) return failure(std::move(scored->error()));
      Scored& part = **scored;
      text += part.text;
      report.bad.append(part.bad);
      report.bad_rows += part.bad_rows;
      report.undefined += part.undefined;
      report.scored += part.written;
    }
  }
  MLP_TRY_VOID(files.write_atomically(output, text));
  return report;
}

}  // namespace mlp::exec
