#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "runtime/learn/native.h"

/// Sums over rows that linear models are made of, and their solution. Every sum has a fixed order (blocks of rows, eight lanes
/// within), so threads and CPUs change no bit. General linear algebra libraries choose their order of summation by the sizes of
/// the caches they find, which is why these few loops are ours.
namespace mlp::learn {

/// The columns of a matrix, each less its shift, and a last column of ones if `intercept`.
struct Design {
  const MatrixView* matrix = nullptr;
  std::vector<double> shift;  ///< one a column of the matrix
  bool intercept = false;
  int threads = 1;

  std::size_t rows() const { return matrix->rows; }
  std::size_t columns() const { return matrix->columns.size() + (intercept ? 1 : 0); }
};

/// The sum of a[i] * b[i], in eight lanes.
double dot(std::span<const double> a, std::span<const double> b);

/// Lower triangle, row by row, of the sum over rows of w x x'; symmetric[i * columns + j] for j <= i.
std::vector<double> gram(const Design& design, std::span<const double> weight);
/// The sum over rows of v x.
std::vector<double> transposed_times(const Design& design, std::span<const double> v);
/// x b of each row; the columns are added in their order.
std::vector<double> times(const Design& design, std::span<const double> b);

/// Cholesky's factor of a symmetric matrix that is positive semidefinite. A column that those before it determine (its pivot is
/// below `tolerance` of its diagonal, or its diagonal at most `floor[i]`) is dropped: its solution is 0.
class Cholesky {
 public:
  Cholesky(std::vector<double> lower, std::size_t size, double tolerance, std::span<const double> floor);
  std::vector<double> solve(std::vector<double> right) const;
  std::size_t dropped() const;

 private:
  std::size_t size_;
  std::vector<double> factor_;  ///< lower triangle
  std::vector<bool> dropped_;
};

}  // namespace mlp::learn
