#include "runtime/column/byte_reader.h"

#include <xxhash.h>

namespace mlp {

std::string ByteWriter::finish() {
  put<std::uint64_t>(XXH3_64bits(bytes.data(), bytes.size()));
  return std::move(bytes);
}

bool ByteReader::check_sum() {
  std::uint64_t sum;
  if (!good || left() < sizeof sum) return false;
  const std::string_view before = bytes.substr(0, bytes.size() - sizeof sum);
  std::memcpy(&sum, bytes.data() + before.size(), sizeof sum);
  bytes = before;
  return sum == XXH3_64bits(before.data(), before.size());
}

}  // namespace mlp
