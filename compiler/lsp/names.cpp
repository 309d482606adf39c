#include "compiler/lsp/names.h"

#include <algorithm>
#include <set>

namespace mlp::lsp {

namespace {

/// "owner.column" -> its type, as far as types are known.
using TypesByName = std::map<std::string, std::string, std::less<>>;

struct Collector {
  const ast::File& file;
  const SourceMap& sources;
  const hir::Workflow& workflow;
  const std::vector<ImportedFile>& imports;
  Names out;
  TypesByName types;
  /// A declaration with the file it stands in, and what its names are preceded by: "shared.".
  struct Known {
    const ast::Declaration* declaration = nullptr;
    const ast::File* file = nullptr;
    std::string prefix;
  };
  std::map<std::string, Known, std::less<>> declarations;
  std::set<std::string, std::less<>> visiting;

  std::string written(Span span) const { return std::string(sources.text(span)); }

  std::size_t add(SymbolKind kind, const ast::Name& name, std::string owner, Span whole, std::string doc, std::string type = {}) {
    if (const auto at = types.find(owner.empty() ? name.text : owner + "." + name.text); at != types.end()) type = at->second;
    out.symbols.push_back({kind, name.text, std::move(owner), name.span, whole, std::move(doc), std::move(type)});
    return out.symbols.size() - 1;
  }

  void read_types() {
    for (const hir::Column& column : workflow.columns) {
      if (column.type.is_error()) continue;
      if (column.table && column.table->index() < workflow.tables.size())
        types.try_emplace(workflow.tables[column.table->index()].name + "." + column.name, to_string(column.type));
      if (column.view && column.view->index() < workflow.views.size())
        types.try_emplace(workflow.views[column.view->index()].name + "." + column.name, to_string(column.type));
    }
    for (const hir::Param& param : workflow.params)
      if (!param.type.is_error()) types.try_emplace(param.name, to_string(param.type));
  }

  struct KindOf {
    using Kind = std::optional<SymbolKind>;
    Kind operator()(const ast::BrokenDeclaration& broken) const {
      static constexpr std::pair<std::string_view, SymbolKind> kWords[] = {
          {"data", SymbolKind::table}, {"feature", SymbolKind::view}, {"split", SymbolKind::split},   {"train", SymbolKind::train},  {"deploy", SymbolKind::deploy},
          {"param", SymbolKind::param}, {"secret", SymbolKind::secret}, {"env", SymbolKind::environment}, {"fn", SymbolKind::function}};
      for (const auto& [word, kind] : kWords)
        if (broken.word == word) return kind;
      return std::nullopt;
    }
    Kind operator()(const ast::Import&) const { return SymbolKind::import_; }
    Kind operator()(const ast::Param&) const { return SymbolKind::param; }
    Kind operator()(const ast::Secret&) const { return SymbolKind::secret; }
    Kind operator()(const ast::Env&) const { return SymbolKind::environment; }
    Kind operator()(const ast::Callable&) const { return SymbolKind::function; }
    Kind operator()(const ast::Data&) const { return SymbolKind::table; }
    Kind operator()(const ast::Feature&) const { return SymbolKind::view; }
    Kind operator()(const ast::Split&) const { return SymbolKind::split; }
    Kind operator()(const ast::Train&) const { return SymbolKind::train; }
    Kind operator()(const ast::Deploy&) const { return SymbolKind::deploy; }
    template <class Other>
    Kind operator()(const Other&) const { return std::nullopt; }  // they speak about another one
  };

  void declare(const ast::File& in, const std::string& prefix) {
    for (const ast::Declaration& declaration : in.declarations) {
      const auto kind = std::visit(KindOf{}, declaration.kind);
      if (!kind || declaration.name.text.empty()) continue;
      const ast::Name name{prefix + declaration.name.text, declaration.name.span, false};
      std::string type;
      if (const auto* param = std::get_if<ast::Param>(&declaration.kind); param && param->type) type = written(param->type->span);
      if (const auto* callable = std::get_if<ast::Callable>(&declaration.kind); callable && callable->result) type = written(callable->result->span);
      const std::size_t symbol = add(*kind, name, {}, declaration.span, declaration.doc, std::move(type));
      if (!out.declared.try_emplace(name.text, symbol).second) continue;
      declarations.emplace(name.text, Known{&declaration, &in, prefix});
      if (const auto* callable = std::get_if<ast::Callable>(&declaration.kind))
        for (const ast::Parameter& parameter : callable->parameters) {
          const Span types_span = parameter.types.empty() ? Span{} : cover(parameter.types.front().span, parameter.types.back().span);
          const std::size_t argument = add(SymbolKind::argument, parameter.name, name.text, parameter.span, parameter.doc, written(types_span));
          out.columns[name.text].try_emplace(parameter.name.text, argument);
        }
    }
  }

  void declare_column(Columns& columns, const std::string& owner, const ast::Column& column, Span whole, const std::string& doc) {
    for (const ast::Name& name : column.names) columns.insert_or_assign(name.text, add(SymbolKind::column, name, owner, whole, doc, written(column.type.span)));
  }

