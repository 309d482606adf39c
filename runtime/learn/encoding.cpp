#include "runtime/learn/encoding.h"

namespace mlp::learn {
namespace {

struct Header {
  char magic[4];
  std::uint32_t format;
  std::uint32_t version;
};
constexpr char kMagic[4] = {'M', 'L', 'P', 'L'};

/// Eight bytes at a time through SplitMix64's finaliser: finds damage, is no defence against intent.
std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t h = 0x9E3779B97F4A7C15ull ^ bytes.size();
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t n = bytes.size() < 8 ? bytes.size() : 8;
    std::memcpy(&word, bytes.data(), n);
    bytes.remove_prefix(n);
    h = (h ^ word) * 0xBF58476D1CE4E5B9ull;
    h ^= h >> 31;
  }
  h = (h ^ (h >> 27)) * 0x94D049BB133111EBull;
  return h ^ (h >> 30);
}

}  // namespace

std::string seal(std::uint32_t format, std::uint32_t version, std::string_view fields) {
  Header header{{kMagic[0], kMagic[1], kMagic[2], kMagic[3]}, format, version};
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes.reserve(sizeof header + fields.size() + 8);
  bytes += fields;
  const std::uint64_t sum = checksum(bytes);
  bytes.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  return bytes;
}

Result<std::string_view> unseal(std::string_view bytes, std::uint32_t format, std::uint32_t version, std::string_view what) {
  Header header;
  std::uint64_t sum = 0;
  if (bytes.size() < sizeof header + sizeof sum) return damaged(what);
  std::memcpy(&header, bytes.data(), sizeof header);
  const std::string_view body = bytes.substr(0, bytes.size() - sizeof sum);
  std::memcpy(&sum, bytes.data() + body.size(), sizeof sum);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0 || sum != checksum(body) || header.format != format) return damaged(what);
  if (header.version != version)
    return failure(diag::Code::E0909, std::string(what) + " was written by another version of mlpc",
                   "use the version that wrote it, or run the workflow again with this one");
  return body.substr(sizeof header);
}

}  // namespace mlp::learn
