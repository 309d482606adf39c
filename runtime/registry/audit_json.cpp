#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runtime/registry/audit_log.h"

namespace mlp::registry {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kHashKey = ",\"hash\":\"";
constexpr int kFormatVersion = 1;
constexpr Event kEvents[] = {Event::requested, Event::approved, Event::deployed, Event::rolled_back, Event::token_created};

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// Reads the fields of one entry and remembers whether all were of their kind.
struct Reader {
  const Json& json;
  bool good = true;

  const Json* find(const char* key) const {
    const auto at = json.find(key);
    return at == json.end() ? nullptr : &*at;
  }
  std::string text(const char* key) {
    const Json* value = find(key);
    if (!value) return {};
    if (value->is_string()) return value->get<std::string>();
    good = false;
    return {};
  }
  std::uint64_t number(const char* key) {
    const Json* value = find(key);
    if (!value) return 0;
    if (value->is_number_unsigned()) return value->get<std::uint64_t>();
    good = false;
    return 0;
  }
  Digest digest(const char* key) {
    const std::string hex = text(key);
    if (hex.empty()) return {};
    const auto parsed = Digest::parse(hex);
    good = good && parsed.has_value();
    return parsed.value_or(Digest{});
  }
  std::vector<std::string> texts(const char* key) {
    std::vector<std::string> out;
    const Json* value = find(key);
    if (!value) return out;
    good = good && value->is_array();
    for (const Json& one : *value) {
      good = good && one.is_string();
      if (one.is_string()) out.push_back(one.get<std::string>());
    }
    return out;
  }
};

}  // namespace

std::string_view name(Event event) {
  switch (event) {
    case Event::requested: return "requested";
    case Event::approved: return "approved";
    case Event::deployed: return "deployed";
    case Event::rolled_back: return "rolled_back";
    case Event::token_created: return "token_created";
  }
  return {};
}

std::string encode_line(Entry& entry) {
  Json json{{"format_version", kFormatVersion}, {"number", entry.number}, {"at", entry.at}, {"who", entry.who}, {"event", name(entry.event)}};
  const auto text = [&](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  const auto digest = [&](const char* key, const Digest& value) {
    if (value) json[key] = value.hex();
  };
  text("deployment", entry.deployment);
  text("stage", entry.stage);
  text("model", entry.model);
  if (entry.version) json["version"] = entry.version;
  digest("scorer", entry.scorer);
  digest("code", entry.code);
  text("run", entry.run);
  if (!entry.gates.empty()) {
    Json gates = Json::array();
    for (const GateProof& gate : entry.gates) {
      Json one{{"text", gate.text}, {"status", gate.status}};
      if (gate.value) one["value"] = *gate.value;
      gates.push_back(std::move(one));
    }
    json["gates"] = std::move(gates);
  }
  text("role", entry.role);
  text("approved_by", entry.approved_by);
  text("holder", entry.holder);
  if (!entry.scopes.empty()) json["scopes"] = entry.scopes;
  digest("token", entry.token);
  json["previous"] = entry.previous.hex();
  std::string line = dump(json);
  line.pop_back();
  entry.hash = sha256(line);
  return line.append(kHashKey).append(entry.hash.hex()).append("\"}");
}

std::optional<Entry> decode_line(std::string_view line, std::string& why) {
  constexpr std::size_t kTail = kHashKey.size() + 64 + 2;
  if (line.size() < kTail || line.substr(line.size() - kTail, kHashKey.size()) != kHashKey || !line.ends_with("\"}")) {
    why = "it does not end in its hash";
    return std::nullopt;
  }
  const std::string_view said = line.substr(0, line.size() - kTail);
  const auto hash = Digest::parse(line.substr(line.size() - 66, 64));
  if (!hash || *hash != sha256(said)) {
    why = "its text is not the one that was hashed";
    return std::nullopt;
  }
  const Json json = Json::parse(line, nullptr, false);
  Entry entry;
  bool good = json.is_object();
  if (good) {
    Reader read{json};
    if (read.number("format_version") != kFormatVersion) {
      why = "its format is of another version";
      return std::nullopt;
    }
    entry.number = read.number("number");
    entry.at = read.text("at");
    entry.who = read.text("who");
    const std::string event = read.text("event");
    bool known = false;
    for (const Event one : kEvents)
      if (name(one) == event) entry.event = one, known = true;
    entry.deployment = read.text("deployment");
    entry.stage = read.text("stage");
    entry.model = read.text("model");
    entry.version = static_cast<std::uint32_t>(read.number("version"));
    entry.scorer = read.digest("scorer");
    entry.code = read.digest("code");
    entry.run = read.text("run");
    if (const Json* gates = read.find("gates"); gates && gates->is_array())
      for (const Json& gate : *gates) {
        if (!gate.is_object()) {
          good = false;
          break;
        }
        Reader of_gate{gate};
        GateProof proof{of_gate.text("text"), of_gate.text("status"), std::nullopt};
        if (const Json* value = of_gate.find("value"); value && value->is_number()) proof.value = value->get<double>();
        good = good && of_gate.good;
        entry.gates.push_back(std::move(proof));
      }
    entry.role = read.text("role");
    entry.approved_by = read.text("approved_by");
    entry.holder = read.text("holder");
    entry.scopes = read.texts("scopes");
    entry.token = read.digest("token");
    entry.previous = read.digest("previous");
    entry.hash = *hash;
    good = good && read.good && known;
  }
  if (good) return entry;
  why = "it is no entry of the log";
  return std::nullopt;
}

std::string encode_head(const Head& head) {
  return dump(Json{{"format_version", kFormatVersion}, {"entries", head.entries}, {"hash", head.hash.hex()}}) + "\n";
}

std::optional<Head> decode_head(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  Reader read{json};
  Head head{read.number("entries"), read.digest("hash")};
  if (!read.good || read.number("format_version") != kFormatVersion) return std::nullopt;
  return head;
}

}  // namespace mlp::registry
