#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/lock/lock.h"
#include "compiler/sema/hir.h"
#include "compiler/support/span.h"
#include "compiler/syntax/ast.h"
#include "compiler/types/sql_binding.h"

namespace mlp {

/// A file that an `import` names, parsed.
struct Module {
  ast::File file;
  std::string folder;                          ///< from the workflow's folder to its own; "": the same
  std::map<std::string, std::size_t> imports;  ///< from its aliases to places in CheckOptions::modules
};

/// Rows that a command asks for: those of a table or view, where a condition holds.
struct RowsQuestion {
  std::string of;             ///< as a workflow names it: "trips", "shared.trips"
  ast::File file;             ///< of the condition, an expression of its own
  ast::ExprId where;          ///< none: all rows
  bool if_there = false;      ///< a name that the workflow does not have is no mistake; it may be written in capitals
};

struct CheckOptions {
  std::map<std::string, std::string> params;   ///< `--param k=v`
  bool read_environment = false;               ///< MLP_PARAM_name stands in for a param that `--param` does not set
  std::string env;                             ///< `--env`: the block whose params and sources hold; empty: none
  const std::vector<Module>* modules = nullptr;  ///< what is imported, at first or second hand
  std::map<std::string, std::size_t> imports;  ///< from the workflow's aliases to `modules`; one that could not be read is not here
  /// The mlp.lock at a path, nullopt where there is none; called where `rest from lock` occurs. Not set: the columns that it takes are
  /// not known, and names in such a table are not checked.
  std::function<Result<std::optional<Lock>>(const std::string& path)> read_lock;
  std::vector<RowsQuestion> rows;              ///< become hir::Workflow::rows
  SqlTyper type_sql;                           ///< called where an `sql` stage occurs. Not set: what it makes is not known, and names in it are not checked
};

/// Resolves every name and types every expression. Every mistake is reported to the sink, one report each; nullopt when there
/// were errors. Reads nothing but its arguments (and the environment, if asked to).
std::optional<hir::Workflow> check(const ast::File& file, const SourceMap& sources, const CheckOptions& options, diag::Sink& sink);

/// The name in the language of a column that `rest from lock` takes: its name in the source, where every run of characters other than
/// letters, digits, `_` and what is beyond ASCII becomes one `_` (none at the ends), with `_` before a digit at the beginning and after
/// a reserved word.
std::string name_of_source_column(std::string_view source_name);

/// The same for editors: also of a file with mistakes what could be understood, which may be nothing. What depends on a mistake is
/// absent or of the error type; ids may point to what is absent.
hir::Workflow understand(const ast::File& file, const SourceMap& sources, const CheckOptions& options, diag::Sink& sink);

}  // namespace mlp
