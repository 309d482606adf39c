// Inference requests of the Open Inference Protocol, version 2, with its extension for binary tensors.

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <iterator>

#include "compiler/diag/render.h"
#include "runtime/io/field_text.h"
#include "runtime/io/json_tensors.h"
#include "runtime/serve/version.h"

namespace mlp::serve {

namespace {

/// Takes the values of a tensor off the front of the bytes; false where there are too few or the datatype is none of ours.
struct BinaryReader {
  std::string_view bytes;

  template <class T>
  bool take(T& value) {
    if (bytes.size() < sizeof(T)) return false;
    std::memcpy(&value, bytes.data(), sizeof(T));  // the protocol's order of bytes is that of this machine: little end first
    bytes.remove_prefix(sizeof(T));
    return true;
  }
  template <class T>
  bool numbers(std::vector<Value>& to) {
    for (T value; !bytes.empty();) {
      if (!take(value)) return false;
      if constexpr (std::is_floating_point_v<T>) to.push_back(std::isnan(value) ? Value(std::monostate{}) : Value(static_cast<double>(value)));
      else if constexpr (std::is_same_v<T, std::uint64_t>) to.push_back(value > INT64_MAX ? Value(static_cast<double>(value)) : Value(static_cast<std::int64_t>(value)));
      else to.push_back(static_cast<std::int64_t>(value));
    }
    return true;
  }
  bool read(std::string_view datatype, std::vector<Value>& to) {
    if (datatype == "FP64") return numbers<double>(to);
    if (datatype == "FP32") return numbers<float>(to);
    if (datatype == "INT64") return numbers<std::int64_t>(to);
    if (datatype == "INT32") return numbers<std::int32_t>(to);
    if (datatype == "INT16") return numbers<std::int16_t>(to);
    if (datatype == "INT8") return numbers<std::int8_t>(to);
    if (datatype == "UINT64") return numbers<std::uint64_t>(to);
    if (datatype == "UINT32") return numbers<std::uint32_t>(to);
    if (datatype == "UINT16") return numbers<std::uint16_t>(to);
    if (datatype == "UINT8") return numbers<std::uint8_t>(to);
    if (datatype == "BOOL") {
      for (const char c : bytes) to.push_back(c != 0);
      return true;
    }
    if (datatype != "BYTES") return false;
    for (std::uint32_t size; !bytes.empty();) {
      if (!take(size) || bytes.size() < size) return false;
      to.push_back(std::string(bytes.substr(0, size)));
      bytes.remove_prefix(size);
    }
    return true;
  }
};

}  // namespace

Response Application::infer(const Request& request, const std::shared_ptr<const Version>& version) {
  const std::int64_t began = clock_.steady_ns();
  const scorer::Schema& schema = scorer::schema(*version->scorer);
  std::string_view json = request.body, binary;
  if (!request.json_bytes.empty()) {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(request.json_bytes.data(), request.json_bytes.data() + request.json_bytes.size(), size);
    if (error != std::errc() || end != request.json_bytes.data() + request.json_bytes.size() || size > request.body.size())
      return refuse(400, "Inference-Header-Content-Length is not the length of the JSON in the body");
    json = request.body.substr(0, size), binary = request.body.substr(size);
  }
  io::TensorRequest asked;
  if (const auto wrong = io::read_tensors(json, asked))
    return refuse(400, wrong->field.empty() ? fmt::format("the request is {}", wrong->reason) : fmt::format("`{}`: {}", io::shortened(wrong->field), wrong->reason));
  std::optional<std::size_t> rows;
  std::vector<scorer::Record> records;
  std::vector<bool> given(schema.request.size(), false);
  for (io::Tensor& tensor : asked.inputs) {
    const auto position = scorer::field_position(schema, tensor.name);
    if (!position) {
      const std::string_view near = diag::did_you_mean(tensor.name, version->names);
      return refuse(422, fmt::format("there is no field `{}`{}", io::shortened(tensor.name), near.empty() ? "" : fmt::format("; did you mean `{}`?", near)));
    }
    if (given[*position]) return refuse(400, fmt::format("`{}` is given twice", tensor.name));
    given[*position] = true;
    if (tensor.binary_bytes) {
      if (*tensor.binary_bytes > binary.size()) return refuse(400, fmt::format("`{}`: the body ends before its binary data", tensor.name));
      BinaryReader reader{binary.substr(0, *tensor.binary_bytes)};
      if (!reader.read(tensor.datatype, tensor.data)) return refuse(400, fmt::format("`{}`: its binary data are no {}", tensor.name, io::shortened(tensor.datatype)));
      binary.remove_prefix(*tensor.binary_bytes);
    }
    const bool column = tensor.shape.size() == 1 || (tensor.shape.size() == 2 && tensor.shape[1] == 1);
    if (!column || static_cast<std::uint64_t>(tensor.shape[0]) != tensor.data.size())
      return refuse(400, fmt::format("`{}`: the shape is [{}] and there are {} values; [rows] or [rows, 1] is expected", tensor.name, fmt::join(tensor.shape, ", "), tensor.data.size()));
    if (tensor.data.size() > settings_.most_rows) return refuse(413, fmt::format("the request has more than {} records", settings_.most_rows));
    if (!rows) {
      rows = tensor.data.size();
      records.assign(*rows, scorer::Record(schema.request.size()));
    }
    if (*rows != tensor.data.size()) return refuse(400, fmt::format("`{}` has {} rows, other tensors have {}", tensor.name, tensor.data.size(), *rows));
    for (std::size_t i = 0; i < *rows; ++i) records[i][*position] = std::move(tensor.data[i]);
  }
  if (!rows) return refuse(400, "`inputs` has no tensor: one for each field is expected");
  for (const auto& output : asked.outputs)
    if (output.name != "prediction") return refuse(400, fmt::format("there is no output `{}`; there is `prediction`", io::shortened(output.name)));

  auto answer = answer_records(*version, std::move(records), asked.id.empty() ? next_id() : asked.id, began);
  if (!answer) return std::move(answer.error());
  request_log::Answered& answered = *answer;
  const std::vector<double>& predictions = answered.predictions;
  const bool as_binary = asked.outputs.empty() ? asked.binary_output : asked.outputs[0].binary.value_or(asked.binary_output);
  Response response;
  response.headers.emplace_back("X-Model-Version", std::to_string(version->deployed.version));
  auto to = std::back_inserter(response.body);
  fmt::format_to(to, "{{\"model_name\":{},\"model_version\":\"{}\",\"id\":{},\"parameters\":{{\"scorer\":\"{}\"}},\"outputs\":[{{\"name\":\"prediction\",\"shape\":[{}],\"datatype\":\"FP64\"",
                 quoted(version->deployed.model), version->deployed.version, quoted(answered.request_id), version->deployed.scorer.hex(), predictions.size());
  for (const double p : predictions) ++(std::isnan(p) ? metrics_.undefined : metrics_.predictions);
  if (as_binary) {
    const std::size_t bytes = predictions.size() * sizeof(double);
    fmt::format_to(to, ",\"parameters\":{{\"binary_data_size\":{}}}}}]}}", bytes);
    response.headers.emplace_back("Inference-Header-Content-Length", std::to_string(response.body.size()));
    response.content_type = "application/octet-stream";
    response.body.append(reinterpret_cast<const char*>(predictions.data()), bytes);
  } else {
    response.body += ",\"data\":[";
    for (std::size_t i = 0; i < predictions.size(); ++i) {
      if (i) response.body += ',';
      if (std::isnan(predictions[i])) response.body += "null";
      else fmt::format_to(to, "{}", predictions[i]);
    }
    response.body += "]}]}";
  }
  keep(std::move(answered), began);
  return response;
}

}  // namespace mlp::serve
