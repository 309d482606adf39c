#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "compiler/support/check.h"
#include "runtime/column/codec.h"
#include "runtime/exec/session.h"
#include "runtime/learn/native.h"
#include "runtime/scorer/matrix.h"

namespace mlp::exec {

namespace {

/// Below this many rows a second thread costs more than it gives (docs/architecture.md, threads out of one budget).
constexpr std::size_t kRowsForThreads = 200'000;

learn::Task task_of(bool binary) { return binary ? learn::Task::boolean : learn::Task::real; }

/// Adds `rows` of a fragment: the cells of the `count` inputs of a step from `first` on.
Result<void> append(scorer::Matrix& matrix, Session& session, const plan::Step& step, std::size_t first, std::size_t count, bool binned,
                    std::size_t fragment, std::span<const std::uint32_t> rows) {
  matrix.begin_rows(rows.size());
  for (std::size_t c = 0; c < count; ++c) {
    if (!binned) {
      MLP_TRY(const auto column, session.column(step.inputs[first + c], fragment));
      matrix.add(c, *column, rows);
      continue;
    }
    MLP_TRY(const std::string bytes, session.object(step.inputs[first + c], fragment));
    MLP_TRY(const BinnedColumn cell, decode_binned_column(bytes));
    matrix.add(c, cell, rows);
  }
  return {};
}

}  // namespace

Result<std::string> train(Session& session, const plan::Step& step, const plan::Train& code) {
  const learn::NativeModel* native = learn::find_model(code.native);
  MLP_CHECK(native != nullptr);
  const std::size_t first = 2 + (code.weighted ? 1 : 0);
  scorer::Matrix matrix(code.binned, step.inputs.size() - first);
  std::vector<double> labels, weights;
  const std::size_t fragments = session.fragments(step).fragments.size();
  for (std::size_t f = 0; f < fragments; ++f) {
    MLP_TRY(const auto split, session.column(step.inputs[0], f));
    MLP_TRY(const auto label, session.column(step.inputs[1], f));
    const std::vector<std::uint8_t> use = rows_in(*split, code.rows);
    std::vector<std::uint32_t> rows;
    for (std::uint32_t i = 0; i < use.size(); ++i)
      if (use[i] && label->is_known(i)) rows.push_back(i);
    for (std::uint32_t row : rows) labels.push_back(number_at(*label, row));
    if (code.weighted) {
      MLP_TRY(const auto weight, session.column(step.inputs[2], f));
      for (std::uint32_t row : rows) weights.push_back(weight->is_known(row) ? number_at(*weight, row) : 0.0);
    }
    MLP_TRY_VOID(append(matrix, session, step, first, step.inputs.size() - first, code.binned, f, rows));
  }
  if (labels.empty())
    return failure(diag::Code::E0806, "there is no row to train `" + step.name + "` on", "look at the split, and at how many labels are missing");
  if (code.binary && std::all_of(labels.begin(), labels.end(), [&](double y) { return y == labels[0]; }))
    return failure(diag::Code::E0807, std::string("every training row has the label `") + (labels[0] != 0 ? "true" : "false") + "`",
                   "a model of two classes needs rows of both; look at the label's expression and at the split");
  if (const std::size_t undefined = matrix.undefined_rows().size())
    return failure(diag::Code::E0801, fmt::format("a number that `{}` needs is infinite or undefined in {} training row{}", step.name, undefined, undefined == 1 ? "" : "s"),
                   "give the columns narrower ranges, or the feature a fallback with `??`");
  learn::TrainInput input;
  input.matrix = matrix.view();
  input.label = labels;
  input.weight = weights;
  input.options = code.options;
  input.seed = static_cast<std::uint64_t>(code.seed);
  input.task = task_of(code.binary);
  const int borrowed = labels.size() < kRowsForThreads ? 0 : session.budget.borrow(session.threads - 1);
  input.threads = 1 + borrowed;
  input.stopped = [&session] { return session.stopped(); };
  auto model = native->train(input);
  session.budget.give_back(borrowed);
  return model;
}

Result<std::string> predict(Session& session, const plan::Step& step, const plan::Predict& code, std::size_t fragment) {
  const learn::NativeModel* native = learn::find_model(code.native);
  MLP_CHECK(native != nullptr);
  MLP_TRY(const auto split, session.column(step.inputs[0], fragment));
  Column out;
  out.type = Type::of(Base::float_, true);
  out.rows = split->rows;
  out.data = Buffer(out.rows * sizeof(double));
  out.known = Buffer(out.rows);
  const auto values = out.data.as_mutable<double>();
  const auto known = out.known.as_mutable<std::uint8_t>();
  for (std::size_t m = 0; m < code.models.size(); ++m) {
    const std::size_t model_at = 1 + m * (1 + code.columns);
    const std::vector<std::uint8_t> use = rows_in(*split, code.models[m]);
    std::vector<std::uint32_t> rows;
    for (std::uint32_t i = 0; i < use.size(); ++i)
      if (use[i]) rows.push_back(i);
    if (rows.empty()) continue;
    MLP_TRY(const std::string bytes, session.object(step.inputs[model_at]));
    MLP_TRY(const auto model, native->load(bytes));
    scorer::Matrix matrix(code.binned, code.columns);
    MLP_TRY_VOID(append(matrix, session, step, model_at + 1, code.columns, code.binned, fragment, rows));
    MLP_TRY(const std::vector<double> predicted, scorer::predict(*model, matrix));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (std::isnan(predicted[i])) continue;  // no figure counts the row
      values[rows[i]] = predicted[i], known[rows[i]] = 1;
    }
  }
  if (std::all_of(known.begin(), known.end(), [](std::uint8_t k) { return k != 0; })) out.known = Buffer();
  return encode(out);
}

}  // namespace mlp::exec
