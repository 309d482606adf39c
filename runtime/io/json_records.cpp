#include "runtime/io/json_records.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "compiler/support/check.h"
#include "runtime/io/field_text.h"
#include "runtime/io/json_tensors.h"

namespace mlp::io {

struct JsonRecordReader::State {
  std::vector<std::pair<std::string, std::uint32_t>> names;  ///< sorted
  std::size_t positions = 0;
  simdjson::dom::parser parser;

  std::optional<std::uint32_t> position_of(std::string_view name) const {
    const auto at = std::ranges::lower_bound(names, name, {}, [](const auto& pair) -> std::string_view { return pair.first; });
    if (at == names.end() || at->first != name) return std::nullopt;
    return at->second;
  }
};

namespace {

/// Why a text is no JSON.
std::string_view reason_of(simdjson::error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR: return "not UTF-8 text";
    case simdjson::EMPTY: return "empty";
    case simdjson::UNCLOSED_STRING: return "not JSON: a text is not closed";
    case simdjson::STRING_ERROR:
    case simdjson::UNESCAPED_CHARS: return "not JSON: a text has an escape or a control character that JSON does not have";
    case simdjson::NUMBER_ERROR: return "not JSON: a number is not well formed or too large";
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR: return "not JSON: a word that is not true, false or null";
    case simdjson::DEPTH_ERROR: return "nested too deep";
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC: return "too large";
    default: return "not JSON: cut off, or a bracket, comma or colon is missing";
  }
}

/// nullopt for a list or an object.
std::optional<Value> scalar(simdjson::dom::element element) {
  switch (element.type()) {
    case simdjson::dom::element_type::NULL_VALUE: return std::monostate{};
    case simdjson::dom::element_type::BOOL: return bool(element);
    case simdjson::dom::element_type::INT64: return std::int64_t(element);
    case simdjson::dom::element_type::UINT64: return static_cast<double>(std::uint64_t(element));
    case simdjson::dom::element_type::DOUBLE: return double(element);
    case simdjson::dom::element_type::STRING: return std::string(std::string_view(element));
    case simdjson::dom::element_type::ARRAY:
    case simdjson::dom::element_type::OBJECT: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

JsonRecordReader::JsonRecordReader(std::vector<std::pair<std::string, std::uint32_t>> names, std::size_t positions) : state_(std::make_unique<State>()) {
  std::ranges::sort(names);
  for (const auto& [name, position] : names) MLP_CHECK(position < positions);
  state_->names = std::move(names);
  state_->positions = positions;
}

JsonRecordReader::JsonRecordReader(JsonRecordReader&&) noexcept = default;
JsonRecordReader::~JsonRecordReader() = default;

namespace {

template <class State>
std::optional<JsonFault> read_object(const State& state, simdjson::dom::element element, std::vector<std::optional<Value>>& record,
                                     std::vector<std::string>* unknown) {
  record.assign(state.positions, std::nullopt);
  simdjson::dom::object object;
  if (element.get(object)) return JsonFault{"", shortened(simdjson::minify(element)), "no JSON object: one in {…} is expected", false};
  for (const auto field : object) {
    const auto position = state.position_of(field.key);
    if (!position) {
      if (unknown) unknown->emplace_back(field.key);
      continue;
    }
    const std::string name(field.key);
    std::optional<Value>& to = record[*position];
    if (to) return JsonFault{name, "", "given twice"};
    if (auto value = scalar(field.value)) to = std::move(*value);
    else return JsonFault{name, shortened(simdjson::minify(field.value)), field.value.is_array() ? "a list where one value is expected" : "an object where one value is expected"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<JsonFault> JsonRecordReader::read(std::string_view text, std::vector<std::optional<Value>>& record, std::vector<std::string>* unknown) {
  record.assign(state_->positions, std::nullopt);
  simdjson::dom::element document;
  if (const auto error = state_->parser.parse(text.data(), text.size()).get(document))
    return JsonFault{"", shortened(text), std::string(reason_of(error)), false};
  return read_object(*state_, document, record, unknown);
}

void JsonRecordReader::add_names(std::string_view text, std::vector<std::string>& names) {
  simdjson::dom::object object;
  if (state_->parser.parse(text.data(), text.size()).get(object)) return;
  std::size_t next = 0;  // objects mostly have the fields of the one before, in its order
  for (const auto field : object) {
    if (next < names.size() && names[next] == field.key) {
      ++next;
      continue;
    }
    const auto at = std::ranges::find(names, field.key);
    next = static_cast<std::size_t>(at - names.begin()) + 1;
    if (at == names.end()) names.emplace_back(field.key);
  }
}

std::optional<JsonFault> JsonRecordReader::read_all(std::string_view text, std::size_t most, std::vector<std::vector<std::optional<Value>>>& records,
                                                    bool& is_list, std::vector<std::pair<std::uint32_t, std::string>>& unknown) {
  simdjson::dom::element document;
  if (const auto error = state_->parser.parse(text.data(), text.size()).get(document))
    return JsonFault{"", shortened(text), std::string(reason_of(error)), false};
  simdjson::dom::array list;
  is_list = document.get(list) == simdjson::SUCCESS;
  if (is_list && list.size() > most) return JsonFault{"", "", "a list of more records than are answered at once", false};
  records.resize(is_list ? list.size() : 1);
  std::vector<std::string> names;
  const auto one = [&](simdjson::dom::element element, std::uint32_t index) {
    names.clear();
    auto fault = read_object(*state_, element, records[index], &names);
    for (std::string& name : names) unknown.emplace_back(index, std::move(name));
    if (fault) fault->record = index;
    return fault;
  };
  if (!is_list) return one(document, 0);
  std::uint32_t index = 0;
  for (const simdjson::dom::element element : list)
    if (auto fault = one(element, index++)) return fault;
  return std::nullopt;
}

std::optional<JsonFault> read_tensors(std::string_view text, TensorRequest& to) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (const auto error = parser.parse(text.data(), text.size()).get(document)) return JsonFault{"", shortened(text), std::string(reason_of(error)), false};
  simdjson::dom::object object;
  if (document.get(object)) return JsonFault{"", "", "no JSON object: one in {…} is expected", false};
  const auto flag = [](simdjson::dom::element of, const char* name) -> std::optional<bool> {
    simdjson::dom::element parameters;
    bool value;
    if (of["parameters"].get(parameters) || parameters[name].get(value)) return std::nullopt;
    return value;
  };
  std::string_view words;
  if (!document["id"].get(words)) to.id = words;
  to.binary_output = flag(document, "binary_data_output").value_or(false);
  simdjson::dom::array inputs, outputs;
  if (document["inputs"].get(inputs)) return JsonFault{"inputs", "", "missing: a list of tensors is expected"};
  for (const simdjson::dom::element input : inputs) {
    Tensor& tensor = to.inputs.emplace_back();
    if (input["name"].get(words)) return JsonFault{"inputs", "", "a tensor without `name`"};
    tensor.name = words;
    if (input["datatype"].get(words)) return JsonFault{tensor.name, "", "without `datatype`"};
    tensor.datatype = words;
    simdjson::dom::array shape, data;
    if (input["shape"].get(shape)) return JsonFault{tensor.name, "", "without `shape`"};
    for (const simdjson::dom::element size : shape) {
      std::int64_t n;
      if (size.get(n) || n < 0) return JsonFault{tensor.name, shortened(simdjson::minify(size)), "a size in `shape` that is no whole number"};
      tensor.shape.push_back(n);
    }
    simdjson::dom::element parameters;
    std::int64_t bytes;
    if (!input["parameters"].get(parameters) && !parameters["binary_data_size"].get(bytes)) {
      if (bytes < 0) return JsonFault{tensor.name, "", "a negative `binary_data_size`"};
      tensor.binary_bytes = static_cast<std::uint64_t>(bytes);
      continue;
    }
    if (input["data"].get(data)) return JsonFault{tensor.name, "", "without `data`"};
    // Flat, or a list for each row.
    for (const simdjson::dom::element element : data) {
      simdjson::dom::array row;
      if (element.get(row)) {
        tensor.data.push_back(scalar(element).value_or(std::monostate{}));
        continue;
      }
      for (const simdjson::dom::element value : row) {
        auto known = scalar(value);
        if (!known) return JsonFault{tensor.name, shortened(simdjson::minify(value)), "nested deeper than its shape"};
        tensor.data.push_back(std::move(*known));
      }
    }
  }
  if (document["outputs"].get(outputs)) return std::nullopt;
  for (const simdjson::dom::element output : outputs) {
    if (output["name"].get(words)) return JsonFault{"outputs", "", "an output without `name`"};
    to.outputs.push_back({std::string(words), flag(output, "binary_data")});
  }
  return std::nullopt;
}

}  // namespace mlp::io
