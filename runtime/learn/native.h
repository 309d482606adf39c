#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/types/type.h"
#include "runtime/column/column.h"
#include "runtime/learn/prefix_sums.h"

/// What the learning entries of `stdlib/*.mlp` are bound to: plain tables of functions over columns. States and models are
/// bytes in versioned formats of our own; a damaged byte is a failure (E0903, E0909), never a crash.
namespace mlp::learn {

/// Named options of an entry, defaults filled in, in the order of its signature. The same type as plan::Options.
using Options = std::vector<std::pair<std::string, Value>>;

// ---- transforms ---------------------------------------------------------------------------------------------------------

/// A transform with its fitted state, ready to be applied. Immutable: any number of threads may apply it at once.
struct FittedTransform {
  virtual ~FittedTransform() = default;
  /// The transformed values of the rows of `args` (the row-wise arguments, in the order of the signature, without the label).
  /// Adds the number of rows whose value the training rows did not have to `*unseen`, if it is given.
  virtual Column apply(std::span<const Column> args, std::uint64_t* unseen = nullptr) const = 0;
  /// Type of the result; the width of a vector is the fitted one.
  virtual Type result() const = 0;
  /// What the slots of a vector result stand for (the categories of one_hot); empty for other results.
  virtual std::vector<std::string> slots() const { return {}; }
  /// The fitted state for people: ("mean", "38.58"), ("std", "13.64").
  virtual std::vector<std::pair<std::string, std::string>> describe() const = 0;
};

/// A fitted transform: partial states of fragments are merged and finished. The merged state is equal, bit for bit, for every
/// way of cutting the rows into fragments and every order of merging.
struct NativeTransform {
  /// State of the rows i of one fragment with use[i] != 0; `use` is as long as the columns. `label` is null where the signature
  /// has none; rows whose label is missing are left out.
  std::string (*partial)(const Options& options, std::span<const Column> args, const Column* label, std::span<const std::uint8_t> use);
  Result<std::string> (*merge)(const Options& options, std::span<const std::string_view> partials);
  /// From a merged state to what `load` takes; the options that matter are inside.
  Result<std::string> (*finish)(const Options& options, std::string_view partial);
  Result<std::shared_ptr<const FittedTransform>> (*load)(std::string_view fitted);
};

// ---- models -------------------------------------------------------------------------------------------------------------

/// Bin of a missing value (and of a category value that the training rows did not have).
inline constexpr std::uint8_t kMissingBin = 255;

/// One column of a matrix: bins for models that are `binned`, else doubles, all of them known.
struct MatrixColumn {
  const std::uint8_t* bins = nullptr;
  const double* values = nullptr;
};

/// Columns of equal length; the caller keeps the memory.
struct MatrixView {
  std::size_t rows = 0;
  std::vector<MatrixColumn> columns;
};

enum class Task : std::uint8_t { boolean, real };

struct TrainInput {
  MatrixView matrix;                ///< training rows only, in table order; columns in the order of their value keys
  std::span<const double> label;    ///< bool as 0 and 1; all known
  std::span<const double> weight;   ///< empty: 1 each
  Options options;
  std::uint64_t seed = 0;
  Task task = Task::boolean;
  int threads = 1;                  ///< changes no bit of the result
  std::function<bool()> stopped;    ///< asked now and then; true ends the training with E0906
};

/// A trained model. Immutable: any number of threads may ask it at once.
struct Model {
  virtual ~Model() = default;
  /// Number of matrix columns it was trained on.
  virtual std::size_t columns() const = 0;
  /// Probability of true, or the value, for each row.
  virtual std::vector<double> predict(const MatrixView& matrix) const = 0;
  /// Before the link function: log-odds for bool, the value for float.
  virtual std::vector<double> margins(const MatrixView& matrix) const = 0;
  /// Share of each column in what the model explains; sums to 1, or all zero. Trees: total gain. Linear models: |coefficient|
  /// times the deviation of the column over the training rows.
  virtual std::vector<double> importance() const = 0;
  /// For people: ("trees", "300"), ("iterations", "7").
  virtual std::vector<std::pair<std::string, std::string>> describe() const = 0;
};

struct NativeModel {
  Result<std::string> (*train)(const TrainInput& input);
  Result<std::shared_ptr<const Model>> (*load)(std::string_view bytes);
};

// ---- metrics ------------------------------------------------------------------------------------------------------------

/// Rows that are scored. Sums are taken in row order.
struct MetricInput {
  std::span<const double> p;             ///< probability, value, or decision (0 or 1) of each row
  std::span<const double> y;             ///< label; bool as 0 and 1
  std::span<const double> weight;        ///< empty: 1 each
  std::span<const std::uint32_t> order;  ///< the rows by ascending p, ties by position; only where `ordered`, see sort_order
};

struct NativeMetric {
  /// The figure, or nullopt where it is not defined: no rows, one class only, division by zero.
  std::optional<double> (*value)(const Options& options, const MetricInput& input);
  /// The constant prediction that `constant.METRIC` scores: the best one, for every row the same (sums as above).
  std::optional<double> (*best_constant)(const Options& options, std::span<const double> y, std::span<const double> weight);
  bool ordered = false;  ///< needs MetricInput::order
};

/// The rows by ascending p, ties by position.
std::vector<std::uint32_t> sort_order(std::span<const double> p);

// ---- drift tests --------------------------------------------------------------------------------------------------------

/// Distance of two distributions over the same bins. nullopt: one of them has no rows.
struct NativeDrift {
  std::optional<double> (*value)(std::span<const double> reference, std::span<const double> current);
};

// ---- aggregates ---------------------------------------------------------------------------------------------------------

/// Stretches [begin, end) of a list of rows, each of which becomes one value. Where they come in ascending order the work is one
/// pass over the list.
struct AggregateInput {
  const Column* values = nullptr;        ///< of the rows of the list, in its order; null where the aggregate has no argument
  std::size_t rows = 0;                  ///< of the list
  std::span<const std::uint8_t> use;     ///< of each row of the list: whether it counts; empty: all do
  std::span<const std::int64_t> begin, end;
  std::span<const std::int64_t> at;      ///< `of window`: the row that asks, of each stretch; else empty
  std::span<const std::uint8_t> ties;    ///< `of window`: 1 for a row that is equal in the order to the one before it
  Options options;
  Type type;                             ///< of the result
};

/// Rows of a table, each of one of several groups.
struct GroupPiece {
  const Column* values = nullptr;        ///< null where the aggregate has no argument
  std::span<const std::uint8_t> use;     ///< whether a row counts; empty: all do
  std::span<const std::int64_t> group;   ///< of each row
};

/// What is known of some rows of each group. Pieces that are added and merged in any way give the bits that NativeAggregate::value gives,
/// as long as what is merged stands behind what it is merged into, and its spread is part of the other's.
struct GroupState {
  virtual ~GroupState() = default;
  virtual void add(const GroupPiece& piece) = 0;
  /// Of the same aggregate; `group`: which of these groups each of its groups is.
  virtual void merge(const GroupState& later, std::span<const std::int64_t> group) = 0;
  virtual Column values(const Type& type) const = 0;
};

/// A value for each stretch, a function of its rows alone: how the stretches lie changes no bit.
struct NativeAggregate {
  Column (*value)(const AggregateInput& input);
  /// The state of so many groups without a row. Null: all rows are looked at together. `argument`: its type, if there is one; `spread`: of
  /// all numbers that count, of an argument of floats. A null state: they lie too far apart.
  std::unique_ptr<GroupState> (*by_group)(std::size_t groups, const Type* argument, const BitSpread& spread) = nullptr;
  bool adds = false;       ///< by_group needs the spread
  bool is_latest = false;  ///< the value of the last row that counts
};

// ---- by symbol (Signature::native) --------------------------------------------------------------------------------------

/// nullptr where there is no such native definition.
const NativeTransform* find_transform(std::string_view symbol);
const NativeModel* find_model(std::string_view symbol);
const NativeMetric* find_metric(std::string_view symbol);
const NativeAggregate* find_aggregate(std::string_view symbol);
const NativeDrift* find_drift(std::string_view symbol);

}  // namespace mlp::learn
