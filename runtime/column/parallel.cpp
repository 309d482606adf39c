#include "runtime/column/parallel.h"

#include <algorithm>

#ifdef MLP_PLAIN_THREADS
#include <atomic>
#include <thread>
#include <vector>
#else
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#endif

namespace mlp {

#ifdef MLP_PLAIN_THREADS

namespace {
/// Set on threads that run a body: an inner loop stays on its thread, so that loops in loops do not multiply threads.
thread_local bool inside_loop = false;
}  // namespace

void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) {
  const std::size_t threads = std::min<std::size_t>(count, std::max(2u, std::thread::hardware_concurrency()));
  if (threads <= 1 || inside_loop) {
    for (std::size_t i = 0; i < count; ++i)
      body(i);
    return;
  }
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    inside_loop = true;
    for (std::size_t i = next++; i < count; i = next++)
      body(i);
    inside_loop = false;
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < threads; ++i)
    others.emplace_back(work);
  work();
}

void isolated(const std::function<void()>& body) { body(); }

#else

void isolated(const std::function<void()>& body) { tbb::this_task_arena::isolate(body); }

void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) {
  if (count <= 1) {
    if (count == 1) body(0);
    return;
  }
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, count, 1), [&](const tbb::blocked_range<std::size_t>& range) {
    for (std::size_t i = range.begin(); i != range.end(); ++i)
      body(i);
  });
}

#endif

void parallel_stretches(std::size_t count, const std::function<void(std::size_t, std::size_t)>& body) {
  constexpr std::size_t kLength = 1 << 17;
  parallel_for((count + kLength - 1) / kLength, [&](std::size_t i) { body(i * kLength, std::min(count, (i + 1) * kLength)); });
}

}  // namespace mlp
