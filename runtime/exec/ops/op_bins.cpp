#include "runtime/column/bins.h"
#include "runtime/exec/session.h"
#include "runtime/learn/bins.h"

namespace mlp::exec {

Result<std::string> partial_bins(Session& session, const plan::Step& step, const plan::PartialBins& code, std::size_t fragment) {
  MLP_TRY(const auto split, session.column(step.inputs[0], fragment));
  MLP_TRY(const auto column, session.column(step.inputs[1], fragment));
  return learn::partial_bins(*column, rows_in(*split, code.rows));
}

Result<std::string> merge_bins(Session& session, const plan::Step& step) {
  std::vector<std::string> partials;
  const std::size_t fragments = session.steps[step.inputs[0].index()].outputs.size();
  for (std::size_t f = 0; f < fragments; ++f) {
    MLP_TRY(std::string partial, session.object(step.inputs[0], f));
    partials.push_back(std::move(partial));
  }
  const std::vector<std::string_view> views(partials.begin(), partials.end());
  MLP_TRY(const std::string merged, learn::merge_bins(views));
  return learn::finish_bins(merged);
}

Result<std::string> bin(Session& session, const plan::Step& step, std::size_t fragment) {
  MLP_TRY(const std::string state, session.object(step.inputs[0]));
  MLP_TRY(const auto bins, learn::load_bins(state));
  MLP_TRY(const auto column, session.column(step.inputs[1], fragment));
  return encode(BinnedColumn{column->rows, bins->runs(), bins->apply(*column)});
}

}  // namespace mlp::exec
