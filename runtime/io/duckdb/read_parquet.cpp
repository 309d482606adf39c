#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "compiler/support/check.h"
#include "runtime/column/parallel.h"
#include "runtime/io/contract_column.h"
#include "runtime/io/duckdb/database.h"
#include "runtime/io/duckdb/parquet_functions.h"
#include "runtime/io/field_text.h"
#include "runtime/io/source_state.h"
#include "runtime/io/typed_values.h"

namespace mlp::io::duck {

namespace {

constexpr std::size_t kHashedAtOnce = std::size_t{1} << 22;

std::unexpected<diag::Diagnostic> no_parquet(const std::string& path) {
  return failure(diag::Code::E0804, fmt::format("`{}` cannot be read as a Parquet file", path), "write it anew; a file of another form needs the source of that form");
}

/// Of a statement that went wrong.
std::unexpected<diag::Diagnostic> failed(duckdb_result& result, const std::string& path) {
  return duckdb_result_error_type(&result) == DUCKDB_ERROR_OUT_OF_MEMORY ? no_memory() : no_parquet(path);
}

/// The database that the source's files are read with.
Result<std::shared_ptr<Database>> database_of(const Source& source) {
  const std::lock_guard lock(source.state->mutex);
  if (!source.state->database) {
    auto database = std::make_shared<Database>();
    if (!database->open()) return no_memory();
    source.state->database = std::move(database);
  }
  return std::static_pointer_cast<Database>(source.state->database);
}

/// The file that is read, held open: DuckDB gets its descriptor, so it is the one that was looked at, and no sign in its name means anything.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool has(const FileStamp& stamp) const {
    struct ::stat s;
    if (fd_ < 0 || ::fstat(fd_, &s) != 0) return false;
    const auto ns = [](const timespec& t) { return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec; };
    return stamp == FileStamp{static_cast<std::uint64_t>(s.st_size), ns(s.st_mtim), ns(s.st_ctim), s.st_ino, s.st_dev};
  }
  std::string from(std::string_view options = "") const {
    return fmt::format(" FROM read_parquet('/proc/self/fd/{}', hive_partitioning = false{})", fd_, options);
  }
  std::string row_groups() const {
    return fmt::format("SELECT row_group_id, max(row_group_num_rows) FROM parquet_metadata('/proc/self/fd/{}') GROUP BY 1 ORDER BY 1", fd_);
  }

 private:
  int fd_;
};

/// Of all bytes: pieces are hashed side by side.
Result<Digest> hash_file(File& file, const FileStamp& stamp, const std::string& path) {
  const std::size_t pieces = (stamp.size + kHashedAtOnce - 1) / kHashedAtOnce;
  std::vector<Digest> digests(pieces);
  std::vector<std::optional<diag::Diagnostic>> failures(pieces);
  parallel_for(pieces, [&](std::size_t i) {
    const std::uint64_t begin = i * kHashedAtOnce;
    std::string bytes(std::min<std::uint64_t>(kHashedAtOnce, stamp.size - begin), '\0');
    const auto got = file.read_at(begin, bytes);
    if (!got || *got != bytes.size()) failures[i] = got ? source_changed(path).error() : got.error();
    else digests[i] = Hasher("piece/1").add(bytes).finish();
  });
  for (auto& one : failures)
    if (one) return failure(std::move(*one));
  Hasher whole("parquet file/1");
  for (const Digest& digest : digests) whole.add(digest);
  return whole.finish();
}

using Kind = ValueKind;

Kind kind_of(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_SQLNULL: return Kind::nothing;
    case DUCKDB_TYPE_BOOLEAN: return Kind::truth;
    case DUCKDB_TYPE_TINYINT: case DUCKDB_TYPE_SMALLINT: case DUCKDB_TYPE_INTEGER: case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT: case DUCKDB_TYPE_USMALLINT: case DUCKDB_TYPE_UINTEGER: return Kind::whole;
    case DUCKDB_TYPE_UBIGINT: case DUCKDB_TYPE_HUGEINT: case DUCKDB_TYPE_UHUGEINT: return Kind::large;
    case DUCKDB_TYPE_FLOAT: case DUCKDB_TYPE_DOUBLE: return Kind::real;
    case DUCKDB_TYPE_DECIMAL: return Kind::decimal;
    case DUCKDB_TYPE_VARCHAR: case DUCKDB_TYPE_ENUM: case DUCKDB_TYPE_UUID: return Kind::text;
    case DUCKDB_TYPE_DATE: return Kind::day;
    case DUCKDB_TYPE_TIMESTAMP: case DUCKDB_TYPE_TIMESTAMP_S: case DUCKDB_TYPE_TIMESTAMP_MS: case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ: return Kind::moment;
    default: return Kind::none;
  }
}

