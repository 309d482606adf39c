#include "runtime/batch/forms.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/scorer/records.h"

namespace mlp::batch {

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
