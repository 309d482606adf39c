#include "runtime/exec/scheduler.h"

#include <algorithm>
#include <memory>

#ifdef MLP_PLAIN_THREADS
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#else
#include <tbb/task_arena.h>
#include <tbb/task_group.h>
#endif

namespace mlp::exec {

int ThreadBudget::borrow(int wanted) {
  int free = free_.load();
  while (true) {
    const int taken = std::clamp(free, 0, std::max(0, wanted));
    if (taken == 0) return 0;
    if (free_.compare_exchange_weak(free, free - taken)) return taken;
  }
}

#ifdef MLP_PLAIN_THREADS

void run_graph(const Graph& graph, int threads, const std::function<bool(std::size_t)>& body) {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::size_t> ready;
  std::vector<std::size_t> waits = graph.waits_for;
  std::size_t running = 0;
  for (std::size_t i = 0; i < waits.size(); ++i)
    if (waits[i] == 0) ready.push_back(i);
  const auto work = [&] {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [&] { return !ready.empty() || running == 0; });
      if (ready.empty()) return;
      const std::size_t task = ready.front();
      ready.pop_front();
      ++running;
      lock.unlock();
      const bool done = body(task);
      lock.lock();
      --running;
      if (done)
        for (std::size_t follower : graph.followers[task])
          if (--waits[follower] == 0) ready.push_back(follower);
      changed.notify_all();
    }
  };
  std::vector<std::jthread> pool;
  for (int i = 0; i < std::max(1, threads); ++i) pool.emplace_back(work);
}

#else

void run_graph(const Graph& graph, int threads, const std::function<bool(std::size_t)>& body) {
  const auto waits = std::make_unique<std::atomic<std::size_t>[]>(graph.waits_for.size());
  for (std::size_t i = 0; i < graph.waits_for.size(); ++i) waits[i] = graph.waits_for[i];
  tbb::task_arena arena(std::max(1, threads));
  arena.execute([&] {
    tbb::task_group group;
    std::function<void(std::size_t)> start = [&](std::size_t task) {
      group.run([&, task] {
        if (!body(task)) return;
        for (std::size_t follower : graph.followers[task])
          if (waits[follower].fetch_sub(1) == 1) start(follower);
      });
    };
    for (std::size_t i = 0; i < graph.waits_for.size(); ++i)
      if (graph.waits_for[i] == 0) start(i);
    group.wait();
  });
}

#endif

}  // namespace mlp::exec
