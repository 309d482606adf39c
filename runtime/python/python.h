#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/plan/physical.h"
#include "compiler/support/digest.h"
#include "runtime/column/column.h"
#include "runtime/io/file_system.h"
#include "runtime/store/store.h"

/// Functions of the workflow's own Python files, each call in a process of its own with limits of time and memory. Tables go there and come
/// back as rows (io::RowWriter), so that the standard library of Python is enough; docs/sources.md says what a function gets and gives.
namespace mlp::python {

/// `prep.py:load`
struct Code {
  std::string file;  ///< as it is opened
  std::string function;
  std::string name() const;  ///< for messages: "prep.py:load"
};

/// Of a text that the checker has let pass; the file is relative to `folder`.
Code code_of(std::string_view text, const std::string& folder);

/// The file and the modules beside it that it imports, by their contents: whatever of them is named in the text of another counts as
/// imported. E0901.
Result<Digest> digest_of(const Code& code, io::FileSystem& files);

struct Interpreter {
  std::string program;
  std::string version;  ///< "CPython 3.11.2"
};
/// MLP_PYTHON, or `python3` of the PATH. Its version is remembered by the stamp of the program; nothing where it would have to be started to
/// be asked, and may not be. E0905 where there is none, or one before 3.11.
Result<std::optional<Interpreter>> find_interpreter(io::FileSystem& files, store::Store& store, bool may_start);

struct Limits {
  std::chrono::milliseconds longest{std::chrono::hours(1)};
  std::uint64_t most_memory = std::uint64_t{4000} << 20;  ///< bytes, of each process
};

/// Where and how a call runs.
struct Place {
  Interpreter interpreter;
  std::string folder;  ///< of the workflow, in which it starts
  std::string log;     ///< file for all that it writes
  Limits limits;
  const std::atomic<bool>* stop = nullptr;
};

/// A call of a source: a function that returns a table.
struct SourceCall {
  std::vector<std::string> columns;  ///< that are read; empty: all that come
  std::string as_of;
  std::string token;                 ///< a secret; reaches the function by a pipe, and is taken out of its log
};
/// Calls it and writes the rows that it returns to `output`, the path of a file. E0913 with the last lines of the log; E0803, E0804.
Result<void> call_source(const Place& place, const Code& code, const SourceCall& call, const std::string& output);

/// The stage `| python("prep.py:clean") -> { columns }`: calls the function with a table and writes the `wanted` columns of the one that it
/// returns to `output`. Failures as of call_source.
Result<void> call_stage(const Place& place, const Code& code, std::span<const std::string> names, std::span<const Column> table, const std::vector<std::string>& wanted,
                        const std::string& output);

/// The same with the table in a file; `types` are those of its columns.
Result<void> call_with_table(const Place& place, const Code& code, const std::vector<std::string>& types, const std::vector<std::string>& wanted, const std::string& input,
                             const std::string& output);

/// The variables that a function sees; of ours it gets PATH, HOME and TMPDIR.
std::vector<std::string> environment();

/// The program that stands between: reads what is asked for on its standard input (JSON), calls the function, writes rows and a report.
extern const std::string_view kDriver;

}  // namespace mlp::python
