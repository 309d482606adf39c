#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/plan/scorer.h"
#include "compiler/support/digest.h"
#include "runtime/column/column.h"
#include "runtime/jit/compiler.h"

/// From raw rows to predictions: evaluate, batch, server and host programs ask the same object. Knows no store.
namespace mlp::scorer {

/// The bytes of an object, by its digest; the store's `get` where there is a store.
using Fetch = std::function<Result<std::string>(const Digest&)>;

/// A scorer with its fitted states and its model in memory. Immutable: any number of threads may ask it at once.
struct LoadedScorer;

/// Decodes everything once. E0908 where an object is not there, E0903 and E0909 where it is damaged or of another version,
/// E0601 and E0308 where the contract of a field cannot be read.
Result<std::shared_ptr<const LoadedScorer>> load(const Digest& scorer, const Fetch& fetch);
/// The same with its expressions compiled, for who asks it more than about a hundred thousand rows or for each row at once; the
/// values are the same. Takes some 50 ms, or 5 ms where the options name a cache that has them. E0905, E0907 besides.
Result<std::shared_ptr<const LoadedScorer>> load_compiled(const Digest& scorer, const Fetch& fetch, const jit::CompilerOptions& options);
/// Expressions that are interpreted for every request, with the reason: all of them where the scorer is not compiled.
std::vector<std::pair<std::string, std::string>> interpreted(const LoadedScorer& scorer);

/// What a scorer asks for and gives.
struct Schema {
  std::string workflow, model;
  Digest scorer;
  std::vector<plan::RawField> request;  ///< the raw columns, by name; see records.h for values that are not columns yet
  std::vector<plan::RawField> key;      ///< what names a row of the table; not asked for
  plan::Options source;                 ///< how files like the table's are read
  bool probability = true;              ///< of true; else the prediction is a number
};
const Schema& schema(const LoadedScorer& scorer);

/// What `predict` gives for a row that the model was not made for: a `where` of its table's pipeline is not true of it, or a join leaves
/// it out. A NaN of its own.
double out_of_population();
bool is_out_of_population(double prediction);
/// Whether the scorer looks values up in rows that it keeps, as they were when it was made.
bool keeps_histories(const LoadedScorer& scorer);

/// The prediction of each row: the probability of true, or the number; out_of_population() where it has none for being no such row; another NaN where the row has none, because a number that the
/// model needs came out infinite or undefined. `request`: columns of `rows` rows in the order of Schema::request, each with its
/// type and within its contract. The same bits as the run that evaluated the model, for every way of cutting rows into calls.
Result<std::vector<double>> predict(const LoadedScorer& scorer, std::span<const Column> request, std::size_t rows);

/// What monitoring compares with the rows that the model was fitted on.
struct Watched {
  std::string name;                   ///< of the feature
  Type type;
  std::vector<std::string> raw;       ///< names of the request's fields that it is made of
  Digest bins;                        ///< object of the store: learn::Bins with the fitted rows
};
struct Reference {
  std::vector<Watched> features;
  std::optional<Digest> prediction;   ///< object of the store: learn::Bins with predictions for held-out rows
};
Reference reference(const LoadedScorer& scorer);

/// Some rows as the model saw them: a column for each of Reference::features, and what predict gives.
struct Observed {
  std::vector<Column> features;
  std::vector<double> predictions;
};
/// `request` as in predict.
Result<Observed> observe(const LoadedScorer& scorer, std::span<const Column> request, std::size_t rows);

}  // namespace mlp::scorer
