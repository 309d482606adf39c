#include "runtime/learn/aggregates/group_states.h"

#include "runtime/learn/aggregates/stretches.h"
#include "runtime/learn/exact_sum.h"

namespace mlp::learn {

namespace {

/// Calls each(row, group) for the rows that count.
template <class Each>
void for_each_counted(const GroupPiece& piece, Each each) {
  const bool all = piece.use.empty() && !(piece.values && piece.values->known);
  const std::size_t rows = piece.group.size();
  if (all) {
    for (std::size_t i = 0; i < rows; ++i) each(i, index(piece.group[i]));
    return;
  }
  for (std::size_t i = 0; i < rows; ++i)
    if ((piece.use.empty() || piece.use[i]) && (!piece.values || piece.values->is_known(i))) each(i, index(piece.group[i]));
}

/// How many rows count.
struct Counts : GroupState {
  explicit Counts(std::size_t groups) : rows(groups, 0) {}
  std::vector<std::int64_t> rows;
  void add(const GroupPiece& piece) override {
    for_each_counted(piece, [&](std::size_t, std::size_t group) { ++rows[group]; });
  }
  void merge(const GroupState& later, std::span<const std::int64_t> group) override {
    const auto& other = static_cast<const Counts&>(later).rows;
    for (std::size_t g = 0; g < other.size(); ++g) rows[index(group[g])] += other[g];
  }
  Column values(const Type& type) const override { return whole_numbers(type, rows); }
};

/// How many rows count, and how many of them are true; all, where there is no argument.
struct Trues : GroupState {
  explicit Trues(std::size_t groups) : all(groups), yes(groups) {}
  Counts all, yes;
  void add(const GroupPiece& piece) override {
    all.add(piece);
    if (!piece.values) return yes.add(piece);
    const auto values = piece.values->values<std::uint8_t>();
    for_each_counted(piece, [&](std::size_t i, std::size_t group) { yes.rows[group] += values[i] != 0; });
  }
  void merge(const GroupState& later, std::span<const std::int64_t> group) override {
    all.merge(static_cast<const Trues&>(later).all, group);
    yes.merge(static_cast<const Trues&>(later).yes, group);
  }
};
struct Any : Trues {
  using Trues::Trues;
  Column values(const Type& type) const override {
    std::vector<std::int64_t> any(yes.rows.size());
    for (std::size_t g = 0; g < any.size(); ++g) any[g] = yes.rows[g] > 0;
    return whole_numbers(type, any);
  }
};
struct Ratio : Trues {
  using Trues::Trues;
  Column values(const Type& type) const override {
    ColumnBuilder out(type, all.rows.size());
    for (std::size_t g = 0; g < all.rows.size(); ++g)
      all.rows[g] == 0 ? out.push_missing() : out.push_float(static_cast<double>(yes.rows[g]) / static_cast<double>(all.rows[g]));
    return out.finish();
  }
};

/// Exact sums, as whole multiples of one number, and how many rows have one.
struct Sums : GroupState {
  Sums(std::size_t groups, std::optional<FixedPoint> unit, bool means) : unit_(unit), means_(means), sums_(groups, 0), counts_(groups) {}
  void add(const GroupPiece& piece) override {
    if (unit_) {
      const auto values = piece.values->values<double>();
      for_each_counted(piece, [&](std::size_t i, std::size_t group) { sums_[group] += unit_->multiple(values[i]); });
    } else {
      const auto values = piece.values->values<std::int64_t>();
      for_each_counted(piece, [&](std::size_t i, std::size_t group) { sums_[group] += values[i]; });
    }
    if (means_) counts_.add(piece);
  }
  void merge(const GroupState& later, std::span<const std::int64_t> group) override {
    const auto& other = static_cast<const Sums&>(later);
    for (std::size_t g = 0; g < other.sums_.size(); ++g) sums_[index(group[g])] += unit_ ? unit_->rescaled(other.sums_[g], *other.unit_) : other.sums_[g];
    counts_.merge(other.counts_, group);
  }
  Column values(const Type& type) const override {
    ColumnBuilder out(type, sums_.size());
    for (std::size_t g = 0; g < sums_.size(); ++g) {
      const std::int64_t rows = counts_.rows[g];
      if (means_ && rows == 0) out.push_missing();
      else if (unit_) out.push_float(means_ ? unit_->value(sums_[g]) / static_cast<double>(rows) : unit_->value(sums_[g]));
      else if (means_) out.push_int(whole_mean(sums_[g], rows));
      else push_sum(out, sums_[g]);
    }
    return out.finish();
  }

