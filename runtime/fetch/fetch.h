#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
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

/// Sources whose rows are not in files: databases, servers, programs. They are fetched into files below the store's folder, whole or not
/// at all, and read from there as any other file (io::look, io::read_fragment).
///
/// What is kept of a fetch is by the definition of the source: what it is asked for and the columns that are read, never a secret. A file
/// has the digest of its contents for a name, so that the same rows are the same file.
namespace mlp::fetch {

/// What the function of a stage is given: columns of the table before it.
struct Given {
  std::vector<std::string> names;
  Digest recipe;   ///< how they are computed
  Digest content;  ///< what they hold
  std::function<Result<std::vector<Column>>()> read;
};

struct Context {
  io::FileSystem& files;
  store::Store& store;
  std::string folder;  ///< of the workflow
  std::string run;     ///< names logs; may be empty
  const std::atomic<bool>* stop = nullptr;
  bool may_fetch = true;  ///< false: nobody is asked, nothing is started, nothing is written
  const Given* given = nullptr;  ///< of a stage
  std::uint64_t memory = 0;      ///< bytes that a stage may take; 0: no bound
};

struct File {
  std::string path;
  std::string name;  ///< what messages call it: "shop.db, table orders"
};

struct Fetched {
  std::string form;  ///< native symbol of the source that reads the files
  std::vector<File> files;
  plan::Options options;  ///< how the files are written, where the form leaves a choice
};

/// Whether the source has to be fetched, by its native symbol.
bool is_fetched(std::string_view symbol);
/// Whether only a server knows if its rows are still the same.
bool is_remote(std::string_view symbol);

/// The files of a table that is_fetched, as they should be read now. Nothing where something would have to be asked or fetched and may
/// not be. E0912 (who has the rows cannot be asked, refuses, or broke off), E0913 (a program failed), E0803 (columns that it has not),
/// E0804, E0805, E0901, E0904, E0905, E0906.
Result<std::optional<Fetched>> fetch(const Context& context, const plan::Table& table);

}  // namespace mlp::fetch