  void define(Columns& columns, const std::string& owner, const ast::Definition& definition, const std::string& doc) {
    columns.insert_or_assign(definition.name.text, add(SymbolKind::column, definition.name, owner, definition.span, doc));
  }

  static void keep_only(Columns& columns, const std::vector<ast::Path>& paths) {
    Columns kept;
    for (const ast::Path& path : paths)
      if (const auto at = columns.find(path.parts.back().text); at != columns.end()) kept.insert(*at);
    columns = std::move(kept);
  }

  /// What a stage makes of the columns before it.
  struct AfterStage {
    Collector& collector;
    const ast::File& file;
    const std::string& prefix;
    const std::string& owner;
    const ast::Stage& stage;
    Columns& columns;
    void join(const ast::Path& table) const {
      if (const Columns* others = collector.table(prefix + table.text())) columns.insert(others->begin(), others->end());
    }
    void operator()(const ast::JoinStage& s) const { join(s.table); }
    void operator()(const ast::AsofJoinStage& s) const { join(s.table); }
    void operator()(const ast::DeriveStage& s) const {
      for (const ast::Definition& d : s.definitions) collector.define(columns, owner, d, stage.doc);
    }
    void operator()(const ast::GroupStage& s) const {
      keep_only(columns, s.by);
      for (const ast::Definition& d : s.definitions) collector.define(columns, owner, d, stage.doc);
    }
    void operator()(const ast::WindowStage& s) const {
      for (const ast::Definition& d : s.definitions) collector.define(columns, owner, d, stage.doc);
    }
    void operator()(const ast::SelectStage& s) const {
      Columns kept;
      if (s.all) {
        kept = columns;
        for (const ast::Name& name : s.all->except) kept.erase(name.text);
      }
      for (const ast::SelectItem& item : s.items) {
        if (item.as) {
          kept.insert_or_assign(item.as->text, collector.add(SymbolKind::column, *item.as, owner, item.span, stage.doc));
        } else if (const auto* ref = item.value ? std::get_if<ast::Ref>(&file.expr(item.value).kind) : nullptr) {
          if (const auto at = columns.find(ref->path.parts.back().text); at != columns.end()) kept.insert(*at);
        }
      }
      columns = std::move(kept);
    }
    void operator()(const ast::UnpivotStage& s) const {
      for (const ast::Path& path : s.columns) columns.erase(path.parts.back().text);
      for (const ast::Name* name : {&s.name, &s.value}) columns.insert_or_assign(name->text, collector.add(SymbolKind::column, *name, owner, stage.span, stage.doc));
    }
    void operator()(const ast::CrossStage& s) const {
      columns.insert_or_assign(s.as.text, collector.add(SymbolKind::column, s.as, owner, stage.span, stage.doc));
    }
    void operator()(const ast::SqlStage&) const { columns.clear(); }
    void operator()(const ast::PythonStage& s) const {
      columns.clear();
      for (const ast::DataEntry& entry : s.columns)
        if (const auto* column = std::get_if<ast::Column>(&entry.kind)) collector.declare_column(columns, owner, *column, entry.span, entry.doc);
    }
    template <class Other>
    void operator()(const Other&) const {}  // rows change, columns do not
  };

  /// The columns of a table; nullptr where it is none, or needs itself.
  const Columns* table(const std::string& name) {
    if (const auto known = out.columns.find(name); known != out.columns.end()) return &known->second;
    const auto at = declarations.find(name);
    const auto* data = at == declarations.end() ? nullptr : std::get_if<ast::Data>(&at->second.declaration->kind);
    if (!data || !visiting.insert(name).second) return nullptr;
    Columns columns;
    for (const ast::DataEntry& entry : data->entries)
      if (const auto* column = std::get_if<ast::Column>(&entry.kind)) declare_column(columns, name, *column, entry.span, entry.doc);
    if (data->input)
      if (const Columns* before = table(at->second.prefix + data->input->text())) columns = *before;
    for (const ast::Stage& stage : data->stages) std::visit(AfterStage{*this, *at->second.file, at->second.prefix, name, stage, columns}, stage.kind);
    visiting.erase(name);
    return &(out.columns[name] = std::move(columns));
  }

  void view(const std::string& name, const std::string& prefix, const ast::Feature& feature) {
    const std::string table_name = prefix + feature.of.text();
    const Columns* of = table(table_name);
    Columns columns;
    for (const ast::FeatureEntry& entry : feature.entries) {
      if (const auto* definition = std::get_if<ast::Definition>(&entry.kind))
        columns.insert_or_assign(definition->name.text, add(SymbolKind::feature, definition->name, name, entry.span, entry.doc));
      const auto* taken = std::get_if<ast::TakenColumns>(&entry.kind);
      if (!taken || !of) continue;
      if (taken->all) {
        Columns rest = *of;
        for (const ast::Name& each : taken->all->except) rest.erase(each.text);
        columns.insert(rest.begin(), rest.end());
      }
      for (const ast::Name& each : taken->columns)
        if (const auto at = of->find(each.text); at != of->end()) columns.insert(*at);
    }
    out.tables.emplace(name, table_name);
    out.columns[name] = std::move(columns);
  }

