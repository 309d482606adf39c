#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compiler/types/type.h"
#include "runtime/column/column.h"
#include "runtime/learn/bins.h"

/// How often values were seen when a model was fitted, and are seen now.
namespace mlp::monitor {

/// Rows by value, in slots that a person can look at: for numbers at most ten, cut at the deciles of the fitted rows (fewer where
/// a value is so frequent that deciles fall together); for categories a slot a value, those with less than 1% of the rows
/// together. Then a slot for missing, and for categories one for values that no fitted row has.
struct Histogram {
  std::vector<std::string> labels;  ///< of each slot: "45 to 52", "Sales", "rare", "unseen", "missing"
  std::vector<double> reference;    ///< fitted rows in each slot
  std::shared_ptr<const learn::Bins> bins;
  std::array<std::uint8_t, 256> slot_of{};  ///< of each bin
  std::uint8_t missing = 0;
  std::optional<std::uint8_t> unseen;
};

/// `bins` are those of a column of that type, without vectors. Of unseen values a request will have some, even if nothing
/// changes: as many as there were fitted rows with a value of their own (Good 1953, "The population frequencies of species").
Histogram make_histogram(const Type& type, std::shared_ptr<const learn::Bins> bins);

/// Adds the rows of the column, without those of `skip` (ascending), to `counts`, which has a place for each slot.
void count(const Histogram& histogram, const Column& column, std::span<const std::uint32_t> skip, std::span<double> counts);

/// Both distributions side by side, a line a slot, with shares and bars; slots that neither has are left out.
///
///               trained on                     now
///     ≤ 34      █████████▌            18.9%    ▏                      0.0%
std::string histogram_text(const Histogram& histogram, std::span<const double> now, const std::string& indent);

}  // namespace mlp::monitor
