#pragma once

#include <string>
#include <vector>

#include "compiler/types/type.h"
#include "runtime/learn/column_profile.h"

/// Profiles of columns as `mlpc peek --profile` shows them.
namespace mlp::cli {

struct ShownProfile {
  std::string name;
  std::string owner;  ///< of several tables or views, the one that has it; empty where there is one
  Type type;
  std::string code;  ///< what it is computed by; may be empty
  learn::ColumnProfile profile;
};

inline constexpr double kShownQuantiles[] = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};
inline constexpr std::size_t kShownFrequent = 10;

/// A line a column. What does not fit into `width` (0: any) is left out and named below.
std::string profiles_text(const std::vector<ShownProfile>& profiles, std::size_t width, bool colour);
/// Comma-separated, RFC 4180, a line a column, with a header; what there is not is an empty field.
std::string profiles_csv(const std::vector<ShownProfile>& profiles);
/// `"profile":[{…}]`, without braces.
std::string profiles_json(const std::vector<ShownProfile>& profiles);

}  // namespace mlp::cli
