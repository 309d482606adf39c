#include "runtime/fetch/postgres/postgres.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/fetch/postgres/decode.h"

namespace mlp::fetch {

namespace {

using diag::Code;
using Clock = std::chrono::steady_clock;
using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

/// The parts of an address, each of which may be secret: the longest first. Nothing where it is no address.
std::vector<std::string> parts_of(const std::string& url) {
  PQconninfoOption* const options = PQconninfoParse(url.c_str(), nullptr);
  if (!options) return {};
  std::vector<std::string> parts = {url};
  for (const PQconninfoOption* option = options; option->keyword; ++option)
    for (const std::string_view secret : {"user", "password", "host", "hostaddr", "dbname", "passfile", "sslkey"})
      if (option->keyword == secret && option->val && *option->val) parts.emplace_back(option->val);
  PQconninfoFree(options);
  std::ranges::sort(parts, [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  return parts;
}

Code code_of(const PostgresLimits& limits) { return limits.writes ? Code::E0914 : Code::E0912; }

std::unexpected<diag::Diagnostic> not_connected(const PostgresLimits& limits, std::string_view what, std::string_view help) {
  return failure(code_of(limits), fmt::format("the PostgreSQL server cannot be asked: {}", what), std::string(help));
}

constexpr std::string_view kAddress = "see whether the secret is the address that was meant: postgresql://user:password@host:port/database";

/// Why no connection was made. libpq says it with host, user and database, so its words are only recognised, not shown.
std::pair<std::string_view, std::string_view> connection_words(std::string_view libpq) {
  struct Words {
    std::string_view sign, what, help;
  };
  static constexpr Words kWords[] = {
      {"password authentication failed", "it refuses the user or the password", kAddress},
      {"no password supplied", "it asks for a password, and the address has none", kAddress},
      {"authentication failed", "it refuses the user", kAddress},
      {"role \"", "it does not know the user", kAddress},
      {"database \"", "it has no such database, or does not let this user into it", kAddress},
      {"pg_hba.conf", "it does not let this user in from here, or wants TLS", "ask who administers the server; `?sslmode=require` in the address asks for TLS"},
      {"Connection refused", "nobody answers at the address", "see whether the server runs and the address is right"},
      {"No such file or directory", "nobody answers at the address", "see whether the server runs and the address is right"},
      {"could not translate host name", "its host has no address", kAddress},
      {"timeout expired", "it did not answer within 20 seconds", "see whether the server runs and the address is right"},
      {"too many clients", "it has too many connections", "run again later"},
      {"connection slots", "it has too many connections", "run again later"},
      {"starting up", "it is starting", "run again in a moment"},
      {"shutting down", "it is shutting down", "run again when it is up"},
      {"certificate", "its certificate is not trusted", "give the certificate of who signed it in the address: `sslrootcert=`"},
      {"SSL", "TLS failed", "see `sslmode` in the address"},
      {"invalid port", "the address is none", kAddress},
  };
  for (const Words& words : kWords)
    if (libpq.find(words.sign) != std::string_view::npos) return {words.what, words.help};
  return {"the connection failed", kAddress};
}

class Connection final : public Postgres {
 public:
  Connection(PGconn* connection, std::vector<std::string> secret, const PostgresLimits& limits)
      : connection_(connection), secret_(std::move(secret)), limits_(limits), end_(Clock::now() + limits.longest) {}
  ~Connection() override { PQfinish(connection_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Result<std::vector<std::vector<std::string>>> ask(const std::string& sql) override {
    if (!PQsendQuery(connection_, sql.c_str())) return broken();
    MLP_TRY(const Answer answer, result());
    std::vector<std::vector<std::string>> rows;
    for (int r = 0; r < PQntuples(answer.get()); ++r) {
      std::vector<std::string>& row = rows.emplace_back();
      for (int c = 0; c < PQnfields(answer.get()); ++c) row.emplace_back(PQgetvalue(answer.get(), r, c), static_cast<std::size_t>(PQgetlength(answer.get(), r, c)));
    }
    MLP_TRY_VOID(finish());
    return rows;
  }

  Result<std::vector<PostgresColumn>> describe(const std::string& query) override {
    if (!PQsendPrepare(connection_, "", query.c_str(), 0, nullptr)) return broken();
    MLP_TRY_VOID(result());
    MLP_TRY_VOID(finish());
    if (!PQsendDescribePrepared(connection_, "")) return broken();
    MLP_TRY(const Answer answer, result());
    std::vector<PostgresColumn> columns;
    for (int c = 0; c < PQnfields(answer.get()); ++c) {
      const auto type = static_cast<std::uint32_t>(PQftype(answer.get(), c));
      columns.push_back({PQfname(answer.get(), c), type, is_text_type(type), !is_decoded(type)});
    }
    MLP_TRY_VOID(finish());
    if (columns.empty()) return failure(Code::E0912, "the query gives no rows", "write one `SELECT`");
    return columns;
  }

  Result<void> rows(const std::string& query, const std::vector<PostgresColumn>& columns, const std::vector<std::uint32_t>& positions, io::RowWriter& to) override {
    if (!PQsendQuery(connection_, fmt::format("COPY (\n{}\n) TO STDOUT (FORMAT binary)", query).c_str())) return broken();
    MLP_TRY_VOID(result(PGRES_COPY_OUT));
    std::string bytes;  // not read yet
    bool header = true, end = false;
    std::vector<std::string_view> fields(columns.size());
    for (;;) {
      char* data = nullptr;
      const int size = PQgetCopyData(connection_, &data, 1);
      if (size > 0) {
        bytes.append(data, static_cast<std::size_t>(size));
        PQfreemem(data);
        MLP_TRY(const std::size_t used, write(bytes, header, end, columns, positions, fields, to));
        bytes.erase(0, used);
      } else if (size == 0) {
        MLP_TRY_VOID(wait());
      } else if (size == -1) {
        break;
      } else {
        return broken(to.rows());
      }
    }
    MLP_TRY_VOID(result(PGRES_COMMAND_OK, to.rows()));
    MLP_TRY_VOID(finish());
    if (!end || !bytes.empty()) return broken(to.rows());
    return {};
  }

  Result<void> copy_in(const std::string& statement, const std::function<bool(std::string& chunk)>& next) override {
    if (!PQsendQuery(connection_, statement.c_str())) return broken();
    MLP_TRY_VOID(result(PGRES_COPY_IN));
    // The server may stop reading while there is still much to send: then it is waited for, with the limits of a wait.
    if (PQsetnonblocking(connection_, 1) != 0) return broken();
    const auto sent = [&](auto&& put) -> Result<void> {
      for (;;) {
        const int done = put();
        if (done == 1) return {};
        if (done < 0) return broken();
        MLP_TRY_VOID(wait(POLLIN | POLLOUT));
      }
    };
    std::string chunk;
    while (next(chunk)) MLP_TRY_VOID(sent([&] { return PQputCopyData(connection_, chunk.data(), static_cast<int>(chunk.size())); }));
    MLP_TRY_VOID(sent([&] { return PQputCopyEnd(connection_, nullptr); }));
    MLP_TRY_VOID(sent([&] {
      const int left = PQflush(connection_);
      return left == 0 ? 1 : left == 1 ? 0 : -1;
    }));
    if (PQsetnonblocking(connection_, 0) != 0) return broken();
    MLP_TRY_VOID(result(PGRES_COMMAND_OK));
    return finish();
  }

 private:
  /// Whole rows out of the bytes; how many bytes were used.
  Result<std::size_t> write(std::string_view bytes, bool& header, bool& end, const std::vector<PostgresColumn>& columns, const std::vector<std::uint32_t>& positions,
                            std::vector<std::string_view>& fields, io::RowWriter& to) {
    std::size_t at = 0;
    const auto number = [&](std::size_t place, std::size_t size) {
      std::uint32_t value = 0;
      for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[place + i]);
      return value;
    };
    const auto strange = [&] { return failure(Code::E0912, fmt::format("the server sent something other than rows after row {}", to.rows()), "see whether it is a PostgreSQL server"); };
    if (header) {
      static constexpr std::string_view kMark("PGCOPY\n\377\r\n\0", 11);
      if (bytes.size() < 19) return 0;
      const std::size_t extension = number(15, 4);
      if (!bytes.starts_with(kMark) || extension > 1 << 16) return strange();
      if (bytes.size() < 19 + extension) return 0;
      at = 19 + extension;
      header = false;
    }
    while (!end && bytes.size() - at >= 2) {
      std::size_t next = at + 2;
      const auto count = static_cast<std::int16_t>(number(at, 2));
      if (count == -1) {
        end = true;
        at = next;
        break;
      }
      if (static_cast<std::size_t>(count) != fields.size()) return strange();
      for (std::string_view& field : fields) {
        if (bytes.size() - next < 4) return at;
        const auto size = static_cast<std::int32_t>(number(next, 4));
        next += 4;
        if (size < -1) return strange();
        field = {};
        if (size < 0) continue;
        if (bytes.size() - next < static_cast<std::size_t>(size)) return at;
        field = bytes.substr(next, static_cast<std::size_t>(size));
        next += static_cast<std::size_t>(size);
      }
      for (const std::uint32_t position : positions) {
        if (!fields[position].data()) to.add_missing();
        else if (!write_value(to, columns[position].needs_cast ? 25 : columns[position].type, fields[position])) return strange();
      }
      to.end_row();
      at = next;
    }
    return at;
  }

  /// Until the server says more, or with POLLOUT takes more. E0906; E0912 or E0914 after the limit of time.
  Result<void> wait(short events = POLLIN) {
    const auto cancel = [&] {
      char words[256];
      if (PGcancel* const request = PQgetCancel(connection_)) {
        PQcancel(request, words, sizeof words);
        PQfreeCancel(request);
      }
    };
    if (limits_.stop && limits_.stop->load()) {
      cancel();
      return failure(Code::E0906, "stopped on request", limits_.writes ? "nothing of this batch was written; the next run writes it" : "what was finished is kept; the next run goes on from here");
    }
    if (Clock::now() > end_) {
      cancel();
      return failure(code_of(limits_), fmt::format("the server did not {} all rows within {} seconds", limits_.writes ? "take" : "give", limits_.longest.count() / 1000),
                     limits_.writes ? "allow more with `timeout:`, or see what holds the server up" : "allow more with `timeout:`, or ask for less");
    }
    pollfd ready{PQsocket(connection_), events, 0};
    ::poll(&ready, 1, 200);
    return PQconsumeInput(connection_) ? Result<void>() : broken();
  }

  /// The next result, which has to be good.
  Result<Answer> result(int expected = -1, std::uint64_t rows = 0) {
    while (PQisBusy(connection_)) MLP_TRY_VOID(wait());
    Answer answer(PQgetResult(connection_), PQclear);
    if (!answer) return broken(rows);
    const ExecStatusType status = PQresultStatus(answer.get());
    if (expected < 0 ? status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK : status == expected) return answer;
    return failed(answer.get(), rows);
  }

  /// Reads what is left of a statement.
  Result<void> finish() {
    for (;;) {
      while (PQisBusy(connection_)) MLP_TRY_VOID(wait());
      const Answer answer(PQgetResult(connection_), PQclear);
      if (!answer) return {};
      if (PQresultStatus(answer.get()) == PGRES_FATAL_ERROR) return failed(answer.get(), 0);
    }
  }

  std::string clean(const char* words) const {
    std::string text = words ? words : "";
    for (const std::string& part : secret_)
      for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += 3) text.replace(at, part.size(), "...");
    return text;
  }

  std::unexpected<diag::Diagnostic> broken(std::uint64_t rows = 0) const {
    return failure(code_of(limits_), rows ? fmt::format("the connection to the server broke after {} rows", rows) : "the connection to the server broke",
                   limits_.writes ? "see whether the server is up; all rows of this batch were written or none, and the next run writes them again"
                                  : "see whether the server is up; nothing of this reading is kept, the next run reads again");
  }

  std::unexpected<diag::Diagnostic> failed(const PGresult* answer, std::uint64_t rows) const {
    const char* const state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    const std::string_view code = state ? state : "";
    if (!state || PQstatus(connection_) == CONNECTION_BAD || code.starts_with("57P") || code.starts_with("08")) return broken(rows);
    const std::string words = clean(PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY)), hint = clean(PQresultErrorField(answer, PG_DIAG_MESSAGE_HINT));
    const std::string help = code == "42501" ? (limits_.writes ? "ask who administers the server for the right to write there: GRANT SELECT, INSERT, UPDATE" : "ask who administers the server for the right to read it: GRANT SELECT")
                             : !hint.empty() ? hint : limits_.writes ? "mend what stands in the way, or name another table: one that is not there is made" : "mend the query, or what stands in the way";
    return failure(code_of(limits_), fmt::format("the server refuses: {}", words), help);
  }

  PGconn* connection_;
  std::vector<std::string> secret_;
  PostgresLimits limits_;
  Clock::time_point end_;
};

Result<std::unique_ptr<Postgres>> connect(const std::string& url, const PostgresLimits& limits) {
  // What comes after the address wins over it.
  const char* const keys[] = {"connect_timeout", "fallback_application_name", "dbname", "client_encoding", nullptr};
  const char* const values[] = {"20", "mlpc", url.c_str(), "UTF8", nullptr};
  std::vector<std::string> secret = parts_of(url);
  if (secret.empty()) return not_connected(limits, "the address is none", kAddress);
  PGconn* const connection = PQconnectdbParams(keys, values, 1);
  auto made = std::make_unique<Connection>(connection, std::move(secret), limits);
  if (PQstatus(connection) != CONNECTION_OK) {
    const auto [what, help] = connection_words(PQerrorMessage(connection));
    return not_connected(limits, what, help);
  }
  PQsetNoticeProcessor(connection, [](void*, const char*) {}, nullptr);
  MLP_TRY_VOID(made->ask(limits.writes ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  return made;
}

}  // namespace

}  // namespace mlp::fetch

extern "C" __attribute__((visibility("default"))) const mlp::fetch::PostgresModule mlp_postgres_module;
const mlp::fetch::PostgresModule mlp_postgres_module = {mlp::fetch::kPostgresModuleVersion, mlp::fetch::connect};
