#include "runtime/monitor/observe.h"

#include <fmt/format.h>

#include <cmath>

#include "runtime/batch/rows.h"
#include "runtime/request_log/request_log.h"
#include "runtime/scorer/records.h"

namespace mlp::monitor {

namespace {

constexpr std::size_t kRowsAtOnce = 4096;

Column predictions_column(const std::vector<double>& predictions) {
  ColumnBuilder builder(Type::of(Base::float_, true), predictions.size());
  for (const double p : predictions) builder.push_float(p);
  return builder.finish();
}

}  // namespace

Counts start(const Plan& plan) {
  Counts counts;
  for (const Histogram& h : plan.features) counts.features.emplace_back(h.labels.size(), 0.0);
  if (plan.prediction) counts.prediction.resize(plan.prediction->labels.size(), 0.0);
  counts.missing.resize(plan.missing.size());
  counts.distinct.resize(plan.distinct.size());
  return counts;
}

Result<void> add(const scorer::LoadedScorer& scorer, const Plan& plan, std::span<const Column> request, std::size_t rows, std::span<const std::uint32_t> bad_rows,
                 Counts& to) {
  MLP_TRY(const scorer::Observed observed, scorer::observe(scorer, request, rows));
  for (std::size_t i = 0; i < plan.features.size(); ++i) count(plan.features[i], observed.features[i], bad_rows, to.features[i]);
  if (plan.prediction) count(*plan.prediction, predictions_column(observed.predictions), bad_rows, to.prediction);
  for (std::size_t i = 0; i < plan.missing.size(); ++i) to.missing[i] += request[plan.missing[i]].count_missing();
  for (std::size_t i = 0; i < plan.distinct.size(); ++i) {
    const Column& column = request[plan.distinct[i]];
    for (std::size_t row = 0; row < rows; ++row)
      if (column.is_known(row)) to.distinct[i].insert(column.type.is_text() ? std::string(column.text(row)) : to_string(value_at(column, row)));
  }
  to.rows += rows;
  to.set_aside += bad_rows.size();
  return {};
}

void merge(Counts&& part, Counts& to) {
  const auto sum = [](const auto& from, auto& into) {
    for (std::size_t i = 0; i < from.size(); ++i) into[i] += from[i];
  };
  for (std::size_t i = 0; i < part.features.size(); ++i) sum(part.features[i], to.features[i]);
  sum(part.prediction, to.prediction);
  sum(part.missing, to.missing);
  for (std::size_t i = 0; i < part.distinct.size(); ++i) to.distinct[i].merge(part.distinct[i]);
  to.rows += part.rows;
  to.set_aside += part.set_aside;
  to.bad.append(part.bad);
}

Result<Counts> count_file(const scorer::LoadedScorer& scorer, const Plan& plan, io::FileSystem& files, const std::string& input, std::uint64_t fragment_rows) {
  Counts total = start(plan);
  const auto work = [&](batch::RowBlock&& block) -> Result<std::function<void()>> {
    const auto part = std::make_shared<Counts>(start(plan));
    MLP_TRY_VOID(add(scorer, plan, block.request, block.rows, block.bad_rows, *part));
    part->bad = std::move(block.bad);
    return [part, &total] { merge(std::move(*part), total); };
  };
  MLP_TRY_VOID(batch::read_rows(scorer, files, input, fragment_rows, [](std::vector<std::string>) {}, work));
  return total;
}

Result<Counts> count_requests(const scorer::LoadedScorer& scorer, const Plan& plan, io::FileSystem& files, const std::string& store_directory,
                              const registry::Deployed& deployed, std::int64_t from_us, std::int64_t to_us) {
  const scorer::Schema& schema = scorer::schema(scorer);
  Counts total = start(plan);
  std::vector<scorer::Record> records;
  const std::string directory = request_log::directory(store_directory, deployed.deployment);
  const auto flush = [&]() -> Result<void> {
    const scorer::RecordBatch batch = scorer::to_columns(scorer, records);
    for (const scorer::Fault& fault : batch.faults) {
      const std::string& field = schema.request[fault.field].name;
      ++total.bad.count;
      ++total.bad.by_reason[fmt::format("`{}`: {}", field, fault.reason)];
      if (total.bad.first.size() < io::BadValues::kShown) total.bad.first.push_back({directory, 0, field, fault.value, fault.reason});
    }
    MLP_TRY_VOID(add(scorer, plan, batch.columns, batch.rows, batch.bad, total));
    records.clear();
    return {};
  };
  Result<void> failed;
  MLP_TRY_VOID(request_log::read(files, directory, from_us, to_us, [&](const request_log::Row& row) {
    if (row.source->scorer != deployed.scorer) return true;  // another version's
    records.push_back(row.fields);
    if (records.size() >= kRowsAtOnce) failed = flush();
    return failed.has_value();
  }));
  if (!failed) return failure(std::move(failed.error()));
  if (!records.empty()) MLP_TRY_VOID(flush());
  return total;
}

}  // namespace mlp::monitor
