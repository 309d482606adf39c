#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/io/csv.h"

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

inline io::CsvColumn csv_column(std::string name, Type type) {
  io::CsvColumn column;
  column.name = std::move(name);
  column.type = std::move(type);
  return column;
}

/// All fragments of a file, one below the other.
struct WholeRead {
  std::vector<Column> columns;
  std::vector<io::ColumnProfile> profiles;
  io::BadValues bad;
  io::FileScan scan;
};

inline Result<WholeRead> read_all(io::FileSystem& files, const std::string& path,
                                  const std::vector<io::CsvColumn>& columns, const io::CsvOptions& options = {}) {
  WholeRead whole;
  MLP_TRY(whole.scan, io::scan_csv(files, path, options));
  MLP_TRY_VOID(io::bind_columns(whole.scan, columns));
  std::vector<std::vector<Column>> parts(columns.size());
  whole.profiles.resize(columns.size());
  for (const io::Fragment& fragment : whole.scan.fragments) {
    MLP_TRY(const io::ReadOutcome outcome, io::read_fragment(files, whole.scan, fragment, columns, options));
    for (std::size_t i = 0; i < columns.size(); ++i) {
      parts[i].push_back(outcome.batch.columns[i]);
      whole.profiles[i].merge(outcome.profiles[i]);
    }
    whole.bad.append(outcome.bad);
  }
  for (const auto& part : parts) {
    if (!part.empty()) whole.columns.push_back(concatenate(part));
  }
  return whole;
}

/// Reads a file of the columns that is written for this one call.
inline Result<WholeRead> read_text(const std::string& text, const std::vector<io::CsvColumn>& columns,
                                   const io::CsvOptions& options = {}) {
  const TemporaryFolder folder;
  const auto files = io::real_file_system();
  return read_all(*files, folder.write("table.csv", text), columns, options);
}

}  // namespace mlp::testing
