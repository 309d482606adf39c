#include <fmt/format.h>

#include "compiler/sema/check_data.h"
#include "compiler/syntax/tokens.h"

namespace mlp {

std::string name_of_source_column(std::string_view source_name) {
  std::string out;
  bool gap = false;
  for (const char c : source_name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool stays = byte >= 0x80 || c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    if (stays && gap && !out.empty()) out += '_';
    gap = !stays;
    if (stays) out += c;
  }
  if (out.empty()) return "_";
  if (out[0] >= '0' && out[0] <= '9') out.insert(out.begin(), '_');
  if (syntax::is_reserved(syntax::word_type(out))) out += '_';
  return out;
}

namespace sema {

std::optional<LockedTable> locked_table(Context& context, const hir::LockPlace& place, Span span) {
  if (!context.options.read_lock) return std::nullopt;
  const auto lock = context.options.read_lock(place.path);
  const auto report = [&](diag::Code code, std::string message, std::string help) {
    context.report(diag::make(code, span, std::move(message)).with_label("takes its columns from there").with_help(std::move(help)));
    return std::nullopt;
  };
  if (!lock) return report(lock.error().code, lock.error().message, lock.error().help);
  if (*lock)
    if (const LockedTable* found = (*lock)->find(place.file, place.table)) return *found;
  return report(diag::Code::E0212,
                *lock ? fmt::format("`{}` has no entry for the table `{}` of `{}`", place.path, place.table, place.file)
                      : fmt::format("there is no `{}` to say which columns `{}` has", place.path, place.table),
                fmt::format("run `mlpc lock {}`: it finds the types in the data and writes them there", context.sources.file(context.modules[0].file->file).path));
}

}  // namespace sema
}  // namespace mlp
