#include "runtime/io/field_index.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mlp::io {

namespace {

constexpr std::size_t kBlock = 64;

struct Masks {
  std::uint64_t delimiters, stops;
};

// The same bits on every CPU; the wider the registers the sooner.

#if defined(__x86_64__)
#define MLP_AVX2 __attribute__((target("avx2,bmi,popcnt")))
#define MLP_AVX512 __attribute__((target("avx512bw,avx2,bmi,popcnt")))

inline Masks look_16(const char* bytes, char delimiter) {
  const __m128i d = _mm_set1_epi8(delimiter), feed = _mm_set1_epi8('\n'), quote = _mm_set1_epi8('"');
  Masks masks{0, 0};
  for (int i = 0; i < 4; ++i) {
    const __m128i part = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + i * 16));
    masks.delimiters |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(part, d)))) << (i * 16);
    masks.stops |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(part, feed), _mm_cmpeq_epi8(part, quote))))) << (i * 16);
  }
  return masks;
}

MLP_AVX2 inline Masks look_32(const char* bytes, char delimiter) {
  const __m256i d = _mm256_set1_epi8(delimiter), feed = _mm256_set1_epi8('\n'), quote = _mm256_set1_epi8('"');
  Masks masks{0, 0};
  for (int i = 0; i < 2; ++i) {
    const __m256i part = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + i * 32));
    masks.delimiters |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(part, d)))) << (i * 32);
    masks.stops |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_or_si256(_mm256_cmpeq_epi8(part, feed), _mm256_cmpeq_epi8(part, quote))))) << (i * 32);
  }
  return masks;
}

MLP_AVX512 inline Masks look_64(const char* bytes, char delimiter) {
  const __m512i part = _mm512_loadu_si512(bytes);
  return {_mm512_cmpeq_epi8_mask(part, _mm512_set1_epi8(delimiter)),
          _mm512_cmpeq_epi8_mask(part, _mm512_set1_epi8('\n')) | _mm512_cmpeq_epi8_mask(part, _mm512_set1_epi8('"'))};
}
#else
inline Masks look_1(const char* bytes, char delimiter) {
  Masks masks{0, 0};
  for (std::size_t i = 0; i < kBlock; ++i) {
    masks.delimiters |= static_cast<std::uint64_t>(bytes[i] == delimiter) << i;
    masks.stops |= static_cast<std::uint64_t>(bytes[i] == '\n' || bytes[i] == '"') << i;
  }
  return masks;
}
#endif

/// Writes the positions of the bits, and up to 7 further ones that mean nothing.
[[gnu::always_inline]] inline std::uint32_t* write_positions(std::uint32_t* out, std::uint64_t bits, std::size_t base) {
  const int count = __builtin_popcountll(bits);
  for (int written = 0; written < count; written += 8) {
    for (int i = 0; i < 8; ++i) {
      // Without a bit the position means nothing, so the instruction may give what it will.
      out[written + i] = static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(__builtin_ctzll(bits | std::uint64_t{1} << 63));
      bits &= bits - 1;
    }
  }
  return out + count;
}

}  // namespace

template <auto Look>
[[gnu::always_inline]] inline FieldIndex::Found FieldIndex::next_with(std::uint32_t* ends) {
  std::uint32_t* out = ends;
  *out++ = static_cast<std::uint32_t>(at_) - 1;
  while (stops_ == 0) {
    out = write_positions(out, delimiters_, block_);
    if (static_cast<std::size_t>(out - ends) > width_) return Found::other;
    block_ += kBlock;
    if (block_ >= size_) return Found::end;
    const Masks masks = Look(text_ + block_, delimiter_);
    delimiters_ = masks.delimiters;
    stops_ = masks.stops;
  }
  const int stop = __builtin_ctzll(stops_);
  const std::uint64_t before = (std::uint64_t{1} << stop) - 1;
  out = write_positions(out, delimiters_ & before, block_);
  const std::size_t end = block_ + static_cast<std::size_t>(stop);
  if (static_cast<std::size_t>(out - ends) != width_ || text_[end] == '"') return Found::other;
  *out = static_cast<std::uint32_t>(end) - (end > at_ && text_[end - 1] == '\r' ? 1 : 0);
  at_ = end + 1;
  delimiters_ &= ~(before << 1 | 1);
  stops_ &= stops_ - 1;
  return Found::record;
}

#if defined(__x86_64__)
FieldIndex::Found FieldIndex::next_16(std::uint32_t* ends) { return next_with<look_16>(ends); }
MLP_AVX2 FieldIndex::Found FieldIndex::next_32(std::uint32_t* ends) { return next_with<look_32>(ends); }
MLP_AVX512 FieldIndex::Found FieldIndex::next_64(std::uint32_t* ends) { return next_with<look_64>(ends); }

FieldIndex::FieldIndex(char delimiter, std::size_t width, int most_at_once) : delimiter_(delimiter), width_(width), next_(&FieldIndex::next_16) {
  const bool counts = __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi");
  if (most_at_once >= 32 && counts && __builtin_cpu_supports("avx2")) next_ = &FieldIndex::next_32;
  if (most_at_once >= 64 && counts && __builtin_cpu_supports("avx512bw")) next_ = &FieldIndex::next_64;
}
#else
FieldIndex::Found FieldIndex::next_1(std::uint32_t* ends) { return next_with<look_1>(ends); }
FieldIndex::FieldIndex(char delimiter, std::size_t width, int) : delimiter_(delimiter), width_(width), next_(&FieldIndex::next_1) {}
#endif

void FieldIndex::start(const char* text, std::size_t size, std::size_t at) {
  text_ = text;
  size_ = size;
  at_ = at;
  block_ = at / kBlock * kBlock;
  if (block_ >= size_) {
    delimiters_ = stops_ = 0;
    return;
  }
#if defined(__x86_64__)
  const Masks masks = look_16(text_ + block_, delimiter_);
#else
  const Masks masks = look_1(text_ + block_, delimiter_);
#endif
  const std::uint64_t later = ~std::uint64_t{0} << at % kBlock;
  delimiters_ = masks.delimiters & later;
  stops_ = masks.stops & later;
}

}  // namespace mlp::io
