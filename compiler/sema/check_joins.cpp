#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_flow.h"
#include "compiler/sema/intervals.h"
#include "compiler/sema/pipeline.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

namespace {

/// The pairs of values that a typed condition sets equal or orders, one of each table; false where it asks for more than that.
bool compared_values(const expr::Expr& code, NodeId id, const std::set<hir::ColumnId>& theirs, hir::Stage& out) {
  if (const auto* both = std::get_if<expr::And>(&code[id].op)) return compared_values(code, both->left, theirs, out) & compared_values(code, both->right, theirs, out);
  const auto* call = std::get_if<expr::Call>(&code[id].op);
  const Signature* signature = call ? find_native(call->native) : nullptr;
  if (!signature) return false;
  std::string is(signature->op);
  if (is != "==" && is != "<" && is != "<=" && is != ">" && is != ">=") return false;
  expr::Expr left = expr::subtree(code, call->args[0]), right = expr::subtree(code, call->args[1]);
  // Texts and categories are ordered by their own rules; they are compared pair by pair.
  const Base base = left.type().base;
  const bool ordered = base == Base::int_ || base == Base::float_ || base == Base::date || base == Base::timestamp || base == Base::duration;
  if (is != "==" && (!ordered || right.type().base != base)) return false;
  const auto is_theirs = [&](const expr::InputColumn& input) { return theirs.contains(hir::ColumnId(input.column)); };
  const auto all_theirs = [&](const expr::Expr& e) { return !e.inputs.empty() && std::all_of(e.inputs.begin(), e.inputs.end(), is_theirs); };
  const auto none_theirs = [&](const expr::Expr& e) { return !e.inputs.empty() && std::none_of(e.inputs.begin(), e.inputs.end(), is_theirs); };
  if (all_theirs(left)) {
    std::swap(left, right);
    if (is != "==") is[0] = is[0] == '<' ? '>' : '<';
  }
  if (!none_theirs(left) || !all_theirs(right)) return false;
  if (is == "==") out.equal.emplace_back(std::move(left), std::move(right));
  else out.compared.push_back({std::move(left), std::move(right), std::move(is)});
  return true;
}

/// The names that a condition sets equal on both sides.
void equal_names(const ast::File& file, ast::ExprId id, std::string_view other, std::vector<std::string>& out) {
  const auto* op = std::get_if<ast::Binary>(&file.expr(id).kind);
  if (!op) return;
  if (op->op == ast::BinaryOp::and_) {
    equal_names(file, op->left, other, out);
    equal_names(file, op->right, other, out);
  } else if (op->op == ast::BinaryOp::equal) {
    const auto* left = std::get_if<ast::Ref>(&file.expr(op->left).kind);
    const auto* right = std::get_if<ast::Ref>(&file.expr(op->right).kind);
    if (!left || !right) return;
    if (left->path.parts.size() > 1 && left->path.parts.front().text == other) std::swap(left, right);
    if (right->path.parts.size() > 1 && right->path.parts.front().text == other && left->path.parts.back().text == right->path.parts.back().text) out.push_back(left->path.parts.back().text);
  }
}

}  // namespace

