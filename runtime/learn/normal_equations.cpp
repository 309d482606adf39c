#include "runtime/learn/normal_equations.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "compiler/support/check.h"
#include "runtime/column/parallel.h"

namespace mlp::learn {
namespace {

constexpr std::size_t kBlockRows = 512;
constexpr std::size_t kWorthThreads = 32;  // columns from which sharing a block's products out pays

/// Calls each(first row, rows in the block, columns of the block one after the other with kBlockRows apart).
template <class Each>
void for_each_block(const Design& design, Each each) {
  const std::size_t columns = design.columns(), own = design.matrix->columns.size();
  std::vector<double> block(columns * kBlockRows, 1.0);
  for (std::size_t begin = 0; begin < design.rows(); begin += kBlockRows) {
    const std::size_t rows = std::min(kBlockRows, design.rows() - begin);
    for (std::size_t c = 0; c < own; ++c) {
      const double* from = design.matrix->columns[c].values + begin;
      double* to = block.data() + c * kBlockRows;
      for (std::size_t r = 0; r < rows; ++r) to[r] = from[r] - design.shift[c];
    }
    each(begin, rows, block);
  }
}

}  // namespace

double dot(std::span<const double> a, std::span<const double> b) {
  std::array<double, 8> lane{};
  const std::size_t n = a.size();
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::size_t k = 0; k < 8; ++k) lane[k] += a[i + k] * b[i + k];
  for (std::size_t k = 0; i < n; ++i, ++k) lane[k] += a[i] * b[i];
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

std::vector<double> gram(const Design& design, std::span<const double> weight) {
  const std::size_t columns = design.columns();
  std::vector<double> sums(columns * columns, 0.0);
  std::vector<double> weighted(columns * kBlockRows);
  for_each_block(design, [&](std::size_t begin, std::size_t rows, const std::vector<double>& block) {
    const auto one = [&](std::size_t i) {
      const double* x = block.data() + i * kBlockRows;
      double* wx = weighted.data() + i * kBlockRows;
      for (std::size_t r = 0; r < rows; ++r) wx[r] = weight[begin + r] * x[r];
      for (std::size_t j = 0; j <= i; ++j) sums[i * columns + j] += dot({wx, rows}, {block.data() + j * kBlockRows, rows});
    };
    if (design.threads > 1 && columns >= kWorthThreads) parallel_for(columns, one);
    else for (std::size_t i = 0; i < columns; ++i) one(i);
  });
  return sums;
}

std::vector<double> transposed_times(const Design& design, std::span<const double> v) {
  std::vector<double> sums(design.columns(), 0.0);
  for_each_block(design, [&](std::size_t begin, std::size_t rows, const std::vector<double>& block) {
    for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += dot(v.subspan(begin, rows), {block.data() + c * kBlockRows, rows});
  });
  return sums;
}

std::vector<double> times(const Design& design, std::span<const double> b) {
  std::vector<double> out(design.rows(), 0.0);
  for_each_block(design, [&](std::size_t begin, std::size_t rows, const std::vector<double>& block) {
    for (std::size_t c = 0; c < b.size(); ++c) {
      const double* x = block.data() + c * kBlockRows;
      for (std::size_t r = 0; r < rows; ++r) out[begin + r] += b[c] * x[r];
    }
  });
  return out;
}

Cholesky::Cholesky(std::vector<double> lower, std::size_t size, double tolerance, std::span<const double> floor)
    : size_(size), factor_(std::move(lower)), dropped_(size, false) {
  MLP_CHECK(factor_.size() == size * size && floor.size() == size);
  for (std::size_t i = 0; i < size; ++i) {
    double* row = factor_.data() + i * size;
    const double diagonal = row[i];
    for (std::size_t j = 0; j < i; ++j) {
      const double* other = factor_.data() + j * size;
      row[j] = dropped_[j] ? 0.0 : (row[j] - dot({row, j}, {other, j})) / other[j];
    }
    const double pivot = diagonal - dot({row, i}, {row, i});
    if (diagonal <= floor[i] || !(pivot > tolerance * diagonal)) {
      dropped_[i] = true;
      std::fill(row, row + i, 0.0);
      row[i] = 1.0;
    } else {
      row[i] = std::sqrt(pivot);
    }
  }
}

std::vector<double> Cholesky::solve(std::vector<double> right) const {
  for (std::size_t i = 0; i < size_; ++i) {
    const double* row = factor_.data() + i * size_;
    right[i] = dropped_[i] ? 0.0 : (right[i] - dot({row, i}, {right.data(), i})) / row[i];
  }
  for (std::size_t i = size_; i-- > 0;) {
    const double* row = factor_.data() + i * size_;
    if (dropped_[i]) continue;
    right[i] /= row[i];
    for (std::size_t j = 0; j < i; ++j) right[j] -= row[j] * right[i];
  }
  for (std::size_t i = 0; i < size_; ++i)
    if (dropped_[i]) right[i] = 0.0;
  return right;
}

std::size_t Cholesky::dropped() const { return static_cast<std::size_t>(std::ranges::count(dropped_, true)); }

}  // namespace mlp::learn
