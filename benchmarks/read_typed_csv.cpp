// Reads the table of typed_csv_table.py into memory with its contract: read_typed_csv read|hash|profile FILE.csv. `read` finds the rows, types
// the values and judges them; `hash` hashes the rows too; `profile` also makes the profile of each column. Prints JSON: seconds, processor seconds, the peak memory until then, and sums to compare the values with those of others.
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <chrono>
#include <climits>
#include <cstdlib>

#include "runtime/column/parallel.h"
#include "runtime/io/source.h"
#include "runtime/learn/column_profile.h"

using namespace mlp;

namespace {

plan::ReadColumn column(const char* name, Type type, std::optional<Interval> range = {}) {
  plan::ReadColumn out;
  out.source_name = name;
  out.type = std::move(type);
  out.range = range;
  return out;
}

std::vector<plan::ReadColumn> contract() {
  const Type whole = Type::of(Base::int_), real = Type::of(Base::float_);
  plan::ReadColumn plan = column("plan", Type::category({"basic", "plus", "pro"})), city = column("city", Type::category({}));
  city.matches = "city-[0-9]{3}";
  return {column("id", whole, Interval{0, 1e9}), column("age", whole, Interval{0, 120}), column("items", whole, Interval{0, 20}),
          column("delta", whole, Interval{-1e6, 1e6}), column("code", whole, Interval{0, 1e9}), column("units", whole, Interval{0, 1e6}),
          column("price", real, Interval{0, 1e4}), column("amount", real, Interval{0, 1e6}), column("lat", real, Interval{-90, 90}),
          column("lon", real, Interval{-180, 180}), column("share", real, Interval{0, 1}), column("score", real, Interval{0, 10}),
          column("rating", Type::of(Base::float_, true), Interval{0, 100}), plan, column("region", Type::category({})), city,
          column("note", Type::of(Base::string)), column("active", Type::of(Base::bool_)), column("day", Type::of(Base::date)), column("at", Type::of(Base::timestamp))};
}

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }
double seconds_since(std::chrono::steady_clock::time_point began) { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); }

template <class T>
T value(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().message);
  std::exit(1);
}

/// Of whole numbers the sum; of floats the sum of the bits of each, modulo 2^64; of texts the sum of their bytes: no order of adding changes it.
std::uint64_t sum_of(const Column& c) {
  std::uint64_t sum = 0;
  for (std::size_t row = 0; row < c.rows; ++row) {
    if (!c.is_known(row)) continue;
    if (c.type.is_text()) for (const char byte : c.text(row)) sum += static_cast<unsigned char>(byte);
    else if (c.type.base == Base::bool_) sum += c.values<std::uint8_t>()[row];
    else sum += c.values<std::uint64_t>()[row];
  }
  return sum;
}

}  // namespace

int main(int, char** argv) {
  mallopt(M_MMAP_THRESHOLD, 1 << 25);  // as mlpc does
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  const std::string_view what = argv[1];
  const std::string path = argv[2];
  const auto files = io::real_file_system();
  const plan::Table table{.name = "orders", .source = "csv", .options = {}, .path = path};
  const auto columns = contract();
  const auto began = std::chrono::steady_clock::now();
  auto opened = *value(io::open_source(*files, table, "", "", 65536));
  opened.hashes = what != "read";
  const auto source = std::make_shared<const io::Source>(std::move(opened));
  std::vector<io::FileScan> scans;
  scans.push_back(value(io::look(*source, path)));
  const io::Table found = io::join_files(source, std::move(scans));
  const double look = seconds_since(began);
  std::vector<io::ReadOutcome> read(found.fragments.size());
  std::vector<std::vector<learn::ColumnProfile>> profiles(read.size());
  parallel_for(read.size(), [&](std::size_t f) {
    read[f] = value(io::read_fragment(found, f, columns));
    if (what == "profile")
      for (const Column& c : read[f].batch.columns) profiles[f].push_back(learn::profile_of(c));
  });
  const double all = seconds_since(began);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);

  std::string sums;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    std::uint64_t sum = 0, missing = 0;
    for (const io::ReadOutcome& part : read) {
      if (part.bad.count) return fmt::print(stderr, "{}\n", part.bad.first[0].reason), 1;
      sum += sum_of(part.batch.columns[c]);
      missing += part.batch.columns[c].count_missing();
    }
    sums += fmt::format("{}\"{}\":[{},{}]", c ? "," : "", columns[c].source_name, sum, missing);
  }
  fmt::print("{{\"look\":{:.4f},\"read\":{:.4f},\"seconds\":{:.4f},\"cpu\":{:.4f},\"peak\":{:.0f},\"rows\":{},\"sums\":{{{}}}}}\n", look, all - look, all, seconds(usage.ru_utime) + seconds(usage.ru_stime), static_cast<double>(usage.ru_maxrss) / 1024, found.rows, sums);
}
