#include "runtime/batch/score_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "runtime/column/parallel.h"
#include "runtime/io/value_text.h"
#include "runtime/scorer/records.h"

namespace mlp::batch {

namespace {

/// A fragment, scored: which of its rows have a prediction, and what is said of the others.
struct Part {
  std::vector<Column> key;
  std::vector<std::uint32_t> rows;
  std::vector<double> predictions;
  ScoreReport report;
};

Result<Part> score_fragment(const scorer::LoadedScorer& scorer, const TableRows& table, const std::vector<std::size_t>& request, const std::vector<std::size_t>& starts, std::size_t fragment) {
  Part part;
  for (std::size_t k = 0; k < table.key.size(); ++k) {
    MLP_TRY(Column column, table.read(table.columns.size() + k, fragment));
    part.key.push_back(std::move(column));
  }
  std::vector<Column> given;
  for (const std::size_t column : request) {
    MLP_TRY(Column values, table.read(column, fragment));
    given.push_back(std::move(values));
  }
  const scorer::TableRequest asked = scorer::to_request(scorer, given, table.name, starts[fragment]);
  const std::size_t rows = part.key.empty() ? 0 : part.key[0].rows;
  MLP_TRY(const std::vector<double> predictions, scorer::predict(scorer, asked.columns, rows));
  part.report.rows = rows;
  part.report.bad = asked.bad;
  part.report.bad_rows = asked.bad_rows.size();
  auto next_bad = asked.bad_rows.begin();
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (next_bad != asked.bad_rows.end() && *next_bad == row) {
      ++next_bad;
    } else if (std::isnan(predictions[row])) {
      ++(scorer::is_out_of_population(predictions[row]) ? part.report.outside : part.report.undefined);
    } else {
      part.rows.push_back(row);
      part.predictions.push_back(predictions[row]);
    }
  }
  part.report.scored = part.rows.size();
  return part;
}

/// Rows whose key is missing or stood before.
struct KeyFaults {
  std::vector<diag::DataPlace> first;
  std::uint64_t missing = 0, doubled = 0;
};

void look_at_keys(const TableRows& table, const std::vector<Column>& key, std::uint64_t first_row, std::unordered_map<std::string, std::uint64_t>& seen, KeyFaults& faults) {
  std::string names;
  for (const SchemaColumn& column : table.key) names += (names.empty() ? "" : ", ") + column.name;
  for (std::size_t row = 0; row < key[0].rows; ++row) {
    const auto fault = [&](std::string column, std::string value, std::string reason) {
      if (faults.first.size() < io::BadValues::kShown) faults.first.push_back({table.name, first_row + row + 1, std::move(column), std::move(value), std::move(reason)});
    };
    bool known = true;
    std::string bytes, shown;
    for (std::size_t k = 0; k < key.size(); ++k) {
      const std::string text = io::value_text(key[k], row);
      if (known && !key[k].is_known(row)) {
        known = false;
        ++faults.missing;
        fault(table.key[k].name, "", "missing; a key has a value in every row");
      }
      bytes += fmt::format("{}:{}", text.size(), text);
      shown += (k ? ", " : "") + text;
    }
    if (!known) continue;
    const auto [at, fresh] = seen.try_emplace(std::move(bytes), first_row + row + 1);
    if (fresh) continue;
    ++faults.doubled;
    fault(names, shown.substr(0, 80), fmt::format("the key of row {} too", at->second));
  }
}

std::unexpected<diag::Diagnostic> keys_failure(const TableRows& table, KeyFaults faults) {
  const auto rows = [](std::uint64_t n) { return fmt::format("{} row{}", n, n == 1 ? "" : "s"); };
  const std::string what = faults.missing && faults.doubled ? fmt::format("{} without a key and {} with the key of another", rows(faults.missing), rows(faults.doubled))
                           : faults.missing ? rows(faults.missing) + " without a key" : rows(faults.doubled) + " with the key of another";
  diag::Diagnostic d = diag::make(diag::Code::E0809, {}, fmt::format("`{}` has {}", table.name, what));
  d.more_places = faults.missing + faults.doubled - faults.first.size();
  d.places = std::move(faults.first);
  d.help = "name all columns that tell rows apart after `key`, or take rows out of the table: `| dedupe by …`; nothing was written";
  return failure(std::move(d));
}

}  // namespace

Result<std::vector<std::size_t>> bind_request(const scorer::LoadedScorer& scorer, const TableRows& table) {
  const scorer::Schema& schema = scorer::schema(scorer);
  std::vector<std::size_t> out;
  for (const plan::RawField& field : schema.request) {
    const auto found = std::ranges::find(table.columns, field.name, &SchemaColumn::name);
    if (found == table.columns.end()) {
      return failure(diag::Code::E0803, fmt::format("table `{}` has no column `{}`, which the version that is deployed is asked about", table.name, field.name),
                     "give it the column, or deploy a version that needs it not");
    }
    const Type &has = found->type, &asked = field.read.type;
    if (has.base != asked.base && !(has.base == Base::int_ && asked.base == Base::float_) && !(has.is_text() && asked.is_text()))
      return failure(diag::Code::E0801, fmt::format("`{}` of table `{}` is `{}`, and the version that is deployed is asked with `{}`", field.name, table.name, to_string(has), to_string(asked)),
                     "declare the column as it was, or deploy a version that takes it as it is");
    out.push_back(static_cast<std::size_t>(found - table.columns.begin()));
  }
  return out;
}

Result<TableScores> score_table(const scorer::LoadedScorer& scorer, const TableRows& table, const std::vector<std::size_t>& request) {
  // Where each fragment begins; then the keys, before anything is computed.
  std::vector<std::size_t> starts;
  std::uint64_t rows = 0;
  std::unordered_map<std::string, std::uint64_t> seen;
  KeyFaults faults;
  for (std::size_t f = 0; f < table.fragments; ++f) {
    std::vector<Column> key;
    for (std::size_t k = 0; k < table.key.size(); ++k) {
      MLP_TRY(Column column, table.read(table.columns.size() + k, f));
      key.push_back(std::move(column));
    }
    starts.push_back(rows);
    look_at_keys(table, key, rows, seen, faults);
    rows += key[0].rows;
  }
  if (!faults.first.empty()) return keys_failure(table, std::move(faults));
  seen.clear();

  std::vector<std::optional<Result<Part>>> parts(table.fragments);
  parallel_for(table.fragments, [&](std::size_t f) { parts[f] = score_fragment(scorer, table, request, starts, f); });
  TableScores out;
  std::vector<std::vector<Column>> keys(table.key.size());
  for (auto& part : parts) {
    if (!*part) return failure(std::move(part->error()));
    Part& one = **part;
    for (std::size_t k = 0; k < keys.size(); ++k) keys[k].push_back(take(one.key[k], one.rows));
    out.predictions.insert(out.predictions.end(), one.predictions.begin(), one.predictions.end());
    out.report.rows += one.report.rows;
    out.report.scored += one.report.scored;
    out.report.outside += one.report.outside;
    out.report.undefined += one.report.undefined;
    out.report.bad_rows += one.report.bad_rows;
    out.report.bad.append(one.report.bad);
  }
  for (std::size_t k = 0; k < keys.size(); ++k) out.key.push_back(keys[k].empty() ? constant(table.key[k].type, {}, 0) : concatenate(keys[k]));
  return out;
}

}  // namespace mlp::batch
