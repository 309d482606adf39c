#include "compiler/sema/check_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <memory>

#include "compiler/sema/block_spec.h"
#include "compiler/sema/intervals.h"

namespace mlp::sema {

using diag::Code;
using expr::NodeId;

TableState resolve_pipeline(Context& context, const ast::Declaration& declaration, const ast::Data& data);

std::optional<LibraryCall> check_library_call(Context& context, const ast::Call& call, EntryKind kind, std::string_view noun, Span span) {
  const std::string name = call.callee.text();
  const auto entries = find_entries(kind, name);
  if (entries.empty()) {
    std::vector<std::string_view> candidates;
    for (const Signature& signature : standard_library())
      if (signature.kind == kind) candidates.push_back(signature.name);
    context.report(with_suggestion(diag::make(Code::E0204, call.callee.span, fmt::format("there is no {} `{}`", noun, name)).with_label(fmt::format("not a {}", noun)), name, call.callee.span, candidates,
                                   fmt::format("{}s are {}", noun, listing(candidates, 12))));
    return std::nullopt;
  }
  const Signature& signature = *entries.front();
  if (signature.native.empty()) context.not_yet(fmt::format("the {} `{}`", noun, name), span);
  std::vector<GivenOption> given;
  for (const ast::Argument& argument : call.arguments) given.push_back({argument.name ? &*argument.name : nullptr, argument.value, argument.span, false});
  LibraryCall out{&signature, check_options(context, signature, given, [](const Parameter&) { return true; }, fmt::format("`{}`", name), span)};
  // A table or a query: one of the two says what is read.
  const auto text = [&](std::string_view option) -> const std::string* {
    for (const auto& [key, value] : *out.options)
      if (key == option) return std::get_if<std::string>(&value);
    return nullptr;
  };
  if (out.options)
    if (const std::string *table = text("table"), *query = text("query"); table && query && table->empty() == query->empty())
      context.report(diag::make(Code::E0209, span, fmt::format("`{}` reads a `table:` or a `query:`", name)).with_label(table->empty() ? "neither is given" : "both are given").with_help("give one of the two"));
  return out;
}

void check_unused_library_call(Context& context, const ast::Call& call, EntryKind kind, std::string_view noun, Span span) {
  const std::size_t said = context.out.not_yet.size();
  check_library_call(context, call, kind, noun, span);
  context.out.not_yet.resize(said);
}

namespace {

std::string in_folder(const std::string& folder, const std::string& path) { return folder.empty() || path.starts_with('/') ? path : folder + "/" + path; }

/// A column of a data block while its table is being resolved.
struct Pending {
  const ast::Name* name = nullptr;
  const ast::Column* column = nullptr;  ///< its line; nullptr for one that `rest from lock` takes
  const ast::DataEntry* entry = nullptr;
  bool done = false;
  std::optional<hir::ColumnId> id;
  std::vector<Value> set;  ///< `in (…)` of values that the scan does not check by itself
  std::optional<Interval> check_range;
  const SchemaColumn* locked = nullptr;
};

/// One data block with its columns, which may name each other in any order.
class DataBlock {
 public:
  DataBlock(Context& context, const ast::Declaration& declaration, const std::vector<ast::DataEntry>& entries, const ast::SourceRef* source)
      : context_(context), declaration_(declaration), entries_(entries), source_(source) {}

  /// `table` has what is known of it without the block.
  TableState resolve(hir::Table table);

 private:
  void collect();
  void take_rest(const ast::DataEntry& entry);
  void read_reject(const ast::Reject& reject, Span span);
  void read_source();
  std::string version_column(const ast::Path& path) const;
  Span argument_span(const ast::Call& call, std::string_view option) const;
  std::optional<hir::ColumnId> column(std::size_t index, Span reference);
  std::optional<hir::ColumnId> resolve_column(Pending& pending);
  bool source_part(const Pending& pending, const Type& type, hir::SourceColumn& source);
  void constraints(Pending& pending, const Type& type, hir::Column& column, hir::SourceColumn* source);
  void check_tags(const Pending& pending, const ReadTags& read, const Type& type);
  void finish_table();

