#pragma once

#include <cstddef>
#include <cstdint>

namespace mlp::io {

/// Finds the fields of records that have no quote and as many fields as the header: nearly all of them, in nearly all files. 64 bytes
/// are looked at together, so as many have to be readable, and zero, after a text. What else there is, RecordReader takes apart; the two agree on every text.
class FieldIndex {
 public:
  /// Positions that may be written after those of a record.
  static constexpr std::size_t kSlack = 2 * 64 + 8;

  enum class Found : std::uint8_t {
    record,
    other,  ///< a record for RecordReader, from `at()` on
    end,    ///< no line feed is left in the text
  };

  /// `most_at_once`: how many bytes are compared at once at most, of 16, 32 and 64, where the CPU can; it changes no result.
  FieldIndex(char delimiter, std::size_t width, int most_at_once = 64);

  /// Goes on at byte `at` of a text, at the beginning of a record.
  void start(const char* text, std::size_t size, std::size_t at);
  /// Of a record: `ends[0]` is the position before it, then one for the end of each field, so that a field is all between two of them.
  /// The last field ends before the carriage return, if there is one.
  Found next(std::uint32_t* ends) { return (this->*next_)(ends); }
  /// Where the next record begins.
  std::size_t at() const { return at_; }

 private:
  template <auto Look>
  Found next_with(std::uint32_t* ends);
  // By how many bytes the CPU compares at once.
  Found next_1(std::uint32_t* ends);
  Found next_16(std::uint32_t* ends);
  Found next_32(std::uint32_t* ends);
  Found next_64(std::uint32_t* ends);

  char delimiter_;
  std::size_t width_;
  const char* text_ = nullptr;
  std::size_t size_ = 0, at_ = 0;
  std::size_t block_ = 0;                      ///< the 64 bytes that the masks are of
  Found (FieldIndex::*next_)(std::uint32_t* ends);
  std::uint64_t delimiters_ = 0, stops_ = 0;  ///< those not yet passed; stops: line feeds and quotes
};

}  // namespace mlp::io
