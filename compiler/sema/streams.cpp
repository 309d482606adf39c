#include <algorithm>
#include <map>

#include "compiler/sema/context.h"

namespace mlp::sema {

namespace {

/// What a column is, without names of columns or of the standard library, and without positions.
Digest column_digest(const Context& context, hir::ColumnId id, std::map<hir::ColumnId, Digest>& done) {
  if (const auto at = done.find(id); at != done.end()) return at->second;
  const hir::Column& column = context.out[id];
  Digest digest;
  if (const auto* source = std::get_if<hir::SourceColumn>(&column.made_by)) {
    digest = Hasher("stream-column/1").add(source->source_name).finish();
  } else if (const hir::Aggregate* many = column.aggregate()) {
    Hasher hasher("stream-aggregate/1");
    const auto add = [&](const expr::Expr& code) {
      std::vector<Digest> inputs;
      for (const expr::InputColumn& input : code.inputs) inputs.push_back(column_digest(context, hir::ColumnId(input.column), done));
      hasher.add(expr::shape(code, inputs));
    };
    for (const expr::Expr& argument : many->arguments) add(argument);
    if (many->where) add(*many->where);
    for (const auto& [theirs, ours] : many->by) hasher.add(column_digest(context, theirs, done));
    digest = hasher.add(many->over_us).add(many->ending_us).add(many->next).finish();
  } else {
    const expr::Expr& code = *column.code();
    std::vector<Digest> inputs;
    for (const expr::InputColumn& input : code.inputs) inputs.push_back(column_digest(context, hir::ColumnId(input.column), done));
    digest = code.nodes.empty() ? Digest{} : expr::shape(code, inputs);
  }
  done.emplace(id, digest);
  return digest;
}

}  // namespace

void assign_streams(Context& context, const std::vector<hir::ColumnId>& columns, std::int64_t seed) {
  struct Draw {
    hir::ColumnId column;
    std::size_t node;
    Digest shape;
    std::vector<const Signature*> natives;
  };
  std::map<hir::ColumnId, Digest> digests;
  std::vector<Draw> draws;
  for (const hir::ColumnId id : columns) {
    const expr::Expr* code = context.out[id].code();
    if (!code) continue;
    for (std::size_t i = 0; i < code->nodes.size(); ++i) {
      const auto* call = std::get_if<expr::Call>(&code->nodes[i].op);
      const Signature* signature = call ? find_native(call->native) : nullptr;
      if (!signature || !signature->random) continue;
      const expr::Expr part = expr::subtree(*code, expr::NodeId(i));
      std::vector<Digest> inputs;
      for (const expr::InputColumn& input : part.inputs) inputs.push_back(column_digest(context, hir::ColumnId(input.column), digests));
      draws.push_back({id, i, expr::shape(part, inputs), expr::natives(part)});
    }
  }
  // Calls of one shape are told apart by what they call, and equal calls by the order in which they stand.
  std::stable_sort(draws.begin(), draws.end(), [](const Draw& a, const Draw& b) {
    return a.shape != b.shape ? a.shape < b.shape : expr::declared_before(a.natives, b.natives);
  });
  int occurrence = 0;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const Draw& draw = draws[i];
    occurrence = i > 0 && draws[i - 1].shape == draw.shape ? occurrence + 1 : 0;
    auto& code = std::get<expr::Expr>(context.out.columns[draw.column.index()].made_by);
    std::get<expr::Call>(code.nodes[draw.node].op).stream = Hasher("stream/2").add(seed).add(draw.shape).add(occurrence).finish().low64();
  }
}

}  // namespace mlp::sema
