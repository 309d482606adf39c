#include <numeric>

#include "compiler/support/check.h"
#include "runtime/column/byte_list.h"
#include "runtime/column/codec.h"
#include "runtime/exec/session.h"
#include "runtime/learn/native.h"

namespace mlp::exec {

namespace {

const learn::NativeTransform& transform(const std::string& native) {
  const learn::NativeTransform* found = learn::find_transform(native);
  MLP_CHECK(found != nullptr);
  return *found;
}

/// The rows of each group by their own state, put back into the order of the rows.
Result<Column> apply_by_fold(const std::vector<std::shared_ptr<const learn::FittedTransform>>& states, const std::vector<std::uint32_t>& state_of,
                             const std::vector<Column>& args) {
  std::vector<Column> pieces;
  std::vector<std::uint32_t> back(state_of.size());
  std::uint32_t next = 0;
  for (std::uint32_t s = 0; s < states.size(); ++s) {
    std::vector<std::uint32_t> rows;
    for (std::uint32_t i = 0; i < state_of.size(); ++i)
      if (state_of[i] == s) back[i] = next++, rows.push_back(i);
    if (rows.empty()) continue;
    std::vector<Column> selected;
    for (const Column& arg : args) selected.push_back(take(arg, rows));
    pieces.push_back(states[s]->apply(selected));
  }
  if (pieces.empty()) return states[0]->apply(args);
  return take(concatenate(pieces), back);
}

}  // namespace

Result<std::string> partial_fit(Session& session, const plan::Step& step, const plan::PartialFit& code, std::size_t fragment) {
  const std::size_t extra = 1 + (code.label ? 1 : 0) + (code.folds > 0 ? 1 : 0);
  MLP_CHECK(step.inputs.size() >= extra);
  const std::size_t arg_count = step.inputs.size() - extra;
  MLP_TRY(const auto split, session.column(step.inputs[0], fragment));
  MLP_TRY(const std::vector<Column> args, session.columns(step, 1, arg_count, fragment));
  std::shared_ptr<const Column> label, folds;
  if (code.label) {
    MLP_TRY(label, session.column(step.inputs[1 + arg_count], fragment));
  }
  if (code.folds > 0) {
    MLP_TRY(folds, session.column(step.inputs.back(), fragment));
  }
  const std::vector<std::uint8_t> use = rows_in(*split, code.rows);
  std::vector<std::string> partials;
  for (int fold = 0; fold < std::max(1, code.folds); ++fold) {
    std::vector<std::uint8_t> mask = use;
    if (folds)
      for (std::size_t i = 0; i < mask.size(); ++i) mask[i] &= folds->is_known(i) && folds->values<std::int64_t>()[i] == fold;
    partials.push_back(transform(code.native).partial(code.options, args, label.get(), mask));
  }
  return pack(partials);
}

Result<std::string> merge_fit(Session& session, const plan::Step& step, const plan::MergeFit& code) {
  const learn::NativeTransform& native = transform(code.native);
  const std::size_t folds = static_cast<std::size_t>(std::max(1, code.folds));
  std::vector<std::vector<std::string>> by_fold(folds);
  const std::size_t fragments = session.steps[step.inputs[0].index()].outputs.size();
  for (std::size_t f = 0; f < fragments; ++f) {
    MLP_TRY(const std::string bytes, session.object(step.inputs[0], f));
    MLP_TRY(std::vector<std::string> parts, unpack(bytes));
    MLP_CHECK(parts.size() == folds);
    for (std::size_t k = 0; k < folds; ++k) by_fold[k].push_back(std::move(parts[k]));
  }
  const auto merge = [&](const std::vector<std::string>& parts) {
    const std::vector<std::string_view> views(parts.begin(), parts.end());
    return native.merge(code.options, views);
  };
  std::vector<std::string> merged;
  for (std::size_t k = 0; k < folds; ++k) {
    MLP_TRY(std::string one, merge(by_fold[k]));
    merged.push_back(std::move(one));
  }
  std::vector<std::string> states;
  MLP_TRY(const std::string all, merge(merged));
  MLP_TRY(std::string state, native.finish(code.options, all));
  states.push_back(std::move(state));
  if (code.folds > 0) {
    for (std::size_t k = 0; k < folds; ++k) {
      std::vector<std::string> others;
      for (std::size_t j = 0; j < folds; ++j)
        if (j != k) others.push_back(merged[j]);
      MLP_TRY(const std::string without, merge(others));
      MLP_TRY(std::string out_of_fold, native.finish(code.options, without));
      states.push_back(std::move(out_of_fold));
    }
  }
  return pack(states);
}

Result<std::string> apply_fit(Session& session, const plan::Step& step, const plan::ApplyFit& code, std::size_t fragment) {
  const std::size_t arg_count = step.inputs.size() - 1 - (code.folds > 0 ? 2 : 0);
  MLP_TRY(const std::string bytes, session.object(step.inputs[0]));
  MLP_TRY(const std::vector<std::string> stored, unpack(bytes));
  MLP_TRY(const std::vector<Column> args, session.columns(step, 1, arg_count, fragment));
  std::vector<std::shared_ptr<const learn::FittedTransform>> states;
  for (const std::string& state : stored) {
    MLP_TRY(auto loaded, transform(code.native).load(state));
    states.push_back(std::move(loaded));
  }
  // Applied without folds, the states of a cross-fit are those of the training rows alone: only the first is asked.
  MLP_CHECK(code.folds == 0 || states.size() == 1 + static_cast<std::size_t>(code.folds));
  if (code.folds == 0) return encode(states[0]->apply(args));
  MLP_TRY(const auto split, session.column(step.inputs[1 + arg_count], fragment));
  MLP_TRY(const auto folds, session.column(step.inputs[2 + arg_count], fragment));
  const std::vector<std::uint8_t> fitted_on = rows_in(*split, code.rows);
  std::vector<std::uint32_t> state_of(split->rows, 0);
  for (std::size_t i = 0; i < state_of.size(); ++i)
    if (fitted_on[i] && folds->is_known(i)) state_of[i] = 1 + static_cast<std::uint32_t>(folds->values<std::int64_t>()[i]);
  MLP_TRY(const Column column, apply_by_fold(states, state_of, args));
  return encode(column);
}

}  // namespace mlp::exec
