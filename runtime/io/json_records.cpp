#include "runtime/io/json_records.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "compiler/support/check.h"
#include "runtime/io/field_text.h"

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

}  // namespace

JsonRecordReader::JsonRecordReader(std::vector<std::pair<std::string, std::uint32_t>> names, std::size_t positions) : state_(std::make_unique<State>()) {
  std::ranges::sort(names);
  for (const auto& [name, position] : names) MLP_CHECK(position < positions);
  state_->names = std::move(names);
  state_->positions = positions;
}

JsonRecordReader::JsonRecordReader(JsonRecordReader&&) noexcept = default;
JsonRecordReader::~JsonRecordReader() = default;

std::optional<JsonFault> JsonRecordReader::read(std::string_view text, std::vector<std::optional<Value>>& record, std::vector<std::string>* unknown) {
  record.assign(state_->positions, std::nullopt);
  simdjson::dom::element document;
  if (const auto error = state_->parser.parse(text.data(), text.size()).get(document))
    return JsonFault{"", shortened(text), std::string(reason_of(error)), false};
  simdjson::dom::object object;
  if (document.get(object)) return JsonFault{"", shortened(text), "no JSON object: one in {…} is expected", false};
  for (const auto field : object) {
    const auto position = state_->position_of(field.key);
    if (!position) {
      if (unknown) unknown->emplace_back(field.key);
      continue;
    }
    const std::string name(field.key);
    std::optional<Value>& to = record[*position];
    if (to) return JsonFault{name, "", "given twice"};
    switch (field.value.type()) {
      case simdjson::dom::element_type::NULL_VALUE: to = std::monostate{}; break;
      case simdjson::dom::element_type::BOOL: to = bool(field.value); break;
      case simdjson::dom::element_type::INT64: to = std::int64_t(field.value); break;
      case simdjson::dom::element_type::UINT64: to = static_cast<double>(std::uint64_t(field.value)); break;
      case simdjson::dom::element_type::DOUBLE: to = double(field.value); break;
      case simdjson::dom::element_type::STRING: to = std::string(std::string_view(field.value)); break;
      case simdjson::dom::element_type::ARRAY: return JsonFault{name, shortened(simdjson::minify(field.value)), "a list where one value is expected"};
      case simdjson::dom::element_type::OBJECT: return JsonFault{name, shortened(simdjson::minify(field.value)), "an object where one value is expected"};
    }
  }
  return std::nullopt;
}

}  // namespace mlp::io
