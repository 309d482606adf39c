#include "runtime/exec/lock_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compiler/diag/render.h"
#include "runtime/io/source.h"

namespace mlp::exec {

namespace {

constexpr std::size_t kListed = 40;

std::string listed(const std::vector<std::string_view>& names) {
  std::string out;
  for (std::size_t i = 0; i < std::min(kListed, names.size()); ++i) out += fmt::format("{}`{}`", i ? ", " : "", names[i]);
  if (names.size() > kListed) out += fmt::format(" and {} more", names.size() - kListed);
  return out;
}

diag::Diagnostic misfit(std::string message) {
  return diag::make(diag::Code::E0808, {}, std::move(message)).with_help("mend the file, or take it as it is now: `mlpc lock FILE` with the workflow's file, and review what that changes");
}

}  // namespace

Result<void> check_columns_of_lock(const plan::Table& table, const io::Table& files) {
  if (table.lock.empty()) return {};
  std::set<std::string_view> expected(table.declared.begin(), table.declared.end());
  for (const SchemaColumn& column : table.locked) expected.insert(column.name);
  for (const io::NamedColumns& file : io::columns_by_file(files)) {
    const std::set<std::string_view> found(file.names.begin(), file.names.end());
    std::vector<std::string_view> gone, fresh;
    for (const SchemaColumn& column : table.locked)
      if (!found.contains(column.name)) gone.push_back(column.name);
    for (const std::string& name : file.names)
      if (!name.empty() && !expected.contains(name)) fresh.push_back(name);
    if (gone.empty() && fresh.empty()) continue;
    diag::Diagnostic d = misfit(fmt::format("`{}` does not have the columns that `{}` says", file.files, table.lock));
    std::set<std::string_view> renamed;
    for (const std::string_view name : gone) {
      const std::string_view near = gone.size() == 1 && fresh.size() == 1 ? fresh[0] : diag::did_you_mean(name, fresh);
      if (near.empty() || !renamed.insert(near).second) continue;
      d.notes.push_back(fmt::format("`{}` may have been renamed to `{}`", name, near));
    }
    if (!fresh.empty()) d.notes.insert(d.notes.begin(), fmt::format("new in the file: {}", listed(fresh)));
    if (!gone.empty()) d.notes.insert(d.notes.begin(), fmt::format("in {} and not in the file: {}", table.lock, listed(gone)));
    return failure(std::move(d));
  }
  return {};
}

diag::Diagnostic compared_with_lock(diag::Diagnostic failure, const plan::Table& table, const Result<Schema>& now) {
  const auto is_locked = [&](const std::string& column) { return std::ranges::find(table.locked, column, &SchemaColumn::name) != table.locked.end(); };
  if (!now || std::ranges::none_of(failure.places, [&](const diag::DataPlace& place) { return is_locked(place.column); })) return failure;
  const std::vector<SchemaChange> changes = difference(table.locked, *now);
  diag::Diagnostic d = misfit(fmt::format("the values of `{}` are not of the types that `{}` says", table.name, table.lock));
  d.span = table.span;
  for (std::size_t i = 0; i < std::min(kListed, changes.size()); ++i)
    if (changes[i].before && changes[i].after) d.notes.push_back(fmt::format("`{}` is `{}` in {}, and `{}` in the data", changes[i].column, to_string(*changes[i].before), table.lock, to_string(*changes[i].after)));
  d.notes.insert(d.notes.end(), failure.notes.begin(), failure.notes.end());
  d.places = std::move(failure.places);
  d.more_places = failure.more_places;
  return d;
}

}  // namespace mlp::exec
