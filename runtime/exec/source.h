#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/plan/physical.h"
#include "runtime/fetch/fetch.h"
#include "runtime/io/file_system.h"
#include "runtime/io/source.h"
#include "runtime/store/store.h"

/// The fragments of a table: fixed row ranges of its files, in the order of the files' names; of a synthetic table, ranges of rows.
namespace mlp::exec {

/// How a source is fetched that is not in files.
struct FetchOptions {
  bool may_fetch = true;  ///< false: where somebody would have to be asked, look_at_source gives nothing
  std::string run;        ///< names logs
  const std::atomic<bool>* stop = nullptr;
  const fetch::Given* given = nullptr;  ///< of a table that a function makes of another
  std::uint64_t memory = 0;             ///< bytes that such a function may take
};

/// The files of the table as they stand; what is not in files is fetched first. `hashed` becomes true when something had to be read, because no stamp proves that it did
/// not change. With `may_read` false such files give nothing. Failures: E0901 (no file), E0804 (no table in it), E0808 (other columns than
/// mlp.lock says).
Result<std::optional<io::Table>> look_at_source(const plan::Table& table, const std::string& folder, std::uint64_t fragment_rows,
                                                io::FileSystem& files, store::Store& store, bool may_read, bool& hashed, const FetchOptions& fetching = {});

/// Row ranges of a table that is made by its own expressions.
io::Table synthetic_fragments(std::uint64_t rows, std::uint64_t fragment_rows);

}  // namespace mlp::exec