  Context& context_;
  const ast::Declaration& declaration_;
  const std::vector<ast::DataEntry>& entries_;
  const ast::SourceRef* source_;  ///< none in a stage of a pipeline
  hir::TableId id_;
  hir::Table table_;
  std::vector<Pending> columns_;
  std::optional<LockedTable> locked_;
  std::deque<ast::Name> locked_names_;  ///< in the language
  std::map<std::string, std::size_t, std::less<>> index_;
  RowNames rows_;
  Span time_tag_, label_tag_;
};

void DataBlock::collect() {
  const ast::DataEntry* rest = nullptr;
  for (const ast::DataEntry& entry : entries_) {
    if (std::holds_alternative<ast::RestFromLock>(entry.kind)) {
      if (rest)
        context_.report(diag::make(Code::E0210, entry.span, "`rest from lock` is given twice").with_label("given again here").with_secondary(rest->span, "first given here").with_help("leave one of the two out"));
      else rest = &entry;
    }
    const auto* column = std::get_if<ast::Column>(&entry.kind);
    if (!column) continue;
    for (const ast::Name& name : column->names) {
      const auto [at, fresh] = index_.try_emplace(name.text, columns_.size());
      if (!fresh) {
        context_.report(diag::make(Code::E0202, name.span, fmt::format("the column `{}` is declared twice", name.text))
                            .with_label("declared again here")
                            .with_secondary(columns_[at->second].name->span, "first declared here")
                            .with_help("rename one of the two; `as \"…\"` says which column of the source it reads"));
        continue;
      }
      columns_.push_back({&name, column, &entry, false, std::nullopt, {}, std::nullopt, nullptr});
    }
  }
  if (rest) take_rest(*rest);
}

/// Adds the columns that the lock has and the block does not declare.
void DataBlock::take_rest(const ast::DataEntry& entry) {
  if (!source_) {
    context_.report(diag::make(Code::E0206, entry.span, "`rest from lock` stands in a table with a source, and this one is made by a stage").with_label("not here").with_help("declare the columns that are needed"));
    return;
  }
  if (table_.synthetic) {
    context_.report(diag::make(Code::E0206, entry.span, fmt::format("`{}` is generated: there are no other columns that `rest from lock` could take", declaration_.name.text))
                        .with_label("nothing is read here").with_help("leave it out"));
    return;
  }
  const std::string& file = context_.sources.file(context_.file.now->file).path;
  table_.lock = hir::LockPlace{lock_path(file), file.substr(file.rfind('/') + 1), declaration_.name.text};
  locked_ = locked_table(context_, *table_.lock, entry.span);
  if (!locked_) {
    rows_.opaque = true;
    return;
  }
  std::set<std::string_view> declared;
  for (const Pending& pending : columns_)
    if (!pending.column->value) declared.insert(pending.column->as ? pending.column->as->value : pending.name->text);
  std::map<std::string, std::string> source_names;  // of the names that the lock gave
  std::vector<std::string> collisions;
  diag::Diagnostic two = diag::make(Code::E0202, entry.span, {});
  for (const SchemaColumn& column : locked_->columns) {
    if (declared.contains(column.name)) continue;
    locked_names_.push_back({name_of_source_column(column.name), entry.span, false});
    const ast::Name& name = locked_names_.back();
    const auto [at, fresh] = index_.try_emplace(name.text, columns_.size());
    if (!fresh) {
      const Pending& other = columns_[at->second];
      if (other.column) two.secondary.push_back({other.name->span, fmt::format("`{}` is declared here", name.text)});
      collisions.push_back(other.column ? fmt::format("`{}` of the source would be called `{}`, which the table declares", column.name, name.text)
                                        : fmt::format("`{}` and `{}` of the source would both be called `{}`", source_names[name.text], column.name, name.text));
      if (two.help.empty()) two.help = fmt::format("declare it under another name: `… : {} as \"{}\"`", to_string(column.type), column.name);
      continue;
    }
    source_names.emplace(name.text, column.name);
    columns_.push_back({&name, nullptr, &entry, false, std::nullopt, {}, std::nullopt, &column});
  }
  if (collisions.empty()) return;
  two.message = fmt::format("{}", fmt::join(collisions, "; "));
  two.label = "takes columns that need names of their own";
  context_.report(std::move(two));
}

void DataBlock::read_reject(const ast::Reject& reject, Span span) {
  if (table_.synthetic)
    context_.report(diag::make(Code::E0206, span, fmt::format("`{}` is generated: no row of it breaks its contract", declaration_.name.text))
                        .with_label("nothing is read here").with_help("leave it out"));
  if (table_.reject)
    context_.report(diag::make(Code::E0210, span, "`reject` is given twice").with_label("given again here").with_secondary(table_.reject->span, "first given here").with_help("leave one of the two out"));
  const double share = constant_float(context_, reject.share, {0, 1}, "the share of rows that `reject` sets aside").value_or(0);
  if (!reject.into.value.ends_with(".csv") && !reject.into.value.ends_with(".parquet"))
    context_.report(diag::make(Code::E0303, reject.into.span, "rows that `reject` sets aside are written as CSV or Parquet")
                        .with_label("the ending names neither").with_help("name it \"rejected.csv\" or \"rejected.parquet\""));
  table_.reject = hir::Reject{share, in_folder(context_.modules[context_.module].folder, reject.into.value), span};
}

void DataBlock::read_source() {
  const ast::Data* other = env_entry<ast::Data>(context_, declaration_.name.text);
  const ast::SourceRef& source = other && other->source ? *other->source : *source_;
  const ast::Expr& e = context_.file.expr(source.call);
  const auto* call = std::get_if<ast::Call>(&e.kind);
  if (!call) return;
  const auto read = check_library_call(context_, *call, EntryKind::source, "source", e.span);
  if (!read) return;
  const Signature& signature = *read->signature;
  const std::optional<hir::Options>& options = read->options;
  table_.source = signature.native;
  const auto has = [&](std::string_view parameter) {
    return std::any_of(signature.parameters.begin(), signature.parameters.end(), [&](const Parameter& p) { return p.name == parameter; });
  };
  table_.synthetic = has("rows") && !has("path");
  if (source.version_by && !has("query"))
    context_.report(diag::make(Code::E0206, source.version_by->span, fmt::format("`version by` stands with a table or a query of a database, and `{}` reads none", call->callee.text()))
                        .with_label("cannot be asked for").with_secondary(e.span, "this is read")
                        .with_help("leave it out: whether files changed is seen by itself"));
  else if (source.version_by)
    table_.version_by = version_column(*source.version_by);
  if (!options) return;
  for (const auto& [option, value] : *options) {
    const auto* text = std::get_if<std::string>(&value);
    if (option == "path" || option == "function") {
      // Relative to the file in which it stands.
      table_.path = in_folder(context_.modules[context_.module].folder, *text);
      table_.path_span = argument_span(*call, option);
      if (option == "function") check_python_reference(context_, *text, table_.path_span);
      continue;
    }
    const auto parameter = std::ranges::find(signature.parameters, option, &Parameter::name);
    if (table_.path.empty() && text && !text->empty() && !parameter->secret && option != "query") table_.path = *text, table_.path_span = argument_span(*call, option);
    if (table_.synthetic && option == "rows") table_.rows = static_cast<std::uint64_t>(std::get<std::int64_t>(value));
    if (table_.synthetic && option == "seed") table_.seed = std::get<std::int64_t>(value);
    table_.options.emplace_back(option, value);
  }
  if (table_.path.empty() && has("query")) table_.path = signature.name, table_.path_span = e.span;
}

Span DataBlock::argument_span(const ast::Call& call, std::string_view option) const {
  for (std::size_t i = 0; i < call.arguments.size(); ++i)
    if (call.arguments[i].name ? call.arguments[i].name->text == option : i == 0) return context_.file.expr(call.arguments[i].value).span;
  return context_.file.expr(source_->call).span;
}

/// The column's name in the source: a declared column may have another there, and one that is not declared is not read.
std::string DataBlock::version_column(const ast::Path& path) const {
  for (const ast::DataEntry& entry : entries_)
    if (const auto* column = std::get_if<ast::Column>(&entry.kind); column && column->as && column->names.size() == 1 && column->names[0].text == path.text()) return column->as->value;
  return path.text();
}

/// What a column line says about reading; reports what does not fit its type. False: poisoned.
bool DataBlock::source_part(const Pending& pending, const Type& type, hir::SourceColumn& source) {
  const ast::Column& column = *pending.column;
  source.source_name = column.as ? column.as->value : pending.name->text;
  bool good = true;
  const auto wrong = [&](Span span, std::string message, std::string help) {
    context_.report(diag::make(Code::E0301, span, std::move(message)).with_label(fmt::format("`{}` is `{}`", pending.name->text, to_string(type)))
                        .with_secondary(column.type.span, "declared here").with_help(std::move(help)));
    good = false;
  };
  if (column.as && column.names.size() > 1)
    wrong(column.as->span, "`as` names one column of the source, but several are declared here", "declare each column on a line of its own");
  if (!column.values.empty()) {
    if (type.base != Base::bool_) wrong(column.values.front().span, "`values` says what reads as true and false, so it stands with `bool` only", "for a category write `category(\"a\", \"b\")`");
    else if (column.values.size() != 2) wrong(column.values.front().span, "`values` takes two texts: what reads as true, then what reads as false", "write `values (\"Yes\", \"No\")`");
    else if (column.values[0].value == column.values[1].value) wrong(column.values[1].span, "true and false need different texts", "write `values (\"Yes\", \"No\")`");
    else for (const ast::Text& value : column.values) source.bool_values.push_back(value.value);
  }
  if (column.format) {
    if (type.base != Base::date && type.base != Base::timestamp) wrong(column.format->span, "`format` stands with `date` and `timestamp` only", "leave it out");
    else source.format = column.format->value;
  }
  if (column.matches) {
    if (!type.is_text()) wrong(column.matches->span, "`matches` stands with `string` and `category` only", "for a number write `in LOW..HIGH`");
    else source.matches = column.matches->value;
  }
  source.unique = column.unique.has_value();
  if (type.closed()) source.allowed = type.domain();
  if (type.base == Base::list || type.base == Base::vector || type.base == Base::map)
    context_.not_yet(fmt::format("reading `{}` from a source", to_string(type)), column.type.span);
  return good;
}

void DataBlock::constraints(Pending& pending, const Type& type, hir::Column& column, hir::SourceColumn* source) {
  const ast::Column& line = *pending.column;
  if (!line.in) return;
  const ast::Expr& e = context_.file.expr(line.in);
  if (const auto* set = std::get_if<ast::Set>(&e.kind)) {
    for (const ast::ExprId element : set->elements) {
      const auto value = constant_of(context_, element, type.known(), std::nullopt, fmt::format("a value of `{}`", pending.name->text));
      if (!value) return;
      pending.set.push_back(*value);
    }
    if (source && type.is_text()) {
      source->allowed.clear();
      for (const Value& value : pending.set) source->allowed.push_back(std::get<std::string>(value));
      pending.set.clear();
    }
    return;
  }
  if (!type.is_number()) {
    context_.report(diag::make(Code::E0301, e.span, "a range stands with numbers only")
                        .with_label(fmt::format("`{}` is `{}`", pending.name->text, to_string(type)))
                        .with_secondary(line.type.span, "declared here")
                        .with_help(type.is_text() ? "list the values: `in (\"a\", \"b\")`" : "say it as `expect … for all rows`"));
    return;
  }
  const auto range = constant_range(context_, line.in, fmt::format("the range of `{}`", pending.name->text));
  if (!range) return;
  if (source) source->ranged = true;
  else if (!inside(column.range, *range)) pending.check_range = range;
  column.range = source ? *range : intersect(column.range, *range);
  if (is_empty(column.range)) column.range = *range;
}

void DataBlock::check_tags(const Pending& pending, const ReadTags& read, const Type& type) {
  const auto once = [&](const std::optional<Span>& tag, Span& first, std::string_view what) {
    if (!tag) return true;
    if (first) {
      context_.report(diag::make(Code::E0210, *tag, fmt::format("a table has one {}", what)).with_label("given again here").with_secondary(first, "first given here").with_help("take one of the two away"));
      return false;
    }
    first = *tag;
    return true;
  };
  once(read.time, time_tag_, "`@time`");
  once(read.label, label_tag_, "`@label`");
  const auto wrong = [&](Code code, Span span, std::string message, std::string help) {
    context_.report(diag::make(code, span, std::move(message)).with_label(fmt::format("`{}` is `{}`", pending.name->text, to_string(type))).with_help(std::move(help)));
  };
  if (read.time && type.base != Base::timestamp && type.base != Base::date)
    wrong(Code::E0301, *read.time, "`@time` is a timestamp or a date", "compute one from it: `… : timestamp = timestamp(…) @time`");
  if (read.label && type.missing && !pending.column->value)
    wrong(Code::E0302, pending.column->type.span, "a label that is read from a file cannot be missing", "declare it without `?`, or compute the label: `… = other ?? default @label`");
  if (read.tags.key && type.missing) wrong(Code::E0302, pending.column->type.span, "a key cannot be missing", "declare it without `?`");
  if (read.tags.weight && !type.is_number()) wrong(Code::E0301, pending.column->type.span, "`@weight` stands with a number", "declare it `float in 0..1_000`");
}

std::optional<hir::ColumnId> DataBlock::resolve_column(Pending& pending) {
  if (pending.locked) {
    hir::SourceColumn source;
    source.source_name = pending.locked->name;
    source.locked = true;
    if (pending.locked->type.closed()) source.allowed = pending.locked->type.domain();
    hir::Column column;
    column.name = pending.name->text;
    column.type = pending.locked->type;
    column.span = pending.entry->span;
    column.table = id_;
    column.made_by = std::move(source);
    return context_.add_column(std::move(column), {{}, pending.entry->span});
  }
  const ast::Column& line = *pending.column;
  const ReadTags read = read_tags(context_, line.tags, [&](const ast::Path& path) {
    if (path.parts.size() == 1 && (index_.contains(path.parts[0].text) || rows_.opaque)) return true;
    const auto candidates = rows_.names();
    context_.report(with_suggestion(diag::make(Code::E0203, path.span, fmt::format("{} has no column `{}`", rows_.owner, path.text())).with_label("no such column"), path.text(),
                                    path.span, candidates, fmt::format("it has {}", listing(candidates))));
    return false;
  });
  const auto type = resolve_type(context_, line.type);
  hir::Column column;
  column.name = pending.name->text;
  column.span = pending.name->span;
  column.doc = pending.entry->doc;
  column.table = id_;
  column.tags = read.tags;
  if (!type) {
    // What does not depend on the type is still looked at.
    if (line.value) {
      Builder b;
      Scope scope(context_, b, context_.file.now);
      scope.rows = &rows_;
      scope.random_allowed = true;
      type_expression(scope, line.value);
    }
    return std::nullopt;
  }
  column.type = *type;
  check_tags(pending, read, *type);
  if (line.value) {
    const auto only_read = [&](Span span, std::string_view what) {
      context_.report(diag::make(Code::E0206, span, fmt::format("`{}` says how a column is read, but `{}` is computed", what, pending.name->text))
                          .with_label("nothing is read here").with_secondary(context_.file.expr(line.value).span, "computed here").with_help("leave it out"));
    };
    if (line.as) only_read(line.as->span, "as");
    if (line.format) only_read(line.format->span, "format");
    if (!line.values.empty()) only_read(line.values.front().span, "values");
    if (line.matches) context_.not_yet("`matches` of a computed column", line.matches->span);
    if (line.unique) context_.not_yet("`unique` of a computed column", *line.unique);
    Builder b;
    Scope scope(context_, b, context_.file.now);
    scope.rows = &rows_;
    scope.random_allowed = true;
    const NodeId node = type_as(scope, line.value, *type, fmt::format("`{}`", pending.name->text), line.type.span);
    if (!node) return std::nullopt;
    column.made_by = b.finish(node);
    column.range = b.range(node);
    const expr::Expr& code = *column.code();
    // A generated table's expressions make the world, so what is declared there stands; elsewhere nothing is known before its parts.
    const Availability parts = latest_of_parts(context_, code);
    if (!read.available) column.tags.availability = table_.synthetic ? later(parts, Availability{}) : parts;
    else if (!table_.synthetic) column.tags.availability = later(column.tags.availability, parts);
    constraints(pending, *type, column, nullptr);
  } else {
    hir::SourceColumn source;
    if (!source_part(pending, *type, source)) return std::nullopt;
    constraints(pending, *type, column, &source);
    if (table_.synthetic) {
      context_.report(diag::make(Code::E0207, pending.name->span, fmt::format("`{}` needs an expression: there is nothing to read it from", pending.name->text))
                          .with_label("no `= …`")
                          .with_help("a generated table computes every column, such as `x : float = normal(0, 1)`"));
      return std::nullopt;
    }
    column.made_by = std::move(source);
  }
  return context_.add_column(std::move(column), {read.decisive ? read.decisive : read.available.value_or(Span{}), line.type.span});
}

std::optional<hir::ColumnId> DataBlock::column(std::size_t index, Span reference) {
  Pending& pending = columns_[index];
  if (pending.done) return pending.id;
  const VisitGuard guard(context_, &pending, pending.name->text, pending.name->span, reference);
  if (!guard.good) return std::nullopt;
  auto id = resolve_column(columns_[index]);
  pending.done = true;
  pending.id = id;
  return id;
}

void DataBlock::finish_table() {
  std::vector<Span> second_times;
  for (const Pending& pending : columns_) {
    if (!pending.id) continue;
    const hir::Column& column = context_.out[*pending.id];
    table_.columns.push_back(*pending.id);
    if (column.tags.key) table_.key.push_back(*pending.id);
    if (column.tags.time && !table_.time) table_.time = pending.id;
    if (column.tags.label && !table_.label) table_.label = pending.id;
    if (column.tags.weight && !table_.weight) table_.weight = pending.id;
  }
  for (const Pending& pending : columns_) {
    if (!pending.id) continue;
    if (pending.locked) continue;
    const std::string text = pending.column->in ? fmt::format("in {}", context_.text(context_.file.expr(pending.column->in).span)) : std::string();
    const Span span = pending.column->in ? context_.file.expr(pending.column->in).span : Span{};
    if (pending.check_range) add_constraint(context_, table_, *pending.id, pending.check_range, {}, text, span);
    if (!pending.set.empty()) add_constraint(context_, table_, *pending.id, std::nullopt, pending.set, text, span);
  }
  if (!table_.time) return;
  for (const Pending& pending : columns_) {
    if (!pending.id || *pending.id == *table_.time || pending.entry->because) continue;
    const auto said = [](const ast::Tag& t) { return t.kind == ast::TagKind::available || t.kind == ast::TagKind::ignore; };
    if (pending.column && (pending.column->value || std::ranges::any_of(pending.column->tags, said))) continue;
    if (context_.out[*pending.id].type.base != Base::timestamp) continue;
    context_.report(diag::make(Code::W0402, pending.name->span, fmt::format("`{}` is a second time column, and is taken as known at the row's `@time`", pending.name->text))
                        .with_label("no `@available(…)`")
                        .with_secondary(context_.out[*table_.time].span, "the row's time")
                        .with_help(pending.locked ? fmt::format("if it lies later, declare it: `{0} : timestamp @available(at {0})`; if not, `because \"…\"` quiets this", pending.name->text)
                                                  : fmt::format("if it lies later, say so: `@available(at {})`; if not, `because \"…\"` quiets this", pending.name->text)));
    break;
  }
}

TableState DataBlock::resolve(hir::Table table) {
  table_ = std::move(table);
  id_ = hir::TableId(context_.out.tables.size());
  context_.out.tables.push_back(table_);
  if (source_) context_.tables[&declaration_] = {id_, true};
  rows_.owner = fmt::format("table `{}`", declaration_.name.text);
  rows_.declared = declaration_.name.span;
  rows_.opaque = declaration_.incomplete;
  rows_.names = [this] {
    std::vector<std::string_view> names;
    for (const Pending& pending : columns_) {
      if (names.size() == context_.most_names()) break;
      names.push_back(pending.name->text);
    }
    return names;
  };
  rows_.find = [this](std::string_view name, Span reference) -> RowNames::Found {
    const auto at = index_.find(name);
    if (at == index_.end()) return {};
    return {true, column(at->second, reference)};
  };
  if (source_) read_source();
  collect();
  for (std::size_t i = 0; i < columns_.size(); ++i) column(i, {});
  finish_table();
  for (const ast::DataEntry& entry : entries_) {
    if (const auto* expect = std::get_if<ast::Expect>(&entry.kind)) check_expect(context_, table_, *expect, rows_, entry.span);
    if (const auto* reject = std::get_if<ast::Reject>(&entry.kind)) read_reject(*reject, entry.span);
  }
  if (columns_.empty() && !rows_.opaque && !table_.lock)
    context_.report(diag::make(Code::E0207, declaration_.name.span, fmt::format("the table `{}` declares no columns", declaration_.name.text))
                        .with_label("nothing to read").with_help("declare the columns that are needed: `age : int`; others are not read"));
  assign_streams(context_, table_.columns, table_.seed);
  context_.out.tables[id_.index()] = std::move(table_);
  return {id_, rows_.opaque};
}

}  // namespace

std::set<std::string, std::less<>> reported_columns(const Context& context, const ast::Declaration& declaration, const TableState& state) {
  std::set<std::string, std::less<>> names;
  if (const auto* data = std::get_if<ast::Data>(&declaration.kind))
    for (const ast::DataEntry& entry : data->entries)
      if (const auto* column = std::get_if<ast::Column>(&entry.kind))
        for (const ast::Name& name : column->names) names.insert(name.text);
  if (state.id)
    for (const hir::ColumnId column : context.out[*state.id].columns) names.erase(context.out[column].name);
  return names;
}

RowNames names_of_table(Context& context, const ast::Declaration& declaration, const TableState& state) {
  RowNames rows;
  rows.owner = fmt::format("table `{}`", declaration.name.text);
  rows.declared = declaration.name.span;
  rows.opaque = state.opaque || !state.id;
  const hir::TableId id = state.id.value_or(hir::TableId{});
  const auto poisoned = std::make_shared<const std::set<std::string, std::less<>>>(reported_columns(context, declaration, state));  // shared: names of rows are copied often
  const auto known = std::make_shared<std::map<std::string, hir::ColumnId, std::less<>>>();
  if (id)
    for (const hir::ColumnId column : context.out[id].columns) known->emplace(context.out[column].name, column);
  rows.find = [known, poisoned](std::string_view name, Span) -> RowNames::Found {
    if (const auto at = known->find(name); at != known->end()) return {true, at->second};
    return {poisoned->contains(name), std::nullopt};
  };
  rows.names = [&context, id] {
    return id ? column_names(context, context.out[id].columns) : std::vector<std::string_view>();
  };
  return rows;
}

TableState resolve_stage_table(Context& context, const ast::Declaration& declaration, const std::vector<ast::DataEntry>& entries, hir::Table table) {
  return DataBlock(context, declaration, entries, nullptr).resolve(std::move(table));
}

TableState resolve_table(Context& context, const ast::Declaration& declaration, Span reference) {
  const InModule within(context, declaration);
  const auto& data = std::get<ast::Data>(declaration.kind);
  const bool open = std::any_of(context.visits.begin(), context.visits.end(), [&](const Visit& v) { return v.what == &declaration; });
  if (const auto done = context.tables.find(&declaration); done != context.tables.end() && !open) return done->second;
  const VisitGuard guard(context, &declaration, declaration.name.text, declaration.name.span, reference);
  if (!guard.good) return {std::nullopt, true};
  TableState state;
  if (data.source) {
    hir::Table table;
    table.name = full_name(context, declaration);
    table.span = declaration.name.span;
    table.doc = declaration.doc;
    state = DataBlock(context, declaration, data.entries, &*data.source).resolve(std::move(table));
  } else {
    state = resolve_pipeline(context, declaration, data);
  }
  context.tables[&declaration] = state;
  return state;
}

}  // namespace mlp::sema
