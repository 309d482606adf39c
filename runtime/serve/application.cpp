#include "runtime/serve/application.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "compiler/diag/render.h"
#include "runtime/io/field_text.h"
#include "runtime/serve/version.h"

namespace mlp::serve {

namespace {

/// What is set aside for who asks with which token; forgotten when the log changes.
constexpr std::size_t kMostTokens = 1000;

std::string_view path_of(std::string_view target) { return target.substr(0, target.find_first_of("?#")); }

bool is_json(std::string_view type) {
  const std::string_view bare = type.substr(0, type.find(';'));
  constexpr std::string_view kJson = "application/json";
  return bare.size() >= kJson.size() && std::equal(kJson.begin(), kJson.end(), bare.begin(), [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); }) &&
         bare.find_first_not_of(' ', kJson.size()) == std::string_view::npos;
}

Result<std::shared_ptr<const Version>> load_version(const Settings& settings) {
  auto version = std::make_shared<Version>();
  MLP_TRY(version->deployed, registry::current(settings.store_directory, settings.deployment));
  MLP_TRY(const store::Store store, store::Store::open(settings.store_directory, store::Mode::read_only));
  const auto fetch = [&](const Digest& digest) { return const_cast<store::Store&>(store).get(digest); };
  MLP_TRY(version->scorer, scorer::load_compiled(version->deployed.scorer, fetch, {"native", settings.store_directory + "/kernels"}));
  if (scorer::keeps_histories(*version->scorer))
    return failure(diag::Code::E0601, fmt::format("`{}` looks into the history of other rows, and the server is not fed with new ones yet", version->deployed.model),
                   "predict rows of files with `mlpc score`, which looks into the rows of the last run");
  const scorer::Schema& schema = scorer::schema(*version->scorer);
  auto source = std::make_shared<request_log::Source>();
  source->deployment = version->deployed.deployment;
  source->model = version->deployed.model;
  source->version = version->deployed.version;
  source->scorer = version->deployed.scorer;
  std::vector<std::pair<std::string, std::uint32_t>> names;
  for (std::uint32_t i = 0; i < schema.request.size(); ++i) {
    source->fields.push_back(schema.request[i].name);
    version->names.push_back(schema.request[i].name);
    names.emplace_back(schema.request[i].name, i);
  }
  // A name in the files is another name of the field, unless it is the name of one.
  for (std::uint32_t i = 0; i < schema.request.size(); ++i)
    if (const std::string& other = schema.request[i].read.source_name; std::ranges::find(version->names, other) == version->names.end()) names.emplace_back(other, i);
  version->source = std::move(source);
  version->openapi = describe_openapi(schema, version->deployed, settings.most_rows);
  version->metadata = describe_model(schema, version->deployed);
  version->readers = std::make_unique<ReaderPool>(std::move(names), schema.request.size());
  return version;
}

/// "income.earner" goes by itself and by "earner".
bool goes_by(const std::string& whole, std::string_view name) {
  return whole == name || (whole.size() > name.size() && whole.ends_with(name) && whole[whole.size() - name.size() - 1] == '.');
}

}  // namespace

std::unique_ptr<io::JsonRecordReader> ReaderPool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      auto reader = std::move(free_.back());
      free_.pop_back();
      return reader;
    }
  }
  return std::make_unique<io::JsonRecordReader>(names_, positions_);
}

void ReaderPool::give_back(std::unique_ptr<io::JsonRecordReader> reader) {
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(reader));
}

Response refuse(unsigned status, const std::string& message) { return {status, "application/json", describe_error(message)}; }

Response refuse(const scorer::Schema& schema, std::span<const scorer::Fault> faults) {
  return {422, "application/json", describe_error(scorer::fault_diagnostic(schema, faults).message, &schema, faults)};
}

struct Application::Tokens {
  std::mutex mutex;
  std::map<Digest, registry::Identity> known;  ///< by the token's SHA-256
};

Application::Application(Settings settings, io::FileSystem& files, io::Clock& clock) : settings_(std::move(settings)), clock_(clock), tokens_(std::make_unique<Tokens>()) {
  started_us_ = clock_.now_ns() / 1000;
  log_ = std::make_unique<request_log::Writer>(files, clock, request_log::directory(settings_.store_directory, settings_.deployment), request_log::Limits{}, settings_.say);
}

Application::~Application() = default;

Result<std::unique_ptr<Application>> Application::open(Settings settings, io::FileSystem& files, io::Clock& clock) {
  MLP_TRY(const registry::Deployed deployed, registry::current(settings.store_directory, settings.deployment));
  settings.deployment = deployed.deployment;
  const registry::Generation generation = registry::generation(settings.store_directory);
  MLP_TRY(auto version, load_version(settings));
  std::unique_ptr<Application> application(new Application(std::move(settings), files, clock));
  application->generation_ = generation;
  application->version_.store(std::move(version));
  return application;
}

registry::Deployed Application::deployed() const { return version_.load()->deployed; }

