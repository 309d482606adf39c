#include "runtime/io/row_finder.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "runtime/column/parallel.h"
#include "runtime/io/csv_records.h"

namespace mlp::io {

namespace {

/// The lines that begin in a part of the file, and the rows among them.
struct Piece {
  std::uint64_t lines = 0, rows = 0;
  std::uint64_t continued = 0;      ///< where the record that was open before it ends; 0: none was
  std::uint64_t last_end = 0;       ///< end of its last row
  std::uint64_t last_row_line = 0;  ///< on which of its lines that begins
  bool inside = false;              ///< a quote is open at its end
};

/// A row, as it is found.
struct Row {
  std::uint64_t begin = 0, line = 0;   ///< line: among those of the piece
  std::uint64_t end_of_last = 0;       ///< end of the row before it, 0 where that is in an earlier piece
};

/// Rows of a piece that are asked for: `first` and every `step`-th after it, `count` of them.
struct Wanted {
  std::uint64_t first = 0, step = 1;
  std::size_t count = 0;
};

/// Looks at the lines of a piece: at all of them, or up to the last row wanted.
class PieceScan {
 public:
  PieceScan(const RowRules& rules, std::uint64_t begin, std::uint64_t end, bool inside, const Wanted& wanted)
      : rules_(rules), end_(end), tracker_(rules.delimiter, rules.trim, inside), inside_(inside), inherited_(inside), offset_(begin), wanted_(wanted) {}

  /// Whole lines of the file, one after the other, from the first that begins in the piece on. False when no more are needed.
  bool take(std::string_view lines) {
    while (!lines.empty()) {
      if (offset_ >= end_) return false;
      if (!inside_) {
        // Lines up to the one with the next quote.
        const std::size_t quote = rules_.quotes ? lines.find('"') : std::string_view::npos;
        const std::size_t plain = quote == std::string_view::npos ? lines.size() : lines.substr(0, quote).rfind('\n') + 1;
        if (plain > 0) {
          if (!take_plain(lines.substr(0, plain))) return false;
          lines.remove_prefix(plain);
          continue;
        }
      }
      const std::size_t size = std::min(lines.find('\n'), lines.size() - 1) + 1;
      const std::string_view line = lines.substr(0, size);
      if (!inside_ && is_row(line) && !begin_row()) return false;
      const bool was_row = inside_ || row_open_;
      tracker_.feed(line);
      inside_ = tracker_.inside_quotes();
      offset_ += size;
      ++piece.lines;
      if (was_row) end_row();
      lines.remove_prefix(size);
    }
    return offset_ < end_;
  }

  Piece piece;
  std::vector<Row> found;

 private:
  bool is_row(std::string_view line) const { return rules_.blank_is_row || !is_blank_line(line, rules_.delimiter, rules_.trim); }

  bool begin_row() {
    inherited_ = false;
    if (found.size() < wanted_.count && piece.rows == wanted_.first + found.size() * wanted_.step) {
      found.push_back({offset_, piece.lines, piece.last_end ? piece.last_end : piece.continued});
      if (found.size() == wanted_.count) return false;
    }
    ++piece.rows;
    piece.last_row_line = piece.lines;
    row_open_ = true;
    return true;
  }
  void end_row() {
    row_open_ = inside_;
    (inherited_ ? piece.continued : piece.last_end) = offset_;
    piece.inside = inside_;
  }

  /// Lines without any quote.
  bool take_plain(std::string_view lines) {
    const char* const text = lines.data();
    std::size_t at = 0;
    while (at < lines.size()) {
      if (offset_ >= end_) return false;
      const void* const feed = std::memchr(text + at, '\n', lines.size() - at);
      const std::size_t next = feed ? static_cast<std::size_t>(static_cast<const char*>(feed) - text) + 1 : lines.size();
      const char first = text[at];
      const bool may_be_blank = first == '\n' || first == '\r' || first == ' ' || first == '\t';
      const bool row = rules_.blank_is_row || !may_be_blank || is_row(lines.substr(at, next - at));
      if (row && !begin_row()) return false;
      offset_ += next - at;
      ++piece.lines;
      if (row) end_row();
      at = next;
    }
    return offset_ < end_;
  }

