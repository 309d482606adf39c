#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/request_log/request_log.h"

/// Of this room only: the bytes of a segment. A head of 16 bytes (magic, version), then frames: the length of the payload
/// (4 bytes), the payload, its checksum (XXH3, 8 bytes). A payload is a source (kind 1) with its number in the segment, or a row (kind 2) with the number of its source.
namespace mlp::request_log {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::string_view kEnding = ".requests";

std::string encode_head();
/// False: not even a whole head is there. E0909 where it is one of another version, E0903 where it is none.
Result<bool> check_head(std::string_view bytes, const std::string& path);

void append_source(std::string& bytes, const Source& source, std::uint32_t number);
void append_row(std::string& bytes, std::uint32_t source, std::int64_t at_us, const Answered& answered, std::uint32_t record,
                std::pair<const std::pair<std::uint32_t, std::uint32_t>*, const std::pair<std::uint32_t, std::uint32_t>*> faults);

/// Reads frame after frame of untrusted bytes.
class FrameReader {
 public:
  /// `bytes` without the head.
  explicit FrameReader(std::string_view bytes) : bytes_(bytes) {}
  /// The next row that is whole; frames that are not are passed over and counted.
  std::optional<Row> next();
  std::uint64_t unreadable_bytes() const { return unreadable_; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  std::uint64_t unreadable_ = 0;
  std::shared_ptr<const Source> source_;
  std::uint32_t source_number_ = 0;
};

/// "00063c5a9f2b1c40-1f4e-00000001.requests": time of its first row, process and number of the segment.
struct SegmentName {
  std::int64_t first_us = 0;
  std::string writer;  ///< the same for all segments of one writer
  std::uint32_t number = 0;
};
std::string to_string(const SegmentName& name);
std::optional<SegmentName> parse_segment_name(std::string_view name);

}  // namespace mlp::request_log
