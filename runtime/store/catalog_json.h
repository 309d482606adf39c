#pragma once

#include <string>
#include <vector>

#include "runtime/store/catalog.h"

namespace mlp::store {

/// [["name","64 hex digits"],…]
std::string encode_named_digests(const std::vector<NamedDigest>& digests);
std::string encode_digests(const std::vector<Digest>& digests);
/// E0903 for text that the functions above did not write.
Result<std::vector<NamedDigest>> decode_named_digests(const std::string& text);
Result<std::vector<Digest>> decode_digests(const std::string& text);

}  // namespace mlp::store
