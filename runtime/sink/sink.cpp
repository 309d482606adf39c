#include "runtime/sink/sink.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "compiler/support/check.h"
#include "runtime/column/byte_reader.h"
#include "runtime/io/csv_records.h"
#include "runtime/io/parquet.h"
#include "runtime/io/source.h"
#include "runtime/io/value_text.h"
#include "runtime/store/catalog.h"

namespace mlp::sink {

namespace {

constexpr std::uint32_t kVersion = 1;

std::string encode(const Receipt& receipt) {
  ByteWriter out;
  out.put(kVersion);
  for (const std::string& text : {receipt.what.hex(), receipt.at, receipt.left}) {
    out.put<std::uint64_t>(text.size());
    out.raw(text.data(), text.size());
  }
  for (const std::uint64_t count : {receipt.rows, receipt.written, receipt.set_aside, receipt.outside, receipt.undefined}) out.put(count);
  return out.finish();
}

std::optional<Receipt> decode(std::string_view bytes) {
  ByteReader in{bytes};
  if (!in.check_sum() || in.take<std::uint32_t>() != kVersion) return std::nullopt;
  Receipt receipt;
  std::string what;
  for (std::string* text : {&what, &receipt.at, &receipt.left}) *text = in.raw(in.take<std::uint64_t>());
  for (std::uint64_t* count : {&receipt.rows, &receipt.written, &receipt.set_aside, &receipt.outside, &receipt.undefined}) *count = in.take<std::uint64_t>();
  const auto digest = Digest::parse(what);
  if (!in.good || in.left() != 0 || !digest) return std::nullopt;
  receipt.what = *digest;
  return receipt;
}

/// By what a receipt is found: the sink as it is declared, and whose it is. A secret is known by where it is kept.
std::string receipt_name(const std::string& deployment, const Target& target) {
  std::error_code ignored;
  Hasher hasher("sink/1");
  hasher.add(deployment).add(target.native).add(std::filesystem::absolute(target.folder, ignored).lexically_normal().string());
  for (const auto& [name, value] : target.options) hasher.add(name).add(to_string(value));
  for (const std::string& key : target.key) hasher.add(key);
  return "sink:" + hasher.finish().hex();
}

std::int64_t now_ns() { return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }
store::FileStamp store_stamp(const io::FileStamp& s) { return {s.size, s.mtime_ns, s.ctime_ns, s.inode, s.device}; }

/// Digest of the bytes of a file, and its stamp while they were read. Nothing where there is no such file, or SQLite keeps a part elsewhere.
std::optional<std::pair<io::FileStamp, std::string>> left_in_file(io::FileSystem& files, const std::string& path) {
  if (const auto log = files.stat(path + "-wal"); log && log->size > 0) return std::nullopt;
  const auto file = files.open(path);
  const auto stamp = file ? (*file)->stamp() : Result<io::FileStamp>(failure(file.error()));
  if (!stamp) return std::nullopt;
  Hasher hasher;
  std::string buffer(std::size_t{1} << 20, '\0');
  for (std::uint64_t at = 0;;) {
    const auto got = (*file)->read_at(at, buffer);
    if (!got) return std::nullopt;
    if (*got == 0) return std::pair(*stamp, hasher.finish().hex());
    hasher.raw(buffer.data(), *got);
    at += *got;
  }
}

bool is_file(const Target& target) { return target.native == "csv" || target.native == "parquet"; }

std::string csv_of(const Target& target, const Rows& rows) {
  const std::string delimiter = text_option(target.options, "delimiter");
  // Quoted for a comma is quoted for any delimiter, save that the delimiter itself needs it.
  const auto field = [&](const std::string& text) {
    const std::string quoted = io::csv_field(text);
    return quoted == text && text.find(delimiter) != std::string::npos ? '"' + text + '"' : quoted;
  };
  std::string out;
  for (const std::string& name : target.key) out += field(name) + delimiter;
  out += std::string(kPrediction) + "\n";
  for (std::size_t row = 0; row < rows.predictions.size(); ++row) {
    for (const Column& column : rows.key) out += field(io::value_text(column, row)) + delimiter;
    // The shortest text that reads back as the same double.
    out += fmt::format("{}\n", rows.predictions[row]);
  }
  return out;
}

Result<std::string> parquet_of(const Target& target, const Rows& rows) {
  std::vector<io::ParquetOutput> columns;
  for (std::size_t k = 0; k < rows.key.size(); ++k) {
    io::ParquetOutput& column = columns.emplace_back(io::ParquetOutput{target.key[k], rows.key[k].type.is_text() ? Base::string : rows.key[k].type.base, {}});
    for (std::size_t row = 0; row < rows.predictions.size(); ++row) column.values.push_back(value_at(rows.key[k], row));
  }
  columns.push_back({kPrediction, Base::float_, {rows.predictions.begin(), rows.predictions.end()}});
  return io::write_parquet(columns);
}

}  // namespace

std::string text_option(const plan::Options& options, std::string_view name) {
  for (const auto& [option, value] : options)
    if (option == name) return std::get<std::string>(value);
  return {};
}

std::string path_of(const Target& target) {
  const std::string path = text_option(target.options, "path");
  return path.empty() ? path : io::path_below(target.folder, path);
}

std::string name_of(const Target& target) {
  const std::string path = path_of(target), table = text_option(target.options, "table");
  return (path.empty() ? "PostgreSQL" : path) + (table.empty() ? "" : ", table " + table);
}

Result<std::optional<Receipt>> find_receipt(const Context& context, const std::string& deployment, const Target& target, const Digest& what) {
  const auto kept = context.store.find_stamp(receipt_name(deployment, target));
  auto receipt = kept ? decode(kept->bytes) : std::nullopt;
  if (!receipt || receipt->what != what) return std::nullopt;
  const std::string path = path_of(target);
  if (path.empty()) {
    MLP_TRY(const std::string now, state_of_postgres(context, target));
    return now == receipt->left ? receipt : std::nullopt;
  }
  // As with sources: a file whose times prove nothing is read.
  const auto stamp = context.files.stat(path);
  if (!stamp || stamp->size != kept->stamp.size) return std::nullopt;
  if (const auto log = context.files.stat(path + "-wal"); log && log->size > 0) return std::nullopt;
  if (store::is_unchanged(*kept, store_stamp(*stamp))) return receipt;
  const auto left = left_in_file(context.files, path);
  if (!left || left->second != receipt->left) return std::nullopt;
  if (context.store.mode() == store::Mode::read_write) context.store.put_stamp(receipt_name(deployment, target), {store_stamp(left->first), now_ns(), kept->bytes});
  return receipt;
}

Result<void> write(const Context& context, const std::string& deployment, const Target& target, const Rows& rows, Receipt receipt) {
  const std::string path = path_of(target);
  if (is_file(target)) {
    std::string bytes;
    if (target.native == "csv") {
      bytes = csv_of(target, rows);
    } else {
      MLP_TRY(bytes, parquet_of(target, rows));
    }
    MLP_TRY_VOID(context.files.write_atomically(path, bytes));
  } else if (target.native == "sqlite") {
    MLP_TRY_VOID(write_sqlite(context, target, rows));
  } else {
    MLP_CHECK(target.native == "postgres");
    MLP_TRY(receipt.left, write_postgres(context, target, rows));
  }
  receipt.at = store::utc_now();
  store::SourceStamp stamp{{}, now_ns(), {}};
  if (!path.empty()) {
    // Without it the next run writes again, which changes nothing.
    const auto left = left_in_file(context.files, path);
    if (!left) return {};
    stamp.stamp = store_stamp(left->first);
    receipt.left = left->second;
  }
  stamp.bytes = encode(receipt);
  context.store.put_stamp(receipt_name(deployment, target), std::move(stamp));
  MLP_TRY_VOID(context.store.commit());
  return {};
}

Result<void> check_fit(const Target& target, const std::vector<TableColumn>& columns, const std::vector<std::vector<std::string>>& unique) {
  std::vector<std::string> wrong;
  std::vector<std::string> wanted = target.key;
  wanted.emplace_back(kPrediction);
  for (const std::string& name : wanted) {
    const auto found = std::ranges::find(columns, name, &TableColumn::name);
    if (found == columns.end()) wrong.push_back(fmt::format("it has no column `{}`", name));
    else if (!found->fits) wrong.push_back(fmt::format("`{}` is {}, and {} is written", name, found->type.empty() ? "of no type" : found->type, found->expected));
  }
  for (const TableColumn& column : columns)
    if (column.needed && std::ranges::find(wanted, column.name) == wanted.end()) wrong.push_back(fmt::format("its column `{}` needs a value, and none is written", column.name));
  std::vector<std::string> key = target.key;
  std::ranges::sort(key);
  const bool has_key = std::ranges::any_of(unique, [&](std::vector<std::string> names) {
    std::ranges::sort(names);
    return names == key;
  });
  if (!has_key && wrong.empty()) {
    std::vector<std::string> keys;
    for (const auto& names : unique) keys.push_back(fmt::format("({})", fmt::join(names, ", ")));
    wrong.push_back(fmt::format("`key {}` is no primary or unique key of it{}", fmt::join(target.key, ", "), keys.empty() ? ", and it has none" : fmt::format("; it has {}", fmt::join(keys, ", "))));
  }
  if (wrong.empty()) return {};
  diag::Diagnostic d = diag::make(diag::Code::E0914, {}, fmt::format("the table of {} is not one for these rows: {}", name_of(target), wrong.front()));
  for (std::size_t i = 1; i < wrong.size(); ++i) d.notes.push_back(wrong[i]);
  d.help = "name another table: one that is not there is made";
  return failure(std::move(d));
}

}  // namespace mlp::sink