/// What is asked of the column, so that few types come back.
std::string expression_for(const std::string& name, Kind kind) {
  const std::string column = quoted(name, '"');
  if (kind == Kind::whole) return column + "::BIGINT";
  if (kind == Kind::real) return column + "::DOUBLE";
  if (kind == Kind::text || kind == Kind::large) return column + "::VARCHAR";
  return column;
}

std::string_view text_at(const void* data, idx_t row) {
  auto* const text = static_cast<duckdb_string_t*>(const_cast<void*>(data)) + row;
  return {duckdb_string_t_data(text), duckdb_string_t_length(*text)};
}

void add_large(ContractColumn& column, Base base, std::string_view digits) {
  const auto whole = parse_int(digits);
  if (base == Base::float_) column.add(*parse_float(digits));
  else if (whole) column.add(*whole);
  else column.add_bad(digits, "does not fit into 64 bits");
}

void add_moment(ContractColumn& column, duckdb_type type, std::int64_t value) {
  std::int64_t microseconds = value;
  const bool too_far = (type == DUCKDB_TYPE_TIMESTAMP_S && __builtin_mul_overflow(value, 1'000'000, &microseconds)) ||
                       (type == DUCKDB_TYPE_TIMESTAMP_MS && __builtin_mul_overflow(value, 1'000, &microseconds));
  if (too_far) return column.add_bad("", "outside of the years 1 to 9999");
  if (type == DUCKDB_TYPE_TIMESTAMP_NS) {
    if (value % 1000 != 0) return column.add_bad(fmt::format("{} ns", value), "has nanoseconds, and a timestamp is exact to the microsecond");
    microseconds = value / 1000;
  }
  column.add_timestamp(microseconds);
}

/// The values of one vector; `asked` is the column's contract, `kind` what the file has.
void add_vector(ContractColumn& column, const plan::ReadColumn& asked, Kind kind, duckdb_vector vector, idx_t rows) {
  const std::uint64_t* const known = duckdb_vector_get_validity(vector);
  const void* const data = duckdb_vector_get_data(vector);
  duckdb_logical_type logical = duckdb_vector_get_column_type(vector);
  const duckdb_type type = duckdb_get_type_id(logical);
  const Base base = asked.type.base;
  const auto each = [&](auto add) {
    for (idx_t i = 0; i < rows; ++i) {
      if (known && !(known[i / 64] >> (i % 64) & 1)) column.add_missing();
      else add(i);
    }
  };
  switch (kind) {
    case Kind::none:
    case Kind::nothing: each([&](idx_t) { column.add_missing(); }); break;
    case Kind::truth: each([&](idx_t i) { column.add(static_cast<const bool*>(data)[i]); }); break;
    case Kind::whole: each([&](idx_t i) { column.add(static_cast<const std::int64_t*>(data)[i]); }); break;
    case Kind::real:
      each([&](idx_t i) {
        const double value = static_cast<const double*>(data)[i];
        if (std::isnan(value)) column.add_missing();
        else column.add(value);
      });
      break;
    case Kind::decimal: {
      const unsigned scale = duckdb_decimal_scale(logical);
      switch (duckdb_decimal_internal_type(logical)) {
        case DUCKDB_TYPE_SMALLINT: each([&](idx_t i) { add_decimal(column, base, static_cast<const std::int16_t*>(data)[i], scale); }); break;
        case DUCKDB_TYPE_INTEGER: each([&](idx_t i) { add_decimal(column, base, static_cast<const std::int32_t*>(data)[i], scale); }); break;
        case DUCKDB_TYPE_BIGINT: each([&](idx_t i) { add_decimal(column, base, static_cast<const std::int64_t*>(data)[i], scale); }); break;
        default:
          each([&](idx_t i) {
            const duckdb_hugeint value = static_cast<const duckdb_hugeint*>(data)[i];
            add_decimal(column, base, static_cast<__int128>(value.upper) << 64 | value.lower, scale);
          });
      }
      break;
    }
    case Kind::large: each([&](idx_t i) { add_large(column, base, text_at(data, i)); }); break;
    case Kind::text: each([&](idx_t i) { column.add(text_at(data, i)); }); break;
    case Kind::day: each([&](idx_t i) { column.add_date(static_cast<const std::int32_t*>(data)[i]); }); break;
    case Kind::duration: MLP_CHECK(false && "kind_of gives none"); break;
    case Kind::moment: each([&](idx_t i) { add_moment(column, type, static_cast<const std::int64_t*>(data)[i]); }); break;
  }
  duckdb_destroy_logical_type(&logical);
}

bool any_known(duckdb_vector vector, idx_t rows) {
  const std::uint64_t* const known = duckdb_vector_get_validity(vector);
  for (idx_t i = 0; i < rows; ++i)
    if (!known || known[i / 64] >> (i % 64) & 1) return true;
  return false;
}

/// A statement that gives its rows chunk by chunk.
struct Stream {
  duckdb_prepared_statement statement = nullptr;
  duckdb_result result{};
  duckdb_data_chunk chunk = nullptr;
  bool ok = false;
  Stream(const Connection& connection, const std::string& sql) {
    ok = duckdb_prepare(connection.connection, sql.c_str(), &statement) == DuckDBSuccess &&
         duckdb_execute_prepared_streaming(statement, &result) == DuckDBSuccess;
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    if (chunk) duckdb_destroy_data_chunk(&chunk);
    duckdb_destroy_result(&result);
    if (statement) duckdb_destroy_prepare(&statement);
  }
  bool next() {
    if (chunk) duckdb_destroy_data_chunk(&chunk);
    chunk = duckdb_fetch_chunk(result);
    if (!chunk) {
      const char* const error = duckdb_result_error(&result);
      ok = !error || !*error;
    }
    return chunk != nullptr;
  }
};

}  // namespace

Result<FileScan> look(const Source& source, const std::string& path) {
  FileScan scan;
  scan.path = path;
  MLP_TRY(const std::unique_ptr<File> bytes, source.files->open(path));
  MLP_TRY(scan.stamp, bytes->stamp());
  const OpenFile file(path);
  if (!file.has(scan.stamp)) return source_changed(path);
  MLP_TRY(const std::shared_ptr<Database> database, database_of(source));
  const Connection connection(*database);
  Answer names(connection, "SELECT *" + file.from() + " LIMIT 0");
  if (!names.ok) return failed(names.result, path);
  for (idx_t c = 0; c < duckdb_column_count(&names.result); ++c) scan.header.emplace_back(duckdb_column_name(&names.result, c));
  Answer groups(connection, file.row_groups());
  if (!groups.ok) return failed(groups.result, path);
  if (source.hashes) {
    MLP_TRY(scan.content, hash_file(*bytes, scan.stamp, path));
  }
  for (idx_t group = 0; group < duckdb_row_count(&groups.result); ++group) {
    const auto end = scan.rows + static_cast<std::uint64_t>(duckdb_value_int64(&groups.result, 1, group));
    while (scan.rows < end) {
      Fragment& fragment = scan.fragments.emplace_back();
      fragment.begin = fragment.first_row = scan.rows;
      fragment.end = std::min(end, scan.rows + source.options.fragment_rows);
      fragment.rows = fragment.end - fragment.begin;
      fragment.first_line = fragment.begin + 1;
      fragment.content = Hasher("parquet fragment/1").add(scan.content).add(fragment.begin).add(fragment.end).finish();
      scan.rows = fragment.end;
    }
  }
  if (!file.has(scan.stamp)) return source_changed(path);
  return scan;
}

Result<std::vector<Type>> types(const Source& source, const FileScan& scan) {
  const OpenFile file(scan.path);
  if (!file.has(scan.stamp)) return source_changed(scan.path);
  MLP_TRY(const std::shared_ptr<Database> database, database_of(source));
  const Connection connection(*database);
  Answer columns(connection, "SELECT *" + file.from() + " LIMIT 0");
  if (!columns.ok) return failed(columns.result, scan.path);
  std::vector<Type> types;
  for (idx_t c = 0; c < duckdb_column_count(&columns.result); ++c) {
    duckdb_logical_type logical = duckdb_column_logical_type(&columns.result, c);
    switch (kind_of(duckdb_get_type_id(logical))) {
      case Kind::none: types.push_back(Type::error()); break;
      case Kind::truth: types.push_back(Type::of(Base::bool_)); break;
      case Kind::whole: case Kind::large: types.push_back(Type::of(Base::int_)); break;
      case Kind::real: types.push_back(Type::of(Base::float_)); break;
      case Kind::decimal: types.push_back(Type::of(duckdb_decimal_scale(logical) == 0 ? Base::int_ : Base::float_)); break;
      case Kind::nothing: case Kind::text: types.push_back(Type::of(Base::string)); break;
      case Kind::day: types.push_back(Type::of(Base::date)); break;
      case Kind::moment: types.push_back(Type::of(Base::timestamp)); break;
      case Kind::duration: types.push_back(Type::of(Base::duration)); break;
    }
    duckdb_destroy_logical_type(&logical);
  }
  return types;
}

Result<ReadOutcome> read(const Source& source, const FileScan& scan, const Fragment& fragment, std::span<const plan::ReadColumn> columns) {
  MLP_TRY(const std::vector<FieldReader> fields, make_field_readers(columns, source.options));
  MLP_TRY(const std::vector<std::uint32_t> positions, bind_columns(source, scan, columns));
  std::vector<ContractColumn> readers;
  for (const FieldReader& field : fields) readers.emplace_back(field, fragment.rows, source.most_shown);
  const OpenFile file(scan.path);
  if (!file.has(scan.stamp)) return source_changed(scan.path);

  if (!columns.empty()) {
    MLP_TRY(const std::shared_ptr<Database> database, database_of(source));
    const Connection connection(*database);
    std::vector<Kind> kinds;
    std::string asked, wanted;
    for (const std::uint32_t position : positions) asked += (asked.empty() ? "SELECT " : ", ") + quoted(scan.header[position], '"');
    {
      Answer types(connection, asked + file.from() + " LIMIT 0");
      if (!types.ok) return failed(types.result, scan.path);
      for (std::size_t c = 0; c < columns.size(); ++c) {
        kinds.push_back(kind_of(duckdb_column_type(&types.result, c)));
        if (kinds.back() == Kind::none)
          return no_single_values(scan.path, columns[c]);
        wanted += (wanted.empty() ? "SELECT " : ", ") + expression_for(scan.header[positions[c]], kinds.back());
      }
    }
    std::string sql = wanted;
    if (fragment.rows == scan.rows) sql += file.from();
    else if (std::ranges::find(scan.header, "file_row_number") != scan.header.end()) sql += fmt::format("{} LIMIT {} OFFSET {}", file.from(), fragment.rows, fragment.begin);
    else sql += fmt::format("{} WHERE file_row_number >= {} AND file_row_number < {}", file.from(", file_row_number = true"), fragment.begin, fragment.end);
    Stream stream(connection, sql);
    if (!stream.ok) return failed(stream.result, scan.path);
    while (stream.next()) {
      const idx_t rows = duckdb_data_chunk_get_size(stream.chunk);
      if (readers[0].rows() + rows > fragment.rows) return source_changed(scan.path);
      for (std::size_t c = 0; c < readers.size(); ++c) {
        const duckdb_vector vector = duckdb_data_chunk_get_vector(stream.chunk, c);
        if (!fits(kinds[c], columns[c]) && any_known(vector, rows)) return other_kind(scan.path, columns[c], kinds[c]);
        add_vector(readers[c], columns[c], fits(kinds[c], columns[c]) ? kinds[c] : Kind::nothing, vector, rows);
      }
    }
    if (!stream.ok) return failed(stream.result, scan.path);
    if (readers[0].rows() != fragment.rows || !file.has(scan.stamp)) return source_changed(scan.path);
  }
  return collect(readers, {}, scan.path, fragment, source.most_shown, [&](std::uint32_t row) { return fragment.begin + row + 1; });
}

}  // namespace mlp::io::duck
