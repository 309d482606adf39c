#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runtime/serve/version.h"

namespace mlp::serve {

namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// The JSON schema of a field, with an example that it allows.
Json schema_of(const plan::RawField& field) {
  const plan::ReadColumn& read = field.read;
  Json json, example;
  const auto ranged = [&](double low_or_zero) {
    example = low_or_zero;
    if (!read.range) return;
    if (std::isfinite(read.range->low)) json["minimum"] = read.range->low, example = read.range->low;
    if (std::isfinite(read.range->high)) json["maximum"] = read.range->high;
  };
  std::string type = "string";
  switch (read.type.base) {
    case Base::bool_: type = "boolean", example = true; break;
    case Base::int_:
      type = "integer";
      ranged(0);
      example = static_cast<std::int64_t>(example.get<double>());
      break;
    case Base::float_: type = "number", ranged(0); break;
    case Base::date: json["description"] = "a date" + (read.format.empty() ? std::string() : " in the form " + read.format), example = "2026-01-31"; break;
    case Base::timestamp: json["description"] = "a time" + (read.format.empty() ? std::string() : " in the form " + read.format), example = "2026-01-31 12:00:00"; break;
    case Base::duration: json["description"] = "a duration such as 90min", example = "90min"; break;
    default: example = "text"; break;
  }
  json["type"] = read.type.missing ? Json::array({type, "null"}) : Json(type);
  const std::vector<std::string>& domain = read.allowed.empty() ? read.type.domain() : read.allowed;
  if (!domain.empty() && type == "string") {
    json["enum"] = domain;
    if (read.type.missing) json["enum"].push_back(nullptr);
    example = domain.front();
  }
  if (!read.matches.empty()) json["pattern"] = read.matches;
  json["examples"] = Json::array({example});
  return json;
}

}  // namespace

std::string quoted(std::string_view text) { return text_of(Json(text)); }

std::string_view datatype(const Type& type) {
  switch (type.base) {
    case Base::bool_: return "BOOL";
    case Base::int_: return "INT64";
    case Base::float_: return "FP64";
    default: return "BYTES";
  }
}

std::string describe_openapi(const scorer::Schema& schema, const registry::Deployed& deployed, std::size_t most_rows) {
  Json record{{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}, {"required", Json::array()}};
  for (const plan::RawField& field : schema.request) {
    record["properties"][field.name] = schema_of(field);
    if (!field.read.type.missing) record["required"].push_back(field.name);
  }
  const Json version{{"model", {{"type", "string"}}}, {"version", {{"type", "integer"}}}, {"scorer", {{"type", "string"}, {"description", "digest of what computed it"}}}};
  Json number{{"type", Json::array({"number", "null"})}, {"description", schema.probability ? "the probability of true" : "the value"}};
  Json one{{"type", "object"}, {"properties", {{"prediction", number}}}}, many{{"type", "object"}, {"properties", {{"predictions", {{"type", "array"}, {"items", number}}}}}};
  one["properties"].update(version), many["properties"].update(version);
  const auto reference = [](const char* name) { return Json{{"$ref", std::string("#/components/schemas/") + name}}; };
  const auto content = [](Json of) { return Json{{"application/json", {{"schema", std::move(of)}}}}; };
  const Json refused{{"description", "what is wrong, and with which field"}, {"content", content(reference("Error"))}};
  Json document{
      {"openapi", "3.1.0"},
      {"info", {{"title", deployed.deployment}, {"version", std::to_string(deployed.version)}, {"description", "Predictions of " + deployed.model}}},
      {"paths",
       {{"/predict",
         {{"post",
           {{"summary", "predictions for one record or a list of them"},
            {"requestBody",
             {{"required", true},
              {"content", content({{"oneOf", Json::array({reference("Record"), Json{{"type", "array"}, {"maxItems", most_rows}, {"items", reference("Record")}}})}})}}},
            {"responses",
             {{"200", {{"description", "a prediction for each record"}, {"content", content({{"oneOf", Json::array({reference("Prediction"), reference("Predictions")})}})}}},
              {"400", refused},
              {"413", refused},
              {"415", refused},
              {"422", refused}}}}}}}}},
      {"components", {{"schemas", {{"Record", record}, {"Prediction", one}, {"Predictions", many}}}}}};
  document["components"]["schemas"]["Error"] = {
      {"type", "object"},
      {"properties",
       {{"error", {{"type", "string"}}},
        {"faults",
         {{"type", "array"},
          {"items",
           {{"type", "object"},
            {"properties", {{"record", {{"type", "integer"}}}, {"field", {{"type", "string"}}}, {"value", {{"type", "string"}}}, {"reason", {{"type", "string"}}}}}}}}}}}};
  return text_of(document);
}

std::string describe_model(const scorer::Schema& schema, const registry::Deployed& deployed) {
  Json inputs = Json::array();
  for (const plan::RawField& field : schema.request)
    inputs.push_back({{"name", field.name}, {"datatype", datatype(field.read.type)}, {"shape", {-1}}, {"parameters", {{"nullable", field.read.type.missing}}}});
  return text_of({{"name", deployed.model},
                  {"versions", {std::to_string(deployed.version)}},
                  {"platform", "mlpc"},
                  {"inputs", inputs},
                  {"outputs", {{{"name", "prediction"}, {"datatype", "FP64"}, {"shape", {-1}}}}},
                  {"parameters", {{"deployment", deployed.deployment}, {"scorer", deployed.scorer.hex()}}}});
}

std::string describe_error(const std::string& message, const scorer::Schema* schema, std::span<const scorer::Fault> faults) {
  constexpr std::size_t kShown = 20;
  Json json{{"error", message}};
  if (!faults.empty()) json["faults"] = Json::array();
  for (const scorer::Fault& fault : faults.first(std::min(kShown, faults.size())))
    json["faults"].push_back({{"record", fault.record}, {"field", schema->request[fault.field].name}, {"value", fault.value}, {"reason", fault.reason}});
  if (faults.size() > kShown) json["more_faults"] = faults.size() - kShown;
  return text_of(json);
}

}  // namespace mlp::serve
