#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.h"

/// HTTP as a client, through libcurl in a module that is loaded on first use.
namespace mlp::http {

struct Request {
  std::string url;                       ///< http or https
  std::vector<std::string> headers;      ///< "Name: value"
  std::string body;                      ///< POSTed where `posts`
  bool posts = false;
  std::string sign;                      ///< "aws:amz:REGION:s3": signed (AWS signature 4) with `key_id` and `key`
  std::string key_id, key;
  int file = -1;                         ///< descriptor that gets the body of a 2xx answer; -1: Response::body does
  std::chrono::milliseconds longest{30'000};
  std::uint64_t most_bytes = std::uint64_t{16} << 20;
  const std::atomic<bool>* stop = nullptr;
};

struct Response {
  /// Why no answer came whole, in words: "nobody answers there". libcurl's own words may hold the address, which may be a secret.
  std::string why;
  long status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;                            ///< of an answer other than 2xx at most its beginning

  bool good() const { return why.empty() && status >= 200 && status < 300; }
};

/// Asks once; redirects are answers like others. E0905 where the module cannot be loaded.
Result<Response> ask(const Request& request);

/// What the loader looks up in the module.
using Ask = void (*)(const Request& request, Response& response);

}  // namespace mlp::http
