#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/types/type.h"
#include "runtime/io/json_records.h"

/// Requests of the Open Inference Protocol, version 2, as they come.
namespace mlp::io {

struct Tensor {
  std::string name, datatype;               ///< "INT64", "BYTES"
  std::vector<std::int64_t> shape;
  std::vector<Value> data;                  ///< row by row; monostate for null
  std::optional<std::uint64_t> binary_bytes;  ///< the data follow the JSON, so many bytes
};

struct TensorRequest {
  struct Output {
    std::string name;
    std::optional<bool> binary;
  };
  std::string id;
  std::vector<Tensor> inputs;
  std::vector<Output> outputs;
  bool binary_output = false;  ///< of outputs that do not say
};

/// What is wrong with it as JSON, or nothing. Shapes and names are not looked at.
std::optional<JsonFault> read_tensors(std::string_view text, TensorRequest& to);

}  // namespace mlp::io
