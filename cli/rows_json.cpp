#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/rows.h"

namespace mlp::cli {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Column& column, std::size_t row) {
  if (!column.is_known(row)) return nullptr;
  switch (column.type.base) {
    case Base::bool_: return column.values<std::uint8_t>()[row] != 0;
    case Base::int_: return column.values<std::int64_t>()[row];
    case Base::float_: return column.values<double>()[row];
    case Base::vector: {
      Json list = Json::array();
      for (std::size_t i = 0; i < column.width(); ++i) list.push_back(column.values<double>()[i * column.rows + row]);
      return list;
    }
    default: return value_text(column, row);
  }
}

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string value_json(const Column& column, std::size_t row) { return text_of(json_of(column, row)); }

std::string rows_json(const Rows& rows) {
  Json columns = Json::array(), values = Json::array();
  for (const RowsColumn& column : rows.columns) {
    columns.push_back({{"name", column.name}, {"type", to_string(column.type)}});
    if (!column.owner.empty()) columns.back()["of"] = column.owner;
    if (!column.code.empty()) columns.back()["code"] = column.code;
  }
  const std::size_t count = rows.columns.empty() ? 0 : rows.columns.front().values.rows;
  for (std::size_t row = 0; row < count; ++row) {
    Json line = Json::array();
    for (const RowsColumn& column : rows.columns) line.push_back(json_of(column.values, row));
    values.push_back(std::move(line));
  }
  const std::string numbers = rows.numbers.empty() ? std::string() : fmt::format("\"row_numbers\":{},", text_of(Json(rows.numbers)));
  return fmt::format("{}\"columns\":{},\"rows\":{}", numbers, text_of(columns), text_of(values));
}

}  // namespace mlp::cli
