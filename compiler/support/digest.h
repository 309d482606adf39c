#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace mlp {

/// SHA-256 of some bytes: the name of an object, or a key.
struct Digest {
  std::array<std::uint8_t, 32> bytes{};

  friend auto operator<=>(const Digest&, const Digest&) = default;
  explicit operator bool() const { return *this != Digest{}; }
  /// 64 lower-case hexadecimal digits.
  std::string hex() const;
  /// The first 12 digits, for people.
  std::string brief() const { return hex().substr(0, 12); }
  static std::optional<Digest> parse(std::string_view hex);
  /// 64 bits that may seed a deterministic generator.
  std::uint64_t low64() const {
    std::uint64_t v;
    std::memcpy(&v, bytes.data(), sizeof v);
    return v;
  }
};

/// SHA-256, fed piece by piece. Every `add` is self-delimiting, so that no two sequences of pieces collide.
class Hasher {
 public:
  Hasher();
  /// Starts with a domain, such as "cell/1": the version of what is hashed.
  explicit Hasher(std::string_view domain);
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Hasher& raw(const void* data, std::size_t size);
  Hasher& add(std::string_view text);
  Hasher& add(const char* text) { return add(std::string_view(text)); }
  Hasher& add(const std::string& text) { return add(std::string_view(text)); }
  Hasher& add(const Digest& digest) { return raw(digest.bytes.data(), digest.bytes.size()); }
  Hasher& add(double value) {  // by its bits; -0 and 0 differ
    return raw(&value, sizeof value);
  }
  template <class Integer>
    requires std::is_integral_v<Integer> || std::is_enum_v<Integer>
  Hasher& add(Integer value) {
    const auto wide = static_cast<std::int64_t>(value);
    return raw(&wide, sizeof wide);
  }
  Digest finish();

 private:
  void* context_;
};

/// SHA-256 of the bytes alone, as `sha256sum` prints it.
Digest sha256(std::string_view bytes);

}  // namespace mlp

template <>
struct std::hash<mlp::Digest> {
  std::size_t operator()(const mlp::Digest& digest) const noexcept { return digest.low64(); }
};
