#include "runtime/monitor/histogram.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "compiler/support/check.h"
#include "compiler/support/text.h"
#include "runtime/learn/native.h"

namespace mlp::monitor {

namespace {

constexpr std::size_t kQuantiles = 10;
constexpr double kRareShare = 0.01;
constexpr std::size_t kMostCategories = 20;

std::string whole_text(const Type& type, double value) {
  const auto x = static_cast<std::int64_t>(value);
  using namespace std::chrono;
  if (type.base == Base::date) return fmt::format("{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(x * 86'400)));
  if (type.base == Base::timestamp) return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(std::floor(value / 1e6))));
  if (type.base == Base::duration) return fmt::format("{:g} s", value / 1e6);
  return fmt::format("{}", x);
}

bool is_whole(const Type& type) { return type.base == Base::int_ || type.base == Base::date || type.base == Base::timestamp || type.base == Base::duration; }

/// From one cut (none: the lowest value) to the next (none: the highest).
std::string range_text(const Type& type, std::optional<double> low, std::optional<double> high) {
  if (!low && !high) return "any value";
  if (type.base == Base::bool_) return low ? "true" : "false";
  if (!is_whole(type)) {
    if (!low) return fmt::format("< {:.4g}", *high);
    if (!high) return fmt::format("≥ {:.4g}", *low);
    return fmt::format("{:.4g} to {:.4g}", *low, *high);
  }
  const double first = low ? std::ceil(*low) : 0, last = high ? std::ceil(*high) - 1 : 0;
  if (!low) return "≤ " + whole_text(type, last);
  if (!high) return "≥ " + whole_text(type, first);
  return first == last ? whole_text(type, first) : whole_text(type, first) + " to " + whole_text(type, last);
}

std::uint8_t add_slot(Histogram& h, std::string label, double rows = 0) {
  h.labels.push_back(std::move(label));
  h.reference.push_back(rows);
  return static_cast<std::uint8_t>(h.labels.size() - 1);
}

void cut_numbers(Histogram& h, const Type& type) {
  const std::vector<double>& cuts = h.bins->cuts.at(0);
  const auto& counts = h.bins->counts.at(0);
  const double known = static_cast<double>(std::accumulate(counts.begin(), counts.end() - 1, std::uint64_t{0}));
  std::uint64_t seen = 0, in_slot = 0;
  std::optional<double> low;
  std::vector<std::size_t> open;
  for (std::size_t b = 0; b <= cuts.size(); ++b) {
    open.push_back(b);
    const double before = static_cast<double>(seen);
    seen += counts[b];
    in_slot += counts[b];
    const bool last = b == cuts.size();
    const auto decile = [&](double rows) { return known > 0 ? std::floor(rows * kQuantiles / known + 1e-9) : 0; };
    if (!last && decile(static_cast<double>(seen)) == decile(before)) continue;
    const std::optional<double> high = last ? std::nullopt : std::optional(cuts[b]);
    const std::uint8_t slot = add_slot(h, range_text(type, low, high), static_cast<double>(in_slot));
    for (const std::size_t one : open) h.slot_of[one] = slot;
    open.clear();
    in_slot = 0;
    low = high;
  }
}

void group_categories(Histogram& h) {
  const auto& counts = h.bins->counts.at(0);
  const double total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  std::array<std::size_t, 256> values_in{};
  for (const std::uint8_t bin : h.bins->bin_of) ++values_in[bin];
  std::vector<std::size_t> frequent;
  for (std::size_t v = 0; v < h.bins->domain.size(); ++v) {
    const std::uint8_t bin = h.bins->bin_of[v];
    if (values_in[bin] == 1 && static_cast<double>(counts[bin]) >= kRareShare * total) frequent.push_back(v);
  }
  const auto more = [&](std::size_t a, std::size_t b) { return counts[h.bins->bin_of[a]] > counts[h.bins->bin_of[b]]; };
  std::ranges::stable_sort(frequent, more);
  if (frequent.size() > kMostCategories) frequent.resize(kMostCategories);
  std::array<bool, 256> done{};
  for (const std::size_t v : frequent) {
    const std::uint8_t bin = h.bins->bin_of[v];
    h.slot_of[bin] = add_slot(h, h.bins->domain[v], static_cast<double>(counts[bin]));
    done[bin] = true;
  }
  const std::uint8_t rare = add_slot(h, "rare");
  double single = 0;
  for (std::size_t bin = 0; bin < learn::kMissingBin; ++bin) {
    if (done[bin]) continue;
    h.slot_of[bin] = rare;
    h.reference[rare] += static_cast<double>(counts[bin]);
    // Values that share a bin: if the others came twice, so many came once.
    single += std::max(0.0, 2 * static_cast<double>(values_in[bin]) - static_cast<double>(counts[bin]));
  }
  single = std::min(single, h.reference[rare]);
  h.reference[rare] -= single;
  h.unseen = add_slot(h, "unseen", single);
}

std::string bar(double share, std::size_t width) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * static_cast<double>(width) * 8));
  std::string text;
  for (std::size_t i = 0; i < eighths / 8; ++i) text += "█";
  text += kEighths[eighths % 8];
  const std::size_t used = eighths / 8 + (eighths % 8 ? 1 : 0);
  return text + std::string(width - used, ' ');
}

