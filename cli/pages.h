#pragma once

#include <span>
#include <string_view>

namespace mlp::cli {

/// A page of docs/diagnostics, embedded at build time.
struct Page {
  std::string_view code;
  std::string_view text;
};
std::span<const Page> pages();

}  // namespace mlp::cli