void Application::refresh() {
  const registry::Generation now = registry::generation(settings_.store_directory);
  if (now == generation_) return;
  generation_ = now;
  {
    const std::lock_guard lock(tokens_->mutex);
    tokens_->known.clear();
  }
  const auto stands = registry::current(settings_.store_directory, settings_.deployment);
  const auto before = version_.load();
  if (stands && stands->entry == before->deployed.entry) return;
  auto version = stands ? load_version(settings_) : Result<std::shared_ptr<const Version>>(std::unexpected(stands.error()));
  if (!version) {
    ++metrics_.failed_swaps;
    settings_.say(fmt::format("version {} goes on: the one that stands there now cannot be loaded: {}", before->deployed.version, version.error().message));
    return;
  }
  ++metrics_.swaps;
  settings_.say(fmt::format("{} version {} answers now, after version {}", (*version)->deployed.model, (*version)->deployed.version, before->deployed.version));
  version_.store(std::move(*version));
}

std::string Application::next_id() { return fmt::format("{:x}-{:x}", started_us_, count_.fetch_add(1)); }

bool Application::may(const Request& request, std::string_view scope) {
  if (!settings_.needs_tokens) return true;
  constexpr std::string_view kBearer = "Bearer ";
  if (!request.authorization.starts_with(kBearer)) return false;
  const std::string token(request.authorization.substr(kBearer.size()));
  const Digest key = sha256(token);
  const std::lock_guard lock(tokens_->mutex);
  auto found = tokens_->known.find(key);
  if (found == tokens_->known.end()) {
    const auto identity = registry::identify(settings_.store_directory, token);
    if (!identity || !identity->by_token) return false;
    if (tokens_->known.size() >= kMostTokens) tokens_->known.clear();
    found = tokens_->known.emplace(key, *identity).first;
  }
  const std::string_view whole = settings_.deployment;
  const std::vector<std::string_view> names = {whole, whole.substr(whole.rfind('.') + 1)};
  return registry::may(found->second, scope, names) || (scope == "read" && registry::may(found->second, "predict", names));
}

Response Application::answer(const Request& request) {
  const std::int64_t began = clock_.steady_ns();
  std::string route_name = "other";
  Response response = route(request, route_name);
  metrics_.count(route_name, response.status, static_cast<double>(clock_.steady_ns() - began) * 1e-9);
  return response;
}

Response Application::route(const Request& request, std::string& name) {
  const std::string_view path = path_of(request.target);
  const auto only = [&](std::string_view method, std::string_view route_name, std::string_view scope, auto then) -> Response {
    name = route_name;
    if (request.method != method && !(method == "GET" && request.method == "HEAD")) {
      Response response = refuse(405, fmt::format("{} takes {}", path, method));
      response.headers.emplace_back("Allow", method == "GET" ? "GET, HEAD" : std::string(method));
      return response;
    }
    if (!scope.empty() && !may(request, scope)) {
      Response response = refuse(401, fmt::format("this needs a token of the scope {}, in the header Authorization: Bearer", scope));
      response.headers.emplace_back("WWW-Authenticate", "Bearer");
      return response;
    }
    return then();
  };
  const auto version = version_.load();
  if (path == "/predict") return only("POST", "/predict", "predict", [&] { return predict(request); });
  if (path == "/healthz")
    return only("GET", "/healthz", "", [&] { return Response{200, "application/json", fmt::format("{{\"status\":\"ok\",\"model\":{},\"version\":{}}}", quoted(version->deployed.model), version->deployed.version)}; });
  if (path == "/metrics")
    return only("GET", "/metrics", "read", [&] {
      const request_log::Counts counts = log_->counts();
      const std::string more = fmt::format(
          "# HELP mlp_request_records_total Records of requests kept.\n# TYPE mlp_request_records_total counter\nmlp_request_records_total {}\n"
          "# HELP mlp_request_records_dropped_total Records of requests that could not be kept.\n# TYPE mlp_request_records_dropped_total counter\nmlp_request_records_dropped_total {}\n",
          counts.written, counts.dropped);
      return Response{200, "text/plain; version=0.0.4; charset=utf-8", metrics_.text(version->deployed.model, version->deployed.version, more)};
    });
  if (path == "/openapi.json") return only("GET", "/openapi.json", "read", [&] { return Response{200, "application/json", version->openapi}; });
  if (path == "/v2" || path == "/v2/")
    return only("GET", "/v2", "", [&] { return Response{200, "application/json", R"({"name":"mlpc","version":"0.1.0","extensions":["binary_tensor_data"]})"}; });
  if (path == "/v2/health/live") return only("GET", "/v2/health/live", "", [&] { return Response{200, "application/json", R"({"live":true})"}; });
  if (path == "/v2/health/ready") return only("GET", "/v2/health/ready", "", [&] { return Response{200, "application/json", R"({"ready":true})"}; });
  constexpr std::string_view kModels = "/v2/models/";
  if (path.starts_with(kModels)) {
    std::string_view rest = path.substr(kModels.size());
    const std::string_view model = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), model.size()));
    name = "/v2/models";
    if (!goes_by(version->deployed.model, model) && !goes_by(version->deployed.deployment, model))
      return refuse(404, fmt::format("there is no model `{}` here; it is `{}`", io::shortened(model), version->deployed.model));
    constexpr std::string_view kVersions = "/versions/";
    if (rest.starts_with(kVersions)) {
      rest.remove_prefix(kVersions.size());
      const std::string_view asked = rest.substr(0, rest.find('/'));
      rest.remove_prefix(asked.size());
      if (asked != std::to_string(version->deployed.version))
        return refuse(404, fmt::format("version {} of `{}` is not deployed; version {} is", io::shortened(asked), version->deployed.model, version->deployed.version));
    }
    if (rest.empty() || rest == "/") return only("GET", "/v2/models", "read", [&] { return Response{200, "application/json", version->metadata}; });
    if (rest == "/ready") return only("GET", "/v2/models/ready", "", [&] { return Response{200, "application/json", fmt::format("{{\"name\":{},\"ready\":true}}", quoted(version->deployed.model))}; });
    if (rest == "/infer") return only("POST", "/v2/models/infer", "predict", [&] { return infer(request, version); });
  }
  return refuse(404, fmt::format("there is nothing at `{}`; /predict, /v2, /openapi.json, /metrics and /healthz are", io::shortened(path)));
}

