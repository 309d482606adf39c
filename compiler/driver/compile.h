#pragma once

#include <map>
#include <optional>
#include <string>

#include "compiler/diag/diagnostic.h"
#include "compiler/plan/logical.h"
#include "compiler/plan/physical.h"
#include "compiler/sema/check.h"
#include "compiler/sema/hir.h"
#include "compiler/sema/imports.h"
#include "compiler/support/span.h"
#include "compiler/syntax/ast.h"

namespace mlp::driver {

/// Rows of a table or view, as a command names them.
struct AskedRows {
  std::string of;
  std::string where;  ///< a condition in the language; empty: all
  bool if_there = false;  ///< see RowsQuestion
};

struct CompileOptions {
  std::map<std::string, std::string> params;  ///< `--param k=v`
  bool read_environment = true;               ///< MLP_PARAM_name
  bool final_rows = false;                    ///< `--final`
  std::string env;                            ///< `--env`
  std::optional<std::int64_t> as_of_us;       ///< `--as-of`: the logical time of the run, microseconds; else the newest time that is read
  bool read_locks = true;                     ///< false: what `rest from lock` takes is about to be found out, so it is not known
  std::vector<AskedRows> rows;                ///< `mlpc peek`
  SqlTyper type_sql;                          ///< as CheckOptions::type_sql
  double share = 1;                           ///< `--sample`: of the rows that features, and what is shown, are made of
};

enum class Phase : std::uint8_t { ast, hir, logical, physical };

/// What every phase made, as far as it came. A phase does not start when the one before it reported errors.
struct Compiled {
  SourceMap sources;
  diag::Sink sink;
  ast::File file;
  std::vector<Module> modules;                ///< what it imports
  std::optional<hir::Workflow> workflow;
  std::optional<plan::Logical> logical;
  std::optional<plan::Physical> plan;
};

/// Reads the file (E0901 goes to the sink) and puts the phases in sequence, up to and with `last`.
Compiled compile(const std::string& path, const CompileOptions& options, Phase last = Phase::physical);
/// The same for a text that has been read; `path` names it, and what it refers to is relative to its folder.
Compiled compile_text(const std::string& path, std::string text, const CompileOptions& options, Phase last = Phase::physical);

/// The text of a source file: E0901 when it cannot be read, E0109 when it is too large.
Result<std::string> read_source(const std::string& path);

/// The texts of what a text imports, at first and second hand, and of the locks of all of them, by path: what a compiled plan depends
/// on beside the text itself. Finds more rather than less: it looks for lines that begin with `import` and for the word `lock`, without
/// parsing. Files that cannot be read are left out.
std::map<std::string, std::string> texts_beside(const std::string& path, const std::string& text);

using mlp::folder_of;

}  // namespace mlp::driver
