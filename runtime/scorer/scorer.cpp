#include "runtime/scorer/scorer.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "compiler/support/check.h"
#include "runtime/column/byte_list.h"
#include "runtime/interp/evaluate.h"
#include "runtime/jit/evaluate.h"
#include "runtime/scorer/loaded.h"
#include "runtime/scorer/matrix.h"

namespace mlp::scorer {

namespace {

using plan::ScorerColumn;

/// Rows computed together, so that their columns stay in the cache.
constexpr std::size_t kRowsAtOnce = 4096;

std::unexpected<diag::Diagnostic> of_another_version(const std::string& native) {
  return failure(diag::Code::E0909, "the scorer needs `" + native + "`, which this mlpc does not have", "use the version of mlpc that trained it");
}

/// The computed columns of some rows. Positions count the raw fields first.
struct Values {
  std::span<const Column> raw;
  std::size_t rows = 0;
  std::vector<Column> columns = {};  ///< of expressions and transforms
  std::vector<BinnedColumn> binned = {};

  const Column& at(std::uint32_t position) const { return position < raw.size() ? raw[position] : columns[position - raw.size()]; }
};

/// A column as it is: nothing is computed, nothing compiled.
bool is_column(const ScorerColumn& column) { return std::holds_alternative<expr::Input>(column.code.nodes.back().op); }

Result<void> compute(const LoadedScorer& scorer, std::size_t index, std::vector<Column>& args, Values& values) {
  const ScorerColumn& column = scorer.code.columns[index];
  Column& to = values.columns.emplace_back();
  BinnedColumn& bins_to = values.binned.emplace_back();
  switch (column.by) {
    case ScorerColumn::By::bins: {
      const learn::Bins& bins = *scorer.bins[column.state];
      bins_to = BinnedColumn{values.rows, bins.runs(), bins.apply(values.at(column.inputs[0]))};
      return {};
    }
    case ScorerColumn::By::transform: {
      args.clear();
      for (const std::uint32_t input : column.inputs) args.push_back(values.at(input));
      to = scorer.transforms[column.state]->apply(args);
      return {};
    }
    case ScorerColumn::By::history: {
      args.clear();
      for (const std::uint32_t input : column.inputs) args.push_back(values.at(input));
      to = look_up(*scorer.histories[column.state], column, args, values.rows);
      return {};
    }
    case ScorerColumn::By::expression: {
      Batch batch;
      batch.rows = values.rows;
      batch.columns.reserve(column.code.inputs.size());
      for (const expr::InputColumn& input : column.code.inputs) batch.columns.push_back(values.at(column.inputs[input.column]));
      if (const auto& kernel = scorer.kernels[index]) {
        to = kernel->evaluate(batch);
        return {};
      }
      MLP_TRY(to, interp::evaluate(column.code, batch));
      return {};
    }
  }
  MLP_CHECK(false);
  return {};
}

/// The first `count` columns.
Result<Values> compute_columns(const LoadedScorer& scorer, std::span<const Column> raw, std::size_t rows, std::size_t count) {
  Values values{raw, rows};
  values.columns.reserve(count);
  values.binned.reserve(count);
  std::vector<Column> args;
  for (std::size_t i = 0; i < count; ++i) MLP_TRY_VOID(compute(scorer, i, args, values));
  return values;
}

Result<std::vector<double>> ask_model(const LoadedScorer& scorer, const Values& values) {
  const std::size_t rows = values.rows, raw = values.raw.size();
  Matrix matrix(scorer.code.binned, scorer.code.matrix.size());
  matrix.begin_rows(rows);
  for (std::size_t i = 0; i < scorer.code.matrix.size(); ++i) {
    const std::uint32_t position = scorer.code.matrix[i];
    if (scorer.code.binned) matrix.add(i, values.binned[position - raw]);
    else matrix.add(i, values.at(position));
  }
  MLP_TRY(std::vector<double> predictions, predict(*scorer.model, matrix));
  for (const std::uint32_t condition : scorer.code.population) {
    const Column& holds = values.at(condition);
    for (std::size_t i = 0; i < rows; ++i)
      if (!holds.is_known(i) || holds.values<std::uint8_t>()[i] == 0) predictions[i] = out_of_population();
  }
  return predictions;
}

Result<std::vector<double>> predict_some(const LoadedScorer& scorer, std::span<const Column> raw, std::size_t rows) {
  MLP_TRY(const Values values, compute_columns(scorer, raw, rows, scorer.columns));
  return ask_model(scorer, values);
}

/// What decoding does not see: every value has the kind that its reader takes. A scorer is bytes from a store.
bool is_sound(const plan::Scorer& code) {
  const std::size_t fields = code.request.size();
  std::vector<bool> is_bins(fields + code.columns.size(), false);
  for (std::size_t i = 0; i < code.columns.size(); ++i) {
    const ScorerColumn& column = code.columns[i];
    is_bins[fields + i] = column.by == ScorerColumn::By::bins;
    if (column.by == ScorerColumn::By::bins && column.inputs.size() != 1) return false;
    if (column.by == ScorerColumn::By::expression && column.code.nodes.empty()) return false;
    for (const std::uint32_t input : column.inputs)
      if (input >= fields + i || is_bins[input]) return false;
  }
  if (std::ranges::any_of(code.population, [&](std::uint32_t position) { return position >= is_bins.size() || is_bins[position]; })) return false;
  if (std::ranges::any_of(code.watched, [&](const plan::WatchedColumn& watched) { return is_bins[watched.column]; })) return false;
  return std::ranges::all_of(code.matrix, [&](std::uint32_t position) { return position < is_bins.size() && is_bins[position] == code.binned; });
}

/// Everything but the kernels.
Result<std::shared_ptr<LoadedScorer>> load_parts(const Digest& digest, const Fetch& fetch) {
  auto loaded = std::make_shared<LoadedScorer>();
  MLP_TRY(const std::string bytes, fetch(digest));
  MLP_TRY(loaded->code, plan::decode_scorer(bytes));
  const plan::Scorer& code = loaded->code;
  if (!is_sound(code)) return failure(diag::Code::E0903, "the scorer reads columns of another kind than it needs", "run the workflow again");
  loaded->transforms.resize(code.states.size());
  loaded->bins.resize(code.states.size());
  loaded->histories.resize(code.states.size());
  for (const ScorerColumn& column : code.columns) {
    if (column.by == ScorerColumn::By::expression || loaded->transforms[column.state] || loaded->bins[column.state] || loaded->histories[column.state]) continue;
    MLP_TRY(const std::string state, fetch(code.states[column.state]));
    if (column.by == ScorerColumn::By::history) {
      if (!column.native.empty() && !learn::find_aggregate(column.native)) return of_another_version(column.native);
      MLP_TRY(loaded->histories[column.state], load_history(state));
      continue;
    }
    if (column.by == ScorerColumn::By::bins) {
      MLP_TRY(loaded->bins[column.state], learn::load_bins(state));
      continue;
    }
    const learn::NativeTransform* native = learn::find_transform(column.native);
    if (!native) return of_another_version(column.native);
    // The first state is fitted on all training rows; those of the folds serve the training rows alone.
    MLP_TRY(const std::vector<std::string> states, unpack(state));
    if (states.empty()) return failure(diag::Code::E0903, "a fitted state of the scorer is empty", "run the workflow again");
    MLP_TRY(loaded->transforms[column.state], native->load(states[0]));
  }
  for (const ScorerColumn& column : code.columns)
    if ((column.by == ScorerColumn::By::bins && !loaded->bins[column.state]) ||
        (column.by == ScorerColumn::By::history && !(loaded->histories[column.state] && fits(*loaded->histories[column.state], column))) ||
        (column.by == ScorerColumn::By::transform && !loaded->transforms[column.state]))
      return failure(diag::Code::E0903, "a fitted state of the scorer is of another kind than it needs", "run the workflow again");
  const learn::NativeModel* native = learn::find_model(code.native);
  if (!native) return of_another_version(code.native);
  MLP_TRY(const std::string model, fetch(code.trained));
  MLP_TRY(loaded->model, native->load(model));
  loaded->kernels.resize(code.columns.size());
  for (const std::uint32_t position : code.population)
    if (position >= code.request.size()) loaded->columns = std::max(loaded->columns, position - code.request.size() + 1);
  for (const std::uint32_t position : code.matrix)
    if (position >= code.request.size()) loaded->columns = std::max(loaded->columns, position - code.request.size() + 1);
  loaded->schema = {code.workflow, code.model, digest, code.request, code.key, code.source, code.binary};
  MLP_TRY_VOID(prepare_contract(*loaded));
  return loaded;
}

}  // namespace

Result<std::shared_ptr<const LoadedScorer>> load(const Digest& digest, const Fetch& fetch) { return load_parts(digest, fetch); }

Result<std::shared_ptr<const LoadedScorer>> load_compiled(const Digest& digest, const Fetch& fetch, const jit::CompilerOptions& options) {
  MLP_TRY(auto loaded, load_parts(digest, fetch));
  jit::Kernels kernels(options);
  for (std::size_t i = 0; i < loaded->columns; ++i) {
    const ScorerColumn& column = loaded->code.columns[i];
    if (column.by != ScorerColumn::By::expression || is_column(column) || !jit::interpreted_because(column.code).empty()) continue;
    MLP_TRY(loaded->kernels[i], kernels.get(column.code));
  }
  return loaded;
}

std::vector<std::pair<std::string, std::string>> interpreted(const LoadedScorer& scorer) {
  std::vector<std::pair<std::string, std::string>> out;
  for (std::size_t i = 0; i < scorer.columns; ++i) {
    const ScorerColumn& column = scorer.code.columns[i];
    if (column.by != ScorerColumn::By::expression || is_column(column) || scorer.kernels[i]) continue;
    const std::string why = jit::interpreted_because(column.code);
    out.emplace_back(column.name, why.empty() ? "the scorer is not compiled" : why);
  }
  return out;
}

double out_of_population() { return std::bit_cast<double>(std::uint64_t{0x7FF8'0000'0000'0001}); }
bool is_out_of_population(double prediction) { return std::bit_cast<std::uint64_t>(prediction) == std::bit_cast<std::uint64_t>(out_of_population()); }

bool keeps_histories(const LoadedScorer& scorer) {
  return std::ranges::any_of(scorer.code.columns, [](const ScorerColumn& column) { return column.by == ScorerColumn::By::history && !column.native.empty(); });
}

const Schema& schema(const LoadedScorer& scorer) { return scorer.schema; }

Result<std::vector<double>> predict(const LoadedScorer& scorer, std::span<const Column> request, std::size_t rows) {
  MLP_CHECK(request.size() == scorer.code.request.size());
  if (rows <= kRowsAtOnce) return predict_some(scorer, request, rows);
  std::vector<double> predictions;
  predictions.reserve(rows);
  std::vector<Column> some(request.size());
  for (std::size_t from = 0; from < rows; from += kRowsAtOnce) {
    const std::size_t count = std::min(kRowsAtOnce, rows - from);
    for (std::size_t i = 0; i < request.size(); ++i) some[i] = slice(request[i], from, count);
    MLP_TRY(const std::vector<double> part, predict_some(scorer, some, count));
    predictions.insert(predictions.end(), part.begin(), part.end());
  }
  return predictions;
}

Reference reference(const LoadedScorer& scorer) {
  const plan::Scorer& code = scorer.code;
  Reference out;
  for (const plan::WatchedColumn& watched : code.watched) {
    const std::size_t fields = code.request.size();
    std::vector<bool> needed(fields + code.columns.size(), false);
    needed[watched.column] = true;
    for (std::size_t i = needed.size(); i-- > fields;)
      if (needed[i])
        for (const std::uint32_t input : code.columns[i - fields].inputs) needed[input] = true;
    Watched& feature = out.features.emplace_back();
    feature.name = watched.name;
    feature.type = watched.column < fields ? code.request[watched.column].read.type : code.columns[watched.column - fields].type;
    feature.bins = code.states[watched.bins];
    for (std::size_t i = 0; i < fields; ++i)
      if (needed[i]) feature.raw.push_back(code.request[i].name);
  }
  if (code.watched_prediction) out.prediction = code.states[*code.watched_prediction];
  return out;
}

Result<Observed> observe(const LoadedScorer& scorer, std::span<const Column> request, std::size_t rows) {
  MLP_CHECK(request.size() == scorer.code.request.size());
  MLP_TRY(const Values values, compute_columns(scorer, request, rows, scorer.code.columns.size()));
  Observed out;
  for (const plan::WatchedColumn& watched : scorer.code.watched) out.features.push_back(values.at(watched.column));
  MLP_TRY(out.predictions, ask_model(scorer, values));
  return out;
}

}  // namespace mlp::scorer
