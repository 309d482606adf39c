#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compiler/plan/keys.h"
#include "compiler/plan/scorer.h"
#include "compiler/support/check.h"
#include "runtime/column/codec.h"
#include "runtime/exec/figures.h"
#include "runtime/exec/session.h"
#include "runtime/io/source.h"

namespace mlp::exec {

namespace {

/// Why a comparison on these rows would not be fair, or nothing.
std::string unfit(const plan::Scorer& champion, const plan::Champion& code) {
  if (champion.split != code.split) return "the version in production was trained with another split, so it may have seen these rows";
  const auto& seen = champion.fitted_on.parts;
  for (const int part : code.rows.parts)
    if (std::ranges::find(seen, part) != seen.end()) return "the version in production was fitted on these rows";
  return "";
}

/// Position among the inputs of the step, from `first` on, of the column that is this field as the champion reads it.
std::optional<std::size_t> input_for(const Session& session, const plan::Step& step, std::size_t first, const plan::RawField& field) {
  const bool by_name = session.plan.tables[step.table].synthetic || session.plan.tables[step.table].made;
  const Digest read = plan::code_key(plan::StepCode(field.read));
  for (std::size_t i = first; i < step.inputs.size(); ++i) {
    const plan::Step& input = session.plan[step.inputs[i]];
    if (by_name ? input.name.substr(input.name.rfind('.') + 1) == field.name : input.code_key == read) return i;
  }
  return std::nullopt;
}

/// The raw columns of a fragment as the champion asks for them; nothing where the table has one of them no more.
struct Request {
  std::vector<Column> columns;
  std::vector<std::uint32_t> bad;  ///< rows that break its contract, ascending
};
Result<std::optional<Request>> request_of(Session& session, const plan::Step& step, const scorer::Schema& schema, std::size_t fragment) {
  Request request;
  request.columns.resize(schema.request.size());
  std::vector<plan::ReadColumn> wanted;
  std::vector<std::size_t> position;
  for (std::size_t i = 0; i < schema.request.size(); ++i) {
    if (const auto input = input_for(session, step, 2, schema.request[i])) {
      MLP_TRY(const auto column, session.column(step.inputs[*input], fragment));
      if (column->type != schema.request[i].read.type) return std::nullopt;
      request.columns[i] = *column;
    } else {
      wanted.push_back(schema.request[i].read);
      position.push_back(i);
    }
  }
  if (wanted.empty()) return request;
  if (session.plan.tables[step.table].synthetic || session.plan.tables[step.table].made) return std::nullopt;
  const io::Table& table = session.fragments(step);
  if (!io::check_names(table, wanted)) return std::nullopt;
  MLP_TRY(io::ReadOutcome outcome, io::read_fragment(table, fragment, wanted));
  for (std::size_t c = 0; c < wanted.size(); ++c) request.columns[position[c]] = std::move(outcome.batch.columns[c]);
  request.bad = std::move(outcome.bad_rows);
  return request;
}

}  // namespace

Result<std::string> champion(Session& session, const plan::Step& step, const plan::Champion& code, plan::StepId id) {
  ChampionRecord record;
  const auto found = registry::champion(session.standing[id.index()], session.output(step.inputs[0], 0));
  if (!found) return encode(record);
  record.scorer = found->scorer;
  record.deployment = found->deployment;
  record.version = found->version;
  auto loaded = session.scorers.load(session.store, found->scorer);
  if (loaded) {
    MLP_TRY(const std::string bytes, session.store.get(found->scorer));
    MLP_TRY(const plan::Scorer scorer, plan::decode_scorer(bytes));
    record.unfit = unfit(scorer, code);
  } else {
    record.unfit = "the version in production cannot be loaded: " + loaded.error().message;
  }
  return encode(record);
}

Result<std::string> predict_champion(Session& session, const plan::Step& step, const plan::PredictChampion& code, std::size_t fragment) {
  MLP_TRY(const auto split, session.column(step.inputs[0], fragment));
  MLP_TRY(const std::string bytes, session.object(step.inputs[1]));
  MLP_TRY(const ChampionRecord champion, decode_champion(bytes));
  Column out;
  out.type = Type::of(Base::float_, true);
  out.rows = split->rows;
  out.data = Buffer(out.rows * sizeof(double));
  out.known = Buffer(out.rows);
  if (!champion.scorer || !champion.unfit.empty()) return encode(out);
  MLP_TRY(const auto loaded, session.scorers.load(session.store, *champion.scorer));
  MLP_TRY(const auto request, request_of(session, step, scorer::schema(*loaded), fragment));
  if (!request) return encode(out);
  MLP_TRY(const std::vector<double> predicted, scorer::predict(*loaded, request->columns, out.rows));
  const std::vector<std::uint8_t> use = rows_in(*split, code.rows);
  const auto values = out.data.as_mutable<double>();
  const auto known = out.known.as_mutable<std::uint8_t>();
  for (std::size_t i = 0; i < out.rows; ++i)
    if (use[i] && !std::isnan(predicted[i])) values[i] = predicted[i], known[i] = 1;
  for (const std::uint32_t row : request->bad) known[row] = 0, values[row] = 0;
  return encode(out);
}

}  // namespace mlp::exec
