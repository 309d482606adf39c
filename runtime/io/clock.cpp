#include "runtime/io/clock.h"

#include <chrono>

namespace mlp::io {

namespace {

class SystemClock final : public Clock {
 public:
  std::int64_t now_ns() override { return ns(std::chrono::system_clock::now()); }
  std::int64_t steady_ns() override { return ns(std::chrono::steady_clock::now()); }

 private:
  static std::int64_t ns(auto point) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(point.time_since_epoch()).count();
  }
};

}  // namespace

std::unique_ptr<Clock> system_clock() {
  return std::make_unique<SystemClock>();
}

}  // namespace mlp::io
