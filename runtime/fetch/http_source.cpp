#include <fmt/format.h>

#include "runtime/fetch/web.h"
#include "runtime/secrets/secret.h"

namespace mlp::fetch {

namespace {

constexpr int kMostRedirects = 5;

/// Scheme, host and port.
std::string_view origin_of(std::string_view url) {
  const std::size_t host = url.find("://");
  return host == std::string_view::npos ? std::string_view() : url.substr(0, url.find_first_of("/?#", host + 3));
}
/// Without what may be a password or a key: user and query.
std::string shown(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t host = url.find("://"), at = url.rfind('@', url.find('/', host == std::string_view::npos ? 0 : host + 3));
  if (host == std::string_view::npos || at == std::string_view::npos || at < host) return std::string(url);
  return std::string(url.substr(0, host + 3)) + std::string(url.substr(at + 1));
}
/// Where an answer sends to, as a whole address.
std::string target_of(const std::string& url, const std::string& location) {
  if (location.find("://") != std::string::npos) return location;
  if (location.starts_with('/')) return std::string(origin_of(url)) + location;
  const std::string path = url.substr(0, url.find_first_of("?#"));
  return path.substr(0, path.rfind('/') + 1) + location;
}

}  // namespace

Result<std::optional<Fetched>> fetch_http(const Context& context, const plan::Table& table) {
  if (!context.may_fetch) return std::nullopt;
  const Digest id = definition(table);
  const std::int64_t began = now_ns();
  std::string url = text_option(table, "url");
  const std::string name = shown(url);
  MLP_TRY(const std::string token, secrets::read_secret(text_option(table, "token"), context.folder, context.files));
  const auto record = find_record(context, id);
  MLP_TRY(Scratch scratch, Scratch::make(context, id));
  http::Response response;
  for (int asked = 0;; ++asked) {
    http::Request request = request_of(context, table, url);
    request.file = scratch.file();
    if (!token.empty()) request.headers.push_back("Authorization: Bearer " + token);
    if (record && !record->validator.empty()) request.headers.push_back(record->validator);
    MLP_TRY(response, http::ask(request));
    if (!response.why.empty() || response.status < 300 || response.status > 399 || response.status == 304) break;
    const std::string next = target_of(url, response.headers["location"]);
    if (origin_of(next) != origin_of(url))
      return failure(diag::Code::E0912, fmt::format("{} cannot be fetched: the server sends to another one, {}", name, origin_of(next)), "rows come from where the workflow says alone: write that address");
    if (asked == kMostRedirects) return failure(diag::Code::E0912, fmt::format("{} cannot be fetched: the server sends on and on", name), "see whether the address is right");
    url = next;
  }
  const auto as_fetched = [&](std::string file, const Ending& ending) -> Result<std::optional<Fetched>> {
    MLP_TRY(plan::Options options, options_for(table, ending, name));
    return Fetched{ending.form, {{std::move(file), name}}, std::move(options)};
  };
  if (response.why.empty() && response.status == 304 && record) return as_fetched(record->path, ending_of(record->path, {}));
  if (!response.good()) return failure(refused(response, name, "see whether `token:` is the secret that was meant, and still valid"));
  const Ending ending = ending_of(url.substr(0, url.find_first_of("?#")), response.headers["content-type"]);
  if (ending.form.empty())
    return failure(diag::Code::E0912, fmt::format("of which form {} is cannot be told: its address has no ending, and the server calls it \"{}\"", name, response.headers["content-type"]),
                   "give an address that ends in .csv, .tsv, .jsonl (also .gz and .zst), .parquet or .arrow, or let the server name the type: text/csv, application/x-ndjson, application/vnd.apache.parquet");
  // What the next run asks with: a server that says neither is asked for the whole each time.
  std::string validator;
  if (const std::string& tag = response.headers["etag"]; !tag.empty()) validator = "If-None-Match: " + tag;
  else if (const std::string& modified = response.headers["last-modified"]; !modified.empty()) validator = "If-Modified-Since: " + modified;
  MLP_TRY(std::string file, scratch.keep(context, ending.text, ending.form, std::move(validator), began));
  return as_fetched(std::move(file), ending);
}

}  // namespace mlp::fetch
