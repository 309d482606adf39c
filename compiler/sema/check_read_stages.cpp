#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_flow.h"
#include "compiler/sema/pipeline.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

/// What the statement gives is read like a source. A column that it carries as it is keeps its tags; any other may come from all that the
/// statement reads, so it has the tags of all of that.
void Pipeline::stage(const ast::SqlStage& sql, const ast::Stage& of) {
  const auto give_up = [&] { unknown(), current_.clear(); };
  if (opaque_) return give_up();
  if (!context_.options.type_sql) {
    context_.not_yet("`sql(…)` stages", of.word);
    return give_up();
  }
  Schema input;
  std::vector<hir::ColumnId> given;
  for (const hir::ColumnId id : current_) {
    const Base base = (*this)[id].type.base;
    if (base == Base::vector || base == Base::list || base == Base::map || base == Base::error) continue;  // SQL would not get them as they are
    given.push_back(id);
    input.push_back({(*this)[id].name, (*this)[id].type});
  }
  const Result<SqlBinding> bound = context_.options.type_sql(sql.query.value, input);
  if (!bound) {
    diag::Diagnostic d = bound.error();
    const Span inside = d.span;
    d.span = sql.query.span;
    // Where the text stands as it is, its places are known.
    if (const std::size_t at = context_.sources.text(d.span).find(sql.query.value); inside && at != std::string_view::npos)
      d.span = {d.span.file, d.span.begin + static_cast<std::uint32_t>(at) + inside.begin, d.span.begin + static_cast<std::uint32_t>(at) + inside.end};
    context_.report(std::move(d));
    return give_up();
  }
  finish_rows();
  const bool timed = time().has_value();
  hir::Column read_all;  // what a column that is computed knows of itself
  read_all.span = sql.query.span;
  read_all.tags.availability = {Availability::Kind::always, 0, {}};
  std::vector<hir::ColumnId> reads;
  for (const std::size_t index : bound->reads) {
    const Tags& tags = (*this)[reads.emplace_back(given[index])].tags;
    read_all.tags.pii |= tags.pii, read_all.tags.is_protected |= tags.is_protected, read_all.tags.label |= tags.label, read_all.tags.ignore |= tags.ignore;
    read_all.tags.availability = later(read_all.tags.availability, tags.availability);
  }
  // A value of many rows is known when the last of them is.
  Availability& known = read_all.tags.availability;
  if (timed && !bound->row_wise && known.kind != Availability::Kind::never) known = {Availability::Kind::all_rows, 0, {}};

  std::set<hir::ColumnId> carried;
  std::map<std::string, std::string> names;  // of carried columns: before, now
  for (const SqlColumn& column : bound->columns)
    if (column.carried) carried.insert(given[*column.carried]), names.emplace((*this)[given[*column.carried]].name, column.name);
  const bool keyed = !bound->repeats_rows && std::all_of(current_.begin(), current_.end(), [&](hir::ColumnId id) { return !(*this)[id].tags.key || carried.contains(id); });

  hir::Table table;
  table.name = fmt::format("{}.{}", declaration_.name.text, context_.sources.text(of.word));
  table.span = of.word;
  table.intermediate = true;
  table.stage = hir::Stage{hir::Stage::Kind::sql, of.word, id_};
  table.stage->keys = given;
  table.source = "sql";
  table.options = {{"statement", sql.query.value}};
  table.path_span = sql.query.span;
  id_ = hir::TableId(context_.out.tables.size());
  context_.out.tables.push_back(std::move(table));
  std::vector<hir::ColumnId> made;
  carried.clear();
  for (const SqlColumn& column : bound->columns) {
    hir::Column out = column.carried ? (*this)[given[*column.carried]] : read_all;
    out.name = column.name;
    out.type = column.type;
    if (column.carried && !carried.insert(given[*column.carried]).second) out.tags.time = out.tags.weight = false;  // the first has these
    if (!keyed) out.tags.key = false;
    if (const auto now = names.find(out.tags.availability.column); now != names.end()) out.tags.availability.column = now->second;
    hir::SourceColumn source;
    source.source_name = column.name;
    if (out.type.closed()) source.allowed = out.type.domain();
    source.of = column.carried ? std::vector{given[*column.carried]} : reads;
    out.made_by = std::move(source);
    made.push_back(add(std::move(out), column.carried ? context_.facts[given[*column.carried].index()] : ColumnFacts{}));
  }
  poisoned_.clear();
  context_.out.tables[id_.index()].columns = made;
  current_ = std::move(made);
  begin({hir::Stage::Kind::same, of.word});
}

/// What the function returns is read like a source: declared columns with their contract, and nothing of the input comes along.
void Pipeline::stage(const ast::PythonStage& python, const ast::Stage& of) {
  check_python_reference(context_, python.function.value, python.function.span);
  finish_rows();
  hir::Table table;
  table.name = fmt::format("{}.{}", declaration_.name.text, context_.sources.text(of.word));
  table.span = of.word;
  table.intermediate = true;
  table.stage = hir::Stage{hir::Stage::Kind::python, of.word, id_};
  table.stage->keys = current_;
  table.source = find_entries(EntryKind::source, "python").front()->native;
  const std::string& folder = context_.modules[context_.module].folder;
  table.path = folder.empty() || python.function.value.starts_with('/') ? python.function.value : folder + "/" + python.function.value;
  table.path_span = python.function.span;
  const TableState state = resolve_stage_table(context_, declaration_, python.columns, std::move(table));
  opaque_ = state.opaque;
  poisoned_.clear();
  id_ = *state.id;
  current_ = context_.out[id_].columns;
  for (const ast::DataEntry& entry : python.columns)
    if (const auto* line = std::get_if<ast::Column>(&entry.kind))
      for (const ast::Name& name : line->names) poisoned_.insert(name.text);
  begin({hir::Stage::Kind::same, of.word});
}

}  // namespace mlp::sema
