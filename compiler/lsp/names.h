#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "compiler/sema/hir.h"
#include "compiler/support/span.h"
#include "compiler/syntax/ast.h"
#include "compiler/types/signature.h"

/// What the names of a file stand for. It is made from the AST, so it is there for a file with mistakes too, and takes types from
/// as much of the workflow as was understood.
namespace mlp::lsp {

enum class SymbolKind : std::uint8_t { table, view, split, train, deploy, param, secret, function, environment, import_, column, feature, argument };
/// "table", "model" …: how people call it.
std::string_view word(SymbolKind kind);

struct Symbol {
  SymbolKind kind{};
  std::string name;
  std::string owner;  ///< of a column, feature or argument: the table, view or function
  Span at;            ///< the name where it is declared
  Span whole;         ///< the declaration or entry
  std::string doc;
  std::string type;   ///< inferred, or as written where nothing was inferred; empty where there is none
};

/// An entry of the standard library, or a parameter of one.
struct LibraryName {
  EntryKind kind{};
  std::string name;
  std::string parameter;
};

/// The word that begins an entry of a block: `predict` of `train`.
struct EntryWord {
  std::string block, word;
};

struct Reference {
  Span at;
  std::variant<std::size_t, LibraryName, EntryWord> to;  ///< an index into Names::symbols
};

using Columns = std::map<std::string, std::size_t, std::less<>>;

struct Names {
  std::vector<Symbol> symbols;
  std::vector<Reference> references;  ///< by place; declarations refer to themselves
  std::map<std::string, std::size_t, std::less<>> declared;
  std::map<std::string, Columns, std::less<>> columns;             ///< of tables, views and trains (those of their views)
  std::map<std::string, std::string, std::less<>> tables;          ///< of a view, split, train, deployment or monitor: the table it is about
  std::map<std::string, std::vector<std::string>, std::less<>> views;  ///< of a train or deployment: what it reads

  /// The reference that covers the byte, or ends at it.
  const Reference* find(std::uint32_t offset) const;
  const Columns* columns_of(std::string_view name) const;
  const Symbol* declaration(std::string_view name) const;
};

/// A file that the document imports: its declarations are known as `alias.name`.
struct ImportedFile {
  std::string alias;
  const ast::File* file = nullptr;
};

/// `workflow`: what the checker understood; ids in it are not followed, only names and types are read.
Names collect_names(const ast::File& file, const SourceMap& sources, const hir::Workflow& workflow, const std::vector<ImportedFile>& imports = {});

/// Fills `references` of names whose symbols are there.
void collect_references(const ast::File& file, const SourceMap& sources, Names& names);

inline const std::string& first_of(const ast::Path& path) { return path.parts.front().text; }
/// What the path of a value or an argument begins with: `trips` of `trips.fare`, `shared.trips` where `shared` is an import.
std::string owner_of(const Names& names, const ast::Path& path);

}  // namespace mlp::lsp
