#include "runtime/io/arrow_metadata.h"
#include "tests/fuzz/rules.h"

namespace mlp::rules {

std::string arrow(std::string_view bytes) {
  namespace a = io::arrow;
  std::string why;
  const auto refused = [&](const auto& value) {
    const bool silent = !value && why.empty();
    why.clear();
    return silent;
  };
  if (refused(a::read_message(bytes, why))) return "a message was refused without a word";
  if (refused(a::read_footer(bytes, why))) return "a footer was refused without a word";
  const auto schema = a::read_schema(bytes, why);
  if (refused(schema)) return "a schema was refused without a word";
  const auto footer = a::read_footer_schema(bytes, why);
  if (refused(footer)) return "the schema of a footer was refused without a word";
  a::Field text, number;
  text.type = {a::Kind::text, 0, true, 0, a::Unit::second, 3, false};
  number.type = {a::Kind::integer, 64, true, 0, a::Unit::second, 2, false};
  std::vector<std::vector<a::Field>> asked = {{}, {text}, {number, text}};
  for (const auto* found : {&schema, &footer})
    if (*found) asked.push_back((*found)->fields);
  constexpr std::uint64_t kBody = 1 << 16;
  for (const auto& fields : asked) {
    const auto batch = a::read_batch(bytes, fields, kBody, why);
    if (refused(batch)) return "a batch was refused without a word";
    if (!batch) continue;
    if (batch->places.size() != fields.size()) return "a batch lacks a column";
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (batch->places[i].missing > batch->rows) return "more values are missing than there are rows";
      if (batch->places[i].buffers.size() < fields[i].stored().buffers) return "a column lacks a buffer";
      for (const a::Range& range : batch->places[i].buffers)
        if (range.offset > kBody || range.length > kBody - range.offset) return "a buffer lies outside of the body";
    }
  }
  return "";
}

}  // namespace mlp::rules
