#include "runtime/fetch/fetch.h"

#include "compiler/support/check.h"
#include "runtime/fetch/snapshot.h"

namespace mlp::fetch {

namespace {

using Function = Result<std::optional<Fetched>> (*)(const Context&, const plan::Table&);

struct Source {
  std::string_view symbol;  ///< of stdlib/sources.mlp, and "sql": the stage
  bool is_remote;
  Function function;
};
constexpr Source kSources[] = {{"sqlite", false, fetch_sqlite}, {"python", false, fetch_python}, {"sql", false, fetch_sql}, {"postgres", true, fetch_postgres}, {"http", true, fetch_http}, {"s3", true, fetch_s3}};

const Source* find(std::string_view symbol) {
  for (const Source& source : kSources)
    if (source.symbol == symbol) return &source;
  return nullptr;
}

}  // namespace

bool is_fetched(std::string_view symbol) { return find(symbol) != nullptr; }

bool is_remote(std::string_view symbol) {
  const Source* const source = find(symbol);
  return source && source->is_remote;
}

Result<std::optional<Fetched>> fetch(const Context& context, const plan::Table& table) {
  const Source* const source = find(table.source);
  MLP_CHECK(source != nullptr);
  return source->function(context, table);
}

}  // namespace mlp::fetch
