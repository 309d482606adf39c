#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "runtime/learn/native.h"

namespace mlp::monitor {

/// The share of windows of `rows` rows that would break `distance COMPARISON bound` although nothing changed: reference and
/// window are both drawn from the reference's shares, 400 times. The same bits for equal arguments. Pairs of draws without a
/// distance count as no alarm.
double false_alarm_rate(const learn::NativeDrift& distance, const std::string& comparison, double bound, std::span<const double> reference,
                        std::uint64_t rows);

/// Whether `value COMPARISON bound` holds.
bool holds(double value, const std::string& comparison, double bound);

}  // namespace mlp::monitor