std::string padded(const std::string& text, std::size_t width) {
  const std::size_t length = count_code_points(text);
  return text + std::string(width > length ? width - length : 0, ' ');
}

}  // namespace

Histogram make_histogram(const Type& type, std::shared_ptr<const learn::Bins> bins) {
  MLP_CHECK(bins->runs() == 1);
  Histogram h;
  h.bins = std::move(bins);
  if (h.bins->kind == learn::Bins::Kind::number) cut_numbers(h, type);
  else group_categories(h);
  h.missing = add_slot(h, "missing", static_cast<double>(h.bins->counts.at(0)[learn::kMissingBin]));
  return h;
}

void count(const Histogram& h, const Column& column, std::span<const std::uint32_t> skip, std::span<double> counts) {
  const Buffer buffer = h.bins->apply(column);
  const auto bins = buffer.as<std::uint8_t>();
  auto next = skip.begin();
  for (std::uint32_t row = 0; row < column.rows; ++row) {
    if (next != skip.end() && *next == row) {
      ++next;
      continue;
    }
    const bool known = column.is_known(row);
    const std::uint8_t slot = !known ? h.missing : bins[row] == learn::kMissingBin ? h.unseen.value_or(h.missing) : h.slot_of[bins[row]];
    ++counts[slot];
  }
}

std::string histogram_text(const Histogram& h, std::span<const double> now, const std::string& indent) {
  constexpr std::size_t kBar = 20, kMostLabel = 28;
  const double fitted = std::accumulate(h.reference.begin(), h.reference.end(), 0.0);
  const double current = std::accumulate(now.begin(), now.end(), 0.0);
  const auto share = [](double part, double whole) { return whole > 0 ? part / whole : 0; };
  double most = 0;
  std::size_t width = 5;
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < h.labels.size(); ++i) {
    most = std::max({most, share(h.reference[i], fitted), share(now[i], current)});
    std::string label = h.labels[i];
    if (count_code_points(label) > kMostLabel) label = std::string(first_code_points(label, kMostLabel - 1)) + "…";
    labels.push_back(std::move(label));
    if (h.reference[i] > 0 || now[i] > 0) width = std::max(width, count_code_points(labels.back()));
  }
  std::string text = fmt::format("{}{}  {:<{}}{}\n", indent, std::string(width, ' '), "trained on", kBar + 10, "now");
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!(h.reference[i] > 0 || now[i] > 0)) continue;
    const double a = share(h.reference[i], fitted), b = share(now[i], current);
    text += fmt::format("{}{}  {}{:6.1f}%   {}{:6.1f}%\n", indent, padded(labels[i], width), bar(a / std::max(most, 1e-300), kBar), a * 100,
                        bar(b / std::max(most, 1e-300), kBar), b * 100);
  }
  return text;
}

}  // namespace mlp::monitor
