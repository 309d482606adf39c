#include "compiler/support/check.h"
#include "runtime/column/codec.h"
#include "runtime/exec/session.h"
#include "runtime/learn/splits.h"

namespace mlp::exec {

namespace {

Column part_column(const std::vector<std::int32_t>& parts) {
  ColumnBuilder builder(Type::of(Base::int_, true), parts.size());
  for (std::int32_t part : parts) {
    if (part < 0)
      builder.push_missing();
    else
      builder.push_int(part);
  }
  return builder.finish();
}

}  // namespace

Result<void> assign(Session& session, plan::StepId id, const std::vector<Digest>& keys, std::vector<std::uint8_t>& ran) {
  const plan::Step& step = session.plan[id];
  const auto* split_code = std::get_if<plan::AssignSplit>(&step.code);
  const auto* folds_code = std::get_if<plan::AssignFolds>(&step.code);
  MLP_CHECK(split_code || folds_code);
  learn::SplitShape shape;
  shape.percent = split_code ? split_code->percent : std::vector<int>{};
  shape.folds = split_code ? split_code->folds : folds_code->folds;
  shape.seed = split_code ? split_code->seed : 0;
  const std::uint32_t key_count = split_code ? split_code->keys : folds_code->keys;
  const bool stratified = split_code && split_code->stratified;
  const std::size_t first_key = folds_code || stratified ? 1 : 0;

  StepState& state = session.steps[id.index()];
  const auto& places = session.fragments(step).fragments;
  learn::DeckPosition position;
  std::size_t dealt_to = 0;  // `position` stands before this fragment

  // The rows of a fragment that are dealt: all, or those of the training parts.
  const auto dealt_rows = [&](std::size_t f) -> Result<std::vector<std::uint32_t>> {
    std::vector<std::uint32_t> rows;
    if (!folds_code) {
      for (std::uint32_t i = 0; i < places[f].rows; ++i) rows.push_back(i);
      return rows;
    }
    MLP_TRY(const auto split, session.column(step.inputs[0], f));
    const auto use = rows_in(*split, folds_code->rows);
    for (std::uint32_t i = 0; i < use.size(); ++i)
      if (use[i]) rows.push_back(i);
    return rows;
  };
  const auto stratum_of = [&](std::size_t f) -> Result<std::shared_ptr<const Column>> {
    if (!stratified) return std::shared_ptr<const Column>();
    return session.column(step.inputs[0], f);
  };

  for (std::size_t f = 0; f < places.size(); ++f) {
    if (state.outputs[f]) continue;
    std::vector<std::int32_t> parts;
    MLP_TRY(const std::vector<std::uint32_t> rows, dealt_rows(f));
    MLP_TRY(const auto stratum, stratum_of(f));
    if (key_count > 0) {
      MLP_TRY(std::vector<Column> columns, session.columns(step, first_key, key_count, f));
      parts = learn::assign_by_key(shape, columns, stratum.get());
      if (folds_code) {  // rows outside the training parts have no fold
        std::vector<std::int32_t> only(parts.size(), -1);
        for (std::uint32_t row : rows) only[row] = parts[row];
        parts = std::move(only);
      }
    } else {
      for (; dealt_to < f; ++dealt_to) {
        MLP_TRY(const std::vector<std::uint32_t> before, dealt_rows(dealt_to));
        MLP_TRY(const auto stratum_before, stratum_of(dealt_to));
        position = learn::advance(std::move(position), learn::count_strata(before.size(), stratum_before.get()));
      }
      const std::vector<std::int32_t> dealt = learn::assign_by_decks(shape, rows.size(), stratum.get(), position);
      dealt_to = f + 1;
      parts.assign(places[f].rows, -1);
      for (std::size_t i = 0; i < rows.size(); ++i) parts[rows[i]] = dealt[i];
    }
    if (split_code && split_code->chosen) {
      MLP_TRY(const auto chosen, session.column(step.inputs.back(), f));
      for (std::size_t i = 0; i < parts.size(); ++i)
        if (!chosen->is_known(i) || chosen->values<std::uint8_t>()[i] == 0) parts[i] = -1;
    }
    MLP_TRY(state.outputs[f], session.store.put(encode(part_column(parts))));
    session.store.stage(keys[f], {{state.outputs[f]}, {}});
    ran[f] = 1;
  }
  return {};
}

}  // namespace mlp::exec
