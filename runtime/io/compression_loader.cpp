#include <dlfcn.h>

#include "runtime/io/decompress.h"

namespace mlp::io {

namespace {

Result<const CompressionModule*> module() {
  // The loader counts: opening it again costs a look-up, and it stays open.
  void* const opened = ::dlopen("libmlp_compression.so", RTLD_NOW | RTLD_LOCAL);
  const auto* found = opened ? static_cast<const CompressionModule*>(::dlsym(opened, "mlp_compression_module")) : nullptr;
  if (!found || found->version != kCompressionModuleVersion)
    return failure(diag::Code::E0905, "the part that reads compressed files (libmlp_compression.so, libz.so.1, libzstd.so.1, liblz4.so.1) cannot be loaded",
                   "run scripts/setup.sh and build again, or unpack the file");
  return found;
}

}  // namespace

Result<std::unique_ptr<Decompressor>> make_decompressor(const std::string& path, Sink sink) {
  MLP_TRY(const auto* found, module());
  return found->make(path, std::move(sink));
}

Result<std::string> unpack_buffer(BufferCodec codec, std::string_view packed, std::uint64_t size, const std::string& path) {
  MLP_TRY(const auto* found, module());
  return found->unpack(codec, packed, size, path);
}

}  // namespace mlp::io
