#pragma once

#include <cstdint>
#include <memory>

namespace mlp::io {

/// Where the time comes from; a test gives another.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Nanoseconds since 1970-01-01T00:00:00Z.
  virtual std::int64_t now_ns() = 0;
  /// Nanoseconds of a clock that never goes back, for durations.
  virtual std::int64_t steady_ns() = 0;
};

/// The clock of the machine.
std::unique_ptr<Clock> system_clock();

}  // namespace mlp::io
