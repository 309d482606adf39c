#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "cli/command.h"
#include "compiler/diag/render.h"
#include "runtime/serve/http_server.h"

namespace mlp::cli {

namespace {

bool is_loopback(const std::string& host) { return host == "localhost" || host.starts_with("127.") || host == "::1"; }

/// The block that is meant; diagnostics have been said when there is none.
const plan::Deployment* find_block(const Common& common, const LoadedPlan& loaded, const std::string& name, int& exit) {
  std::vector<std::string_view> names;
  const plan::Deployment* found = nullptr;
  for (const plan::Deployment& one : loaded.plan.deployments) {
    if (!one.serves) continue;
    names.push_back(one.name);
    if (name.empty() || one.name == name) found = &one;
  }
  if (found && (!name.empty() || names.size() == 1)) return found;
  diag::Diagnostic d = diag::make(diag::Code::E0208, {}, name.empty() ? std::string(names.empty() ? "the file has no `deploy` block with `serve`" : "the file has several deployments that serve")
                                                                    : fmt::format("the file has no deployment `{}` with `serve`", name));
  const std::string_view near = name.empty() ? std::string_view() : diag::did_you_mean(name, names);
  d.help = !near.empty() ? fmt::format("did you mean `{}`?", near) : names.empty() ? std::string("add `serve port 8080` to a deploy block") : fmt::format("say which: {}", fmt::join(names, ", "));
  exit = report(common, d, loaded.sources);
  return nullptr;
}

}  // namespace

int serve(const Common& common, const std::string& file, const std::string& name, const std::string& host, int port, bool insecure) {
  if (!is_loopback(host) && !insecure)
    return report(common, failure(diag::Code::E0601, fmt::format("`{}` is not this machine alone, and TLS is not there yet", host),
                                  "listen on 127.0.0.1 behind a proxy with TLS, or say --insecure; then every request needs a token").error());
  int exit = kDone;
  auto opened = open_plan(common, file, false, exit);
  if (!opened) return exit;
  const auto& [directory, store, loaded] = *opened;
  const plan::Deployment* block = find_block(common, loaded, name, exit);
  if (!block) return exit;

  const auto files = io::real_file_system();
  const auto clock = io::system_clock();
  const bool quiet = common.quiet;
  serve::Settings settings;
  settings.store_directory = directory;
  settings.deployment = loaded.plan.workflow + "." + block->name;
  settings.needs_tokens = !is_loopback(host);
  settings.say = [quiet](const std::string& line) {
    if (!quiet) fmt::print(stderr, "mlpc serve: {}\n", line);
  };
  auto application = serve::Application::open(settings, *files, *clock);
  if (!application) return report(common, application.error());
  serve::ServerOptions options;
  options.host = host;
  options.port = static_cast<std::uint16_t>(port >= 0 ? port : block->port > 0 ? block->port : 8080);
  options.threads = common.threads > 0 ? common.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  options.any_host = settings.needs_tokens;
  watch_signals();
  auto server = serve::HttpServer::listen(options, **application);
  if (!server) return report(common, server.error());
  const registry::Deployed deployed = (*application)->deployed();
  if (common.format == Format::json) {
    const nlohmann::ordered_json json{{"format_version", 1}, {"deployment", deployed.deployment}, {"model", deployed.model}, {"version", deployed.version},
                                      {"scorer", deployed.scorer.hex()}, {"address", host}, {"port", (*server)->port()}, {"pid", ::getpid()}};
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else {
    fmt::print("{} version {} answers at http://{}:{}/predict\n", deployed.model, deployed.version, host, (*server)->port());
    if (!quiet) fmt::print("  /v2 (Open Inference Protocol)  /openapi.json  /metrics  /healthz; Ctrl-C ends it\n");
  }
  std::fflush(stdout);
  (*server)->run(stop_requested());
  settings.say("stopped");
  return kDone;
}

}  // namespace mlp::cli
