#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <mlp/mlp.h>

/// mlpc for C++17 and later: the C interface (mlp.h) with owners and values. Nothing is thrown but by the standard library;
/// errors are values. A Scorer may be copied, and asked by any number of threads at once.
namespace mlp {
inline namespace host_v1 {

struct Diagnostic {
  std::string code, message, help, file;  ///< file: empty where there is no place
  std::uint32_t line = 0, column = 0;     ///< from 1
};

struct Error {
  mlp_status status = MLP_BUG;
  std::vector<Diagnostic> diagnostics;
  /// The first of them.
  std::string message() const { return diagnostics.empty() ? "no memory is left, or a mistake of mlpc" : diagnostics[0].message; }
};

/// A value or the reason why there is none.
template <class T>
class Expected {
 public:
  Expected(T value) : state_(std::move(value)) {}
  Expected(Error error) : state_(std::move(error)) {}
  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

inline Error take_error(mlp_status status, mlp_error* error) {
  Error out{status, {}};
  for (std::size_t i = 0; i < mlp_error_count(error); ++i)
    out.diagnostics.push_back({mlp_error_code(error, i), mlp_error_message(error, i), mlp_error_help(error, i), mlp_error_file(error, i), mlp_error_line(error, i),
                               mlp_error_column(error, i)});
  mlp_error_free(error);
  return out;
}

/// A raw value of a row. Texts are not copied: they have to live until the call ends.
struct Field : mlp_value {
  Field() : mlp_value{MLP_MISSING, {}} {}
  Field(std::nullopt_t) : Field() {}
  Field(bool value) : Field() { kind = MLP_BOOL, of.boolean = value; }
  Field(int value) : Field(static_cast<std::int64_t>(value)) {}
  Field(std::int64_t value) : Field() { kind = MLP_INT, of.integer = value; }
  Field(double value) : Field() { kind = MLP_FLOAT, of.number = value; }
  Field(std::string_view value) : Field() { kind = MLP_TEXT, of.text = {value.data(), value.size()}; }
  Field(const std::string& value) : Field(std::string_view(value)) {}
  Field(const char* value) : Field(std::string_view(value)) {}
};
static_assert(sizeof(Field) == sizeof(mlp_value), "rows of fields are given to C as they are");

class Scorer {
 public:
  /// The version that stands in the deployment of the store. `stage`: nullptr for any.
  static Expected<Scorer> load(const std::string& store, const std::string& deployment, const char* stage = nullptr) {
    mlp_scorer* loaded = nullptr;
    mlp_error* error = nullptr;
    const mlp_status status = mlp_scorer_load(store.c_str(), deployment.c_str(), stage, &loaded, &error);
    if (status != MLP_OK) return take_error(status, error);
    return Scorer(loaded);
  }
  std::string model() const { return mlp_scorer_model(scorer_.get()); }
  std::uint32_t version() const { return mlp_scorer_version(scorer_.get()); }
  std::string digest() const { return mlp_scorer_digest(scorer_.get()); }
  struct FieldInfo {
    std::string name, type;
    bool may_be_missing = false;
  };
  /// The raw columns, in the order in which a row gives them.
  std::vector<FieldInfo> fields() const {
    std::vector<FieldInfo> out;
    for (std::size_t i = 0; i < mlp_scorer_field_count(scorer_.get()); ++i)
      out.push_back({mlp_scorer_field_name(scorer_.get(), i), mlp_scorer_field_type(scorer_.get(), i), mlp_scorer_field_may_be_missing(scorer_.get(), i) != 0});
    return out;
  }
  /// One row. NaN where a number that the model needs is infinite or undefined.
  Expected<double> predict(const std::vector<Field>& row) const {
    double prediction = 0;
    auto failed = ask(row, 1, &prediction);
    if (failed) return std::move(*failed);
    return prediction;
  }
  /// Rows one after the other: values[row * fields + field].
  Expected<std::vector<double>> predict_rows(const std::vector<Field>& values) const {
    const std::size_t fields = mlp_scorer_field_count(scorer_.get());
    std::vector<double> predictions(fields ? values.size() / fields : 0);
    auto failed = ask(values, predictions.size(), predictions.data());
    if (failed) return std::move(*failed);
    return predictions;
  }
  /// Columns in the order of the fields, each of `rows` values.
  Expected<std::vector<double>> predict_columns(const std::vector<mlp_column>& columns, std::size_t rows) const {
    if (columns.size() != mlp_scorer_field_count(scorer_.get())) return wrong_count();
    std::vector<double> predictions(rows);
    mlp_error* error = nullptr;
    const mlp_status status = mlp_predict_columns(scorer_.get(), columns.data(), rows, predictions.data(), &error);
    if (status != MLP_OK) return take_error(status, error);
    return predictions;
  }

 private:
  explicit Scorer(mlp_scorer* scorer) : scorer_(scorer, mlp_scorer_free) {}
  static Error wrong_count() { return {MLP_ARGUMENT, {{"", "the number of values is not that of the scorer's fields", "see fields()", "", 0, 0}}}; }
  std::optional<Error> ask(const std::vector<Field>& values, std::size_t rows, double* predictions) const {
    if (values.size() != rows * mlp_scorer_field_count(scorer_.get())) return wrong_count();
    mlp_error* error = nullptr;
    const mlp_status status = mlp_predict(scorer_.get(), values.data(), rows, predictions, &error);
    if (status != MLP_OK) return take_error(status, error);
    return std::nullopt;
  }
  std::shared_ptr<mlp_scorer> scorer_;
};

struct Report {
  struct Metric {
    std::string model, name;
    double value;
  };
  struct Gate {
    std::string model, text, status;  ///< passed, failed, inconclusive, not_applicable
  };
  struct Candidate {
    std::string model;
    std::uint32_t version;
    bool proven;
  };
  std::string run;
  std::size_t ran = 0, reused = 0;  ///< steps
  std::vector<Metric> metrics;
  std::vector<Gate> gates;
  std::vector<Candidate> candidates;
};

class Workflow {
 public:
  /// Every static error of the file is in the error.
  static Expected<Workflow> compile(const std::string& file) {
    mlp_workflow* compiled = nullptr;
    mlp_error* error = nullptr;
    const mlp_status status = mlp_workflow_compile(file.c_str(), &compiled, &error);
    if (status != MLP_OK) return take_error(status, error);
    return Workflow(compiled);
  }
  std::string name() const { return mlp_workflow_name(workflow_.get()); }
  using Progress = std::function<void(std::string_view step, std::size_t done, std::size_t of)>;
  /// Runs it; what the store has is reused. `store` empty: .mlp beside the file.
  Expected<Report> run(const std::string& store = {}, const Progress& progress = {}) const {
    mlp_report* done = nullptr;
    mlp_error* error = nullptr;
    const mlp_progress told = [](const char* step, size_t ended, size_t of, void* context) { (*static_cast<const Progress*>(context))(step, ended, of); };
    const mlp_status status = mlp_workflow_run(workflow_.get(), store.empty() ? nullptr : store.c_str(), progress ? told : nullptr,
                                               const_cast<Progress*>(&progress), &done, &error);
    if (status != MLP_OK) return take_error(status, error);
    Report out{mlp_report_run(done), mlp_report_steps_ran(done), mlp_report_steps_reused(done), {}, {}, {}};
    for (std::size_t i = 0; i < mlp_report_metric_count(done); ++i)
      out.metrics.push_back({mlp_report_metric_model(done, i), mlp_report_metric_name(done, i), mlp_report_metric_value(done, i)});
    for (std::size_t i = 0; i < mlp_report_gate_count(done); ++i)
      out.gates.push_back({mlp_report_gate_model(done, i), mlp_report_gate_text(done, i), mlp_report_gate_status(done, i)});
    for (std::size_t i = 0; i < mlp_report_candidate_count(done); ++i)
      out.candidates.push_back({mlp_report_candidate_model(done, i), mlp_report_candidate_version(done, i), mlp_report_candidate_proven(done, i) != 0});
    mlp_report_free(done);
    return out;
  }

 private:
  explicit Workflow(mlp_workflow* workflow) : workflow_(workflow, mlp_workflow_free) {}
  std::shared_ptr<mlp_workflow> workflow_;
};

}  // namespace host_v1
}  // namespace mlp
