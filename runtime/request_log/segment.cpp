#include "runtime/request_log/segment.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "compiler/support/check.h"
#include "runtime/column/byte_reader.h"

namespace mlp::request_log {

namespace {

constexpr std::string_view kMagic = "mlpreqs\n";
constexpr std::size_t kHeadBytes = 16;
enum Kind : std::uint8_t { kSource = 1, kRow = 2 };
enum Tag : std::uint8_t { kAbsent, kNull, kFalse, kTrue, kInt, kFloat, kText };

void put_text(ByteWriter& to, std::string_view text) {
  to.put(static_cast<std::uint32_t>(text.size()));
  to.raw(text.data(), text.size());
}

std::string take_text(ByteReader& from) { return std::string(from.raw(from.take<std::uint32_t>())); }

void put_value(ByteWriter& to, const std::optional<Value>& value) {
  if (!value) return to.put<std::uint8_t>(kAbsent);
  if (std::holds_alternative<std::monostate>(*value)) return to.put<std::uint8_t>(kNull);
  if (const auto* b = std::get_if<bool>(&*value)) return to.put<std::uint8_t>(*b ? kTrue : kFalse);
  if (const auto* i = std::get_if<std::int64_t>(&*value)) return to.put<std::uint8_t>(kInt), to.put(*i);
  if (const auto* d = std::get_if<double>(&*value)) return to.put<std::uint8_t>(kFloat), to.put(*d);
  to.put<std::uint8_t>(kText);
  put_text(to, std::get<std::string>(*value));
}

std::optional<Value> take_value(ByteReader& from) {
  switch (from.take<std::uint8_t>()) {
    case kAbsent: return std::nullopt;
    case kNull: return Value();
    case kFalse: return Value(false);
    case kTrue: return Value(true);
    case kInt: return Value(from.take<std::int64_t>());
    case kFloat: return Value(from.take<double>());
    case kText: return Value(take_text(from));
    default: from.good = false; return std::nullopt;
  }
}

void append_frame(std::string& bytes, ByteWriter& payload) {
  const std::string whole = payload.finish();
  const auto length = static_cast<std::uint32_t>(whole.size());
  bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
  bytes += whole;
}

std::optional<Source> take_source(ByteReader& from) {
  Source source;
  source.deployment = take_text(from);
  source.model = take_text(from);
  source.version = from.take<std::uint32_t>();
  if (const std::string_view digest = from.raw(source.scorer.bytes.size()); from.good) std::memcpy(source.scorer.bytes.data(), digest.data(), digest.size());
  const auto count = from.take<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && from.good; ++i) source.fields.push_back(take_text(from));
  if (!from.good || from.left()) return std::nullopt;
  return source;
}

std::optional<Row> take_row(ByteReader& from, const std::shared_ptr<const Source>& source) {
  Row row;
  row.source = source;
  row.at_us = from.take<std::int64_t>();
  row.latency_us = from.take<std::int64_t>();
  row.record = from.take<std::uint32_t>();
  row.request_id = take_text(from);
  if (from.take<std::uint8_t>()) row.prediction = from.take<double>();
  const auto faults = from.take<std::uint32_t>();
  for (std::uint32_t i = 0; i < faults && from.good; ++i) row.faults.push_back(from.take<std::uint32_t>());
  for (std::size_t i = 0; i < source->fields.size() && from.good; ++i) row.fields.push_back(take_value(from));
  if (!from.good || from.left()) return std::nullopt;
  return row;
}

}  // namespace

std::string encode_head() {
  ByteWriter head;
  head.raw(kMagic.data(), kMagic.size());
  head.put(kFormatVersion);
  head.put<std::uint32_t>(0);
  MLP_CHECK(head.bytes.size() == kHeadBytes);
  return std::move(head.bytes);
}