std::expected<request_log::Answered, Response> Application::answer_records(const Version& version, std::vector<scorer::Record> records, std::string id, std::int64_t began) {
  const scorer::RecordBatch batch = scorer::to_columns(*version.scorer, records);
  request_log::Answered answered{version.source, std::move(id), std::move(records), {}, {}, 0};
  if (!batch.faults.empty()) {
    for (const scorer::Fault& fault : batch.faults) answered.faults.emplace_back(fault.record, fault.field);
    metrics_.faults += batch.faults.size();
    Response response = refuse(scorer::schema(*version.scorer), batch.faults);
    keep(std::move(answered), began);
    return std::unexpected(std::move(response));
  }
  auto predictions = scorer::predict(*version.scorer, batch.columns, batch.rows);
  if (!predictions) return std::unexpected(refuse(500, predictions.error().message));
  answered.predictions = std::move(*predictions);
  return answered;
}

void Application::keep(request_log::Answered answered, std::int64_t began) {
  answered.latency_us = (clock_.steady_ns() - began) / 1000;
  log_->add(std::move(answered));
}

Response Application::predict(const Request& request) {
  const std::int64_t began = clock_.steady_ns();
  if (!is_json(request.content_type)) return refuse(415, "send JSON, with the header Content-Type: application/json");
  const auto version = version_.load();
  std::vector<scorer::Record> records;
  std::vector<std::pair<std::uint32_t, std::string>> unknown;
  bool is_list = false;
  auto reader = version->readers->take();
  const auto wrong = reader->read_all(request.body, settings_.most_rows, records, is_list, unknown);
  version->readers->give_back(std::move(reader));
  if (wrong) {
    const bool too_many = is_list && wrong->reason.starts_with("a list of more");
    std::string message = wrong->field.empty() ? fmt::format("the request is {}", wrong->reason) : fmt::format("`{}` is {}", wrong->field, wrong->reason);
    if (too_many) message = fmt::format("the request has more than {} records", settings_.most_rows);
    else if (is_list && wrong->is_object) message += fmt::format(" (record {})", wrong->record);
    return refuse(too_many ? 413 : 400, message);
  }
  if (!unknown.empty()) {
    const std::string_view near = diag::did_you_mean(unknown[0].second, version->names);
    return refuse(422, fmt::format("there is no field `{}`{}", io::shortened(unknown[0].second), near.empty() ? fmt::format("; fields are {}", fmt::join(version->names, ", ")) : fmt::format("; did you mean `{}`?", near)));
  }
  auto answer = answer_records(*version, std::move(records), next_id(), began);
  if (!answer) return std::move(answer.error());
  request_log::Answered& answered = *answer;
  const std::vector<double>& predictions = answered.predictions;
  Response response;
  response.headers.emplace_back("X-Model-Version", std::to_string(version->deployed.version));
  response.headers.emplace_back("X-Request-Id", answered.request_id);
  auto to = std::back_inserter(response.body);
  response.body = is_list ? "{\"predictions\":[" : "{\"prediction\":";
  bool undefined = false, outside = false;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    if (i) response.body += ',';
    const double p = predictions[i];
    if (scorer::is_out_of_population(p)) response.body += "null", outside = true, ++metrics_.undefined;
    else if (std::isnan(p)) response.body += "null", undefined = true, ++metrics_.undefined;
    else fmt::format_to(to, "{}", p), ++metrics_.predictions;
  }
  if (is_list) response.body += ']';
  if (outside && !undefined) response.body += ",\"reason\":\"out_of_population\"";
  if (undefined) response.body += ",\"reason\":\"a number that the model needs is infinite or undefined\"";
  fmt::format_to(to, ",\"model\":{},\"version\":{},\"scorer\":\"{}\"}}", quoted(version->deployed.model), version->deployed.version, version->deployed.scorer.hex());
  keep(std::move(answered), began);
  return response;
}

}  // namespace mlp::serve
