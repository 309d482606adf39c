#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/io/field_reader.h"
#include "runtime/learn/bins.h"
#include "runtime/learn/native.h"
#include "runtime/scorer/history.h"
#include "runtime/scorer/scorer.h"

/// Of this room only.
namespace mlp::scorer {

struct LoadedScorer {
  Schema schema;
  plan::Scorer code;
  std::vector<std::shared_ptr<const learn::FittedTransform>> transforms;  ///< by state; null where the state is bins
  std::vector<std::shared_ptr<const learn::Bins>> bins;                   ///< by state; null where the state is a transform's
  std::vector<std::shared_ptr<const KeptHistory>> histories;              ///< by state; null where the state is another's
  std::vector<std::shared_ptr<const jit::Kernel>> kernels;                ///< by column; null where it is none or is interpreted
  std::shared_ptr<const learn::Model> model;
  std::size_t columns = 0;  ///< of `code` that a prediction needs: the first ones
  std::vector<io::FieldReader> fields;  ///< of each field of the request: its part of the contract
};

/// Fills `fields`. E0601, E0308, E0303.
Result<void> prepare_contract(LoadedScorer& scorer);

}  // namespace mlp::scorer