 private:
  std::optional<FixedPoint> unit_;  ///< of floats
  bool means_;
  std::vector<__int128> sums_;
  Counts counts_;
};

struct Deviations : GroupState {
  Deviations(std::size_t groups, const RunningMoments& none) : moments(groups, none) {}
  std::vector<RunningMoments> moments;
  void add(const GroupPiece& piece) override {
    const auto values = piece.values->values<double>();
    for_each_counted(piece, [&](std::size_t i, std::size_t group) { moments[group].add(values[i]); });
  }
  void merge(const GroupState& later, std::span<const std::int64_t> group) override {
    const auto& other = static_cast<const Deviations&>(later).moments;
    for (std::size_t g = 0; g < other.size(); ++g) moments[index(group[g])].add(other[g]);
  }
  Column values(const Type& type) const override {
    ColumnBuilder out(type, moments.size());
    for (const RunningMoments& group : moments)
      group.rows() < 2 ? out.push_missing() : out.push_float(deviation_of_sample(group.rows(), group.variance()));
    return out.finish();
  }
};

/// The smallest or largest value; of equal ones the first.
template <class T, bool kLargest>
struct Extremes : GroupState {
  explicit Extremes(std::size_t groups) : best(groups, T{}), is_there(groups, 0) {}
  std::vector<T> best;
  std::vector<std::uint8_t> is_there;
  void take(std::size_t group, T value) {
    if (is_there[group] && !(kLargest ? value > best[group] : value < best[group])) return;
    best[group] = value;
    is_there[group] = 1;
  }
  void add(const GroupPiece& piece) override {
    const auto values = piece.values->template values<T>();
    for_each_counted(piece, [&](std::size_t i, std::size_t group) { take(group, values[i]); });
  }
  void merge(const GroupState& later, std::span<const std::int64_t> group) override {
    const auto& other = static_cast<const Extremes&>(later);
    for (std::size_t g = 0; g < other.best.size(); ++g)
      if (other.is_there[g]) take(index(group[g]), other.best[g]);
  }
  Column values(const Type& type) const override {
    ColumnBuilder out(type, best.size());
    for (std::size_t g = 0; g < best.size(); ++g) {
      if (!is_there[g]) out.push_missing();
      else if constexpr (std::is_same_v<T, double>) out.push_float(best[g]);
      else out.push_int(best[g]);
    }
    return out.finish();
  }
};

template <bool kLargest>
std::unique_ptr<GroupState> extremes(std::size_t groups, const Type* argument) {
  if (argument->base == Base::float_) return std::make_unique<Extremes<double, kLargest>>(groups);
  return std::make_unique<Extremes<std::int64_t, kLargest>>(groups);
}

std::unique_ptr<GroupState> sums(std::size_t groups, const Type* argument, const BitSpread& spread, bool means) {
  if (argument->base != Base::float_) return std::make_unique<Sums>(groups, std::nullopt, means);
  const auto unit = FixedPoint::sums_of(spread);
  return unit ? std::make_unique<Sums>(groups, unit, means) : nullptr;
}

}  // namespace

std::unique_ptr<GroupState> count_by_group(std::size_t groups, const Type*, const BitSpread&) { return std::make_unique<Counts>(groups); }
std::unique_ptr<GroupState> any_by_group(std::size_t groups, const Type*, const BitSpread&) { return std::make_unique<Any>(groups); }
std::unique_ptr<GroupState> ratio_by_group(std::size_t groups, const Type*, const BitSpread&) { return std::make_unique<Ratio>(groups); }
std::unique_ptr<GroupState> sum_by_group(std::size_t groups, const Type* argument, const BitSpread& spread) { return sums(groups, argument, spread, false); }
std::unique_ptr<GroupState> mean_by_group(std::size_t groups, const Type* argument, const BitSpread& spread) { return sums(groups, argument, spread, true); }
std::unique_ptr<GroupState> deviation_by_group(std::size_t groups, const Type*, const BitSpread& spread) {
  const auto none = RunningMoments::of(spread);
  return none ? std::make_unique<Deviations>(groups, *none) : nullptr;
}
std::unique_ptr<GroupState> min_by_group(std::size_t groups, const Type* argument, const BitSpread&) { return extremes<false>(groups, argument); }
std::unique_ptr<GroupState> max_by_group(std::size_t groups, const Type* argument, const BitSpread&) { return extremes<true>(groups, argument); }

}  // namespace mlp::learn