Result<bool> check_head(std::string_view bytes, const std::string& path) {
  if (!bytes.starts_with(kMagic.substr(0, bytes.size())))
    return failure(diag::Code::E0903, fmt::format("`{}` is no segment of requests", path), "take the file out of the folder");
  if (bytes.size() < kHeadBytes) return false;
  ByteReader head{bytes, kMagic.size()};
  const auto version = head.take<std::uint32_t>();
  if (version != kFormatVersion)
    return failure(diag::Code::E0909, fmt::format("`{}` is of version {}, and this mlpc reads version {}", path, version, kFormatVersion),
                   "use the version of mlpc that wrote it");
  return true;
}

void append_source(std::string& bytes, const Source& source, std::uint32_t number) {
  ByteWriter to;
  to.put<std::uint8_t>(kSource);
  to.put(number);
  put_text(to, source.deployment);
  put_text(to, source.model);
  to.put(source.version);
  to.raw(source.scorer.bytes.data(), source.scorer.bytes.size());
  to.put(static_cast<std::uint32_t>(source.fields.size()));
  for (const std::string& field : source.fields) put_text(to, field);
  append_frame(bytes, to);
}

void append_row(std::string& bytes, std::uint32_t source, std::int64_t at_us, const Answered& answered, std::uint32_t record,
                std::pair<const std::pair<std::uint32_t, std::uint32_t>*, const std::pair<std::uint32_t, std::uint32_t>*> faults) {
  ByteWriter to;
  to.put<std::uint8_t>(kRow);
  to.put(source);
  to.put(at_us);
  to.put(answered.latency_us);
  to.put(record);
  put_text(to, answered.request_id);
  const bool known = record < answered.predictions.size() && !std::isnan(answered.predictions[record]);
  to.put<std::uint8_t>(known);
  if (known) to.put(answered.predictions[record]);
  to.put(static_cast<std::uint32_t>(faults.second - faults.first));
  for (auto fault = faults.first; fault != faults.second; ++fault) to.put(fault->second);
  for (const auto& value : answered.records[record]) put_value(to, value);
  append_frame(bytes, to);
}

std::optional<Row> FrameReader::next() {
  constexpr std::size_t kLeast = sizeof(std::uint32_t) + 1 + sizeof(std::uint64_t);
  while (at_ < bytes_.size()) {
    const std::size_t left = bytes_.size() - at_;
    std::uint32_t length = 0;
    if (left >= kLeast) std::memcpy(&length, bytes_.data() + at_, sizeof length);
    if (length < kLeast - sizeof length || length > left - sizeof length) {
      // The next frame cannot be found: a tail that was being written, or a length that is damaged.
      unreadable_ += left;
      at_ = bytes_.size();
      return std::nullopt;
    }
    ByteReader payload{bytes_.substr(at_ + sizeof length, length)};
    at_ += sizeof length + length;
    if (payload.check_sum()) {
      const auto kind = payload.take<std::uint8_t>();
      const auto number = payload.take<std::uint32_t>();
      if (kind == kSource) {
        if (auto source = take_source(payload)) {
          source_ = std::make_shared<const Source>(std::move(*source));
          source_number_ = number;
          continue;
        }
      } else if (kind == kRow && source_ && number == source_number_) {
        if (auto row = take_row(payload, source_)) return row;
      }
    }
    unreadable_ += sizeof length + length;
  }
  return std::nullopt;
}

std::string to_string(const SegmentName& name) { return fmt::format("{:016x}-{}-{:08x}{}", name.first_us, name.writer, name.number, kEnding); }

std::optional<SegmentName> parse_segment_name(std::string_view text) {
  if (!text.ends_with(kEnding)) return std::nullopt;
  text.remove_suffix(kEnding.size());
  const std::size_t first = text.find('-'), last = text.rfind('-');
  if (first != 16 || last == first || last == std::string_view::npos || text.size() - last != 9) return std::nullopt;
  SegmentName name;
  name.writer = text.substr(first + 1, last - first - 1);
  const auto number = [](std::string_view digits, auto& to) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), to, 16);
    return error == std::errc() && end == digits.data() + digits.size() && to >= 0;
  };
  if (!number(text.substr(0, first), name.first_us) || !number(text.substr(last + 1), name.number)) return std::nullopt;
  return name;
}

}  // namespace mlp::request_log
