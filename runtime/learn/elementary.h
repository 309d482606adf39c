#pragma once

#include <span>

/// Elementary functions whose bits are equal on every CPU (SLEEF's deterministic ones, without FMA), for gradients and losses.
namespace mlp::learn {

double exact_bits_exp(double x);
double exact_bits_log(double x);    ///< x > 0
double exact_bits_log1p(double x);  ///< x > -1
/// 1 / (1 + exp(-x)), without overflow.
double sigmoid(double x);
/// out[i] = sigmoid(x[i]); the same bits as one by one.
void sigmoid(std::span<const double> x, std::span<double> out);
/// log(p / (1 - p)); 0 < p < 1.
double log_odds(double p);

}  // namespace mlp::learn
