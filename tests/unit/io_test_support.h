#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "runtime/io/source.h"

namespace mlp::testing {

/// A folder of its own for one test, gone with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "mlp-io-XXXXXX").string();
    path_ = ::mkdtemp(name.data()) ? name : "";
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(*this / name, std::ios::binary) << text;
    return *this / name;
  }

 private:
  std::string path_;
};

inline plan::ReadColumn csv_column(std::string name, Type type) {
  plan::ReadColumn column;
  column.source_name = std::move(name);
  column.type = std::move(type);
  return column;
}

/// All fragments of a file, one below the other.
struct WholeRead {
  std::vector<Column> columns;
  io::BadValues bad;
  io::FileScan scan;
};

/// Fewer than `most` of the pieces, one after the other.
inline std::string random_text(std::mt19937_64& random, std::initializer_list<const char*> pieces, std::size_t most) {
  std::string text;
  for (std::uint64_t n = random() % most; n > 0; --n) text += pieces.begin()[random() % pieces.size()];
  return text;
}

inline std::shared_ptr<const io::Source> csv_source(io::FileSystem& files, const io::ReadOptions& options = {}) {
  return std::make_shared<const io::Source>(io::Source{&files, io::find_form("csv"), options, {}, {}, io::BadValues::kShown, true, {}});
}

inline Result<WholeRead> read_all(io::FileSystem& files, const std::string& path,
                                  const std::vector<plan::ReadColumn>& columns, const io::ReadOptions& options = {}) {
  WholeRead whole;
  const auto source = csv_source(files, options);
  MLP_TRY_VOID(io::check_columns(*source, columns));
  MLP_TRY(whole.scan, io::look(*source, path));
  const io::Table table = io::join_files(source, {whole.scan});
  MLP_TRY_VOID(io::check_names(table, columns));
  std::vector<std::vector<Column>> parts(columns.size());
  for (std::size_t fragment = 0; fragment < table.fragments.size(); ++fragment) {
    MLP_TRY(const io::ReadOutcome outcome, io::read_fragment(table, fragment, columns));
    for (std::size_t i = 0; i < columns.size(); ++i) parts[i].push_back(outcome.batch.columns[i]);
    whole.bad.append(outcome.bad);
  }
  for (const auto& part : parts) {
    if (!part.empty()) whole.columns.push_back(concatenate(part));
  }
  return whole;
}

/// Reads a file of the columns that is written for this one call.
inline Result<WholeRead> read_text(const std::string& text, const std::vector<plan::ReadColumn>& columns,
                                   const io::ReadOptions& options = {}) {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  return read_all(*files, folder.write("table.csv", text), columns, options);
}

}  // namespace mlp::testing
