#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "compiler/lsp/framing.h"
#include "compiler/lsp/server.h"

namespace mlp::lsp {

namespace {

bool write_all(int out, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(out, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool write_all(int out, const std::vector<std::string>& messages) {
  for (const std::string& message : messages)
    if (!write_all(out, framed(message))) return false;
  return true;
}

bool is_readable(int in) {
  pollfd waiting{in, POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

constexpr int kDone = 0, kAborted = 1;  // as the protocol wants them

}  // namespace

int serve(int in, int out, ReadText read, SqlTyper type_sql) {
  Server server(std::move(read), std::move(type_sql));
  Framing framing;
  std::string buffer(std::size_t{1} << 16, '\0');
  while (true) {
    while (const auto message = framing.next()) {
      if (!write_all(out, server.receive(*message))) return kAborted;
      if (const auto status = server.exit_status()) return *status == 0 ? kDone : kAborted;
    }
    if (!framing.fault().empty()) {
      write_all(out, framed(Server::fault(framing.fault())));
      return kAborted;
    }
    if (server.has_work() && !is_readable(in))
      if (!write_all(out, server.when_idle())) return kAborted;
    const ssize_t got = ::read(in, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      // The editor is gone; what was asked is answered as far as it reads.
      if (server.has_work()) write_all(out, server.when_idle());
      return kAborted;
    }
    framing.feed(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
  }
}

}  // namespace mlp::lsp
