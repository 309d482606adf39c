#include "runtime/exec/session.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "compiler/support/check.h"
#include "runtime/column/codec.h"
#include "runtime/column/layout.h"
#include "runtime/column/parallel.h"
#include "runtime/exec/reason.h"
#include "runtime/exec/source.h"

namespace mlp::exec {

namespace {

std::size_t bytes_of(const Column& column) { return column.data.size() + column.offsets.size() + column.known.size() + 256; }

}  // namespace

Columns ColumnCache::find(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  const auto found = columns_.find(digest);
  if (found == columns_.end()) return nullptr;
  found->second.asked = ++clock_;
  return found->second.columns;
}

Columns ColumnCache::keep(const Digest& digest, std::vector<Column> columns) {
  const auto shared = std::make_shared<const std::vector<Column>>(std::move(columns));
  std::size_t bytes = 0;
  for (const Column& column : *shared) bytes += bytes_of(column);
  const std::lock_guard lock(mutex_);
  if (bytes > most_bytes_) return shared;  // it would drive out all others
  if (bytes_ + bytes > most_bytes_) forget(bytes);
  if (columns_.try_emplace(digest, shared, bytes, ++clock_).second) bytes_ += bytes;
  return shared;
}

void ColumnCache::forget(std::size_t bytes) {
  std::vector<std::pair<std::uint64_t, const Digest*>> oldest;
  for (const auto& [digest, kept] : columns_) oldest.emplace_back(kept.asked, &digest);
  std::sort(oldest.begin(), oldest.end());
  // More than is needed, or the next column would look through them all again.
  for (const auto& [asked, digest] : oldest) {
    if (bytes_ + bytes <= most_bytes_ / 4 * 3) break;
    const auto at = columns_.find(*digest);
    bytes_ -= at->second.bytes;
    columns_.erase(at);
  }
}

Result<std::shared_ptr<const scorer::LoadedScorer>> ScorerCache::load(store::Store& store, const Digest& digest) {
  const std::lock_guard lock(mutex_);  // the others would load the same
  if (const auto found = scorers_.find(digest); found != scorers_.end()) return found->second;
  MLP_TRY(auto loaded, scorer::load(digest, [&](const Digest& object) { return store.get(object); }));
  scorers_.emplace(digest, loaded);
  return loaded;
}

Result<void> prepare(Session& session) {
  session.tables.resize(session.plan.tables.size());
  for (std::size_t t = 0; t < session.tables.size(); ++t)
    if (session.plan.tables[t].synthetic) session.tables[t] = synthetic_fragments(session.plan.tables[t].rows, session.options.fragment_rows);
  session.steps.resize(session.plan.steps.size());
  session.standing.resize(session.plan.steps.size());
  for (std::size_t i = 0; i < session.plan.steps.size(); ++i)
    if (const auto* code = std::get_if<plan::Champion>(&session.plan.steps[i].code)) {
      MLP_TRY(session.standing[i], registry::standing(session.store.directory(), code->model, code->stage));
    }
  return {};
}

jit::CompilerOptions kernel_options(const RunOptions& options, const store::Store& store) {
  return {options.baseline_cpu ? "baseline" : "native", store.directory() + "/kernels"};
}

const Digest& Session::output(plan::StepId step, std::size_t fragment) const {
  const StepState& state = steps[step.index()];
  MLP_CHECK(state.done);
  const std::size_t at = plan[step].per_fragment ? fragment : 0;
  MLP_CHECK(at < state.outputs.size());
  return state.outputs[at];
}

Result<std::string> Session::object(plan::StepId step, std::size_t fragment) { return store.get(output(step, fragment)); }

Result<std::shared_ptr<const Column>> Session::column(plan::StepId step, std::size_t fragment) {
  const Digest& digest = output(step, fragment);
  const auto first = [](const Columns& columns) { return std::shared_ptr<const Column>(columns, columns->data()); };
  const plan::Step& of = plan[step];
  if (is_virtual(of) && is_computed_whole(plan, of)) {
    const io::Fragment& place = fragments(of).fragments[fragment];
    MLP_TRY(const Column whole, whole_column(step));
    return std::make_shared<const Column>(slice(whole, place.first_row, place.rows));
  }
  if (is_virtual(of)) {
    if (const auto cached = passing.find(digest)) return first(cached);
    const auto* take = std::get_if<plan::Take>(&of.code);
    MLP_TRY(Column made, take ? take_cell(*this, of, *take, fragment) : kernel(*this, of, std::get<plan::Kernel>(of.code), fragment));
    return first(passing.keep(digest, {std::move(made)}));
  }
  if (const auto cached = cache.find(digest)) return first(cached);
  MLP_TRY(Column cell, read_cell(step, fragment));
  return first(cache.keep(digest, {std::move(cell)}));
}

Result<Column> Session::read_cell(plan::StepId step, std::size_t fragment) {
  if (is_virtual(plan[step])) {
    MLP_TRY(const auto made, column(step, fragment));
    return *made;
  }
  MLP_TRY(const std::string bytes, store.get(output(step, fragment)));
  return decode_column(bytes);
}

std::optional<std::vector<io::Fragment>> Session::cut_like(const plan::Step& step) const {
  std::vector<plan::TableIndex> of = {step.table};
  if (const auto* filter = std::get_if<plan::Filter>(&step.code)) of = {filter->of};
  if (const auto* arrange = std::get_if<plan::Arrange>(&step.code)) {
    of = arrange->of;
    if (arrange->how != plan::Arrange::How::union_) of.resize(1);
  }
  std::vector<io::Fragment> out;
  for (const plan::TableIndex table : of) {
    if (!tables[table]) return std::nullopt;
    out.insert(out.end(), tables[table]->fragments.begin(), tables[table]->fragments.end());
  }
  return out;
}

Digest Session::whole_digest(plan::StepId id) const {
  Hasher hasher("column/1");
  for (const Digest& cell : steps[id.index()].outputs) hasher.add(cell);
  if (steps[id.index()].outputs.empty()) hasher.add(id.index());  // columns without rows differ by their type
  return hasher.finish();
}

Result<Column> Session::assembled(plan::StepId id, const Type& type) {
  const plan::Step& step = plan[id];
  const io::Table& table = fragments(step);
  const std::size_t width = row_bytes(type.base), count = table.fragments.size();
  Column out;
  out.type = type;
  out.rows = table.rows;
  out.data = Buffer::unwritten(table.rows * width);
  const std::span<std::byte> data = out.data.as_mutable<std::byte>();
  std::vector<Buffer> known(count);
  MLP_TRY_VOID(try_each(count, [&](std::size_t f) -> Result<void> {
    // A cell that is read for this alone is not kept: it would take the memory twice.
    const auto cached = is_virtual(step) ? nullptr : cache.find(output(id, f));
    MLP_TRY(Column cell, cached ? Result<Column>(cached->front()) : read_cell(id, f));
    const io::Fragment& place = table.fragments[f];
    MLP_CHECK(cell.rows == place.rows && cell.data.size() == place.rows * width);
    if (place.rows > 0) std::memcpy(data.data() + place.first_row * width, cell.data.data(), place.rows * width);
    known[f] = std::move(cell.known);
    return {};
  }));
  if (std::none_of(known.begin(), known.end(), [](const Buffer& mask) { return static_cast<bool>(mask); })) return out;
  out.known = Buffer::unwritten(table.rows);
  for (std::size_t f = 0; f < count; ++f) {
    const io::Fragment& place = table.fragments[f];
    const auto mask = out.known.as_mutable<std::uint8_t>().subspan(place.first_row, place.rows);
    if (known[f]) std::copy_n(known[f].as<std::uint8_t>().begin(), place.rows, mask.begin());
    else std::fill(mask.begin(), mask.end(), std::uint8_t{1});
  }
  return out;
}

Result<Column> Session::whole_column(plan::StepId id) {
  const plan::Step& step = plan[id];
  const Digest digest = whole_digest(id);
  if (const auto cached = cache.find(digest)) return cached->front();
  if (is_virtual(step) && is_computed_whole(plan, step)) {
    MLP_TRY(Column column, compute_whole(*this, step));
    return cache.keep(digest, {std::move(column)})->front();
  }
  const std::size_t count = fragments(step).fragments.size();
  const Type* type = plan::column_type(step.code);
  const bool plain = type && row_bytes(type->base) > 0 && type->base != Base::category && type->base != Base::vector;
  if (plain && count > 1) {
    MLP_TRY(Column column, assembled(id, *type));
    return cache.keep(digest, {std::move(column)})->front();
  }
  std::vector<Column> columns(count);
  MLP_TRY_VOID(try_each(count, [&](std::size_t f) -> Result<void> {
    MLP_TRY(const auto part, column(id, f));
    columns[f] = *part;
    return {};
  }));
  for (Column& part : columns) part.type = type ? *type : columns.front().type;
  if (columns.empty()) return constant(type ? *type : Type::of(Base::int_, true), std::monostate{}, 0);
  return columns.size() == 1 ? columns.front() : cache.keep(digest, {concatenate(columns)})->front();
}

Result<Columns> Session::parts(plan::StepId id, std::size_t fragment) {
  const plan::Step& step = plan[id];
  const Digest digest = Hasher("parts/1").add(output(id, fragment)).finish();
  ColumnCache& keeper = std::holds_alternative<plan::Filter>(step.code) ? passing : cache;
  if (const auto cached = keeper.find(digest)) return cached;
  const auto make = [&]() -> Result<std::vector<Column>> {
    if (std::holds_alternative<plan::Filter>(step.code)) {
      MLP_TRY(const auto stays, column(id, fragment));
      return kept_rows(*stays);
    }
    if (const auto* arranged = std::get_if<plan::Arrange>(&step.code)) return arrange(*this, id, *arranged, fragment);
    if (const auto* ordered = std::get_if<plan::OrderRows>(&step.code)) return order_rows(*this, step, *ordered);
    return match_history(*this, step, std::get<plan::MatchHistory>(step.code));
  };
  Columns out;
  if (!step.per_fragment) {
    // Several steps may ask for the same at once: one makes it.
    MLP_TRY_VOID(parts_made.get(digest, [&]() -> Result<std::monostate> {
      MLP_TRY(std::vector<Column> made, make());
      out = keeper.keep(digest, std::move(made));
      return std::monostate();
    }));
    if (out) return out;
    if (const auto cached = keeper.find(digest)) return cached;
  }
  MLP_TRY(std::vector<Column> made, make());
  return keeper.keep(digest, std::move(made));
}

Result<std::vector<Column>> Session::columns(const plan::Step& step, std::size_t from, std::size_t count, std::size_t fragment) {
  std::vector<Column> out;
  for (std::size_t i = from; i < from + count; ++i) {
    MLP_TRY(const auto c, column(step.inputs[i], fragment));
    out.push_back(*c);
  }
  return out;
}

namespace {

/// The keys of an Arrange that is made per fragment, and of what is taken by it or by a Filter.
std::vector<Digest> keys_of_rows(const Session& session, const plan::Step& step) {
  const auto* take = std::get_if<plan::Take>(&step.code);
  const auto* arrange = std::get_if<plan::Arrange>(take ? &session.plan[step.inputs[0]].code : &step.code);
  const bool is_union = arrange && arrange->how == plan::Arrange::How::union_;
  const bool joins = arrange && (arrange->how == plan::Arrange::How::join || arrange->how == plan::Arrange::How::asof_join || arrange->how == plan::Arrange::How::join_if);
  // Columns in the rows of a fragment have cells there, those of the other table of a join belong to every fragment.
  std::vector<std::size_t> cells;
  Hasher whole("others/1");
  for (std::size_t i = take ? 1 : 0; i < step.inputs.size(); ++i) {
    const bool other = joins && (take ? take->side == 1 : arrange->how != plan::Arrange::How::join_if && i >= arrange->keys && i != 2 * arrange->keys);
    if (!other) cells.push_back(i);
    else whole.add(output_digest(session.steps[step.inputs[i].index()]));
  }
  const Digest others = whole.finish();
  const std::vector<io::Fragment> fragments = take ? session.fragments(step).fragments : *session.cut_like(step);
  std::vector<Digest> keys;
  for (std::size_t f = 0; f < fragments.size(); ++f) {
    Hasher hasher(take ? "taken/1" : "rows/2");
    hasher.add(step.code_key).add(others);
    if (take) hasher.add(session.output(step.inputs[0], f));
    if (is_union) {
      const auto [table, part] = part_of_union(session, *arrange, f);
      hasher.add(table);
      take ? hasher.add(session.output(step.inputs[1 + table], part)) : hasher.add(fragments[f].rows);
    } else if (!take && !joins) {
      hasher.add(fragments[f].rows);  // these count rows only
      if (arrange->how == plan::Arrange::How::limit) hasher.add(fragments[f].first_row);
    } else {
      for (const std::size_t i : cells) hasher.add(session.output(step.inputs[i], f));
    }
    keys.push_back(hasher.finish());
  }
  return keys;
}

}  // namespace

std::vector<Digest> action_keys(const Session& session, plan::StepId id) {
  const plan::Step& step = session.plan[id];
  const plan::Table* table = step.table < session.plan.tables.size() ? &session.plan.tables[step.table] : nullptr;
  const auto whole_input = [&](Hasher& hasher, plan::StepId input) {
    for (const Digest& digest : session.steps[input.index()].outputs) hasher.add(digest);
    hasher.add(session.steps[input.index()].outputs.size());
  };
  std::vector<Digest> keys;
  if (std::holds_alternative<plan::Champion>(step.code)) {
    // Which version is compared is what matters, not the candidate by which it was found.
    const auto champion = registry::champion(session.standing[id.index()], session.output(step.inputs[0], 0));
    Hasher hasher("champion/1");
    hasher.add(step.code_key).add(champion.has_value());
    if (champion) hasher.add(champion->scorer).add(champion->version).add(champion->deployment);
    keys.push_back(hasher.finish());
    return keys;
  }
  const auto* filtered = std::get_if<plan::Filter>(&step.code);
  if (!step.per_fragment) {
    Hasher hasher(makes_rows(step) ? "rows/2" : "whole/1");
    hasher.add(step.code_key);
    for (plan::StepId input : step.inputs) whole_input(hasher, input);
    if (const auto* whole = std::get_if<plan::Arrange>(&step.code))
      for (const plan::TableIndex of : whole->of) hasher.add(session.tables[of]->rows);  // there may be no inputs
    keys.push_back(hasher.finish());
    return keys;
  }
  const auto* arranged = std::get_if<plan::Arrange>(&step.code);
  const auto* take = std::get_if<plan::Take>(&step.code);
  if (arranged || (take && !is_computed_whole(session.plan, step))) return keys_of_rows(session, step);
  if (is_computed_whole(session.plan, step)) {
    Hasher inputs("inputs/1");
    inputs.add(step.code_key);
    for (plan::StepId input : step.inputs) whole_input(inputs, input);
    const Digest all = inputs.finish();
    for (const io::Fragment& place : session.fragments(step).fragments) keys.push_back(Hasher("part/1").add(all).add(place.first_row).add(place.rows).finish());
    return keys;
  }
  if (filtered && filtered->share) {
    const std::vector<io::Fragment> places = *session.cut_like(step);
    for (const io::Fragment& place : places)
      keys.push_back(Hasher("sample/3").add(step.code_key).add(place.first_row).add(place.rows).finish());
    return keys;
  }
  const std::vector<io::Fragment> fragments = *session.cut_like(step);
  const bool reads = std::holds_alternative<plan::ReadColumn>(step.code);
  const bool may_read = std::holds_alternative<plan::PredictChampion>(step.code) && !table->synthetic;
  const bool deals = std::holds_alternative<plan::AssignSplit>(step.code) || std::holds_alternative<plan::AssignFolds>(step.code);
  const plan::Kernel* code = std::get_if<plan::Kernel>(&step.code);
  // A function of the row's ordinal gives other values at another place in the table.
  const bool placed = code && (code->generate || expr::depends_on_position(code->code));
  Digest before{};  // what the dealing of the rows so far depended on
  for (std::size_t f = 0; f < fragments.size(); ++f) {
    const io::Fragment& place = fragments[f];
    Hasher hasher(filtered ? "kept/3" : "cell/1");
    hasher.add(step.code_key);
    if (may_read) hasher.add(place.content);
    if (reads) {
      hasher.add(place.content);  // names of the header and bytes
      for (const auto& [name, value] : table->options) hasher.add(name).add(to_string(value));
    } else {
      for (plan::StepId input : step.inputs) {
        if (session.plan[input].per_fragment)
          hasher.add(session.output(input, f));
        else
          whole_input(hasher, input);
      }
    }
    if (placed || code) hasher.add(place.rows);
    if (placed) hasher.add(place.first_row);
    if (deals) {
      hasher.add(before).add(place.rows);
      Hasher chain("dealt/1");
      chain.add(before).add(place.rows);
      for (plan::StepId input : step.inputs) chain.add(session.output(input, f));
      before = chain.finish();
    }
    keys.push_back(hasher.finish());
  }
  return keys;
}

bool is_computed_whole(const plan::Physical& plan, const plan::Step& step) {
  if (std::holds_alternative<plan::Take>(step.code)) return !plan[step.inputs[0]].per_fragment;
  return std::holds_alternative<plan::Aggregate>(step.code) || std::holds_alternative<plan::History>(step.code) || std::holds_alternative<plan::CutByTime>(step.code);
}

bool is_virtual(const plan::Step& step) {
  if (const auto* kernel = std::get_if<plan::Kernel>(&step.code)) return kernel->carried;
  return std::holds_alternative<plan::Take>(step.code) || std::holds_alternative<plan::OrderRows>(step.code) || std::holds_alternative<plan::MatchHistory>(step.code) ||
         std::holds_alternative<plan::Arrange>(step.code);
}

bool makes_rows(const plan::Step& step) { return std::holds_alternative<plan::Filter>(step.code) || std::holds_alternative<plan::Arrange>(step.code); }

Digest virtual_output(const Digest& key) { return Hasher("virtual/1").add(key).finish(); }

bool reuse_output(Session& session, plan::StepId id, std::size_t fragment, const Digest& key) {
  const auto entry = session.store.find(key);
  if (!entry) return false;
  const plan::Step& step = session.plan[id];
  StepState& state = session.steps[id.index()];
  state.outputs[fragment] = is_virtual(step) ? virtual_output(key) : entry->outputs.at(0);
  if (makes_rows(step)) {
    // So that nothing is read to know how many rows there are.
    std::uint64_t rows = 0;
    const std::string& text = entry->metadata;
    if (const auto read = std::from_chars(text.data(), text.data() + text.size(), rows); read.ec != std::errc() || read.ptr != text.data() + text.size()) return false;
    state.rows[fragment] = rows;
  }
  return true;
}

Result<void> try_each(std::size_t count, const std::function<Result<void>(std::size_t)>& body) {
  std::vector<std::optional<diag::Diagnostic>> failures(count);
  parallel_for(count, [&](std::size_t i) {
    if (auto done = body(i); !done) failures[i] = std::move(done.error());
  });
  for (auto& f : failures)
    if (f) return failure(std::move(*f));
  return {};
}

std::vector<Column> number_columns(std::initializer_list<const std::vector<std::int64_t>*> lists) {
  std::vector<Column> out;
  for (const auto* list : lists) {
    Column column;
    column.type = Type::of(Base::int_);
    column.rows = list->size();
    column.data = Buffer::copy(list->data(), list->size() * sizeof(std::int64_t));
    out.push_back(std::move(column));
  }
  return out;
}

Result<Column> compute_whole(Session& session, const plan::Step& step) {
  if (const auto* take = std::get_if<plan::Take>(&step.code)) return take_arranged(session, step, *take);
  if (const auto* many = std::get_if<plan::Aggregate>(&step.code)) return aggregate(session, step, *many);
  if (const auto* past = std::get_if<plan::History>(&step.code)) return history(session, step, *past);
  return cut_by_time(session, step, std::get<plan::CutByTime>(step.code));
}

std::vector<std::uint8_t> true_rows(const Column& condition) {
  const auto truth = condition.values<std::uint8_t>();
  std::vector<std::uint8_t> out(condition.rows);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = truth[i] != 0 && condition.is_known(i);
  return out;
}

std::vector<std::uint8_t> rows_in(const Column& split, const plan::Rows& rows) {
  std::vector<std::uint8_t> use(split.rows, 0);
  const auto parts = split.values<std::int64_t>();
  for (std::size_t i = 0; i < split.rows; ++i) {
    if (!split.is_known(i)) continue;
    if (rows.known) {
      const std::int64_t segment = parts[i] / plan::Rows::kSegments, known = parts[i] % plan::Rows::kSegments;
      use[i] = known <= *rows.known && std::find(rows.parts.begin(), rows.parts.end(), segment) != rows.parts.end();
      continue;
    }
    for (int part : rows.parts) use[i] |= parts[i] == part;
  }
  return use;
}

}  // namespace mlp::exec