void Pipeline::stage(const ast::JoinStage& join, const ast::Stage& of) {
  const hir::Table* found = other_table(join.table);
  if (!found) return unknown();
  const hir::Table other = *found;
  const hir::TableId other_id(static_cast<std::uint32_t>(found - context_.out.tables.data()));
  const std::string other_name = join.table.text();
  RowNames rows = this->rows();
  std::set<hir::ColumnId> theirs(other.columns.begin(), other.columns.end());
  const ast::Declaration* other_declaration = declaration_of(context_, other_id);
  const auto reported = other_declaration ? reported_columns(context_, *other_declaration, {other_id, false}) : std::set<std::string, std::less<>>{};
  const auto in_other = [&](std::string_view name) -> RowNames::Found {
    for (const hir::ColumnId id : other.columns)
      if (context_.out[id].name == name) return {true, id};
    return {opaque_ || reported.contains(name), std::nullopt};
  };
  rows.find = [&](std::string_view name, Span) {
    const auto ours = find(name);
    return ours.found ? ours : in_other(name);
  };
  rows.find_in_other = [&](const ast::Path& path) -> RowNames::Found {
    ast::Path owner{{path.parts.begin(), path.parts.end() - 1}, path.span};
    if (owner.text() == other_name) {
      const std::string& name = path.parts.back().text;
      const RowNames::Found found = in_other(name);
      if (found.found) return found;
      std::vector<std::string_view> candidates;
      for (const hir::ColumnId id : other.columns) candidates.push_back(context_.out[id].name);
      context_.report(with_suggestion(diag::make(Code::E0203, path.parts.back().span, fmt::format("table `{}` has no column `{}`", other.name, name)).with_label("no such column").with_secondary(other.span, "declared here"), name,
                                      path.parts.back().span, candidates, fmt::format("it has {}", listing(candidates))));
      return {true, std::nullopt};
    }
    if (owner.text() == declaration_.name.text || (data_.input && owner.text() == data_.input->text())) return find(path.parts.back().text);
    return {};
  };
  Builder b;
  Scope scope(context_, b, context_.file.now);
  scope.rows = &rows;
  // The columns are there whatever the condition is, so what follows is checked all the same.
  const NodeId node = type_expression(scope, join.on);
  hir::Stage stage{hir::Stage::Kind::join, of.word};
  stage.others = {other_id};
  stage.left = join.left;
  stage.one = join.one;
  bool compares_more = false;
  if (node && b.type(node).base != Base::bool_) {
    type_condition(scope, join.on, "the condition of a join");
  } else if (node) {
    const expr::Expr code = b.finish(node);
    const auto of_theirs = [&](const expr::InputColumn& input) { return theirs.contains(hir::ColumnId(input.column)); };
    const bool both = std::any_of(code.inputs.begin(), code.inputs.end(), of_theirs) && !std::all_of(code.inputs.begin(), code.inputs.end(), of_theirs);
    if (!both) {
      context_.report(diag::make(Code::E0301, context_.file.expr(join.on).span, "a join compares columns of both tables").with_label("does not").with_help(fmt::format("write for example `on key == {}.key`", other_name)));
    } else {
      compares_more = !compared_values(code, code.root(), theirs, stage);
    }
  }
  std::vector<std::string> equal;
  equal_names(context_.file, join.on, other_name, equal);
  if (stage.equal.empty() && stage.compared.empty() && !compares_more)  // nobody knows which names a wrong condition meant to be equal
    for (const hir::ColumnId id : other.columns)
      if (find(context_.out[id].name).found) equal.push_back(context_.out[id].name);
  const hir::TableId ours = id_;
  const std::vector<hir::ColumnId> our_columns = current_;
  // What is more than a comparison is asked of the pairs of rows for which the comparisons hold.
  const bool choosing = compares_more && (join.left || join.one);
  hir::Stage pairs = stage;
  if (choosing) pairs.left = pairs.one = false;
  const std::size_t errors = context_.sink.error_count();
  begin(std::move(pairs));
  append(other_id, join.left && !choosing, equal, {}, of.span);
  const auto drop_key = [&] {  // rows may come more than once
    for (std::size_t i = 0; i < current_.size(); ++i)
      if ((*this)[current_[i]].tags.key) replace(i, [](hir::Column& copy) { copy.tags.key = false; });
  };
  if (!join.one) drop_key();
  if (!compares_more || context_.sink.error_count() > errors) return;
  // The condition was checked above.
  RowNames joined = this->rows();
  joined.find_in_other = [&](const ast::Path& path) -> RowNames::Found {
    const std::string owner = ast::Path{{path.parts.begin(), path.parts.end() - 1}, path.span}.text();
    const bool ours = owner == other_name || owner == declaration_.name.text || (data_.input && owner == data_.input->text());
    return ours ? find(path.parts.back().text) : RowNames::Found{};
  };
  if (!choosing) return keep_rows(join.on, joined, of, true);
  stage.condition = condition_of(join.on, joined, of, true);
  if (!stage.condition) return;
  finish_rows();
  id_ = ours;
  current_ = our_columns;
  begin(std::move(stage));
  append(other_id, join.left, equal, {}, of.span);
  if (!join.one) drop_key();
}

