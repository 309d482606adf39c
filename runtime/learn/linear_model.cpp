#include "runtime/learn/linear_model.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "compiler/support/check.h"
#include "runtime/learn/elementary.h"
#include "runtime/learn/encoding.h"
#include "runtime/learn/normal_equations.h"

namespace mlp::learn {
namespace {

constexpr std::uint32_t kFormat = 0x3002, kVersion = 1;

struct Linear final : Model {
  explicit Linear(LinearModel model) : model_(std::move(model)) {}
  std::size_t columns() const override { return model_.coefficients.size(); }
  std::vector<double> margins(const MatrixView& matrix) const override {
    MLP_CHECK(matrix.columns.size() == model_.coefficients.size());
    std::vector<double> out(matrix.rows, model_.intercept);
    for (std::size_t c = 0; c < matrix.columns.size(); ++c) {
      const double* x = matrix.columns[c].values;
      for (std::size_t r = 0; r < matrix.rows; ++r) out[r] += model_.coefficients[c] * x[r];
    }
    return out;
  }
  std::vector<double> predict(const MatrixView& matrix) const override {
    std::vector<double> out = margins(matrix);
    if (model_.link == Link::sigmoid) sigmoid(out, out);
    return out;
  }
  std::vector<double> importance() const override { return model_.importance; }
  std::vector<std::pair<std::string, std::string>> describe() const override {
    std::vector<std::pair<std::string, std::string>> out = {{"coefficients", fmt::format("{}", model_.coefficients.size())},
                                                            {"intercept", fmt::format("{:.6g}", model_.intercept)}};
    if (model_.iterations > 0) {
      out.emplace_back("iterations", fmt::format("{}", model_.iterations));
      out.emplace_back("converged", model_.converged ? "yes" : "no");
    }
    return out;
  }

 private:
  LinearModel model_;
};

}  // namespace

bool LinearModel::sound() const {
  return (link == Link::identity || link == Link::sigmoid) && std::isfinite(intercept) && importance.size() == coefficients.size() &&
         std::ranges::all_of(coefficients, [](double b) { return std::isfinite(b); });
}

std::string encode(const LinearModel& model) { return encode_state(kFormat, kVersion, model); }

Result<std::shared_ptr<const Model>> load_linear_model(std::string_view bytes) {
  MLP_TRY(LinearModel model, decode_state<LinearModel>(bytes, kFormat, kVersion, "a model"));
  if (!model.sound()) return damaged("a model");
  return std::make_shared<const Linear>(std::move(model));
}

Result<std::vector<double>> training_weights(const TrainInput& input) {
  std::vector<double> weight(input.weight.begin(), input.weight.end());
  if (input.weight.empty()) weight.assign(input.label.size(), 1.0);
  double total = 0;
  for (const double w : weight) total += w;
  if (!(total > 0)) return failure(diag::Code::E0806, "there are no training rows with a weight above 0", "check the split, `where` and the weights");
  return weight;
}

std::vector<double> column_means(const TrainInput& input, std::span<const double> weight) {
  double total = 0;
  for (const double w : weight) total += w;
  std::vector<double> means;
  for (const MatrixColumn& column : input.matrix.columns) means.push_back(dot(weight, {column.values, input.matrix.rows}) / total);
  return means;
}

std::vector<double> linear_importance(const TrainInput& input, std::span<const double> weight, std::span<const double> coefficients) {
  double all = 0, total = 0;
  for (const double w : weight) total += w;
  const std::vector<double> means = column_means(input, weight);
  std::vector<double> shares;
  for (std::size_t c = 0; c < coefficients.size(); ++c) {
    double squares = 0;
    for (std::size_t r = 0; r < input.matrix.rows; ++r) {
      const double d = input.matrix.columns[c].values[r] - means[c];
      squares += weight[r] * (d * d);
    }
    shares.push_back(std::fabs(coefficients[c]) * std::sqrt(squares / total));
    all += shares.back();
  }
  for (double& s : shares) s = all > 0 ? s / all : 0.0;
  return shares;
}

}  // namespace mlp::learn
