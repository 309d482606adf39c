#include "runtime/batch/forms.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/scorer/records.h"

namespace mlp::batch {

void add_bad(io::BadValues& bad, const std::string& file, std::uint64_t line, std::string column, std::string value, std::string reason) {
  ++bad.count;
  ++bad.by_reason[column.empty() ? reason : fmt::format("`{}`: {}", column, reason)];
  if (bad.first.size() < io::BadValues::kShown) bad.first.push_back({file, line, std::move(column), std::move(value), std::move(reason)});
}

std::vector<std::pair<std::string, std::uint32_t>> field_names(const scorer::Schema& schema) {
  std::vector<std::pair<std::string, std::uint32_t>> names;
  const auto add = [&](const std::string& name, std::size_t position) {
    if (std::ranges::find(names, name, &std::pair<std::string, std::uint32_t>::first) == names.end())
      names.emplace_back(name, static_cast<std::uint32_t>(position));
  };
  std::vector<const plan::RawField*> fields;
  for (const plan::RawField& field : schema.request) fields.push_back(&field);
  for (const plan::RawField& field : schema.key) fields.push_back(&field);
  for (std::size_t i = 0; i < fields.size(); ++i) add(fields[i]->read.source_name, i);
  for (std::size_t i = 0; i < fields.size(); ++i) add(fields[i]->name, i);
  return names;
}

}  // namespace mlp::batch