  const RowRules& rules_;
  std::uint64_t end_;
  QuoteTracker tracker_;
  bool inside_, inherited_, row_open_ = false;
  std::uint64_t offset_;
  Wanted wanted_;
};

/// `inside`: a quote is open before the piece.
Result<PieceScan> scan_piece(File& file, const std::string& path, const RowRules& rules, std::uint64_t begin, std::uint64_t end, std::uint64_t size, bool is_first,
                             bool inside, const Wanted& wanted = {}) {
  // A line that began earlier belongs to the piece before.
  Window window(file, is_first ? begin : begin - 1, size);
  std::uint64_t from = is_first ? begin : begin - 1;
  std::optional<PieceScan> scan;
  if (is_first) scan.emplace(rules, begin, end, inside, wanted);
  for (std::size_t used = 0; !(window.at_end() && used == window.text().size());) {
    MLP_TRY(const bool whole, window.refill(used));
    if (!whole) return source_changed(path);
    from += used;
    const std::string_view text = window.text();
    std::size_t begun = 0;
    if (!scan) {
      begun = std::min(text.find('\n'), text.size() - 1) + 1;
      used = begun;
      if (from + begun >= end) break;
      if (text[begun - 1] != '\n') continue;
      scan.emplace(rules, from + begun, end, inside, wanted);
    }
    // Up to the last line end; without one, more is read.
    used = window.at_end() ? text.size() : std::max(text.rfind('\n') + 1, begun);
    if (!scan->take(text.substr(begun, used - begun))) break;
  }
  if (!scan) scan.emplace(rules, end, end, inside, wanted);
  if (scan->piece.lines == 0) scan->piece.inside = inside;
  return std::move(*scan);
}

}  // namespace

Result<void> find_rows(File& file, FileScan& scan, const RowRules& rules, std::uint64_t begin, std::uint64_t line, std::uint64_t fragment_rows) {
  MLP_TRY(const std::uint64_t size, file.size());
  const std::size_t count = size > begin ? static_cast<std::size_t>((size - begin + rules.piece_bytes - 1) / rules.piece_bytes) : 0;
  const auto begin_of = [&](std::size_t i) { return begin + i * rules.piece_bytes; };
  const auto end_of = [&](std::size_t i) { return std::min(begin_of(i + 1), size); };
  std::vector<Piece> pieces(count);
  std::vector<std::optional<diag::Diagnostic>> failures(count);
  // No quote is open where a piece begins: so it is nearly always.
  parallel_for(count, [&](std::size_t i) {
    auto found = scan_piece(file, scan.path, rules, begin_of(i), end_of(i), size, i == 0, false);
    if (found) pieces[i] = found->piece;
    else failures[i] = std::move(found.error());
  });
  for (auto& failed : failures)
    if (failed) return failure(std::move(*failed));
  std::vector<bool> inside(count + 1, false);
  std::vector<std::uint64_t> rows_before(count + 1, 0), lines_before(count + 1, line);
  std::uint64_t last_row_line = line;
  for (std::size_t i = 0; i < count; ++i) {
    if (inside[i]) {
      MLP_TRY(const PieceScan again, scan_piece(file, scan.path, rules, begin_of(i), end_of(i), size, i == 0, true));
      pieces[i] = again.piece;
    }
    inside[i + 1] = pieces[i].inside;
    rows_before[i + 1] = rows_before[i] + pieces[i].rows;
    lines_before[i + 1] = lines_before[i] + pieces[i].lines;
    if (pieces[i].rows) last_row_line = lines_before[i] + pieces[i].last_row_line;
  }
  if (inside[count])
    return no_table(scan.path, last_row_line, "a quote opened in the record that begins here is never closed", "a quote inside a quoted field is written twice");
  scan.rows = rows_before[count];

  /// Where the rows before piece `i` end.
  const auto end_before = [&](std::size_t i) {
    while (i > 0) {
      const Piece& piece = pieces[--i];
      if (piece.last_end) return piece.last_end;
      if (piece.continued) return piece.continued;
    }
    return begin;
  };
  const auto fragments = static_cast<std::size_t>((scan.rows + fragment_rows - 1) / fragment_rows);
  scan.fragments.resize(fragments);
  std::vector<std::uint64_t> end_of_last(fragments, 0);
  parallel_for(count, [&](std::size_t i) {
    // The fragments that begin in this piece.
    const std::uint64_t first = (rows_before[i] + fragment_rows - 1) / fragment_rows, end = (rows_before[i + 1] + fragment_rows - 1) / fragment_rows;
    if (first == end) return;
    auto piece = scan_piece(file, scan.path, rules, begin_of(i), end_of(i), size, i == 0, inside[i], {first * fragment_rows - rows_before[i], fragment_rows, end - first});
    if (!piece) {
      failures[i] = std::move(piece.error());
      return;
    }
    if (piece->found.size() != end - first) {
      failures[i] = source_changed(scan.path).error();
      return;
    }
    for (std::size_t n = 0; n < piece->found.size(); ++n) {
      const std::size_t f = first + n;
      const Row& row = piece->found[n];
      Fragment& fragment = scan.fragments[f];
      fragment.begin = row.begin;
      fragment.first_line = lines_before[i] + row.line;
      fragment.first_row = f * fragment_rows;
      fragment.rows = std::min(fragment_rows, scan.rows - fragment.first_row);
      end_of_last[f] = row.end_of_last ? row.end_of_last : end_before(i);
    }
  });
  for (auto& failed : failures)
    if (failed) return failure(std::move(*failed));
  for (std::size_t f = 0; f < fragments; ++f) scan.fragments[f].end = f + 1 < fragments ? end_of_last[f + 1] : end_before(count);
  return {};
}

}  // namespace mlp::io
