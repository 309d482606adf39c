#pragma once

#include <cstddef>
#include <functional>

namespace mlp {

/// Calls body(i) for every i in [0, count), on the threads of the current arena; returns when all are done. The order is not
/// defined: results go to their own places, reductions are done by the caller in index order.
void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body);

/// Calls body(begin, end) for stretches that cover [0, count): for work that is little for each one.
void parallel_stretches(std::size_t count, const std::function<void(std::size_t, std::size_t)>& body);

/// Runs the body so that the loops in it take up no other work meanwhile: for work under a lock that other work may ask for.
void isolated(const std::function<void()>& body);

}  // namespace mlp
