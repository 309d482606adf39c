#include "runtime/column/byte_list.h"

#include <cstdint>
#include <cstring>

namespace mlp {

namespace {

constexpr std::uint64_t kPackVersion = 0x31'4B'43'41'50'4C'4Dull;  // "MLPACK1"

void put_u64(std::string& out, std::uint64_t value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); }

bool take_u64(std::string_view& bytes, std::uint64_t& value) {
  if (bytes.size() < sizeof value) return false;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return true;
}

std::unexpected<diag::Diagnostic> damaged() {
  return failure(diag::Code::E0903, "an object of the store is not whole", "run again: what is damaged is made anew");
}

}  // namespace

std::string pack(const std::vector<std::string>& parts) {
  std::string out;
  put_u64(out, kPackVersion);
  put_u64(out, parts.size());
  for (const std::string& part : parts) {
    put_u64(out, part.size());
    out += part;
  }
  return out;
}

Result<std::vector<std::string>> unpack(std::string_view bytes) {
  std::uint64_t version = 0, count = 0;
  if (!take_u64(bytes, version) || version != kPackVersion || !take_u64(bytes, count)) return damaged();
  std::vector<std::string> parts;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t size = 0;
    if (!take_u64(bytes, size) || size > bytes.size()) return damaged();
    parts.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  if (!bytes.empty()) return damaged();
  return parts;
}

}  // namespace mlp
