#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <queue>

#include "runtime/request_log/segment.h"

namespace mlp::request_log {

namespace {

struct Segment {
  std::string path;
  SegmentName name;
  std::int64_t end_us = INT64_MAX;  ///< no row of it is later: the next segment of its writer begins there
};

/// The segments that may have rows of the window, by name.
Result<std::vector<Segment>> segments_of(io::FileSystem& files, const std::string& directory, std::int64_t from_us, std::int64_t to_us) {
  std::vector<Segment> segments;
  if (!files.stat(directory)) return segments;
  MLP_TRY(const std::vector<std::string> entries, files.entries(directory));
  for (const std::string& entry : entries)
    if (auto name = parse_segment_name(entry)) segments.push_back({directory + "/" + entry, std::move(*name)});
  std::map<std::pair<std::string, std::uint32_t>, std::int64_t> begins;
  for (const Segment& segment : segments) begins[{segment.name.writer, segment.name.number}] = segment.name.first_us;
  for (Segment& segment : segments)
    if (const auto next = begins.find({segment.name.writer, segment.name.number + 1}); next != begins.end()) segment.end_us = next->second;
  std::erase_if(segments, [&](const Segment& segment) { return segment.name.first_us >= to_us || segment.end_us < from_us; });
  return segments;
}

/// One segment while it is read: from its first row of the window on.
struct Reading {
  std::string bytes;
  std::optional<FrameReader> frames;
  std::optional<Row> row;
};

}  // namespace

std::string directory(const std::string& store_directory, const std::string& deployment) { return store_directory + "/requests/" + deployment; }

Result<ReadReport> read(io::FileSystem& files, const std::string& directory, std::int64_t from_us, std::int64_t to_us,
                        const std::function<bool(const Row&)>& row) {
  ReadReport report;
  MLP_TRY(const std::vector<Segment> segments, segments_of(files, directory, from_us, to_us));
  std::vector<Reading> reading(segments.size());
  const auto step = [&](Reading& at) {
    do at.row = at.frames->next();
    while (at.row && at.row->at_us < from_us);
    if (at.row && at.row->at_us < to_us) return true;
    report.unreadable_bytes += at.frames->unreadable_bytes();
    at = {};
    return false;
  };
  // Segments overlap where several servers answer, so they are merged; one is in memory from its first row to its last.
  std::size_t opened = 0;
  const auto later = [&](std::size_t a, std::size_t b) { return std::pair(reading[a].row->at_us, a) > std::pair(reading[b].row->at_us, b); };
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(later)> next(later);
  while (opened < segments.size() || !next.empty()) {
    while (opened < segments.size() && (next.empty() || segments[opened].name.first_us <= reading[next.top()].row->at_us)) {
      const std::size_t i = opened++;
      Reading& at = reading[i];
      MLP_TRY(at.bytes, io::read_file(files, segments[i].path));
      ++report.segments;
      MLP_TRY(const bool whole, check_head(at.bytes, segments[i].path));
      if (!whole) {
        report.unreadable_bytes += at.bytes.size();
        continue;
      }
      at.frames.emplace(std::string_view(at.bytes).substr(encode_head().size()));
      if (step(at)) next.push(i);
    }
    if (next.empty()) continue;
    const std::size_t i = next.top();
    next.pop();
    ++report.rows;
    if (!row(*reading[i].row)) return report;
    if (step(reading[i])) next.push(i);
  }
  return report;
}

}  // namespace mlp::request_log