void Pipeline::stage(const ast::AsofJoinStage& join, const ast::Stage& of) {
  const hir::Table* found = other_table(join.table);
  const auto at = column(join.at);
  if (!found) return unknown();
  const hir::Table other = *found;
  const hir::TableId other_id(static_cast<std::uint32_t>(found - context_.out.tables.data()));
  if (at && (*this)[*at].type.base != Base::timestamp && (*this)[*at].type.base != Base::date)
    context_.report(diag::make(Code::E0301, join.at.span, fmt::format("an `asof join` is at a time, not at `{}`", to_string((*this)[*at].type))).with_label("is no time").with_help("name a timestamp or a date"));
  if (!other.time && !opaque_)
    context_.report(diag::make(Code::E0310, join.table.span, fmt::format("the rows of `{}` have no time, so none is the latest", other.name)).with_label("needs `@time`").with_secondary(other.span, "declared here")
                        .with_help("tag its time column with `@time`, or use `join one`"));
  hir::Stage stage{hir::Stage::Kind::asof_join, of.word};
  stage.others = {other_id};
  stage.at = at;
  stage.other_time = other.time;
  std::vector<std::string> equal;
  for (const ast::Path& path : join.by) {
    const auto ours = column(path);
    const auto match = std::find_if(other.columns.begin(), other.columns.end(), [&](hir::ColumnId id) { return context_.out[id].name == path.text(); });
    if (match == other.columns.end()) {
      if (opaque_) continue;
      std::vector<std::string_view> names;
      for (const hir::ColumnId id : other.columns) names.push_back(context_.out[id].name);
      context_.report(with_suggestion(diag::make(Code::E0203, path.span, fmt::format("table `{}` has no column `{}`", other.name, path.text())).with_label("`by` needs it on both sides"), path.text(), path.span, names,
                                      fmt::format("it has {}", listing(names))));
      return unknown();
    } else if (ours) {
      equal.push_back(path.text());
      const hir::Column &a = (*this)[*ours], &b = (*this)[*match];
      if (a.type.base != b.type.base && !(a.type.is_text() && b.type.is_text())) {
        context_.report(diag::make(Code::E0301, path.span, fmt::format("`{}` is `{}` in one table and `{}` in the other", path.text(), to_string(a.type), to_string(b.type))).with_label("never equal")
                            .with_secondary(a.span, fmt::format("`{}`", to_string(a.type))).with_secondary(b.span, fmt::format("`{}`", to_string(b.type))).with_help("declare both with one type"));
        continue;
      }
      stage.equal.emplace_back(column_code(*ours), column_code(*match));
    }
  }
  const std::string at_name = at ? (*this)[*at].name : std::string();
  begin(std::move(stage));
  append(other_id, true, equal, [&](hir::Column& copy) {
    Availability& a = copy.tags.availability;
    if (a.kind == Availability::Kind::column && other.time) a = {Availability::Kind::column, std::max<std::int64_t>(a.offset, 0), at_name};
  }, of.span);
}

void Pipeline::stage(const ast::UnionStage& united, const ast::Stage& of) {
  struct United { hir::Column column; std::vector<hir::ColumnId> from; };
  std::vector<United> result;
  for (const hir::ColumnId id : current_) result.push_back({(*this)[id], {id}});
  hir::Stage stage{hir::Stage::Kind::union_, of.word};
  for (const ast::Path& path : united.tables) {
    const hir::Table* found = other_table(path);
    if (!found) continue;
    stage.others.push_back(hir::TableId(static_cast<std::uint32_t>(found - context_.out.tables.data())));
    for (United& each : result) {
      hir::Column& ours = each.column;
      const auto match = std::find_if(found->columns.begin(), found->columns.end(), [&](hir::ColumnId id) { return (*this)[id].name == ours.name; });
      if (match == found->columns.end()) {
        if (!opaque_)
          context_.report(diag::make(Code::E0203, path.span, fmt::format("table `{}` has no column `{}`", found->name, ours.name)).with_label("`union` needs the same columns").with_secondary(ours.span, "declared here")
                              .with_help("compute it there, or leave it out here: `select * except (…)`"));
        continue;
      }
      const hir::Column& theirs = (*this)[*match];
      const bool number = ours.type.is_number() && theirs.type.is_number(), text = ours.type.is_text() && theirs.type.is_text();
      if (ours.type.base != theirs.type.base && !number && !text) {
        context_.report(diag::make(Code::E0301, path.span, fmt::format("`{}` is `{}` in one table and `{}` in the other", ours.name, to_string(ours.type), to_string(theirs.type))).with_label("do not fit together")
                            .with_secondary(ours.span, fmt::format("`{}`", to_string(ours.type))).with_secondary(theirs.span, fmt::format("`{}`", to_string(theirs.type))).with_help("declare both with one type"));
        continue;
      }
      each.from.push_back(*match);
      const bool missing = ours.type.missing || theirs.type.missing;
      if (number && ours.type.base != theirs.type.base) ours.type = Type::of(Base::float_);
      if (text && !(ours.type.known() == theirs.type.known())) {
        std::vector<std::string> domain = ours.type.domain();
        if (ours.type.closed() && theirs.type.closed())
          for (const std::string& value : theirs.type.domain())
            if (std::find(domain.begin(), domain.end(), value) == domain.end()) domain.push_back(value);
        if (!ours.type.closed() || !theirs.type.closed()) domain.clear();
        ours.type = ours.type.base == Base::category && theirs.type.base == Base::category ? Type::category(std::move(domain)) : Type::of(Base::string);
      }
      ours.type = ours.type.maybe(missing);
      ours.range = unite(ours.range, theirs.range);
      ours.tags.availability = later(ours.tags.availability, theirs.tags.availability);
      ours.tags.pii = ours.tags.pii || theirs.tags.pii;
      ours.tags.is_protected = ours.tags.is_protected || theirs.tags.is_protected;
      ours.tags.key = false;  // a key may come twice
    }
  }
  std::size_t at = 0;
  begin(std::move(stage), [&](hir::Column& copy) {
    copy = result[at].column;
    copy.table = id_;
    copy.made_by = one_of(result[at].from, copy.type, copy.range);
    ++at;
  });
}

}  // namespace mlp::sema
