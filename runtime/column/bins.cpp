#include "runtime/column/bins.h"

#include <fmt/format.h>

#include "compiler/support/check.h"
#include "runtime/column/byte_reader.h"

namespace mlp {

namespace {

constexpr std::string_view kMagic = "MLPBINS\n";
constexpr std::uint32_t kVersion = 1;

std::unexpected<diag::Diagnostic> damaged(std::string_view what) {
  return failure(diag::Code::E0903, fmt::format("a column in the store is damaged: {}", what),
                 "`mlpc cache verify` finds damaged objects; a run makes them anew");
}

}  // namespace

std::string encode(const BinnedColumn& column) {
  MLP_CHECK(column.runs > 0 && column.bins.size() == column.rows * column.runs);
  ByteWriter out;
  out.bytes.reserve(64 + column.bins.size());
  out.raw(kMagic.data(), kMagic.size());
  out.put(kVersion);
  out.put<std::uint32_t>(0);
  out.put<std::uint64_t>(column.rows);
  out.put<std::uint64_t>(column.runs);
  out.padded(column.bins.data(), column.bins.size());
  return out.finish();
}

Result<BinnedColumn> decode_binned_column(std::string_view bytes) {
  ByteReader in{bytes};
  if (in.raw(kMagic.size()) != kMagic) return damaged("it does not begin like one");
  const auto version = in.take<std::uint32_t>();
  if (!in.good) return damaged("it is cut off");
  if (version != kVersion) {
    return failure(diag::Code::E0909,
                   fmt::format("a column in the store has format {}; this mlpc reads format {}", version, kVersion),
                   "run with a store of its own (`--store DIR`), or with the mlpc that wrote it");
  }
  if (!in.check_sum()) return damaged("its checksum does not fit");
  BinnedColumn column;
  const auto zero = in.take<std::uint32_t>();
  column.rows = in.take<std::uint64_t>();
  column.runs = in.take<std::uint64_t>();
  if (!in.good || zero != 0 || column.runs == 0) return damaged("its sizes");
  if (column.rows > 0 && column.runs > in.left() / column.rows) return damaged("its sizes");
  const std::string_view bins = in.padded(column.rows * column.runs);
  if (!in.good || in.left() != 0) return damaged("its sizes");
  column.bins = Buffer::copy(bins.data(), bins.size());
  return column;
}

}  // namespace mlp
