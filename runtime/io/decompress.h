#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "compiler/diag/diagnostic.h"

/// gzip, zstd and LZ4, in a module (libmlp_compression.so) that is loaded with the first compressed file.
namespace mlp::io {

/// Takes bytes as they come; the last call has none.
using Sink = std::function<Result<void>(std::string_view bytes)>;

/// A file that is being unpacked.
class Decompressor {
 public:
  virtual ~Decompressor() = default;
  /// The next bytes of the file, or none at its end: E0804 where they are damaged or cut off, and the failures of the sink.
  virtual Result<void> take(std::string_view bytes) = 0;
};

/// By the ending of the path, `.gz` or `.zst`; what is unpacked goes to `sink`. E0905 where the module is not there.
Result<std::unique_ptr<Decompressor>> make_decompressor(const std::string& path, Sink sink);

/// How parts of a file may be packed, each by itself (Arrow).
enum class BufferCodec : std::uint8_t { lz4, zstd };  ///< LZ4 frames, zstd frames
/// What was packed: `size` bytes. E0804, which names the file, where it is damaged or of another size; E0905. No more memory is taken than what comes out.
Result<std::string> unpack_buffer(BufferCodec codec, std::string_view packed, std::uint64_t size, const std::string& path);

/// What the loader looks up in the module.
struct CompressionModule {
  int version;
  std::unique_ptr<Decompressor> (*make)(const std::string& path, Sink sink);
  Result<std::string> (*unpack)(BufferCodec codec, std::string_view packed, std::uint64_t size, const std::string& path);
};
inline constexpr int kCompressionModuleVersion = 2;

}  // namespace mlp::io
