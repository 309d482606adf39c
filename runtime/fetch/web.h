#pragma once

#include <string>
#include <string_view>

#include "runtime/fetch/snapshot.h"
#include "runtime/http/http.h"

/// What `http` and `s3` have in common.
namespace mlp::fetch {

/// How files with an ending are read.
struct Ending {
  std::string text;     ///< ".csv.gz"
  std::string form;     ///< as Fetched::form
};
/// By the ending of a path, else by the type that the server gave; an empty one where neither is known.
Ending ending_of(std::string_view path, std::string_view type);
/// The options of the table, as they hold for files with this ending. E0206 where one is of text alone and `name` is none.
Result<plan::Options> options_for(const plan::Table& table, const Ending& ending, const std::string& name);

/// Percent-encoded as a part of an address; slashes stay in a path.
std::string encoded(std::string_view text, bool is_path);

/// A request with the limits of the table.
http::Request request_of(const Context& context, const plan::Table& table, std::string url);
/// Why the answer is none: E0912, E0906. `name` is what is asked for.
diag::Diagnostic refused(const http::Response& response, const std::string& name, const std::string& help_with_login);

}  // namespace mlp::fetch
