#include "runtime/store/catalog_json.h"

#include <nlohmann/json.hpp>

namespace mlp::store {

namespace {

using nlohmann::json;

std::string dump(const json& document) { return document.dump(-1, ' ', false, json::error_handler_t::replace); }

std::unexpected<diag::Diagnostic> not_ours() {
  return failure(diag::Code::E0903, "a list of digests in the catalog is damaged",
                 "move catalog.sqlite away; runs recorded in it are no longer listed, results are kept");
}

std::optional<Digest> digest_of(const json& value) {
  return value.is_string() ? Digest::parse(value.get_ref<const std::string&>()) : std::nullopt;
}

}  // namespace

std::string encode_named_digests(const std::vector<NamedDigest>& digests) {
  json document = json::array();
  for (const NamedDigest& one : digests) document.push_back(json::array({one.name, one.digest.hex()}));
  return dump(document);
}

std::string encode_digests(const std::vector<Digest>& digests) {
  json document = json::array();
  for (const Digest& digest : digests) document.push_back(digest.hex());
  return dump(document);
}

Result<std::vector<NamedDigest>> decode_named_digests(const std::string& text) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_array()) return not_ours();
  std::vector<NamedDigest> digests;
  for (const json& one : document) {
    if (!one.is_array() || one.size() != 2 || !one[0].is_string()) return not_ours();
    const auto digest = digest_of(one[1]);
    if (!digest) return not_ours();
    digests.push_back({one[0].get<std::string>(), *digest});
  }
  return digests;
}

Result<std::vector<Digest>> decode_digests(const std::string& text) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_array()) return not_ours();
  std::vector<Digest> digests;
  for (const json& one : document) {
    const auto digest = digest_of(one);
    if (!digest) return not_ours();
    digests.push_back(*digest);
  }
  return digests;
}

}  // namespace mlp::store
