#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/plan/physical.h"
#include "runtime/column/column.h"
#include "runtime/io/file_system.h"
#include "runtime/io/fragments.h"

/// Tables that are files, whatever their form: `look` finds the rows of a file and hashes them, `read_fragment` reads columns of some
/// of them with their part of the contract (plan::ReadColumn). A form of files is a `Form`; what it gives does not depend on how a
/// table is cut into files and fragments.
///
/// A source whose rows are elsewhere (a database, a server) is first fetched into files of the store's folder (runtime/fetch), which are read
/// as any other file; exec::look_at_source does both.
namespace mlp::io {

enum class Encoding : std::uint8_t { utf8, latin1, utf16 };

/// How the files of a table are written, where their form leaves a choice.
struct ReadOptions {
  char delimiter = ',';  ///< of delimited text
  std::string null;      ///< a text that is missing, as an empty one is
  bool trim = false;     ///< blanks and tabs around fields are not part of them
  char decimal = '.';
  std::string zone;  ///< of timestamps without an offset; empty: UTC
  Encoding encoding = Encoding::utf8;  ///< of text
  std::uint64_t fragment_rows = 65536;
  bool of_rows = false;  ///< rows of our own (row_file.h): the empty text is a text, and places are numbers of rows, not lines
};

/// Values that break the contract.
struct BadValues {
  static constexpr std::size_t kShown = 20;
  std::vector<diag::DataPlace> first;              ///< in the order of the file: at most kShown, or Source::most_shown
  std::uint64_t count = 0;                         ///< all of them
  std::map<std::string, std::uint64_t> by_reason;  ///< "`age` is not a whole number" -> how many

  /// The next bad value, in the order of the file. `column` is empty where the row as a whole is bad.
  void add(diag::DataPlace place);
  /// `other` comes later in the table.
  void append(const BadValues& other);
};

struct ReadOutcome {
  Batch batch;                          ///< the columns asked for, in that order; where a value is bad it is missing
  BadValues bad;
  std::vector<std::uint32_t> bad_rows;  ///< rows of the batch with a bad value, ascending
};

struct Source;

/// A form of files. Its functions may be called by several threads at once.
struct Form {
  std::string_view name;  ///< "CSV", for messages
  bool names_in_rows;     ///< each row names its columns: one that a row lacks is missing there
  Result<FileScan> (*look)(const Source& source, const std::string& path);
  Result<ReadOutcome> (*read)(const Source& source, const FileScan& file, const Fragment& fragment, std::span<const plan::ReadColumn> columns);
  /// The types of the columns in the header where the file has types of its own, null for texts; `missing` of them means nothing, error
  /// that the values are of several kinds or of one that no column has.
  Result<std::vector<Type>> (*types)(const Source& source, const FileScan& file);
};

struct SourceState;  ///< source_state.h
std::shared_ptr<SourceState> make_source_state();

/// How the files of one table are read.
struct Source {
  FileSystem* files = nullptr;
  const Form* form = nullptr;
  ReadOptions options;
  std::string scratch;  ///< folder for what is unpacked; empty: the system's for temporary files
  std::string folder;   ///< the beginning of a path that says nothing about rows; partitions (`year=2024/`) come after it
  std::size_t most_shown = BadValues::kShown;  ///< bad values of a fragment, and of a column in it, that are told and not only counted
  bool hashes = true;   ///< false: for rows that are read once and not kept; digests stay empty
  std::vector<std::pair<std::string, std::string>> other_names;  ///< a column's name in files, and another that they may have
  std::vector<std::pair<std::string, std::string>> told_as;      ///< paths of files that were fetched, and what messages call them
  std::shared_ptr<SourceState> state = make_source_state();
};

/// The form of a source, by its native symbol (plan::Table::source); null where it is none of files.
const Form* find_form(std::string_view symbol);
/// The form that the ending of a path names, with or without that of a compression; null where it names none.
const Form* form_of_path(std::string_view path);
/// The path as it is opened: `path`, or below the folder where it is relative.
std::string path_below(const std::string& folder, const std::string& path);
/// From the named values of a source's declaration. E0303, E0308 where one of them is not usable; `table` is for the message.
Result<ReadOptions> read_options(const plan::Options& options, const std::string& table, std::uint64_t fragment_rows);
/// The source of a table of the plan, whose path is relative to `folder`; `told_as` as in Source. E0303, E0308; E0601 where no form reads it.
Result<std::shared_ptr<const Source>> open_source(FileSystem& files, const plan::Table& table, const std::string& folder, std::string scratch,
                                                  std::uint64_t fragment_rows, std::vector<std::pair<std::string, std::string>> told_as = {});

/// Whether the columns can be read at all, whatever the file: formats, patterns, types, zone, marks (E0601, E0308). Reading checks it too.
Result<void> check_columns(const Source& source, std::span<const plan::ReadColumn> columns);

/// Finds the columns and the rows of a file, and hashes them (Source::hashes). E0901, E0804, E0805 when the file changed meanwhile.
Result<FileScan> look(const Source& source, const std::string& path);
/// Whether `look` would find the same in the same bytes.
bool was_made_with(const FileScan& file, const Source& source);

/// Files that have to have the same columns: one after the other, or where rows name their columns, all of them together.
struct NamedColumns {
  std::string files;               ///< path, or the first and the last
  std::vector<std::string> names;  ///< those of partitions last
  char delimiter = 0;
};
std::vector<NamedColumns> columns_by_file(const Table& table);

/// Whether the table has the columns, by name: every file, or where rows name their columns, any. E0803 with all that are missing.
Result<void> check_names(const Table& table, std::span<const plan::ReadColumn> columns);
/// The position in the file of each column, by name. E0803 with all that are missing.
Result<std::vector<std::uint32_t>> bind_columns(const Source& source, const FileScan& file, std::span<const plan::ReadColumn> columns);

/// Reads columns of one fragment of the table. Values that break the contract are in the outcome; a failure is about the file as a
/// whole: E0901, E0803, E0805 when it is no longer the one that was looked at, and what check_columns finds. Thread-safe.
Result<ReadOutcome> read_fragment(const Table& table, std::size_t fragment, std::span<const plan::ReadColumn> columns);

/// What messages call the file at a path.
std::string name_of_file(const Source& source, const std::string& path);
/// E0805.
std::unexpected<diag::Diagnostic> source_changed(const std::string& path);
/// W0802: so many rows of `name` are set aside; there is at least one.
diag::Diagnostic rows_set_aside(std::uint64_t rows, const BadValues& bad, std::string_view name, std::string help);
/// E0801 for the bad values of a whole table, given in the order of its fragments; there is at least one.
diag::Diagnostic contract_failure(std::string_view table, std::span<const BadValues> bad);

}  // namespace mlp::io
