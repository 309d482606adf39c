#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/plan/physical.h"
#include "compiler/support/digest.h"
#include "runtime/column/column.h"
#include "runtime/io/file_system.h"
#include "runtime/store/store.h"

/// Where a batch goes: files, tables of databases. All rows are there afterwards or none; what was there before stays then.
namespace mlp::sink {

struct Context {
  io::FileSystem& files;
  store::Store& store;
  const std::atomic<bool>* stop = nullptr;
};

/// A sink as the workflow declares it.
struct Target {
  std::string native;            ///< symbol of the sink's signature
  plan::Options options;
  std::string folder;            ///< of the workflow; a path is relative to it
  std::vector<std::string> key;  ///< names of the columns of the key
};

/// What is written: the columns of the key, in the order of Target::key and each value known, and `prediction`.
struct Rows {
  std::vector<Column> key;
  std::vector<double> predictions;
};

/// What was written at last, and what shows that it is still there. Kept in the store, one for each sink of a deployment.
struct Receipt {
  Digest what;  ///< version and contents that were scored
  std::string at;
  std::uint64_t rows = 0, written = 0, set_aside = 0, outside = 0, undefined = 0;
  std::string left;  ///< the state in which the sink was left, in its own words
};

/// "scores.parquet", "plan.db, table plan", "PostgreSQL, table plan".
std::string name_of(const Target& target);
/// The path of a file, or of a database in a file; else empty.
std::string path_of(const Target& target);
std::string text_option(const plan::Options& options, std::string_view name);

/// The receipt of `what`, if that was the last that `deployment` wrote there and it is still there as it was left. Failures are those of
/// a database that has to be asked: E0914, E0912, E0901, E0905.
Result<std::optional<Receipt>> find_receipt(const Context& context, const std::string& deployment, const Target& target, const Digest& what);
/// Writes the rows, all or none, then the receipt; twice is once. E0904 (the disk, permissions), E0914 (a database that does not take them),
/// E0906, and of secrets E0912 and E0901.
Result<void> write(const Context& context, const std::string& deployment, const Target& target, const Rows& rows, Receipt receipt);

// ---- one each, of this room only: the state in which the sink was left --------------------------------------------------------
Result<void> write_sqlite(const Context& context, const Target& target, const Rows& rows);
Result<std::string> write_postgres(const Context& context, const Target& target, const Rows& rows);
Result<std::string> state_of_postgres(const Context& context, const Target& target);

/// What a column of a table that is there is like, for both databases.
struct TableColumn {
  std::string name, type;
  bool fits = true;      ///< may hold what would be written into it
  bool needed = false;   ///< a row cannot be added without a value for it
  std::string expected;  ///< what would fit
};
/// E0914 where the table is not one that the rows can go into: it names every difference. `unique`: column names of its unique keys.
Result<void> check_fit(const Target& target, const std::vector<TableColumn>& columns, const std::vector<std::vector<std::string>>& unique);

inline constexpr const char* kPrediction = "prediction";

}  // namespace mlp::sink
