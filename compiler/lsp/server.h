#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/sema/imports.h"
#include "compiler/types/sql_binding.h"

namespace mlp::lsp {

/// The language server without its streams: messages in, messages out, each a JSON text without its head. It keeps nothing between
/// documents, and answers in the order of the questions.
class Server {
 public:
  /// `read` gives files that documents import and the editor has not opened; not set: they are not read. `type_sql` as
  /// CheckOptions::type_sql.
  explicit Server(ReadText read = {}, SqlTyper type_sql = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// One message; gives the answers to it. What is no JSON, no request or unknown is answered with an error.
  std::vector<std::string> receive(std::string_view message);
  /// Diagnostics of the documents that changed; to be called when no message is waiting, so that a burst of edits is checked once.
  std::vector<std::string> when_idle();
  bool has_work() const;
  /// Set after `exit`: 0 when `shutdown` came before it, 1 otherwise.
  std::optional<int> exit_status() const;
  /// An error without a question, for a stream that cannot be read on.
  static std::string fault(std::string_view reason);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Serves an editor over two file descriptors until `exit`, the end of the stream or a closed pipe; gives the exit status.
int serve(int in, int out, ReadText read, SqlTyper type_sql);

}  // namespace mlp::lsp
