#include "runtime/serve/http_server.h"

#include <sys/resource.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace mlp::serve {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

class Session;

struct HttpServer::State {
  ServerOptions options;
  Application& application;
  asio::io_context io;
  tcp::acceptor acceptor{io};
  std::atomic<bool> draining = false;
  std::atomic<std::size_t> open = 0;
  std::mutex mutex;
  std::list<std::weak_ptr<Session>> sessions;

  State(const ServerOptions& o, Application& a) : options(o), application(a), io(std::max(1, o.threads)) {}
  void accept();
  void take(tcp::socket socket);
};

namespace {

bool is_this_machine(std::string_view host, const std::string& bound) {
  if (host.starts_with('[')) host = host.substr(0, host.find(']') + 1);
  else host = host.substr(0, host.find(':'));
  return host == "localhost" || host.starts_with("127.") || host == "[::1]" || host == bound;
}

/// Of an address such as "http://evil.example:80", the part that Host would have.
std::string_view host_of(std::string_view origin) {
  const std::size_t at = origin.find("://");
  return at == std::string_view::npos ? origin : origin.substr(at + 3);
}

std::string error_body(std::string_view message) { return fmt::format("{{\"error\":\"{}\"}}", message); }

}  // namespace

/// One connection: a request after the other.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, HttpServer::State& server) : stream_(std::move(socket)), server_(server) {
    error_code ignored;
    stream_.socket().set_option(tcp::no_delay(true), ignored);
    ++server_.open;
    ++server_.application.metrics().connections;
  }
  ~Session() {
    --server_.open;
    --server_.application.metrics().connections;
  }

  void start() {
    asio::dispatch(stream_.get_executor(), [self = shared_from_this()] { self->read_header(); });
  }
  /// Closes the connection if no request is on its way.
  void close_if_idle() {
    asio::dispatch(stream_.get_executor(), [self = shared_from_this()] {
      if (self->idle_ && self->buffer_.size() == 0) self->close();
    });
  }

 private:
  void close() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

  void read_header() {
    parser_.emplace();
    parser_->header_limit(server_.options.header_bytes);
    parser_->body_limit(server_.options.body_bytes);
    idle_ = true;
    stream_.expires_after(std::chrono::seconds(server_.options.idle_seconds));
    http::async_read_header(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) { self->on_header(error); });
  }

  void on_header(error_code error) {
    idle_ = false;
    if (error) return refuse(error);
    stream_.expires_after(std::chrono::seconds(server_.options.body_seconds));
    if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
      continue_.emplace(http::status::continue_, parser_->get().version());
      http::async_write(stream_, *continue_, [self = shared_from_this()](error_code failed, std::size_t) {
        if (failed) return self->close();
        self->read_body();
      });
      return;
    }
    read_body();
  }

  void read_body() {
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return self->refuse(error);
      self->answer();
    });
  }

  /// What cannot be read as a request: said, and the connection ends.
  void refuse(error_code error) {
    if (error == http::error::end_of_stream || error == beast::error::timeout || error == asio::error::operation_aborted ||
        error == asio::error::connection_reset || error == asio::error::eof || error == http::error::partial_message)
      return close();
    unsigned status = 400;
    std::string message = "this is no HTTP/1.1 request";
    if (error == http::error::body_limit) status = 413, message = fmt::format("the body has more than {} bytes", server_.options.body_bytes);
    if (error == http::error::header_limit) status = 431, message = fmt::format("the header has more than {} bytes", server_.options.header_bytes);
    server_.application.metrics().count("other", status, 0);
    send({status, "application/json", error_body(message)}, 11, false, false);
  }

  void answer() {
    const auto& request = parser_->get();
    const bool keep = request.keep_alive() && !server_.draining;
    const std::string_view host = request[http::field::host], origin = request[http::field::origin];
    const std::string& bound = server_.options.host;
    const auto wrong = [&](unsigned status, std::string_view message) {
      server_.application.metrics().count("other", status, 0);
      send({status, "application/json", error_body(message)}, request.version(), keep, false);
    };
    if (host.empty() && request.version() >= 11) return wrong(400, "the header Host is missing");
    // A page from elsewhere whose name was made to lead here is not let in.
    if (!server_.options.any_host && !host.empty() && !is_this_machine(host, bound)) return wrong(403, "this server answers for the names of its own machine only");
    if (!server_.options.any_host && !origin.empty() && !is_this_machine(host_of(origin), bound)) return wrong(403, "pages of other origins may not ask this server");
    const bool chunked_and_sized = request.has_content_length() && request.chunked();
    if (chunked_and_sized) return wrong(400, "a request has a length or is chunked, not both");
    const Request asked{std::string_view(request.method_string()), std::string_view(request.target()), std::string_view(request[http::field::content_type]), request.body(),
                        std::string_view(request["Inference-Header-Content-Length"]), std::string_view(request[http::field::authorization])};
    send(server_.application.answer(asked), request.version(), keep, request.method() == http::verb::head);
  }

  void send(Response&& answer, unsigned http_version, bool keep, bool head) {
    response_ = {};
    response_.version(http_version);
    response_.result(answer.status);
    response_.set(http::field::server, "mlpc");
    response_.set(http::field::content_type, answer.content_type);
    response_.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : answer.headers) response_.set(name, value);
    const std::size_t size = answer.body.size();
    if (!head) response_.body() = std::move(answer.body);
    response_.keep_alive(keep);
    response_.content_length(size);
    serializer_.emplace(response_);
    if (head) serializer_->split(true);
    stream_.expires_after(std::chrono::seconds(server_.options.body_seconds));
    const auto done = [self = shared_from_this(), keep](error_code error, std::size_t) {
      if (error) return self->close();
      if (!keep) return self->linger();
      self->read_header();
    };
    if (head) http::async_write_header(stream_, *serializer_, done);
    else http::async_write(stream_, *serializer_, done);
  }

  /// Lets a client that still sends get the answer: closing at once would take it away.
  void linger() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(std::chrono::seconds(2));
    discard(0);
  }
  void discard(std::size_t so_far) {
    stream_.async_read_some(asio::buffer(scratch_), [self = shared_from_this(), so_far](error_code error, std::size_t size) {
      constexpr std::size_t kMost = 64 << 20;
      if (error || so_far + size > kMost) return self->close();
      self->discard(so_far + size);
    });
  }

  beast::tcp_stream stream_;
  HttpServer::State& server_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::empty_body>> continue_;
  http::response<http::string_body> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  std::array<char, 16384> scratch_;
  bool idle_ = false;
};