  void train(const std::string& name, const std::string& prefix, const ast::Train& train) {
    Columns columns;
    for (const ast::Path& path : train.of) {
      const std::string view = prefix + path.text();
      out.views[name].push_back(view);
      if (const Columns* of = out.columns_of(view)) columns.insert(of->begin(), of->end());
      if (const auto at = out.tables.find(view); at != out.tables.end()) out.tables.emplace(name, at->second);
    }
    // A label that is computed here.
    for (const ast::TrainEntry& entry : train.entries)
      if (const auto* predict = std::get_if<ast::Predict>(&entry.kind); predict && predict->name)
        columns.insert_or_assign(predict->name->text, add(SymbolKind::column, *predict->name, name, entry.span, entry.doc));
    out.columns.try_emplace(name, std::move(columns));
  }

  /// Columns that the checker knows and the text does not name: of `each`, of SQL.
  void add_inferred() {
    for (const hir::Column& column : workflow.columns) {
      const bool of_view = column.view && column.view->index() < workflow.views.size();
      if (!of_view && !(column.table && column.table->index() < workflow.tables.size())) continue;
      const std::string& owner = of_view ? workflow.views[column.view->index()].name : workflow.tables[column.table->index()].name;
      const auto at = out.columns.find(owner);
      if (at == out.columns.end() || at->second.contains(column.name) || !column.span) continue;
      if (column.name.find('(') != std::string::npos) continue;  // a step on the way, named by its code
      at->second.emplace(column.name, add(of_view ? SymbolKind::feature : SymbolKind::column, {column.name, column.span, false}, owner, column.span, column.doc));
    }
  }

  Names collect() {
    read_types();
    declare(file, {});
    for (const ImportedFile& imported : imports) declare(*imported.file, imported.alias + ".");
    for (const auto& [name, known] : declarations) table(name);
    for (const auto& [name, known] : declarations)
      if (const auto* feature = std::get_if<ast::Feature>(&known.declaration->kind)) view(name, known.prefix, *feature);
    add_inferred();
    for (const auto& [name, known] : declarations) {
      if (const auto* each = std::get_if<ast::Train>(&known.declaration->kind)) train(name, known.prefix, *each);
      if (const auto* split = std::get_if<ast::Split>(&known.declaration->kind)) out.tables.emplace(name, known.prefix + split->of.text());
    }
    for (const auto& [name, known] : declarations) {
      const auto* deploy = std::get_if<ast::Deploy>(&known.declaration->kind);
      if (!deploy) continue;
      const std::string of = known.prefix + deploy->of.text();
      out.views[name].push_back(of);
      if (const auto at = out.tables.find(of); at != out.tables.end()) out.tables.emplace(name, at->second);
    }
    return std::move(out);
  }
};

}  // namespace

std::string_view word(SymbolKind kind) {
  switch (kind) {
    case SymbolKind::table: return "table";
    case SymbolKind::view: return "feature view";
    case SymbolKind::split: return "split";
    case SymbolKind::train: return "model";
    case SymbolKind::deploy: return "deployment";
    case SymbolKind::param: return "param";
    case SymbolKind::secret: return "secret";
    case SymbolKind::function: return "function";
    case SymbolKind::environment: return "environment";
    case SymbolKind::import_: return "import";
    case SymbolKind::column: return "column";
    case SymbolKind::feature: return "feature";
    case SymbolKind::argument: return "argument";
  }
  return "";
}

const Reference* Names::find(std::uint32_t offset) const {
  const Reference* touching = nullptr;
  for (const Reference& reference : references) {
    if (reference.at.begin > offset) break;
    if (offset < reference.at.end) return &reference;
    if (offset == reference.at.end) touching = &reference;
  }
  return touching;
}

const Columns* Names::columns_of(std::string_view name) const {
  const auto at = columns.find(name);
  return at == columns.end() ? nullptr : &at->second;
}

const Symbol* Names::declaration(std::string_view name) const {
  const auto at = declared.find(name);
  return at == declared.end() ? nullptr : &symbols[at->second];
}

std::string owner_of(const Names& names, const ast::Path& path) {
  const Symbol* first = names.declaration(first_of(path));
  if (path.parts.size() > 1 && first && first->kind == SymbolKind::import_) return first_of(path) + "." + path.parts[1].text;
  return first_of(path);
}

Names collect_names(const ast::File& file, const SourceMap& sources, const hir::Workflow& workflow, const std::vector<ImportedFile>& imports) {
  Names names = Collector{file, sources, workflow, imports, {}, {}, {}, {}}.collect();
  collect_references(file, sources, names);
  return names;
}

}  // namespace mlp::lsp
