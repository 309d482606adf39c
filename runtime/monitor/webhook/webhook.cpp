#include "runtime/monitor/webhook/webhook.h"

#include <curl/curl.h>

#include <memory>

namespace {

constexpr long kSeconds = 30;

std::size_t drop(char*, std::size_t size, std::size_t count, void*) { return size * count; }

}  // namespace

extern "C" __attribute__((visibility("default"))) std::string mlp_post_json(const std::string& url, const std::string& body) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return "libcurl cannot be used";
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) return "libcurl cannot be used";
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(curl_slist_append(nullptr, "Content-Type: application/json"), curl_slist_free_all);
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "mlpc");
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, drop);
  if (const CURLcode code = curl_easy_perform(curl.get()); code != CURLE_OK) {
    // libcurl's own words may hold the address, which may be a secret.
    switch (code) {
      case CURLE_COULDNT_RESOLVE_HOST: return "its host has no address";
      case CURLE_COULDNT_CONNECT: return "nobody answers there";
      case CURLE_OPERATION_TIMEDOUT: return "no answer within 30 seconds";
      case CURLE_UNSUPPORTED_PROTOCOL:
      case CURLE_URL_MALFORMAT: return "it is no http or https address";
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CONNECT_ERROR: return "its certificate is not trusted, or TLS failed";
      default: return std::string("the connection broke (libcurl ") + std::to_string(static_cast<int>(code)) + ")";
    }
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return status >= 200 && status < 300 ? std::string() : "it answered " + std::to_string(status);
}
