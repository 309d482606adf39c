#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <vector>

/// Runs a graph of tasks on a bounded number of threads.
namespace mlp::exec {

struct Graph {
  /// For each task those that wait for it.
  std::vector<std::vector<std::size_t>> followers;
  /// For each task the number of tasks it waits for.
  std::vector<std::size_t> waits_for;
};

/// Calls body(task) for every task once all it waits for returned true; followers of a task that returned false are left out, the
/// others go on. Returns when nothing runs any more. Loops inside body (parallel_for) share the same threads.
void run_graph(const Graph& graph, int threads, const std::function<bool(std::size_t)>& body);

/// The threads of one process: a library that brings threads of its own borrows those that no task uses, and gives them back.
class ThreadBudget {
 public:
  explicit ThreadBudget(int threads) : free_(threads) {}
  /// Takes one, for a task that starts (may go below zero: a task is never kept waiting by a borrower).
  void enter() { free_.fetch_sub(1); }
  void leave() { free_.fetch_add(1); }
  /// Takes up to `wanted` further threads that are free right now.
  int borrow(int wanted);
  void give_back(int count) { free_.fetch_add(count); }

 private:
  std::atomic<int> free_;
};

}  // namespace mlp::exec
