#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "compiler/diag/diagnostic.h"

/// The binary form of states and models: little-endian, magic, format number, version, fields in order, checksum. A struct says
/// its fields once, for writing and reading alike:
///
///     struct Fitted { double mean; std::uint64_t rows; template <class A> void fields(A& a) { a(mean, rows); } };
///
/// Format numbers tell kinds of bytes apart; they are no names, so that a rename changes no byte.
namespace mlp::learn {

static_assert(std::endian::native == std::endian::little, "the binary form is the memory's on little-endian machines");

class Writer;
class Reader;

template <class T>
concept HasFields = requires(T& t, Writer& w) { t.fields(w); };

template <class T>
inline constexpr bool kIsPlain = (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) || std::is_enum_v<T>;

class Writer {
 public:
  template <class... Ts>
  void operator()(Ts&... values) { (put(values), ...); }
  std::string& bytes() { return bytes_; }

 private:
  void raw(const void* data, std::size_t size) { bytes_.append(static_cast<const char*>(data), size); }
  void put_size(std::size_t n) {
    const std::uint64_t wide = n;
    raw(&wide, sizeof wide);
  }
  template <class T>
    requires kIsPlain<T>
  void put(T& v) { raw(&v, sizeof v); }
  void put(bool& v) { bytes_.push_back(v ? 1 : 0); }
  void put(std::string& v) {
    put_size(v.size());
    raw(v.data(), v.size());
  }
  template <class T>
  void put(std::vector<T>& v) {
    put_size(v.size());
    if constexpr (kIsPlain<T>) raw(v.data(), v.size() * sizeof(T));
    else for (T& item : v) put(item);
  }
  template <class T, std::size_t N>
  void put(std::array<T, N>& v) { for (T& item : v) put(item); }
  template <class A, class B>
  void put(std::pair<A, B>& v) { put(v.first); put(v.second); }
  template <class K, class V>
  void put(std::map<K, V>& v) {
    put_size(v.size());
    for (auto& [key, value] : v) {
      put(const_cast<K&>(key));
      put(value);
    }
  }
  template <class T>
  void put(std::optional<T>& v) {
    bool has = v.has_value();
    put(has);
    if (has) put(*v);
  }
  template <HasFields T>
  void put(T& v) { v.fields(*this); }

  std::string bytes_;
};

/// Reads what Writer wrote. After the first wrong byte `ok` is false and everything read is empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <class... Ts>
  void operator()(Ts&... values) { (get(values), ...); }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }
  void fail() { ok_ = false; rest_ = {}; }

 private:
  bool raw(void* to, std::size_t size) {
    if (!ok_ || rest_.size() < size) return fail(), false;
    if (size != 0) std::memcpy(to, rest_.data(), size);
    rest_.remove_prefix(size);
    return true;
  }
  /// A count of items that take at least `item` bytes each: never more than the rest can hold.
  std::size_t get_size(std::size_t item) {
    std::uint64_t n = 0;
    if (!raw(&n, sizeof n)) return 0;
    if (n > rest_.size() / item) return fail(), 0;
    return static_cast<std::size_t>(n);
  }
  template <class T>
    requires kIsPlain<T>
  void get(T& v) { v = T{}; raw(&v, sizeof v); }
  void get(bool& v) {
    std::uint8_t b = 0;
    raw(&b, 1);
    if (b > 1) fail();
    v = b == 1;
  }
  void get(std::string& v) {
    v.resize(get_size(1));
    raw(v.data(), v.size());
  }
  template <class T>
  void get(std::vector<T>& v) {
    v.clear();
    if constexpr (kIsPlain<T>) {
      v.resize(get_size(sizeof(T)));
      raw(v.data(), v.size() * sizeof(T));
    } else {
      const std::size_t n = get_size(1);
      for (std::size_t i = 0; i < n && ok_; ++i) get(v.emplace_back());
    }
    if (!ok_) v.clear();
  }
  template <class T, std::size_t N>
  void get(std::array<T, N>& v) { for (T& item : v) get(item); }
  template <class A, class B>
  void get(std::pair<A, B>& v) { get(v.first); get(v.second); }
  template <class K, class V>
  void get(std::map<K, V>& v) {
    v.clear();
    const std::size_t n = get_size(1);
    for (std::size_t i = 0; i < n && ok_; ++i) {
      K key{};
      get(key);
      if (!v.empty() && !(v.rbegin()->first < key)) return fail();  // one form for one state
      get(v[std::move(key)]);
    }
  }
  template <class T>
  void get(std::optional<T>& v) {
    bool has = false;
    get(has);
    v.reset();
    if (has && ok_) get(v.emplace());
  }
  template <HasFields T>
  void get(T& v) { v.fields(*this); }

  std::string_view rest_;
  bool ok_ = true;
};

/// Puts magic, format and version before the fields, and a checksum behind them.
std::string seal(std::uint32_t format, std::uint32_t version, std::string_view fields);
/// The fields of sealed bytes: E0909 for another version, E0903 for anything else that is wrong. `what` is for the message:
/// "a fitted state", "a model".
Result<std::string_view> unseal(std::string_view bytes, std::uint32_t format, std::uint32_t version, std::string_view what);

template <class T>
std::string encode_state(std::uint32_t format, std::uint32_t version, const T& value) {
  Writer w;
  const_cast<T&>(value).fields(w);  // a Writer only reads the fields
  return seal(format, version, w.bytes());
}

inline std::unexpected<diag::Diagnostic> damaged(std::string_view what) {
  return failure(diag::Code::E0903, std::string(what) + " in the store is damaged",
                 "run `mlpc cache verify`; the next `mlpc run` makes it anew");
}

template <class T>
Result<T> decode_state(std::string_view bytes, std::uint32_t format, std::uint32_t version, std::string_view what) {
  MLP_TRY(const std::string_view fields, unseal(bytes, format, version, what));
  Reader r(fields);
  T value{};
  value.fields(r);
  if (!r.at_end()) return damaged(what);
  return value;
}

}  // namespace mlp::learn
