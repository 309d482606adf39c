#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/types/schema.h"

/// `mlp.lock`: the types of the columns that `rest from lock` takes. It stands beside the workflow, is written by `mlpc lock`, and is
/// committed and reviewed like code: JSON with one column a line, without a checksum, so that lines can be merged.
namespace mlp {

struct LockedTable {
  std::string file;          ///< name of the file that declares the table, in the folder of the lock
  std::string name;          ///< of the table, as that file writes it
  std::string source, path;  ///< where the types were found, for people: "csv", "people_*.csv"
  Schema columns;
};

struct Lock {
  static constexpr int kFormatVersion = 1;
  std::vector<LockedTable> tables;  ///< sorted by file and name

  const LockedTable* find(std::string_view file, std::string_view name) const;
};

/// Path of the lock for the tables that a file declares: `mlp.lock` in its folder.
std::string lock_path(std::string_view file);

/// The lock at the path; nullopt where there is no file. E0213 for what is no lock, E0909 for the lock of another version, E0901.
Result<std::optional<Lock>> read_lock(const std::string& path);

std::string encode(const Lock& lock);
/// `path` is for messages. E0213, E0909.
Result<Lock> decode_lock(std::string_view text, const std::string& path);

}  // namespace mlp
