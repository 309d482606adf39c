#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "compiler/stdlibgen/write.h"

namespace mlp::stdlib {

namespace {

constexpr std::string_view kKinds[] = {"fn", "transform", "model", "metric", "drift", "source", "sink", "aggregate"};

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (byte < 0x20 || byte >= 0x7F)
      out += fmt::format("\\{:03o}", byte);
    else
      out += c;
  }
  return out + '"';
}

/// Exact, and readable where it is a whole number.
std::string number(double value) {
  if (std::isinf(value)) return value < 0 ? "-kInfinity" : "kInfinity";
  return fmt::format("{}", value).find_first_of(".e") == std::string::npos ? fmt::format("{}.0", value)
                                                                           : fmt::format("{}", value);
}

std::string interval(const std::optional<Interval>& range) {
  return range ? fmt::format("{{true, {}, {}}}", number(range->low), number(range->high)) : "{}";
}

std::string value(const std::optional<Value>& value) {
  if (!value) return "{}";
  struct {
    std::string operator()(std::monostate) const { return "{ValueRow::missing}"; }
    std::string operator()(bool v) const { return fmt::format("{{ValueRow::bool_, {}}}", v ? 1 : 0); }
    std::string operator()(std::int64_t v) const { return fmt::format("{{ValueRow::int_, {}}}", v); }
    std::string operator()(double v) const { return fmt::format("{{ValueRow::float_, 0, {}}}", number(v)); }
    std::string operator()(const std::string& v) const {
      return fmt::format("{{ValueRow::text, 0, 0, {}}}", quoted(v));
    }
  } visitor;
  return std::visit(visitor, *value);
}

/// Arrays have names of their own; the rows refer to them.
class Writer {
 public:
  std::string list(const char* type, const std::vector<std::string>& elements) {
    if (elements.empty()) return "{}";
    const std::string name = fmt::format("k{}", next_++);
    arrays_ += fmt::format("constexpr {} {}[] = {{{}}};\n", type, name, fmt::join(elements, ", "));
    return name;
  }
  std::string texts(const std::vector<std::string>& elements) {
    std::vector<std::string> all;
    for (const std::string& each : elements)
      all.push_back(quoted(each));
    return list("std::string_view", all);
  }
  std::string types(const std::vector<Type>& elements) {
    std::vector<std::string> all;
    for (const Type& each : elements)
      all.push_back(to_string(each));
    return texts(all);
  }
  std::string parameter(const Parameter& p) {
    return fmt::format("{{{}, {}, {}, {}, {}, {}, {}}}", quoted(p.name), types(p.types), texts(p.one_of), p.secret, interval(p.range),
                       value(p.fallback), quoted(p.doc));
  }
  std::string row(const Signature& s) {
    std::vector<std::string> parameters, fits, prepares;
    for (const Parameter& p : s.parameters)
      parameters.push_back(parameter(p));
    for (const auto& [name, type] : s.fits)
      fits.push_back(fmt::format("{{{}, {}}}", quoted(name), quoted(to_string(type))));
    for (const auto& [type, outputs] : s.prepares)
      prepares.push_back(fmt::format("{{{}, {}}}", quoted(to_string(type)), texts(outputs)));
    const bool has_result = s.kind != EntryKind::model && s.kind != EntryKind::source && s.kind != EntryKind::sink;
    return fmt::format(
        "    {{EntryKind::{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, "
        "{}, {}, {}, {}}},\n",
        kKinds[static_cast<std::size_t>(s.kind)], quoted(s.name), quoted(s.op), list("ParameterRow", parameters),
        has_result ? quoted(to_string(s.result)) : "{}", interval(s.result_range), quoted(s.domain_of),
        quoted(s.known_when), quoted(s.body), quoted(s.native), s.row, s.random, s.can_fail,
        quoted(s.interpreted_because), list("FitRow", fits), s.uses_label, s.cross_fit, types(s.predicts),
        types(s.takes), s.binned, list("PreparationRow", prepares), s.higher_is_better, s.of_decision, s.of_window, s.declassifies, quoted(s.doc),
        quoted(s.place));
  }
  const std::string& arrays() const { return arrays_; }

 private:
  std::string arrays_;
  int next_ = 0;
};

constexpr std::string_view kCode = R"cpp(
  /// Made on first use; a process that never asks does not pay.
  const std::vector<Signature>& table() {
    static const std::vector<Signature> made = make_signatures(kRows);
    return made;
  }

  using Index = std::unordered_multimap<std::string_view, const Signature*>;

  /// By what `text` says of an entry; entries of one text in the order of the table.
  template <class Text>
  Index make_index(Text text) {
    Index index;
    for (const Signature& entry : table())
      if (!std::string_view(text(entry)).empty()) index.emplace(text(entry), &entry);
    return index;
  }

  template <class Keep>
  std::vector<const Signature*> select(const Index& index, std::string_view text, Keep keep) {
    std::vector<const Signature*> found;
    const auto [begin, end] = index.equal_range(text);
    for (auto at = begin; at != end; ++at)
      if (keep(*at->second)) found.push_back(at->second);
    std::sort(found.begin(), found.end());  // the table is one array
    return found;
  }

  }  // namespace

  std::span<const Signature> standard_library() {
    return table();
  }

  std::vector<const Signature*> find_entries(EntryKind kind, std::string_view name) {
    static const Index by_name = make_index([](const Signature& entry) -> const std::string& { return entry.name; });
    return select(by_name, name, [&](const Signature& entry) { return entry.kind == kind; });
  }

  std::vector<const Signature*> find_operators(std::string_view op) {
    static const Index by_op = make_index([](const Signature& entry) -> const std::string& { return entry.op; });
    return select(by_op, op, [](const Signature&) { return true; });
  }

  const Signature* find_native(std::string_view native) {
    static const Index by_native = make_index([](const Signature& entry) -> const std::string& { return entry.native; });
    const auto found = select(by_native, native, [](const Signature&) { return true; });
    return found.empty() ? nullptr : found.front();
  }

  }  // namespace mlp
)cpp";

}  // namespace

std::string write_table(std::span<const Signature> entries) {
  Writer writer;
  std::string rows;
  for (const Signature& entry : entries)
    rows += writer.row(entry);
  return fmt::format(
             "// Written by mlp-stdlib-gen from stdlib/*.mlp.\n#include <algorithm>\n#include <string_view>\n#include <unordered_map>\n\n#include \"compiler/stdlibgen/rows.h\"\n\nnamespace mlp "
             "{{\nnamespace {{\n\n"
             "using namespace stdlib;\n[[maybe_unused]] constexpr double kInfinity = "
             "std::numeric_limits<double>::infinity();\n\n"
             "{}\nconstexpr {} kRows{}\n{}{}",
             writer.arrays(), entries.empty() ? "std::span<const SignatureRow>" : "SignatureRow",
             entries.empty() ? ";" : "[] = {", rows, entries.empty() ? "" : "};\n") +
         std::string(kCode);
}

}  // namespace mlp::stdlib
