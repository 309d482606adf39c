#include "runtime/io/csv_records.h"

#include <algorithm>
#include <bit>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace mlp::io {

namespace {

/// A bit for each of 64 bytes that is `a` or `b`.
std::uint64_t bits_of_either(const char* bytes, char a, char b) {
  std::uint64_t bits = 0;
#ifdef __SSE2__
  const __m128i all_a = _mm_set1_epi8(a), all_b = _mm_set1_epi8(b);
  for (int i = 0; i < 4; ++i) {
    const __m128i part = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + i * 16));
    const __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(part, all_a), _mm_cmpeq_epi8(part, all_b));
    bits |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(hit))) << (i * 16);
  }
#else
  for (int i = 0; i < 64; ++i)
    bits |= static_cast<std::uint64_t>(bytes[i] == a || bytes[i] == b) << i;
#endif
  return bits;
}

bool is_trimmed(char c, char delimiter) {
  return (c == ' ' || c == '\t') && c != delimiter;
}

}  // namespace

void QuoteTracker::feed(std::string_view line) {
  std::size_t at = 0;
  if (!inside_ && line.find('"') == std::string_view::npos) return;
  while (true) {
    if (inside_) {
      at = line.find('"', at);
      if (at == std::string_view::npos) return;
      if (at + 1 < line.size() && line[at + 1] == '"') {
        at += 2;
        continue;
      }
      inside_ = false;
      ++at;
    } else {
      if (trim_) {
        while (at < line.size() && is_trimmed(line[at], delimiter_))
          ++at;
      }
      if (at < line.size() && line[at] == '"') {
        inside_ = true;
        ++at;
        continue;
      }
    }
    // Text outside quotes, or after them, ends at the delimiter; quotes in it are plain characters.
    at = line.find(delimiter_, at);
    if (at == std::string_view::npos) return;
    ++at;
  }
}

bool is_blank_line(std::string_view line, char delimiter, bool trim) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line.empty() || (trim && std::ranges::all_of(line, [&](char c) { return is_trimmed(c, delimiter); }));
}

void RecordReader::skip_blanks() {
  while (at_ < text_.size() && is_trimmed(text_[at_], delimiter_))
    ++at_;
}

std::string_view RecordReader::quoted_field() {
  const std::size_t begin = ++at_;
  std::string* copy = nullptr;
  std::size_t from = begin;
  while (true) {
    const std::size_t quote = text_.find('"', at_);
    if (quote == std::string_view::npos) {
      fault_ = Fault::unclosed_quote;
      next_line_ +=
          static_cast<std::uint64_t>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(begin), text_.end(), '\n'));
      at_ = text_.size();
      return text_.substr(begin);
    }
    if (quote + 1 < text_.size() && text_[quote + 1] == '"') {
      if (!copy) copy = &unescaped_.emplace_back();
      copy->append(text_.substr(from, quote + 1 - from));
      at_ = from = quote + 2;
      continue;
    }
    at_ = quote + 1;
    const std::string_view raw = text_.substr(begin, quote - begin);
    next_line_ += static_cast<std::uint64_t>(std::count(raw.begin(), raw.end(), '\n'));
    if (!copy) return raw;
    copy->append(text_.substr(from, quote - from));
    return *copy;
  }
}

std::size_t RecordReader::next_end() {
  constexpr std::size_t kBlock = 64;
  for (std::size_t at = at_; at < text_.size(); at = (block_ + 1) * kBlock) {
    if (at / kBlock != block_) {
      block_ = at / kBlock;
      const std::size_t left = text_.size() - block_ * kBlock;
      if (left >= kBlock) {
        ends_ = bits_of_either(text_.data() + block_ * kBlock, delimiter_, '\n');
      } else {
        char last[kBlock] = {};  // zeros are neither: the delimiter is not NUL
        std::memcpy(last, text_.data() + block_ * kBlock, left);
        ends_ = bits_of_either(last, delimiter_, '\n');
      }
    }
    const std::uint64_t later = ends_ & (~std::uint64_t{0} << at % kBlock);
    if (later) return block_ * kBlock + static_cast<std::size_t>(std::countr_zero(later));
  }
  return text_.size();
}

std::string_view RecordReader::plain_field() {
  const std::size_t begin = at_;
  const char* const data = text_.data();
  const std::size_t size = text_.size();
  const std::size_t at = next_end();
  at_ = at;
  std::size_t end = at;
  if ((at == size || data[at] == '\n') && end > begin && data[end - 1] == '\r') --end;
  if (trim_) {
    while (end > begin && is_trimmed(data[end - 1], delimiter_))
      --end;
  }
  return text_.substr(begin, end - begin);
}

bool RecordReader::next(std::vector<std::string_view>& fields) {
  fields.clear();
  fault_ = Fault::none;
  if (skip_blank_) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c != '\n' && c != '\r' && !(trim_ && is_trimmed(c, delimiter_))) break;
      const std::size_t end = std::min(text_.find('\n', at_), text_.size() - 1) + 1;
      if (!is_blank_line(text_.substr(at_, end - at_), delimiter_, trim_)) break;
      at_ = end;
      ++next_line_;
    }
  }
  if (at_ >= text_.size()) return false;
  line_ = next_line_;
  while (true) {
    if (trim_) skip_blanks();
    if (at_ < text_.size() && text_[at_] == '"') {
      fields.push_back(quoted_field());
      if (fault_ == Fault::unclosed_quote) return true;
      if (trim_) skip_blanks();
      const std::size_t after = at_;
      plain_field();
      const std::string_view rest = text_.substr(after, at_ - after);
      const bool is_line_end = rest == "\r" && (at_ == text_.size() || text_[at_] == '\n');
      if (!rest.empty() && !is_line_end) fault_ = Fault::text_after_quote;
    } else {
      fields.push_back(plain_field());
    }
    if (at_ >= text_.size()) return true;
    if (text_[at_++] == '\n') {
      ++next_line_;
      return true;
    }
  }
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of("\",\r\n") == std::string::npos && !text.starts_with(' ') && !text.ends_with(' ')) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace mlp::io
