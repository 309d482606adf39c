#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/types/type.h"
#include "runtime/column/column.h"
#include "runtime/io/source.h"
#include "runtime/io/file_system.h"
#include "runtime/scorer/scorer.h"

/// Files of rows as a scorer asks for them: to be scored, to be compared with what the model was fitted on.
namespace mlp::batch {

/// Some rows of a file, one after the other.
struct RowBlock {
  std::vector<Column> request;  ///< in the order of Schema::request; where a value is bad it is missing
  std::size_t rows = 0;
  std::uint64_t first_row = 0;  ///< from 0
  io::BadValues bad;
  std::vector<std::uint32_t> bad_rows;  ///< rows of the block that break the contract of a column, ascending
  std::function<Value(std::size_t key, std::size_t row)> key;  ///< of the key columns that the file has
};

/// Told once, before any row: the names of the key columns that the file has; none where it lacks one of them.
using TakeKeys = std::function<void(std::vector<std::string> names)>;
/// Works on a block, in any thread. What it returns is called in the order of the file, one at a time.
using BlockWork = std::function<Result<std::function<void()>>(RowBlock&&)>;

/// Reads every row of a file whose ending names its form (io::form_of_path). Its columns are named as in the table's files, or as in the
/// workflow; others are passed over. A fragment is a block. E0901, E0803, E0804, E0805, E0801, E0308, E0601 for another form, and the failures
/// of `work`.
Result<void> read_rows(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input, std::uint64_t fragment_rows,
                       const TakeKeys& keys, const BlockWork& work);

/// E0601: the ending of the path names no form that can be `verb`: "read", "written".
std::unexpected<diag::Diagnostic> other_form(const std::string& path, const char* verb, const char* help);

}  // namespace mlp::batch
