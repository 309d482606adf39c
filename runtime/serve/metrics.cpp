#include "runtime/serve/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace mlp::serve {

void Metrics::count(const std::string& route, unsigned status, double seconds) {
  const auto bucket = static_cast<std::size_t>(std::ranges::lower_bound(kBounds, seconds) - kBounds.begin());
  const std::lock_guard lock(mutex_);
  ++requests_[{route, status}];
  ++buckets_[bucket];
  seconds_ += seconds;
  ++total_;
}

std::string Metrics::text(const std::string& model, std::uint32_t version, const std::string& more) const {
  std::string out;
  auto to = std::back_inserter(out);
  const auto metric = [&](const char* name, const char* kind, const char* help, std::uint64_t value) {
    fmt::format_to(to, "# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, kind, value);
  };
  fmt::format_to(to, "# HELP mlp_model_info The version that answers.\n# TYPE mlp_model_info gauge\nmlp_model_info{{model=\"{}\",version=\"{}\"}} 1\n", model, version);
  metric("mlp_predictions_total", "counter", "Records with a prediction.", predictions);
  metric("mlp_faults_total", "counter", "Values that broke the contract of their field.", faults);
  metric("mlp_undefined_total", "counter", "Records whose features are infinite or undefined.", undefined);
  metric("mlp_connections", "gauge", "Connections open now.", connections);
  metric("mlp_refused_connections_total", "counter", "Connections turned away because too many were open.", refused_connections);
  metric("mlp_swaps_total", "counter", "Versions taken over.", swaps);
  metric("mlp_failed_swaps_total", "counter", "Versions that could not be loaded.", failed_swaps);
  const std::lock_guard lock(mutex_);
  out += "# HELP mlp_requests_total Requests answered.\n# TYPE mlp_requests_total counter\n";
  for (const auto& [key, n] : requests_) fmt::format_to(to, "mlp_requests_total{{route=\"{}\",status=\"{}\"}} {}\n", key.first, key.second, n);
  out += "# HELP mlp_request_seconds Time to answer, without the network.\n# TYPE mlp_request_seconds histogram\n";
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kBounds.size(); ++i) fmt::format_to(to, "mlp_request_seconds_bucket{{le=\"{}\"}} {}\n", kBounds[i], below += buckets_[i]);
  fmt::format_to(to, "mlp_request_seconds_bucket{{le=\"+Inf\"}} {0}\nmlp_request_seconds_sum {1}\nmlp_request_seconds_count {0}\n", total_, seconds_);
  return out + more;
}

}  // namespace mlp::serve
