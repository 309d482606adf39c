#pragma once

#include <atomic>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "runtime/io/clock.h"
#include "runtime/io/file_system.h"
#include "runtime/registry/registry.h"
#include "runtime/request_log/request_log.h"
#include "runtime/scorer/records.h"
#include "runtime/serve/metrics.h"

/// What a server answers, without its sockets: a request is a value, so is a response.
namespace mlp::serve {

struct Request {
  std::string_view method, target, content_type, body;
  std::string_view json_bytes = {};     ///< Inference-Header-Content-Length: of the JSON before binary tensors; empty: all of the body
  std::string_view authorization = {};  ///< "Bearer mlp_…"
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

struct Settings {
  std::string store_directory;
  std::string deployment;         ///< its whole name
  bool needs_tokens = false;      ///< predictions for the scope predict, descriptions for read or predict
  std::size_t most_rows = 100'000;
  std::function<void(const std::string&)> say;  ///< one line for who runs the server
};

/// A deployed version with all that is made of it once.
struct Version;

/// May be asked by many threads at once.
class Application {
 public:
  /// Loads the version that stands there. The failures of registry::current and scorer::load_compiled.
  static Result<std::unique_ptr<Application>> open(Settings settings, io::FileSystem& files, io::Clock& clock);
  ~Application();

  Response answer(const Request& request);
  /// Takes another version over if one stands there now; requests in flight keep theirs. One that cannot be loaded is said, and
  /// the version before goes on. Costs a stat when nothing changed.
  void refresh();
  registry::Deployed deployed() const;
  Metrics& metrics() { return metrics_; }

 private:
  Application(Settings settings, io::FileSystem& files, io::Clock& clock);
  Response route(const Request& request, std::string& name);
  Response predict(const Request& request);
  /// The predictions for records, or the response where they break the contract: that request is kept, one that is answered is not yet.
  std::expected<request_log::Answered, Response> answer_records(const Version& version, std::vector<scorer::Record> records, std::string id, std::int64_t began);
  /// Writes the request down; it began at that time of the steady clock, in nanoseconds.
  void keep(request_log::Answered answered, std::int64_t began);
  Response infer(const Request& request, const std::shared_ptr<const Version>& version);
  bool may(const Request& request, std::string_view scope);
  std::string next_id();

  Settings settings_;
  io::Clock& clock_;
  Metrics metrics_;
  std::atomic<std::shared_ptr<const Version>> version_;
  registry::Generation generation_;
  std::unique_ptr<request_log::Writer> log_;
  std::atomic<std::uint64_t> count_ = 0;
  std::int64_t started_us_ = 0;
  struct Tokens;
  std::unique_ptr<Tokens> tokens_;
};

}  // namespace mlp::serve
