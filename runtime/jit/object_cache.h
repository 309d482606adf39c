#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "compiler/support/digest.h"

namespace mlp::jit {

/// Object code in a directory, one file a key, each with its digest in front: a damaged file counts as none, and a file is
/// whole or absent. Several processes may use one directory. A cache that cannot be written only costs time.
class ObjectCache {
 public:
  explicit ObjectCache(std::string directory) : directory_(std::move(directory)) {}
  std::optional<std::string> load(const Digest& key) const;
  void save(const Digest& key, std::string_view object) const;

 private:
  std::string path_of(const Digest& key) const { return directory_ + "/" + key.hex() + ".o"; }
  std::string directory_;
};

}  // namespace mlp::jit
