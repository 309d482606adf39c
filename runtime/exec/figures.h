#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/support/digest.h"

/// What the Metrics, Gates and Champion steps leave in the store.
namespace mlp::exec {

/// A figure with its 95% interval, or the reason why there is none.
struct FigureRecord {
  std::optional<double> value, low, high;
  std::uint64_t rows = 0;
  std::string too_few;                    ///< not empty: not enough data to decide a gate; says what is missing
  std::vector<std::string> group;         ///< values of the grouping columns, in a group's figure
  std::vector<FigureRecord> groups;       ///< of a measure over groups, by their values
};

struct GateStatus {
  enum class Kind : std::uint8_t { passed, failed, inconclusive, not_applicable } kind = Kind::failed;
  std::optional<double> value, low, high;  ///< of the left side; with a compared model, of the left side too
  std::optional<double> bound;             ///< the right side
  std::string why;                         ///< for people, where the numbers do not say it
};
std::string_view name(GateStatus::Kind kind);  ///< "passed"

/// What a candidate is compared with by `beats production`.
struct ChampionRecord {
  std::optional<Digest> scorer;  ///< nothing: there is nothing in production
  std::string deployment;
  std::uint32_t version = 0;
  std::string unfit;             ///< not empty: why no comparison would be fair
};

std::string encode(const ChampionRecord& champion);
Result<ChampionRecord> decode_champion(std::string_view json);
std::string encode(const std::vector<FigureRecord>& figures);
Result<std::vector<FigureRecord>> decode_figures(std::string_view json);
std::string encode(const std::vector<GateStatus>& gates);
Result<std::vector<GateStatus>> decode_gates(std::string_view json);

}  // namespace mlp::exec
