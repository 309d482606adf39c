#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "runtime/io/decompress.h"
#include "runtime/io/source_state.h"
#include "runtime/io/text_file.h"

namespace mlp::io {

namespace {

constexpr std::size_t kChunk = std::size_t{1} << 18;

/// The bytes of the file, and then none.
Result<void> read_chunks(File& file, const Sink& sink) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(kChunk);
  for (std::uint64_t at = 0;;) {
    MLP_TRY(const std::size_t got, file.read_at(at, {buffer.get(), kChunk}));
    MLP_TRY_VOID(sink({buffer.get(), got}));
    if (got == 0) return {};
    at += got;
  }
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto byte = [&](std::uint32_t b) { out += static_cast<char>(b); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) {
    byte(0xC0 | c >> 6);
  } else {
    if (c < 0x10000) {
      byte(0xE0 | c >> 12);
    } else {
      byte(0xF0 | c >> 18);
      byte(0x80 | (c >> 12 & 0x3F));
    }
    byte(0x80 | (c >> 6 & 0x3F));
  }
  byte(0x80 | (c & 0x3F));
}

/// Text of another encoding as UTF-8.
class Transcoder {
 public:
  Transcoder(const std::string& path, Encoding encoding, Sink sink) : path_(path), encoding_(encoding), sink_(std::move(sink)) {}

  Result<void> take(std::string_view bytes) {
    if (bytes.empty()) {
      if (half_ || high_) return no_table(path_, line_, "its UTF-16 text is cut off in the middle of a character", "fetch or write it anew");
      return sink_({});
    }
    out_.clear();
    for (const char byte : bytes) {
      const auto b = static_cast<unsigned char>(byte);
      if (encoding_ == Encoding::latin1) {
        append_utf8(out_, b);
      } else if (!half_) {
        half_ = b;
      } else {
        const std::uint32_t unit = big_endian_ ? static_cast<std::uint32_t>(*half_) << 8 | b : static_cast<std::uint32_t>(b) << 8 | *half_;
        half_.reset();
        if (!take_unit(unit)) return no_table(path_, line_, "it is not UTF-16 text", "say how it is written: `encoding: \"utf-8\"` is the default");
      }
    }
    return out_.empty() ? Result<void>() : sink_(out_);
  }

 private:
  bool take_unit(std::uint32_t unit) {
    if (at_start_) {
      at_start_ = false;
      if (unit == 0xFEFF) return true;
      if (unit == 0xFFFE) return big_endian_ = true;
    }
    const bool low = unit >= 0xDC00 && unit <= 0xDFFF;
    if (low != high_.has_value()) return false;
    if (low) {
      append_utf8(out_, 0x10000 + ((*high_ - 0xD800) << 10) + (unit - 0xDC00));
      high_.reset();
    } else if (unit >= 0xD800 && unit <= 0xDBFF) {
      high_ = unit;
    } else {
      line_ += unit == '\n';
      append_utf8(out_, unit);
    }
    return true;
  }

  const std::string& path_;
  Encoding encoding_;
  Sink sink_;
  std::string out_;
  std::optional<unsigned char> half_;
  std::optional<std::uint32_t> high_;  ///< the first half of a surrogate pair
  bool big_endian_ = false, at_start_ = true;
  std::uint64_t line_ = 1;
};

/// The text in the scratch file, with the identity of the file that it is of.
class UnpackedFile final : public File {
 public:
  UnpackedFile(std::unique_ptr<File> original, std::unique_ptr<ScratchFile> text) : original_(std::move(original)), text_(std::move(text)) {}
  Result<FileStamp> stamp() override { return original_->stamp(); }
  Result<std::uint64_t> size() override { return text_->size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override { return text_->read_at(offset, into); }

 private:
  std::unique_ptr<File> original_;
  std::unique_ptr<ScratchFile> text_;
};

Result<std::shared_ptr<File>> unpack(const Source& source, const std::string& path) {
  MLP_TRY(std::unique_ptr<File> file, source.files->open(path));
  MLP_TRY(const FileStamp before, file->stamp());
  MLP_TRY(std::unique_ptr<ScratchFile> text, source.files->scratch(source.scratch));
  Sink sink = [&](std::string_view bytes) { return text->append(bytes); };
  std::optional<Transcoder> transcoder;
  if (source.options.encoding != Encoding::utf8) {
    transcoder.emplace(path, source.options.encoding, sink);
    sink = [&](std::string_view bytes) { return transcoder->take(bytes); };
  }
  if (without_compression(path) != path) {
    MLP_TRY(const std::unique_ptr<Decompressor> decompressor, make_decompressor(path, sink));
    MLP_TRY_VOID(read_chunks(*file, [&](std::string_view bytes) { return decompressor->take(bytes); }));
  } else {
    MLP_TRY_VOID(read_chunks(*file, sink));
  }
  MLP_TRY(const FileStamp after, file->stamp());
  if (after != before) return source_changed(path);
  return std::make_shared<UnpackedFile>(std::move(file), std::move(text));
}

}  // namespace

std::string_view without_compression(std::string_view path) {
  for (const std::string_view ending : {".gz", ".zst"})
    if (path.ends_with(ending)) return path.substr(0, path.size() - ending.size());
  return path;
}

Result<std::shared_ptr<File>> open_text(const Source& source, const std::string& path) {
  if (source.options.encoding == Encoding::utf8 && without_compression(path) == path) {
    MLP_TRY(std::unique_ptr<File> file, source.files->open(path));
    return std::shared_ptr<File>(std::move(file));
  }
  std::shared_ptr<SourceState::Unpacked> text;
  {
    const std::lock_guard lock(source.state->mutex);
    auto& entry = source.state->texts[path];
    if (!entry) entry = std::make_shared<SourceState::Unpacked>();
    text = entry;
  }
  const std::lock_guard lock(text->mutex);
  if (!text->file) {
    MLP_TRY(text->file, unpack(source, path));
  }
  return text->file;
}

}  // namespace mlp::io
