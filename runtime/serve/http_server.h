#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/serve/application.h"

/// HTTP/1.1 around an application: connections, limits of size and time, shutting down.
namespace mlp::serve {

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;               ///< 0: one that is free
  int threads = 2;
  bool any_host = false;                ///< not only requests for a name of this machine; for servers with tokens
  std::uint32_t header_bytes = 16 << 10;
  std::uint64_t body_bytes = 8 << 20;
  std::size_t connections = 4096;       ///< more are answered 503
  int idle_seconds = 60;                ///< until the header of a request is there
  int body_seconds = 30;
  int drain_seconds = 10;               ///< for requests in flight when the server stops
};

class HttpServer {
 public:
  /// Listens. E0904 where it cannot: the address is in use, or is none of this machine.
  static Result<std::unique_ptr<HttpServer>> listen(const ServerOptions& options, Application& application);
  ~HttpServer();
  std::uint16_t port() const;
  /// Answers until `stop`; looks for another version 20 times a second. Then accepts nothing, finishes what is in flight, and returns.
  void run(const std::atomic<bool>& stop);

  struct State;

 private:
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mlp::serve
