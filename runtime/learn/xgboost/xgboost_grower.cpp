#include <xgboost/c_api.h>

#include <algorithm>
#include <fmt/format.h>

#include "runtime/learn/tree_grower.h"
#include "runtime/learn/xgboost/xgboost_trees_json.h"

/// The only user of XGBoost.
namespace mlp::learn {
namespace {

std::unexpected<diag::Diagnostic> failed(std::string_view doing) {
  return failure(diag::Code::E0907, fmt::format("XGBoost failed while {}", doing), "if memory was short, use fewer rows or columns at once");
}
#define MLP_XGBOOST(call, doing) \
  if ((call) != 0) return failed(doing)

struct MatrixHandle {
  DMatrixHandle handle = nullptr;
  MatrixHandle() = default;
  MatrixHandle(const MatrixHandle&) = delete;
  MatrixHandle& operator=(const MatrixHandle&) = delete;
  ~MatrixHandle() { if (handle != nullptr) XGDMatrixFree(handle); }
};

/// Bins as feature values: 0, 1, 2, … so that cuts fall between whole numbers; 255 is missing.
Result<void> fill(MatrixHandle& to, const MatrixView& matrix, int threads) {
  const std::size_t columns = matrix.columns.size();
  std::vector<std::uint8_t> rows_first(matrix.rows * columns);
  for (std::size_t c = 0; c < columns; ++c)
    for (std::size_t r = 0; r < matrix.rows; ++r) rows_first[r * columns + c] = matrix.columns[c].bins[r];
  const std::string array = fmt::format(R"({{"data": [{}, true], "shape": [{}, {}], "typestr": "|u1", "version": 3}})",
                                        reinterpret_cast<std::uintptr_t>(rows_first.data()), matrix.rows, columns);
  const std::string config = fmt::format(R"({{"missing": {}, "nthread": {}}})", kMissingBin, threads);
  MLP_XGBOOST(XGDMatrixCreateFromDense(array.c_str(), config.c_str(), &to.handle), "taking in the binned columns");
  return {};
}

struct XgboostGrower final : TreeGrower {
  MatrixHandle matrix;
  BoosterHandle booster = nullptr;
  std::size_t rows = 0;
  std::vector<double> gains;
  int grown = 0;
  int threads = 1;
  std::vector<float> gradient_copy, hessian_copy;

  ~XgboostGrower() override { if (booster != nullptr) XGBoosterFree(booster); }

  Result<void> set(const char* name, const std::string& value) {
    MLP_XGBOOST(XGBoosterSetParam(booster, name, value.c_str()), "taking its settings");
    return {};
  }

  Result<void> start(const MatrixView& view, const GrowerSettings& settings) {
    rows = view.rows;
    threads = settings.threads;
    gains.assign(view.columns.size(), 0.0);
    MLP_TRY_VOID(fill(matrix, view, threads));
    MLP_XGBOOST(XGBoosterCreate(&matrix.handle, 1, &booster), "starting");
    const std::pair<const char*, std::string> parameters[] = {
        {"booster", "gbtree"},
        {"tree_method", "hist"},
        {"grow_policy", "depthwise"},
        {"max_bin", "256"},
        {"objective", "reg:squarederror"},  // gradients are given; this one leaves margins as they are
        {"base_score", fmt::format("{:.9g}", settings.base)},
        {"max_depth", fmt::format("{}", settings.depth)},
        {"eta", fmt::format("{:.17g}", settings.learning_rate)},
        {"min_child_weight", fmt::format("{:.17g}", settings.min_child_weight)},
        {"lambda", fmt::format("{:.17g}", settings.l2)},
        {"alpha", "0"},
        {"gamma", "0"},
        {"nthread", fmt::format("{}", settings.threads)},
        {"verbosity", "0"},
        {"seed", "0"},  // nothing of it is drawn: rows are masked by their gradients
    };
    for (const auto& [name, value] : parameters) MLP_TRY_VOID(set(name, value));
    return {};
  }

  Result<void> grow(std::span<const float> gradient, std::span<const float> hessian) override {
    gradient_copy.assign(gradient.begin(), gradient.end());
    hessian_copy.assign(hessian.begin(), hessian.end());
    MLP_XGBOOST(XGBoosterBoostOneIter(booster, matrix.handle, gradient_copy.data(), hessian_copy.data(), rows), "growing a tree");
    ++grown;
    return {};
  }

  Result<std::span<const float>> predict(DMatrixHandle of, bool training) {
    const std::string config =
        fmt::format(R"({{"type": 1, "training": {}, "iteration_begin": 0, "iteration_end": 0, "strict_shape": false}})", training);
    const bst_ulong* shape = nullptr;
    bst_ulong dimensions = 0;
    const float* out = nullptr;
    MLP_XGBOOST(XGBoosterPredictFromDMatrix(booster, of, config.c_str(), &shape, &dimensions, &out), "adding up its trees");
    std::size_t count = 1;
    for (bst_ulong d = 0; d < dimensions; ++d) count *= shape[d];
    return std::span<const float>(out, count);
  }

  Result<std::span<const float>> margins() override { return predict(matrix.handle, true); }

  Result<std::vector<std::vector<TreeNode>>> trees(std::vector<double>& to) override {
    if (grown == 0) {
      to = gains;
      return std::vector<std::vector<TreeNode>>{};
    }
    const char* bytes = nullptr;
    bst_ulong size = 0;
    MLP_XGBOOST(XGBoosterSaveModelToBuffer(booster, R"({"format": "ubj"})", &size, &bytes), "handing over its trees");
    to.assign(gains.size(), 0.0);
    return read_xgboost_trees({bytes, size}, to);
  }

  Result<std::vector<float>> oracle(const MatrixView& view) override {
    MatrixHandle other;
    MLP_TRY_VOID(fill(other, view, threads));
    MLP_TRY(const auto margins, predict(other.handle, false));
    return std::vector<float>(margins.begin(), margins.end());
  }
};

Result<std::unique_ptr<TreeGrower>> make(const MatrixView& matrix, const GrowerSettings& settings) {
  auto grower = std::make_unique<XgboostGrower>();
  MLP_TRY_VOID(grower->start(matrix, settings));
  return grower;
}

}  // namespace
}  // namespace mlp::learn

extern "C" __attribute__((visibility("default"))) const mlp::learn::TreeGrowerFactory mlp_tree_grower_factory = {
    mlp::learn::kTreeGrowerVersion, mlp::learn::make};
