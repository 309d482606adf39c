#include "runtime/learn/value_counts.h"

#include <algorithm>
#include <cmath>

#include "compiler/support/check.h"

namespace mlp::learn {

NumberCounts count_numbers(const Numbers& numbers, std::span<const std::uint8_t> use) {
  NumberCounts out;
  std::vector<double> known;
  known.reserve(numbers.rows());
  for (std::size_t i = 0; i < numbers.rows(); ++i) {
    if (use[i] == 0) continue;
    if (numbers.known(i)) known.push_back(numbers[i] + 0.0);  // -0 + 0 is 0
    else ++out.missing;
  }
  std::ranges::sort(known);
  for (const double v : known) {
    if (out.values.empty() || out.values.back() != v) {
      out.values.push_back(v);
      out.counts.push_back(0);
    }
    ++out.counts.back();
  }
  return out;
}

bool NumberCounts::sound() const {
  if (values.size() != counts.size()) return false;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]) || counts[i] == 0 || (i > 0 && !(values[i - 1] < values[i]))) return false;
  return true;
}

std::uint64_t NumberCounts::known() const {
  std::uint64_t n = 0;
  for (const std::uint64_t c : counts) n += c;
  return n;
}

void NumberCounts::merge(const NumberCounts& other) {
  NumberCounts out;
  out.missing = missing + other.missing;
  out.values.reserve(values.size() + other.values.size());
  out.counts.reserve(values.size() + other.values.size());
  std::size_t i = 0, j = 0;
  while (i < values.size() || j < other.values.size()) {
    if (j == other.values.size() || (i < values.size() && values[i] < other.values[j])) {
      out.values.push_back(values[i]);
      out.counts.push_back(counts[i++]);
    } else if (i == values.size() || other.values[j] < values[i]) {
      out.values.push_back(other.values[j]);
      out.counts.push_back(other.counts[j++]);
    } else {
      out.values.push_back(values[i]);
      out.counts.push_back(counts[i++] + other.counts[j++]);
    }
  }
  *this = std::move(out);
}

double NumberCounts::quantile(double q) const {
  const std::uint64_t n = known();
  MLP_CHECK(n > 0);
  const double position = static_cast<double>(n - 1) * q;
  const double below = std::floor(position);
  const auto order_statistic = [this](std::uint64_t rank) {
    std::size_t i = 0;
    while (rank >= counts[i]) rank -= counts[i++];
    return values[i];
  };
  const auto rank = static_cast<std::uint64_t>(below);
  const double low = order_statistic(rank);
  if (position == below || rank + 1 >= n) return low;
  const double high = order_statistic(rank + 1);
  if (low == high) return low;
  const double share = position - below;  // weighted like this, huge values do not overflow
  return low * (1.0 - share) + high * share;
}

TextCounts count_texts(const Column& column, std::span<const std::uint8_t> use) {
  const Coded coded(column);
  std::vector<std::uint64_t> by_code(coded.texts().size(), 0);
  TextCounts out;
  for (std::size_t i = 0; i < coded.rows(); ++i) {
    if (use[i] == 0) continue;
    if (const std::int32_t code = coded.code(i); code >= 0) ++by_code[static_cast<std::size_t>(code)];
    else ++out.missing;
  }
  for (std::size_t c = 0; c < by_code.size(); ++c)
    if (by_code[c] > 0) out.counts[std::string(coded.texts()[c])] += by_code[c];
  return out;
}

std::uint64_t TextCounts::rows() const {
  std::uint64_t n = missing;
  for (const auto& [text, count] : counts) n += count;
  return n;
}

void TextCounts::merge(const TextCounts& other) {
  missing += other.missing;
  for (const auto& [text, count] : other.counts) counts[text] += count;
}

std::vector<std::int32_t> match(const std::vector<std::string_view>& texts, const std::vector<std::string>& domain) {
  std::vector<std::int32_t> at;
  at.reserve(texts.size());
  for (const std::string_view text : texts) {
    const auto found = std::lower_bound(domain.begin(), domain.end(), text);
    at.push_back(found != domain.end() && *found == text ? static_cast<std::int32_t>(found - domain.begin()) : -1);
  }
  return at;
}

}  // namespace mlp::learn
