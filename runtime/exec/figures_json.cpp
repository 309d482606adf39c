#include <nlohmann/json.hpp>

#include "runtime/exec/figures.h"

namespace mlp::exec {

namespace {

using Json = nlohmann::ordered_json;
constexpr int kVersion = 1;

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

std::optional<double> number(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::string text(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json to_json(const FigureRecord& figure) {
  Json out;
  out["value"] = number(figure.value);
  out["low"] = number(figure.low);
  out["high"] = number(figure.high);
  out["rows"] = figure.rows;
  if (!figure.too_few.empty()) out["too_few"] = figure.too_few;
  if (!figure.group.empty()) out["group"] = figure.group;
  if (!figure.groups.empty()) {
    Json groups = Json::array();
    for (const FigureRecord& group : figure.groups) groups.push_back(to_json(group));
    out["groups"] = std::move(groups);
  }
  return out;
}

FigureRecord figure_from(const Json& json, int depth) {
  FigureRecord figure;
  figure.value = number(json, "value");
  figure.low = number(json, "low");
  figure.high = number(json, "high");
  if (const auto rows = json.find("rows"); rows != json.end() && rows->is_number_unsigned()) figure.rows = rows->get<std::uint64_t>();
  figure.too_few = text(json, "too_few");
  if (const auto group = json.find("group"); group != json.end() && group->is_array())
    for (const Json& value : *group)
      if (value.is_string()) figure.group.push_back(value.get<std::string>());
  if (const auto groups = json.find("groups"); depth == 0 && groups != json.end() && groups->is_array())
    for (const Json& group : *groups) figure.groups.push_back(figure_from(group, 1));
  return figure;
}

/// The array of a document of ours.
Result<Json> read(std::string_view bytes, const char* what) {
  Json json = Json::parse(bytes, nullptr, false);
  if (json.is_discarded() || !json.is_object() || json.value("version", 0) != kVersion || !json.contains("items") || !json["items"].is_array())
    return failure(diag::Code::E0909, std::string("the stored ") + what + " are not of a form that this mlpc reads",
                   "run again with the version that wrote them, or remove the store and run anew");
  return json["items"];
}

std::string write(Json items) {
  Json out;
  out["version"] = kVersion;
  out["items"] = std::move(items);
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string_view name(GateStatus::Kind kind) {
  switch (kind) {
    case GateStatus::Kind::passed: return "passed";
    case GateStatus::Kind::failed: return "failed";
    case GateStatus::Kind::inconclusive: return "inconclusive";
    case GateStatus::Kind::not_applicable: return "not_applicable";
  }
  return "failed";
}

std::string encode(const ChampionRecord& champion) {
  Json items = Json::array();
  if (champion.scorer)
    items.push_back({{"scorer", champion.scorer->hex()}, {"deployment", champion.deployment}, {"candidate", champion.version}, {"unfit", champion.unfit}});
  return write(std::move(items));
}

Result<ChampionRecord> decode_champion(std::string_view bytes) {
  MLP_TRY(const Json items, read(bytes, "versions in production"));
  ChampionRecord champion;
  if (items.empty()) return champion;
  const Json& item = items[0];
  champion.scorer = Digest::parse(text(item, "scorer"));
  champion.deployment = text(item, "deployment");
  champion.version = static_cast<std::uint32_t>(number(item, "candidate").value_or(0));
  champion.unfit = text(item, "unfit");
  if (!champion.scorer) return failure(diag::Code::E0903, "the stored version in production is not whole", "run again: what is damaged is made anew");
  return champion;
}

std::string encode(const std::vector<FigureRecord>& figures) {
  Json items = Json::array();
  for (const FigureRecord& figure : figures) items.push_back(to_json(figure));
  return write(std::move(items));
}

Result<std::vector<FigureRecord>> decode_figures(std::string_view bytes) {
  MLP_TRY(const Json items, read(bytes, "figures"));
  std::vector<FigureRecord> figures;
  for (const Json& item : items) figures.push_back(figure_from(item, 0));
  return figures;
}

std::string encode(const std::vector<GateStatus>& gates) {
  Json items = Json::array();
  for (const GateStatus& gate : gates) {
    Json item;
    item["status"] = name(gate.kind);
    item["value"] = number(gate.value);
    item["low"] = number(gate.low);
    item["high"] = number(gate.high);
    item["bound"] = number(gate.bound);
    if (!gate.why.empty()) item["why"] = gate.why;
    items.push_back(std::move(item));
  }
  return write(std::move(items));
}

Result<std::vector<GateStatus>> decode_gates(std::string_view bytes) {
  MLP_TRY(const Json items, read(bytes, "gates"));
  std::vector<GateStatus> gates;
  for (const Json& item : items) {
    GateStatus gate;
    const std::string status = text(item, "status");
    for (auto kind : {GateStatus::Kind::passed, GateStatus::Kind::failed, GateStatus::Kind::inconclusive, GateStatus::Kind::not_applicable})
      if (name(kind) == status) gate.kind = kind;
    gate.value = number(item, "value");
    gate.low = number(item, "low");
    gate.high = number(item, "high");
    gate.bound = number(item, "bound");
    gate.why = text(item, "why");
    gates.push_back(std::move(gate));
  }
  return gates;
}

}  // namespace mlp::exec