void HttpServer::State::take(tcp::socket socket) {
  if (open >= options.connections) {
    ++application.metrics().refused_connections;
    constexpr std::string_view kBusy =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 38\r\n\r\n{\"error\":\"too many connections, later\"}";
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(kBusy), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
    return;
  }
  auto session = std::make_shared<Session>(std::move(socket), *this);
  {
    const std::lock_guard lock(mutex);
    std::erase_if(sessions, [](const auto& one) { return one.expired(); });
    sessions.push_back(session);
  }
  session->start();
}

void HttpServer::State::accept() {
  acceptor.async_accept(asio::make_strand(io), [this](error_code error, tcp::socket socket) {
    if (draining) return;
    if (!error) take(std::move(socket));
    else if (error == asio::error::operation_aborted) return;
    else std::this_thread::sleep_for(std::chrono::milliseconds(10));  // no file descriptors left, say: others will be closed
    accept();
  });
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::~HttpServer() = default;
std::uint16_t HttpServer::port() const {
  error_code ignored;
  return state_->acceptor.local_endpoint(ignored).port();
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const ServerOptions& options, Application& application) {
  // A connection is a file: as many as the system lets this process have.
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  auto state = std::make_unique<State>(options, application);
  error_code error;
  const auto address = asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, error);
  const tcp::endpoint endpoint(address, options.port);
  if (!error) state->acceptor.open(endpoint.protocol(), error);
  if (!error) state->acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) state->acceptor.bind(endpoint, error);
  if (!error) state->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return failure(diag::Code::E0904, fmt::format("cannot listen at {}:{}: {}", options.host, options.port, error == asio::error::address_in_use ? "the port is in use" : error.message()),
                   "choose another port with --port, or 0 for one that is free");
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

void HttpServer::run(const std::atomic<bool>& stop) {
  using std::chrono::milliseconds, std::chrono::steady_clock;
  State& s = *state_;
  auto work = asio::make_work_guard(s.io);
  s.accept();
  std::vector<std::thread> threads;
  for (int i = 0; i < std::max(1, s.options.threads); ++i) threads.emplace_back([&s] { s.io.run(); });
  while (!stop) {
    std::this_thread::sleep_for(milliseconds(50));
    s.application.refresh();
  }
  s.draining = true;
  // What the system has accepted for us already is answered too.
  asio::post(s.io, [&s] {
    error_code error;
    s.acceptor.cancel(error);
    s.acceptor.non_blocking(true, error);
    for (;;) {
      tcp::socket socket(asio::make_strand(s.io));
      s.acceptor.accept(socket, error);
      if (error) break;
      s.take(std::move(socket));
    }
    s.acceptor.close(error);
  });
  const auto end = steady_clock::now() + std::chrono::seconds(s.options.drain_seconds);
  // A request may be on its way on a connection that looks idle: it gets a second.
  const auto idle_end = steady_clock::now() + milliseconds(1000);
  std::this_thread::sleep_for(milliseconds(20));
  while (s.open > 0 && steady_clock::now() < end) {
    std::this_thread::sleep_for(milliseconds(20));
    if (steady_clock::now() < idle_end) continue;
    const std::lock_guard lock(s.mutex);
    for (const auto& one : s.sessions)
      if (const auto session = one.lock()) session->close_if_idle();
  }
  work.reset();
  s.io.stop();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace mlp::serve
