#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/batch/rows.h"
#include "runtime/column/parallel.h"

/// Between read_rows and the forms of files that it knows. Used inside the room.
namespace mlp::batch {

Result<void> read_delimited(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input, std::uint64_t fragment_rows,
                            const TakeKeys& keys, const BlockWork& work);
Result<void> read_parquet(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input, const TakeKeys& keys, const BlockWork& work);
Result<void> read_json_lines(const scorer::LoadedScorer& scorer, io::FileSystem& files, const std::string& input, const TakeKeys& keys,
                             const BlockWork& work);

/// Names of fields as a file may have them, those of the table's files first, and their positions: the request, then the key.
std::vector<std::pair<std::string, std::uint32_t>> field_names(const scorer::Schema& schema);

/// Blocks that are in memory together.
inline constexpr std::size_t kBlocksAtOnce = 8;

/// Reads `count` blocks and works on them in parallel; what that gives is called in their order.
template <class Read>
Result<void> work_on(std::size_t count, const Read& read, const BlockWork& work) {
  std::vector<std::optional<Result<std::function<void()>>>> done(count);
  parallel_for(count, [&](std::size_t i) {
    Result<RowBlock> block = read(i);
    if (block) done[i] = work(std::move(*block));
    else done[i] = failure(std::move(block.error()));
  });
  for (auto& one : done) {
    if (!*one) return failure(std::move(one->error()));
    (**one)();
  }
  return {};
}

}  // namespace mlp::batch
