#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "runtime/io/decompress.h"
#include "runtime/io/text_file.h"

namespace mlp::io {

namespace {

constexpr std::size_t kChunk = std::size_t{1} << 18;

std::unexpected<diag::Diagnostic> cut_off(const std::string& path) {
  return no_table(path, 0, "it is cut off: its compressed data ends early", "fetch or write it anew");
}
std::unexpected<diag::Diagnostic> damaged(const std::string& path) {
  return no_table(path, 0, "its compressed data is damaged", "fetch or write it anew");
}

/// One gzip member after the other (RFC 1952).
class Gunzip final : public Decompressor {
 public:
  Gunzip(std::string path, Sink sink) : path_(std::move(path)), sink_(std::move(sink)) {}
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;
  ~Gunzip() override { ::inflateEnd(&stream_); }

  Result<void> take(std::string_view bytes) override {
    if (bytes.empty()) {
      if (inside_) return cut_off(path_);
      return sink_({});
    }
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    while (stream_.avail_in > 0) {
      if (!inside_) {
        // Some tools fill the last block of a tape with zeros.
        if (ended_ && *stream_.next_in == 0) {
          ++stream_.next_in, --stream_.avail_in;
          continue;
        }
        if ((ended_ ? ::inflateReset(&stream_) : ::inflateInit2(&stream_, 16 + MAX_WBITS)) != Z_OK) return damaged(path_);
        inside_ = true;
      }
      do {
        stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
        stream_.avail_out = static_cast<uInt>(out_.size());
        const int outcome = ::inflate(&stream_, Z_NO_FLUSH);
        if (outcome != Z_OK && outcome != Z_STREAM_END && outcome != Z_BUF_ERROR) return damaged(path_);
        if (const std::size_t got = out_.size() - stream_.avail_out; got > 0) MLP_TRY_VOID(sink_({out_.data(), got}));
        if (outcome == Z_STREAM_END) {
          inside_ = false;
          ended_ = true;
          break;
        }
      } while (stream_.avail_out == 0);
    }
    return {};
  }

 private:
  std::string path_;
  Sink sink_;
  z_stream stream_{};
  bool inside_ = false, ended_ = false;
  std::string out_ = std::string(kChunk, '\0');
};

/// One zstd frame after the other (RFC 8878).
class Unzstd final : public Decompressor {
 public:
  Unzstd(std::string path, Sink sink) : path_(std::move(path)), sink_(std::move(sink)) {}

  Result<void> take(std::string_view bytes) override {
    if (bytes.empty()) {
      if (inside_) return cut_off(path_);
      return sink_({});
    }
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (bool more = true; more || in.pos < in.size;) {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      const std::size_t left = ZSTD_decompressStream(stream_.get(), &out, &in);
      if (ZSTD_isError(left)) return damaged(path_);
      inside_ = left != 0;
      if (out.pos > 0) MLP_TRY_VOID(sink_({out_.data(), out.pos}));
      more = out.pos == out.size;  // there may be more of it
    }
    return {};
  }

 private:
  std::string path_;
  Sink sink_;
  std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream_{ZSTD_createDStream(), &ZSTD_freeDStream};
  bool inside_ = false;
  std::string out_ = std::string(kChunk, '\0');
};

std::unique_ptr<Decompressor> make(const std::string& path, Sink sink) {
  if (path.ends_with(".zst")) return std::make_unique<Unzstd>(path, std::move(sink));
  return std::make_unique<Gunzip>(path, std::move(sink));
}

/// Takes frames out of `packed` by `step`, which moves both ends on and says whether it failed.
template <class Step>
Result<std::string> unpack_by(std::string_view packed, std::uint64_t size, const std::string& path, Step step) {
  std::string out;
  std::size_t used = 0, made = 0;
  while (used < packed.size() || made < size) {
    // What is said to come out is only believed when it comes.
    if (made == out.size() && made < size) {
      out.resize(std::min<std::uint64_t>(size, std::max<std::uint64_t>({kChunk, 4 * packed.size(), 2 * out.size()})));
    }
    std::size_t in = packed.size() - used, room = out.size() - made;
    if (!step(out.data() + made, room, packed.data() + used, in) || (in == 0 && room == 0)) return damaged(path);
    used += in, made += room;
  }
  return out;
}

Result<std::string> unpack(BufferCodec codec, std::string_view packed, std::uint64_t size, const std::string& path) {
  if (codec == BufferCodec::zstd) {
    const std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream(ZSTD_createDStream(), &ZSTD_freeDStream);
    return unpack_by(packed, size, path, [&](char* to, std::size_t& room, const char* from, std::size_t& in) {
      ZSTD_inBuffer source{from, in, 0};
      ZSTD_outBuffer target{to, room, 0};
      const std::size_t left = ZSTD_decompressStream(stream.get(), &target, &source);
      in = source.pos, room = target.pos;
      return !ZSTD_isError(left);
    });
  }
  LZ4F_dctx* made = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&made, LZ4F_VERSION))) return damaged(path);
  const std::unique_ptr<LZ4F_dctx, decltype(&LZ4F_freeDecompressionContext)> context(made, &LZ4F_freeDecompressionContext);
  return unpack_by(packed, size, path, [&](char* to, std::size_t& room, const char* from, std::size_t& in) { return !LZ4F_isError(LZ4F_decompress(context.get(), to, &room, from, &in, nullptr)); });
}

}  // namespace

}  // namespace mlp::io

extern "C" __attribute__((visibility("default"))) const mlp::io::CompressionModule mlp_compression_module;
const mlp::io::CompressionModule mlp_compression_module = {mlp::io::kCompressionModuleVersion, mlp::io::make, mlp::io::unpack};
