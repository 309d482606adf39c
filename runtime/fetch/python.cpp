#include <fmt/format.h>

#include <algorithm>

#include "runtime/fetch/snapshot.h"
#include "runtime/io/source.h"
#include "runtime/python/python.h"
#include "runtime/secrets/secret.h"

namespace mlp::fetch {

Result<std::optional<Fetched>> fetch_python(const Context& context, const plan::Table& table) {
  const python::Code code = python::code_of(table.path, context.folder);
  const Given* const given = context.given;
  const Digest id = definition(table, fmt::format("{}:{} {}", absolute_path(code.file), code.function, given ? given->recipe.hex() : ""));
  MLP_TRY(const Digest digest, python::digest_of(code, context.files));
  MLP_TRY(const auto interpreter, python::find_interpreter(context.files, context.store, context.may_fetch));
  if (!interpreter) return std::nullopt;
  const std::string validator = fmt::format("{} {} {}", digest.hex(), interpreter->version, given ? given->content.hex() : "");
  const std::string name = code.name();
  if (const auto record = find_record(context, id); record && record->validator == validator) return Fetched{"rows", {{record->path, name}}, {}};
  if (!context.may_fetch) return std::nullopt;

  std::string log = (context.run.empty() ? "" : context.run + "-") + table.name;
  std::ranges::replace(log, '/', '_');
  python::Place place{*interpreter, context.folder, fmt::format("{}/logs/{}.log", context.store.directory(), log), {}, context.stop};
  if (!given) {
    place.limits.longest = std::chrono::milliseconds(int_option(table, "timeout") / 1000);
    place.limits.most_memory = static_cast<std::uint64_t>(int_option(table, "megabytes")) << 20;
  }
  MLP_TRY_VOID(context.files.make_folders(context.store.directory() + "/logs"));
  MLP_TRY(Scratch scratch, Scratch::make(context, id));
  if (given) {
    MLP_TRY(const std::vector<Column> columns, given->read());
    MLP_TRY_VOID(python::call_stage(place, code, given->names, columns, table.columns, scratch.path()));
  } else {
    python::SourceCall call{wanted_columns(table, {}), text_option(table, "as_of"), {}};
    MLP_TRY(call.token, secrets::read_secret(text_option(table, "token"), context.folder, context.files));
    MLP_TRY_VOID(python::call_source(place, code, call, scratch.path()));
  }
  MLP_TRY(const Digest after, python::digest_of(code, context.files));
  if (after != digest) return io::source_changed(code.file);
  MLP_TRY(std::string file, scratch.keep(context, ".rows", "rows", validator, now_ns()));
  return Fetched{"rows", {{std::move(file), name}}, {}};
}

}  // namespace mlp::fetch
