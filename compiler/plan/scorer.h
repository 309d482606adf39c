#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/expr/expr.h"
#include "compiler/plan/physical.h"
#include "compiler/support/digest.h"
#include "compiler/types/type.h"

/// The only way to a prediction: evaluate, batch, server and host programs all load this.
namespace mlp::plan {

/// A field of the request: a raw column of the table, with its part of the contract.
struct RawField {
  std::string name;
  ReadColumn read;  ///< its name in files, type and rules
};

/// A column computed from earlier ones: by an expression, or by a fitted transform or bins.
struct ScorerColumn {
  std::string name;                    ///< for explanations; empty for intermediate ones
  Type type;
  std::vector<std::uint32_t> inputs;   ///< indices: raw fields first, then earlier ScorerColumns
  enum class By : std::uint8_t { expression, transform, bins, history } by = By::expression;
  expr::Expr code;                     ///< By::expression; InputColumn::column is a position in `inputs`
  std::string native;                  ///< By::transform; By::history: an aggregate, or empty for the last row's value as it is
  std::vector<std::pair<std::string, Value>> options;
  std::uint32_t state = 0;             ///< By::transform, By::bins, By::history: index into `states`
  /// By::history: the inputs are the keys, then the time t where the history has times; its rows known in [t - ending - over, t - ending).
  std::int64_t over_us = 0, ending_us = 0;
};

/// A column whose values in requests are compared with those of the rows that the model was fitted on.
struct WatchedColumn {
  std::string name;          ///< of the feature; of what it is made of where it is a vector
  std::uint32_t column = 0;  ///< index, as in ScorerColumn::inputs
  std::uint32_t bins = 0;    ///< index into `states`: cuts of its values, and the fitted rows in each
};

struct Scorer {
  static constexpr int kFormatVersion = 5;
  std::string workflow, model;
  std::vector<RawField> request;
  std::vector<RawField> key;           ///< what names a row of the table, personal columns left out; read, never asked for
  Options source;                      ///< how files like the table's are read: "null", "trim", …; as plan::Table::options
  std::vector<ScorerColumn> columns;   ///< topologically ordered
  std::vector<std::uint32_t> population;  ///< bool columns: where one is not true the row is none that the model was made for
  std::vector<std::uint32_t> matrix;   ///< indices (as in ScorerColumn::inputs) in the order of training
  std::vector<WatchedColumn> watched;  ///< in the order of the features; a prediction does not need them
  std::optional<std::uint32_t> watched_prediction;  ///< index into `states`: bins of the predictions for held-out rows
  std::vector<Digest> states;          ///< of fitted transforms and bins
  Digest trained;                      ///< the model object
  Digest split;                        ///< recipe of the split of the rows that the model was trained on
  Rows fitted_on;                      ///< parts of that split: those rows are not unseen by the model
  std::string native;                  ///< of the model
  bool binned = false;
  bool binary = true;
};

std::string encode(const Scorer& scorer);
Result<Scorer> decode_scorer(std::string_view json);
std::string dump(const Scorer& scorer);

/// The scorer before anything is fitted: the same JSON with positions in the place of digests. `trained` is input 0 of its
/// BuildScorer step, states[i] is input i + 1; the digests of `scorer` are not read.
std::string encode_template(const Scorer& scorer);
/// Puts in the digests of the model and of the fitted states, in the order of the BuildScorer step's inputs. Fails (E0909) where
/// the JSON is no template or their number differs.
Result<Scorer> fill_template(std::string_view json, const std::vector<Digest>& inputs);

}  // namespace mlp::plan
