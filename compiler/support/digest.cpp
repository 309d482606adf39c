#include "compiler/support/digest.h"

#include <dlfcn.h>

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <cstdio>
#include <cstdlib>
#include <type_traits>

#include "compiler/support/check.h"

namespace mlp {

namespace {

#define MLP_TEXT_(x) #x
#define MLP_TEXT(x) MLP_TEXT_(x)

/// OpenSSL's SHA-256, opened by the first who hashes: loading libcrypto costs a start as much as checking a workflow does. These are the
/// functions of the algorithm itself; those of EVP do the same behind providers, whose first use takes another millisecond.
struct OpenSsl {
  decltype(&SHA256_Init) begin = nullptr;
  decltype(&SHA256_Update) update = nullptr;
  decltype(&SHA256_Final) finish = nullptr;

  OpenSsl() {
    constexpr const char* kName = "libcrypto.so." MLP_TEXT(OPENSSL_SHLIB_VERSION);
    void* const library = dlopen(kName, RTLD_LAZY | RTLD_LOCAL);
    const auto find = [&](auto& function, const char* name) {
      if (library) function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
      if (function) return;
      std::fprintf(stderr, "mlpc: %s (OpenSSL, Debian package libssl3) cannot be loaded: %s\n", kName, dlerror());
      std::_Exit(5);  // as without any other library that mlpc needs
    };
    find(begin, "SHA256_Init");
    find(update, "SHA256_Update");
    find(finish, "SHA256_Final");
  }
};

const OpenSsl& openssl() {
  static const OpenSsl it;
  return it;
}

SHA256_CTX* context(void* p) { return static_cast<SHA256_CTX*>(p); }

}  // namespace

std::string Digest::hex() const {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text(64, '0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text[2 * i] = digits[bytes[i] >> 4];
    text[2 * i + 1] = digits[bytes[i] & 15];
  }
  return text;
}

std::optional<Digest> Digest::parse(std::string_view hex) {
  if (hex.size() != 64) return std::nullopt;
  const auto nibble = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  Digest digest;
  for (std::size_t i = 0; i < 32; ++i) {
    const int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return digest;
}

Hasher::Hasher() : context_(new SHA256_CTX) { MLP_CHECK(openssl().begin(context(context_)) == 1); }
Hasher::Hasher(std::string_view domain) : Hasher() { add(domain); }
Hasher::~Hasher() { delete context(context_); }

Hasher& Hasher::raw(const void* data, std::size_t size) {
  MLP_CHECK(openssl().update(context(context_), data, size) == 1);
  return *this;
}

Hasher& Hasher::add(std::string_view text) {
  add(text.size());
  return raw(text.data(), text.size());
}

Digest Hasher::finish() {
  Digest digest;
  MLP_CHECK(openssl().finish(digest.bytes.data(), context(context_)) == 1);
  return digest;
}

Digest sha256(std::string_view bytes) {
  Hasher hasher;
  return hasher.raw(bytes.data(), bytes.size()).finish();
}

}  // namespace mlp
