#include "compiler/types/signature_text.h"

#include <fmt/format.h>

namespace mlp {

namespace {

std::string joined(const std::vector<Type>& types) {
  std::string out;
  for (const Type& type : types) out += (out.empty() ? "" : " | ") + to_string(type);
  return out;
}

}  // namespace

std::string_view word(EntryKind kind) {
  switch (kind) {
    case EntryKind::fn: return "fn";
    case EntryKind::transform: return "transform";
    case EntryKind::model: return "model";
    case EntryKind::metric: return "metric";
    case EntryKind::drift: return "drift test";
    case EntryKind::source: return "source";
    case EntryKind::sink: return "sink";
    case EntryKind::aggregate: return "aggregate";
  }
  return "";
}

std::string parameter_text(const Parameter& p) {
  std::string text = p.name + ": " + (p.one_of.empty() ? joined(p.types) : fmt::format("one_of({})", fmt::join(p.one_of, ", ")));
  if (p.range) text += fmt::format(" in {:g}..{:g}", p.range->low, p.range->high);
  if (p.fallback) text += " = " + to_string(*p.fallback);
  return text;
}

std::string declaration_text(const Signature& signature) {
  std::vector<std::string> parameters;
  for (const Parameter& parameter : signature.parameters) parameters.push_back(parameter_text(parameter));
  std::string out = fmt::format("{} {}({})", word(signature.kind), signature.name, fmt::join(parameters, ", "));
  if (signature.kind == EntryKind::fn || signature.kind == EntryKind::transform || signature.kind == EntryKind::metric || signature.kind == EntryKind::aggregate)
    out += fmt::format(" -> {}", to_string(signature.result));
  if (!signature.known_when.empty()) out += fmt::format(" known when {}", signature.known_when);
  return out;
}

}  // namespace mlp
