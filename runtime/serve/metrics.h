#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

/// Counts of a server, in the text form of Prometheus 0.0.4.
namespace mlp::serve {

class Metrics {
 public:
  void count(const std::string& route, unsigned status, double seconds);
  std::atomic<std::uint64_t> predictions = 0, faults = 0, undefined = 0;       ///< records
  std::atomic<std::uint64_t> connections = 0, refused_connections = 0;         ///< open now; turned away
  std::atomic<std::uint64_t> swaps = 0, failed_swaps = 0;                      ///< versions taken over; that could not be loaded
  /// `more` is appended: lines that others count.
  std::string text(const std::string& model, std::uint32_t version, const std::string& more) const;

 private:
  static constexpr std::array<double, 12> kBounds = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5};
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, unsigned>, std::uint64_t> requests_;
  std::array<std::uint64_t, kBounds.size() + 1> buckets_{};
  double seconds_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace mlp::serve
