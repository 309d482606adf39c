#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mlp {

/// When a value is known: always, at the row's @time plus an offset, at a time column plus an offset, when all rows of the table
/// are (a value of a group that holds rows of all times), or never.
struct Availability {
  enum class Kind : std::uint8_t { always, row_time, column, all_rows, never } kind = Kind::row_time;
  std::int64_t offset = 0;      ///< microseconds after that time; negative: known in advance
  std::string column;           ///< for Kind::column: its name in the table
  friend bool operator==(const Availability&, const Availability&) = default;
};

/// Where a value comes from in the life of a model: the same for every row, or of a state fitted on training rows.
enum class Phase : std::uint8_t { row, fitted };

/// What a column declares about itself with `@…`.
struct Tags {
  bool key = false;
  bool time = false;
  bool label = false;
  bool pii = false;
  bool is_protected = false;
  bool weight = false;
  bool ignore = false;
  Availability availability;
  friend bool operator==(const Tags&, const Tags&) = default;
};

}  // namespace mlp
