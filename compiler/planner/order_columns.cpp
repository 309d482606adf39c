#include <algorithm>
#include <numeric>
#include <set>

#include "compiler/planner/lowering.h"
#include "compiler/support/check.h"
#include "compiler/types/signature.h"

// Columns enter a model (and the parts of a key enter a hash) in an order that has to be the same after every renaming: of
// columns, and of entries of the standard library. Recipe keys hold the symbols of natives, so they cannot give that order.
// A shape (expr::shape) is a recipe in which every native is replaced by what its declaration says without its name.

namespace mlp::planner {

using plan::StepId;

namespace {

void mix(Hasher& h, const Value& value) {
  h.add(value.index());
  std::visit([&](const auto& v) {
    if constexpr (!std::is_same_v<std::decay_t<decltype(v)>, std::monostate>) h.add(v);
  }, value);
}

void mix(Hasher& h, const std::string& native, const plan::Options& options) {
  const Signature* signature = find_native(native);
  MLP_CHECK(signature);
  h.add(mlp::shape(*signature)).add(options.size());
  for (const auto& [name, value] : options) {
    h.add(name);
    mix(h, value);
  }
}

void mix(Hasher& h, const plan::Aggregate& many) {
  mix(h, many.native, many.options);
  h.add(many.columns).add(many.where).add(to_string(many.type));
}

Digest shape(Lowering& l, StepId id) {
  if (l.shapes[id.index()]) return *l.shapes[id.index()];
  const plan::Step& step = l.plan[id];
  Hasher h("shape/1");
  h.add(plan::kind_name(step.code));
  if (const auto* kernel = std::get_if<plan::Kernel>(&step.code)) {
    std::vector<Digest> positions;
    for (const expr::InputColumn& input : kernel->code.inputs) positions.push_back(Hasher("position").add(input.column).finish());
    h.add(expr::shape(kernel->code, positions));
  } else if (const auto* partial = std::get_if<plan::PartialFit>(&step.code)) {
    mix(h, partial->native, partial->options);
  } else if (const auto* merge = std::get_if<plan::MergeFit>(&step.code)) {
    mix(h, merge->native, merge->options);
  } else if (const auto* apply = std::get_if<plan::ApplyFit>(&step.code)) {
    mix(h, apply->native, apply->options);
  } else if (const auto* many = std::get_if<plan::Aggregate>(&step.code)) {
    mix(h, *many);
  } else if (const auto* history = std::get_if<plan::History>(&step.code)) {
    mix(h, history->aggregate);
    h.add(history->over_us).add(history->ending_us).add(history->next);
  } else {
    h.add(step.code_key);  // no natives in it
  }
  for (const StepId input : step.inputs) h.add(shape(l, input));
  const Digest digest = h.finish();
  l.shapes[id.index()] = digest;
  return digest;
}

/// What a step is made from: the columns that are read, and the natives that are called.
struct Origin {
  std::vector<std::string> read;  ///< names in the source, sorted
  std::vector<const Signature*> natives;
};

Origin origin(const Lowering& l, StepId root) {
  Origin found;
  std::set<StepId> seen;
  std::vector<StepId> open = {root};
  while (!open.empty()) {
    const StepId id = open.back();
    open.pop_back();
    if (!seen.insert(id).second) continue;
    const plan::Step& step = l.plan[id];
    if (const auto* read = std::get_if<plan::ReadColumn>(&step.code)) found.read.push_back(read->source_name);
    if (const auto* fit = std::get_if<plan::MergeFit>(&step.code)) found.natives.push_back(find_native(fit->native));
    if (const auto* many = std::get_if<plan::Aggregate>(&step.code)) found.natives.push_back(find_native(many->native));
    if (const auto* history = std::get_if<plan::History>(&step.code)) found.natives.push_back(find_native(history->aggregate.native));
    if (const auto* kernel = std::get_if<plan::Kernel>(&step.code)) {
      const std::vector<const Signature*> called = expr::natives(kernel->code);
      found.natives.insert(found.natives.end(), called.begin(), called.end());
    }
    open.insert(open.end(), step.inputs.rbegin(), step.inputs.rend());
  }
  std::sort(found.read.begin(), found.read.end());
  return found;
}

}  // namespace

std::vector<std::size_t> order_columns(Lowering& l, const std::vector<StepId>& steps) {
  for (const StepId step : steps) shape(l, step);
  std::vector<Origin> origins;
  for (const StepId step : steps) origins.push_back(origin(l, step));
  std::vector<std::size_t> order(steps.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const StepId x = steps[a], y = steps[b];
    if (x == y) return false;
    // First by what is read, so that an edit of one column's code moves at most the columns that read the same.
    if (origins[a].read != origins[b].read) return origins[a].read < origins[b].read;
    if (*l.shapes[x.index()] != *l.shapes[y.index()]) return *l.shapes[x.index()] < *l.shapes[y.index()];
    return expr::declared_before(origins[a].natives, origins[b].natives);
  });
  return order;
}

}  // namespace mlp::planner
