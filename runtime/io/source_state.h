#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/io/file_system.h"

namespace mlp::io {

/// What is kept while the files of a table are read. Shared by threads.
struct SourceState {
  struct Unpacked {
    std::mutex mutex;
    std::shared_ptr<File> file;
  };
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Unpacked>> texts;  ///< of files that are not plain UTF-8 text, by path
  std::shared_ptr<void> database;                          ///< of the form
};

}  // namespace mlp::io
