#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "compiler/stdlibgen/write.h"

namespace mlp::stdlib {

namespace {

constexpr std::string_view kHead = "// Written by mlp-stdlib-gen from stdlib/*.mlp.\n";

std::string_view cpp_type(const Type& type) {
  switch (type.base) {
    case Base::bool_:
      return "bool";
    case Base::float_:
      return "double";
    case Base::string:
    case Base::category:
      return "mlp::Text";
    case Base::map:
      return "const mlp::Weights*";
    default:
      return "std::int64_t";
  }
}

/// The prototype that kernels/abi.h gives a row function. The `seed` of a random function chose its bits and is not passed.
std::string prototype(const Signature& entry) {
  std::vector<std::string_view> parameters;
  if (entry.result.base == Base::string) parameters.push_back("mlp::Arena*");
  if (entry.row) parameters.push_back("std::int64_t");
  if (entry.random) parameters.push_back("std::uint64_t");
  for (const Parameter& parameter : entry.parameters)
    if (!(entry.random && parameter.name == "seed")) parameters.push_back(cpp_type(parameter.types[0]));
  if (entry.can_fail) parameters.push_back("bool*");
  return fmt::format("{} {}({})", cpp_type(entry.result), entry.native, fmt::join(parameters, ", "));
}

/// The entries of a kind that have native code, by symbol.
std::vector<const Signature*> natives(std::span<const Signature> entries, EntryKind kind) {
  std::vector<const Signature*> out;
  for (const Signature& entry : entries)
    if (entry.kind == kind && !entry.native.empty()) out.push_back(&entry);
  std::ranges::sort(out, {}, [](const Signature* entry) { return entry->native; });
  // The overloads of an aggregate share one native: it reads the type of its column.
  if (kind == EntryKind::aggregate) {
    const auto same = std::ranges::unique(out, {}, [](const Signature* entry) { return entry->native; });
    out.erase(same.begin(), same.end());
  }
  return out;
}

struct LearnKind {
  EntryKind kind;
  std::string_view word, type;
};
constexpr std::array kLearnKinds = {LearnKind{EntryKind::transform, "transform", "NativeTransform"},
                                    LearnKind{EntryKind::model, "model", "NativeModel"},
                                    LearnKind{EntryKind::metric, "metric", "NativeMetric"},
                                    LearnKind{EntryKind::aggregate, "aggregate", "NativeAggregate"},
                                    LearnKind{EntryKind::drift, "drift", "NativeDrift"}};

}  // namespace

std::string write_native_names(std::span<const Signature> entries) {
  std::string out =
      fmt::format("{}#pragma once\n\n#include \"kernels/abi.h\"\n\nnamespace mlp::native_fn {{\n\n", kHead);
  for (const Signature* entry : natives(entries, EntryKind::fn))
    out += fmt::format("{};  // {}\n", prototype(*entry), entry->name);
  return out + "\n}  // namespace mlp::native_fn\n";
}

std::string write_kernel_table(std::span<const Signature> entries) {
  std::string out =
      fmt::format("{}#include \"kernels/table.h\"\n#include \"gen/native_names.h\"\n\nnamespace mlp {{\n\n", kHead);
  const auto functions = natives(entries, EntryKind::fn);
  out += "std::span<const NativeFunction> native_functions() {\n";
  if (functions.empty()) return out + "  return {};\n}\n\n}  // namespace mlp\n";
  out += "  static constexpr NativeFunction kTable[] = {\n";
  for (const Signature* entry : functions)
    out += fmt::format("      entry<&native_fn::{0}>(\"{0}\"),\n", entry->native);
  return out + "  };\n  return kTable;\n}\n\n}  // namespace mlp\n";
}

std::string write_learn_names(std::span<const Signature> entries) {
  std::string out = fmt::format("{}#pragma once\n\nnamespace mlp::learn {{\n", kHead);
  for (const LearnKind& kind : kLearnKinds)
    out += fmt::format("struct {};\n", kind.type);
  out += "}  // namespace mlp::learn\n";
  for (const LearnKind& kind : kLearnKinds) {
    out += fmt::format("\nnamespace mlp::native_{} {{\n", kind.word);
    for (const Signature* entry : natives(entries, kind.kind))
      out += fmt::format("extern const learn::{} {};\n", kind.type, entry->native);
    out += fmt::format("}}  // namespace mlp::native_{}\n", kind.word);
  }
  return out;
}

std::string write_learn_table(std::span<const Signature> entries) {
  std::string out = fmt::format(
      "{}#include \"gen/native_learn_names.h\"\n#include \"runtime/learn/native.h\"\n\nnamespace mlp::learn {{\n",
      kHead);
  for (const LearnKind& kind : kLearnKinds) {
    out += fmt::format("\nconst {0}* find_{1}([[maybe_unused]] std::string_view symbol) {{\n", kind.type, kind.word);
    for (const Signature* entry : natives(entries, kind.kind))
      out += fmt::format("  if (symbol == \"{0}\") return &native_{1}::{0};\n", entry->native, kind.word);
    out += "  return nullptr;\n}\n";
  }
  return out + "\n}  // namespace mlp::learn\n";
}

}  // namespace mlp::stdlib
