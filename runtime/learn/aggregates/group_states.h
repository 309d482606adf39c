#pragma once

#include "runtime/learn/native.h"

/// Aggregates of groups whose rows come in pieces: NativeAggregate::by_group.
namespace mlp::learn {

std::unique_ptr<GroupState> count_by_group(std::size_t groups, const Type* argument, const BitSpread& spread);
std::unique_ptr<GroupState> any_by_group(std::size_t groups, const Type* argument, const BitSpread& spread);
std::unique_ptr<GroupState> ratio_by_group(std::size_t groups, const Type* argument, const BitSpread& spread);
std::unique_ptr<GroupState> sum_by_group(std::size_t groups, const Type* argument, const BitSpread& spread);
std::unique_ptr<GroupState> mean_by_group(std::size_t groups, const Type* argument, const BitSpread& spread);
std::unique_ptr<GroupState> deviation_by_group(std::size_t groups, const Type* argument, const BitSpread& spread);
std::unique_ptr<GroupState> min_by_group(std::size_t groups, const Type* argument, const BitSpread& spread);
std::unique_ptr<GroupState> max_by_group(std::size_t groups, const Type* argument, const BitSpread& spread);

}  // namespace mlp::learn
