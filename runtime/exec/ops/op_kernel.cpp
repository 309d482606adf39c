#include "runtime/exec/session.h"
#include "runtime/jit/evaluate.h"

namespace mlp::exec {

Result<Column> kernel(Session& session, const plan::Step& step, const plan::Kernel& code, std::size_t fragment) {
  const io::Fragment& place = session.fragments(step).fragments[fragment];
  Batch batch;
  batch.rows = place.rows;
  batch.first_row = place.first_row;
  for (const expr::InputColumn& input : code.code.inputs) {
    MLP_TRY(const auto column, session.column(step.inputs[input.column], fragment));
    batch.columns.push_back(*column);
  }
  jit::EvaluateOptions options;
  options.kernels = &session.kernels;
  options.total_rows = session.fragments(step).rows;
  return jit::evaluate(code.code, batch, options);
}

}  // namespace mlp::exec
