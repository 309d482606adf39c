#include <fmt/format.h>

#include <algorithm>
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

/// The positions of the entries that have the text, sorted by it.
std::string order(std::span<const Signature> entries, std::string Signature::*text) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (!(entries[i].*text).empty()) found.push_back(i);
  std::ranges::stable_sort(found, {}, [&](std::size_t i) { return std::string_view(entries[i].*text); });
  return fmt::format("{}", fmt::join(found, ", "));
}

}  // namespace

std::string write_table(std::span<const Signature> entries) {
  Writer writer;
  std::string rows;
  for (const Signature& entry : entries)
    rows += writer.row(entry);
  return fmt::format(
      R"cpp(// Written by mlp-stdlib-gen from stdlib/*.mlp.
#include "compiler/types/library_rows.h"

namespace mlp::stdlib {{
namespace {{

[[maybe_unused]] constexpr double kInfinity = std::numeric_limits<double>::infinity();

{}
constexpr SignatureRow kRows[] = {{
{}}};
constexpr std::uint16_t kByOp[] = {{{}}};
constexpr std::uint16_t kByNative[] = {{{}}};

}}  // namespace

LibraryRows library_rows() {{ return {{kRows, kByOp, kByNative}}; }}

}}  // namespace mlp::stdlib
)cpp",
      writer.arrays(), rows, order(entries, &Signature::op), order(entries, &Signature::native));
}

}  // namespace mlp::stdlib
