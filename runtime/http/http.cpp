#include "runtime/http/http.h"

#include <curl/curl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>

namespace mlp::http {

namespace {

/// Of an answer that is none of those hoped for.
constexpr std::size_t kWordsOfAnError = 16384;

struct Transfer {
  const Request& request;
  Response& response;
  CURL* curl = nullptr;
  std::uint64_t bytes = 0;
  bool too_much = false, cannot_write = false;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& t = *static_cast<Transfer*>(user);
  const std::size_t all = size * count;
  long status = 0;
  curl_easy_getinfo(t.curl, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || status > 299) {
    if (t.response.body.size() < kWordsOfAnError) t.response.body.append(data, std::min(all, kWordsOfAnError - t.response.body.size()));
    return all;
  }
  t.bytes += all;
  t.too_much = t.bytes > t.request.most_bytes;
  if (t.too_much) return 0;
  if (t.request.file < 0) {
    t.response.body.append(data, all);
    return all;
  }
  for (std::size_t at = 0; at < all;) {
    const ssize_t wrote = ::write(t.request.file, data + at, all - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      t.cannot_write = true;
      return 0;
    }
    at += static_cast<std::size_t>(wrote);
  }
  return all;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto& headers = static_cast<Transfer*>(user)->response.headers;
  std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) headers.clear();
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || headers.size() >= 100) return size * count;
  std::string name(line.substr(0, colon));
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  line.remove_prefix(colon + 1);
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  headers[name] = std::string(line);
  return size * count;
}

int look_for_stop(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto* stop = static_cast<Transfer*>(user)->request.stop;
  return stop && stop->load() ? 1 : 0;
}

std::string words(CURLcode code, const Transfer& transfer) {
  if (transfer.too_much) return "the answer is larger than " + std::to_string(transfer.request.most_bytes >> 20) + " MB";
  if (transfer.cannot_write) return "there is no room on the disk for the answer";
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return "its host has no address";
    case CURLE_COULDNT_CONNECT: return "nobody answers there";
    case CURLE_OPERATION_TIMEDOUT: return "no whole answer within " + std::to_string(transfer.request.longest.count() / 1000) + " seconds";
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT: return "it is no http or https address";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR: return "its certificate is not trusted, or TLS failed";
    case CURLE_ABORTED_BY_CALLBACK: return "stopped on request";
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING: return "the connection broke before the answer was whole";
    default: return "the connection broke (libcurl " + std::to_string(static_cast<int>(code)) + ")";
  }
}

}  // namespace

}  // namespace mlp::http

extern "C" __attribute__((visibility("default"))) void mlp_http_ask(const mlp::http::Request& request, mlp::http::Response& response) {
  using namespace mlp::http;
  response.why = "libcurl cannot be used";
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return;
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> owner(curl_easy_init(), curl_easy_cleanup);
  CURL* const curl = owner.get();
  if (!curl) return;
  curl_slist* list = nullptr;
  for (const std::string& header : request.headers) list = curl_slist_append(list, header.c_str());
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(list, curl_slist_free_all);
  Transfer transfer{request, response, curl};
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  if (request.posts) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  if (!request.sign.empty()) {
    curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, request.sign.c_str());
    curl_easy_setopt(curl, CURLOPT_USERNAME, request.key_id.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, request.key.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "mlpc");
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.longest.count()));
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min<std::int64_t>(request.longest.count(), 20'000)));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_for_stop);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  const CURLcode code = curl_easy_perform(curl);
  response.why.clear();
  if (code != CURLE_OK) response.why = words(code, transfer);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response.status);
}
