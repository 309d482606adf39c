#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "compiler/diag/diagnostic.h"

/// The bytes that packs and manifest have in common. Numbers are little-endian, records are aligned to 8 bytes.
namespace mlp::store {

inline constexpr std::size_t kFileHeaderSize = 32;

/// Appends the bytes of a number.
template <class T>
  requires std::is_integral_v<T>
void append_number(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// The number at `offset`; the caller has checked that it is there.
template <class T>
  requires std::is_integral_v<T>
T number_at(std::string_view bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

constexpr std::uint64_t padded(std::uint64_t size) { return (size + 7) & ~std::uint64_t{7}; }

std::uint64_t checksum(std::string_view bytes, std::uint64_t seed = 0);

/// Magic (8 bytes), version, identity of the file, checksum.
std::string file_header(std::string_view magic, std::uint32_t version, std::uint64_t identity);

/// The identity in the header. E0909 for another version, E0903 for a header that is none.
Result<std::uint64_t> check_file_header(std::string_view bytes, std::string_view magic, std::uint32_t version,
                                        const std::string& path);

/// 64 bits that no other process has; never zero and never all ones.
std::uint64_t fresh_identity();
/// 16 hexadecimal digits, and back.
std::string identity_text(std::uint64_t identity);
std::optional<std::uint64_t> parse_identity(std::string_view text);

/// E0903 where the errno speaks of the file itself, E0902 where it speaks of the process or the system.
diag::Code read_failure_code(int error);

/// "cannot write `path`: No space left on device", with a mend that fits the errno.
std::unexpected<diag::Diagnostic> disk_failure(diag::Code code, std::string_view doing, const std::string& path, int error);

}  // namespace mlp::store
