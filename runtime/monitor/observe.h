#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "runtime/monitor/monitor.h"
#include "runtime/scorer/scorer.h"

/// Rows into counts. Used inside the room.
namespace mlp::monitor {

/// What is counted of each row.
struct Plan {
  std::vector<Histogram> features;          ///< of scorer::Reference::features
  std::optional<Histogram> prediction;
  std::vector<std::uint32_t> missing;       ///< fields of the request whose missing values are counted
  std::vector<std::uint32_t> distinct;      ///< and whose values
};

struct Counts {
  std::vector<std::vector<double>> features;
  std::vector<double> prediction;
  std::vector<std::uint64_t> missing;       ///< of all rows; a value that cannot be read is none
  std::vector<std::set<std::string>> distinct;
  std::uint64_t rows = 0, set_aside = 0;
  io::BadValues bad;
};

Counts start(const Plan& plan);
/// Adds rows; those of `bad_rows` (ascending) are set aside: they count as rows, and for missing and distinct values.
Result<void> add(const scorer::LoadedScorer& scorer, const Plan& plan, std::span<const Column> request, std::size_t rows, std::span<const std::uint32_t> bad_rows,
                 Counts& to);
void merge(Counts&& part, Counts& to);

Result<Counts> count_file(const scorer::LoadedScorer& scorer, const Plan& plan, io::FileSystem& files, const std::string& input, std::uint64_t fragment_rows);
/// Of the requests answered by the scorer of `deployed` from `from_us` on and before `to_us`.
Result<Counts> count_requests(const scorer::LoadedScorer& scorer, const Plan& plan, io::FileSystem& files, const std::string& store_directory,
                              const registry::Deployed& deployed, std::int64_t from_us, std::int64_t to_us);

}  // namespace mlp::monitor
