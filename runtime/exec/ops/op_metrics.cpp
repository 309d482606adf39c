#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "compiler/support/check.h"
#include "runtime/exec/figures.h"
#include "runtime/exec/session.h"
#include "runtime/learn/bootstrap.h"

namespace mlp::exec {

namespace {

/// The rows scored, of all fragments, with the predictions of every model compared.
struct ScoredRows {
  std::vector<double> label, weight;
  std::vector<std::uint64_t> ordinals;
  std::vector<std::vector<double>> predictions;        ///< by model
  std::uint64_t without_champion = 0;                  ///< rows for which the champion has no prediction
  std::vector<std::vector<std::string>> group_values;  ///< by grouping column; missing reads "missing"
};

std::string group_text(const Column& column, std::size_t row) {
  if (!column.is_known(row)) return "missing";
  if (column.type.is_text()) return std::string(column.text(row));
  return to_string(value_at(column, row));
}

/// One number for all rows with equal values: they are drawn together.
std::uint64_t group_ordinal(const std::vector<Column>& columns, std::size_t row) {
  Hasher hasher("resampled/1");
  for (const Column& column : columns) hasher.add(group_text(column, row));
  return hasher.finish().low64();
}

Result<ScoredRows> gather(Session& session, const plan::Step& step, const plan::Metrics& code) {
  ScoredRows rows;
  rows.predictions.resize(code.models);
  rows.group_values.resize(code.groups);
  const std::size_t first_model = 2 + (code.weighted ? 1 : 0), first_group = first_model + code.models;
  MLP_CHECK(step.inputs.size() == first_group + code.groups + code.resample);
  const auto& places = session.fragments(step).fragments;
  for (std::size_t f = 0; f < places.size(); ++f) {
    MLP_TRY(const auto split, session.column(step.inputs[0], f));
    MLP_TRY(const auto label, session.column(step.inputs[1], f));
    std::shared_ptr<const Column> weight;
    if (code.weighted) {
      MLP_TRY(weight, session.column(step.inputs[2], f));
    }
    MLP_TRY(const std::vector<Column> predictions, session.columns(step, first_model, code.models, f));
    MLP_TRY(const std::vector<Column> groups, session.columns(step, first_group, code.groups, f));
    MLP_TRY(const std::vector<Column> resampled, session.columns(step, first_group + code.groups, code.resample, f));
    const std::vector<std::uint8_t> use = rows_in(*split, code.rows);
    for (std::size_t i = 0; i < use.size(); ++i) {
      if (!use[i] || !label->is_known(i)) continue;
      for (std::size_t m = 0; m < predictions.size(); ++m) {
        if (!predictions[m].is_known(i) && code.champion && m + 1 == predictions.size()) {
          ++rows.without_champion;
          continue;
        }
        if (!predictions[m].is_known(i))
          return failure(diag::Code::E0602, "the models that a gate compares were not asked about the same rows",
                         "let both `train` blocks name one `split`");
        rows.predictions[m].push_back(predictions[m].values<double>()[i]);
      }
      rows.label.push_back(number_at(*label, i));
      if (weight) rows.weight.push_back(weight->is_known(i) ? number_at(*weight, i) : 0.0);
      rows.ordinals.push_back(!resampled.empty() ? group_ordinal(resampled, i) : places[f].first_row + i);
      for (std::size_t g = 0; g < groups.size(); ++g) rows.group_values[g].push_back(group_text(groups[g], i));
    }
  }
  return rows;
}

/// Groups of rows by the values of some columns, sorted by them.
struct Groups {
  std::vector<std::vector<std::string>> names;
  std::vector<std::vector<std::uint8_t>> use;
};

Groups group_rows(const ScoredRows& rows, const std::vector<std::uint32_t>& by) {
  std::map<std::vector<std::string>, std::vector<std::uint8_t>> found;
  for (std::size_t i = 0; i < rows.label.size(); ++i) {
    std::vector<std::string> values;
    for (std::uint32_t column : by) values.push_back(rows.group_values[column][i]);
    auto& use = found[values];
    use.resize(rows.label.size(), 0);
    use[i] = 1;
  }
  Groups groups;
  for (auto& [values, use] : found) {
    groups.names.push_back(values);
    groups.use.push_back(std::move(use));
  }
  return groups;
}

/// What keeps a figure from deciding a gate, or nothing.
std::string lacking(const plan::Metrics& code, const plan::Metrics::Measure& measure, const ScoredRows& rows, std::span<const std::uint8_t> use) {
  std::uint64_t count = 0, positives = 0;
  for (std::size_t i = 0; i < rows.label.size(); ++i)
    if (use.empty() || use[i]) ++count, positives += rows.label[i] != 0;
  if (count < measure.at_least_rows) return fmt::format("{} rows where at least {} are asked for", count, measure.at_least_rows);
  if (code.binary && positives < measure.at_least_positives)
    return fmt::format("{} positives where at least {} are asked for", positives, measure.at_least_positives);
  return learn::too_few(code.binary ? learn::Task::boolean : learn::Task::real, rows.label, use).value_or("");
}

/// One measure with its replicates, so that differences of two are paired.
struct Computed {
  FigureRecord record;
  learn::Replicates replicates;
};

Computed from(const learn::Replicates& replicates, std::string too_few) {
  Computed out;
  out.record.value = replicates.figure.value;
  out.record.low = replicates.figure.low;
  out.record.high = replicates.figure.high;
  out.record.rows = replicates.figure.rows;
  out.record.too_few = std::move(too_few);
  if (!out.record.value && out.record.too_few.empty()) out.record.too_few = "the figure is not defined on these rows";
  out.replicates = replicates;
  return out;
}

double lowest(std::span<const double> values) { return *std::min_element(values.begin(), values.end()); }
double highest(std::span<const double> values) { return *std::max_element(values.begin(), values.end()); }
double spread(std::span<const double> values) { return highest(values) - lowest(values); }
double difference(std::span<const double> values) { return values[0] - values[1]; }

/// A figure on the champion's predictions where some are not there: not on the same rows, so none.
Computed without_champion(const ScoredRows& rows) {
  Computed out;
  out.record.rows = rows.label.size();
  out.record.too_few = fmt::format("the version in production has no prediction for {} of {} rows", rows.without_champion, rows.label.size());
  return out;
}

Computed compute(const plan::Metrics& code, const plan::Metrics::Measure& measure, const ScoredRows& rows) {
  using Over = plan::Metrics::Measure::Over;
  const learn::NativeMetric* native = learn::find_metric(measure.native);
  MLP_CHECK(native != nullptr && measure.model < rows.predictions.size());
  const learn::Measure what{native, measure.options};
  const learn::Scored scored{rows.predictions[measure.model], rows.label, rows.weight, rows.ordinals};
  const learn::BootstrapSettings settings;
  const auto one = [&](std::span<const std::uint8_t> use) {
    return measure.constant ? learn::constant_replicates(what, scored, use, settings) : learn::replicates(what, scored, use, settings);
  };
  if (measure.over == Over::all) return from(one({}), lacking(code, measure, rows, {}));

  const Groups groups = group_rows(rows, measure.by);
  std::vector<learn::Replicates> parts;
  std::string too_few;
  std::vector<FigureRecord> records;
  for (std::size_t g = 0; g < groups.names.size(); ++g) {
    const std::string lack = lacking(code, measure, rows, groups.use[g]);
    if (!lack.empty() && too_few.empty()) too_few = fmt::format("{}: {}", fmt::join(groups.names[g], ", "), lack);
    Computed computed = from(one(groups.use[g]), lack);
    computed.record.group = groups.names[g];
    records.push_back(computed.record);
    parts.push_back(std::move(computed.replicates));
  }
  Computed out;
  if (measure.over != Over::slice && !parts.empty()) {
    const auto of = measure.over == Over::min ? lowest : measure.over == Over::max ? highest : spread;
    const learn::Figure combined = learn::combine(parts, of, rows.label.size());
    learn::Replicates replicates{combined, {}};
    for (std::size_t r = 0; r < parts[0].values.size(); ++r) {
      std::vector<double> values;
      for (const learn::Replicates& part : parts)
        if (part.values[r]) values.push_back(*part.values[r]);
      replicates.values.push_back(values.size() == parts.size() ? std::optional(of(values)) : std::nullopt);
    }
    out = from(replicates, too_few);
  }
  out.record.rows = rows.label.size();
  out.record.groups = std::move(records);
  return out;
}

}  // namespace

Result<std::string> metrics(Session& session, const plan::Step& step, const plan::Metrics& code) {
  MLP_TRY(const ScoredRows rows, gather(session, step, code));
  if (rows.label.empty())
    return failure(diag::Code::E0806, "there is no row to evaluate on", "look at the split, and at how many labels are missing");
  std::vector<Computed> computed;
  for (const plan::Metrics::Measure& measure : code.measures) {
    if (session.stopped()) return failure(diag::Code::E0906, "stopped on request", "the next run goes on from here");
    const auto lacks_champion = [&](const plan::Metrics::Measure& m) { return rows.without_champion > 0 && code.champion && m.model + 1 == code.models; };
    if (lacks_champion(measure) || (measure.minus && lacks_champion(code.measures[*measure.minus]))) {
      computed.push_back(without_champion(rows));
      continue;
    }
    Computed next = compute(code, measure, rows);
    if (measure.minus) {
      MLP_CHECK(*measure.minus < computed.size());
      const Computed& other = computed[*measure.minus];
      learn::Replicates right = other.replicates;
      const auto scale = [&](std::optional<double>& v) { if (v) *v *= measure.minus_scale; };
      scale(right.figure.value);
      for (auto& v : right.values) scale(v);
      const std::vector<learn::Replicates> parts{next.replicates, right};
      learn::Replicates paired{learn::combine(parts, difference, rows.label.size()), {}};
      std::string too_few = next.record.too_few.empty() ? other.record.too_few : next.record.too_few;
      next = from(paired, std::move(too_few));
      next.record.rows = rows.label.size();
    }
    computed.push_back(std::move(next));
  }
  std::vector<FigureRecord> figures;
  for (Computed& c : computed) figures.push_back(std::move(c.record));
  return encode(figures);
}

}  // namespace mlp::exec
