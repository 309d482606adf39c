#include "compiler/support/digest.h"

#include <openssl/evp.h>

#include "compiler/support/check.h"

namespace mlp {

namespace {

EVP_MD_CTX* context(void* p) { return static_cast<EVP_MD_CTX*>(p); }

/// Fetched once: OpenSSL 3 looks an algorithm up by name on every init otherwise (1 us a digest).
const EVP_MD* sha256_algorithm() {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  MLP_CHECK(algorithm != nullptr);
  return algorithm;
}

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

Hasher::Hasher() : context_(EVP_MD_CTX_new()) {
  MLP_CHECK(context_ != nullptr && EVP_DigestInit_ex(context(context_), sha256_algorithm(), nullptr) == 1);
}
Hasher::Hasher(std::string_view domain) : Hasher() { add(domain); }
Hasher::~Hasher() { EVP_MD_CTX_free(context(context_)); }

Hasher& Hasher::raw(const void* data, std::size_t size) {
  MLP_CHECK(EVP_DigestUpdate(context(context_), data, size) == 1);
  return *this;
}

Hasher& Hasher::add(std::string_view text) {
  add(text.size());
  return raw(text.data(), text.size());
}

Digest Hasher::finish() {
  Digest digest;
  unsigned length = 0;
  MLP_CHECK(EVP_DigestFinal_ex(context(context_), digest.bytes.data(), &length) == 1 && length == 32);
  return digest;
}

Digest sha256(std::string_view bytes) {
  Hasher hasher;
  return hasher.raw(bytes.data(), bytes.size()).finish();
}

}  // namespace mlp
