#include <zlib.h>
#include <zstd.h>

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

}  // namespace

}  // namespace mlp::io

extern "C" __attribute__((visibility("default"))) const mlp::io::CompressionModule mlp_compression_module;
const mlp::io::CompressionModule mlp_compression_module = {mlp::io::kCompressionModuleVersion, mlp::io::make};
