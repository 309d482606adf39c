#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/profiles.h"
#include "cli/rows.h"

namespace mlp::cli {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Type& type, const Value& value) { return Json::parse(value_json(constant(type, value, 1), 0)); }

template <class T>
Json json_of(const std::optional<T>& value) { return value ? Json(*value) : Json(nullptr); }

Json json_of(const ShownProfile& shown) {
  const learn::ColumnProfile& profile = shown.profile;
  const Type type = shown.type.maybe();
  Json out = {{"name", shown.name}, {"type", to_string(shown.type)}};
  if (!shown.owner.empty()) out["of"] = shown.owner;
  if (!shown.code.empty()) out["code"] = shown.code;
  out["rows"] = profile.rows;
  out["missing"] = profile.missing;
  if (shown.type.base == Base::vector) return out;
  out["distinct"] = profile.distinct();
  out["distinct_error"] = profile.is_exact() ? 0 : learn::ColumnProfile::kDistinctError;
  out["min"] = json_of(type, profile.low());
  out["max"] = json_of(type, profile.high());
  if (shown.type.is_number()) {
    out["mean"] = json_of(profile.mean());
    out["deviation"] = json_of(profile.deviation());
  }
  Json quantiles = Json::array(), top = Json::array();
  for (const double q : kShownQuantiles)
    if (const auto found = profile.quantile(q))
      quantiles.push_back({{"at", q}, {"value", json_of(shown.type.is_number() ? Type::of(Base::float_) : type, found->value)}, {"within", found->within}});
  if (!quantiles.empty()) out["quantiles"] = std::move(quantiles);
  for (const auto& [value, count] : profile.top(kShownFrequent)) top.push_back({{"value", json_of(type, value)}, {"count", count}});
  out["top"] = std::move(top);
  out["top_short_by"] = profile.short_by;
  return out;
}

}  // namespace

std::string profiles_json(const std::vector<ShownProfile>& profiles) {
  Json list = Json::array();
  for (const ShownProfile& shown : profiles) list.push_back(json_of(shown));
  return fmt::format("\"profile\":{}", list.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace mlp::cli
