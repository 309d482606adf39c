#include "runtime/exec/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "compiler/support/check.h"
#include "runtime/column/parallel.h"
#include "runtime/exec/lock_fit.h"
#include "runtime/fetch/fetch.h"

namespace mlp::exec {

namespace {

store::FileStamp store_stamp(const io::FileStamp& stamp) { return {stamp.size, stamp.mtime_ns, stamp.ctime_ns, stamp.inode, stamp.device}; }

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The scan kept beside a stamp, if it is of these bytes and these options.
std::optional<io::FileScan> remembered(const std::string& path, const io::FileStamp& now, const io::Source& source, store::Store& store) {
  const auto recorded = store.find_stamp(path);
  if (!recorded || !store::is_unchanged(*recorded, store_stamp(now))) return std::nullopt;
  auto scan = io::decode_file_scan(recorded->bytes);
  if (!scan || !io::was_made_with(*scan, source)) return std::nullopt;
  scan->path = path;
  return std::move(*scan);
}

}  // namespace

Result<std::optional<io::Table>> look_at_source(const plan::Table& table, const std::string& folder, std::uint64_t fragment_rows,
                                                io::FileSystem& files, store::Store& store, bool may_read, bool& hashed, const FetchOptions& fetching) {
  std::vector<std::string> paths;
  std::vector<std::pair<std::string, std::string>> names;
  plan::Table read_as = table;
  const bool is_fetched = fetch::is_fetched(table.source);
  if (is_fetched) {
    MLP_TRY(const auto fetched, fetch::fetch({files, store, folder, fetching.run, fetching.stop, fetching.may_fetch, fetching.given, fetching.memory}, table));
    if (!fetched) return std::optional<io::Table>();
    read_as.source = fetched->form;
    read_as.options = fetched->options;
    read_as.path.clear();
    for (const fetch::File& file : fetched->files) paths.push_back(file.path), names.emplace_back(file.path, file.name);
  } else {
    MLP_TRY(paths, files.list(io::path_below(folder, table.path)));
  }
  MLP_TRY(const std::shared_ptr<const io::Source> source, io::open_source(files, read_as, is_fetched ? store.directory() + "/fetched" : folder, store.directory(), fragment_rows, std::move(names)));
  std::vector<std::optional<io::FileScan>> scans(paths.size());
  std::vector<std::optional<diag::Diagnostic>> failures(paths.size());
  std::vector<std::uint8_t> was_read(paths.size(), 0);
  parallel_for(paths.size(), [&](std::size_t i) {
    const auto stamp = files.stat(paths[i]);
    if (!stamp) {
      failures[i] = stamp.error();
      return;
    }
    scans[i] = remembered(paths[i], *stamp, *source, store);
    if (scans[i] || !may_read) return;
    const std::int64_t began = now_ns();
    auto scan = io::look(*source, paths[i]);
    if (!scan) {
      failures[i] = std::move(scan.error());
      return;
    }
    if (store.mode() == store::Mode::read_write) store.put_stamp(paths[i], {store_stamp(scan->stamp), began, io::encode(*scan)});
    was_read[i] = 1;
    scans[i] = std::move(*scan);
  });
  for (auto& f : failures)
    if (f) return failure(std::move(*f));
  std::vector<io::FileScan> found;
  for (auto& scan : scans) {
    if (!scan) return std::optional<io::Table>();
    found.push_back(std::move(*scan));
  }
  hashed = std::any_of(was_read.begin(), was_read.end(), [](std::uint8_t r) { return r != 0; });
  std::optional joined = io::join_files(source, std::move(found));
  MLP_TRY_VOID(check_columns_of_lock(table, *joined));
  return joined;
}

io::Table synthetic_fragments(std::uint64_t rows, std::uint64_t fragment_rows) {
  io::Table table;
  table.rows = rows;
  fragment_rows = std::max<std::uint64_t>(1, fragment_rows);
  for (std::uint64_t from = 0; from < rows; from += fragment_rows) {
    io::Fragment fragment;
    fragment.rows = std::min(fragment_rows, rows - from);
    fragment.first_row = from;
    fragment.content = Hasher("rows/1").add(from).add(fragment.rows).finish();
    table.fragments.push_back(fragment);
  }
  return table;
}

}  // namespace mlp::exec
