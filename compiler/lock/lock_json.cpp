#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <expected>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "compiler/lock/lock.h"

namespace mlp {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostBytes = std::size_t{50} << 20;
constexpr int kMostDepth = 6;
constexpr const char* kMend = "mend it, or take it away and run `mlpc lock FILE`";

/// What is wrong with a lock, the first thing found.
struct Problem {
  std::string what;
  void set(std::string text) {
    if (what.empty()) what = std::move(text);
  }
};

std::string text_at(const Json& object, const char* key, const std::string& where, Problem& problem) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string() || found->get_ref<const std::string&>().empty()) {
    problem.set(fmt::format("{} has no `{}`", where, key));
    return {};
  }
  return found->get<std::string>();
}

void only_keys(const Json& object, std::initializer_list<std::string_view> known, const std::string& where, Problem& problem) {
  for (const auto& [key, value] : object.items())
    if (std::ranges::find(known, key) == known.end()) problem.set(fmt::format("{} has `{}`, which is not known", where, key));
}

/// A type that a column of a source can have.
std::optional<Type> column_type(const std::string& text) {
  if (text.starts_with("list")) return std::nullopt;  // the reader of lists calls itself
  auto type = parse_type(text);
  if (!type || type->base == Base::map || type->base == Base::vector || type->base == Base::duration) return std::nullopt;
  return type;
}

LockedTable read_table(const Json& json, Problem& problem) {
  LockedTable table;
  if (!json.is_object()) {
    problem.set("`tables` has something else than tables");
    return table;
  }
  only_keys(json, {"file", "table", "source", "path", "columns"}, "a table", problem);
  table.file = text_at(json, "file", "a table", problem);
  table.name = text_at(json, "table", "a table", problem);
  const std::string where = fmt::format("the table `{}`", table.name);
  table.source = text_at(json, "source", where, problem);
  table.path = text_at(json, "path", where, problem);
  const auto columns = json.find("columns");
  if (columns == json.end() || !columns->is_array()) {
    problem.set(fmt::format("{} has no `columns`", where));
    return table;
  }
  std::set<std::string> names;
  for (const Json& column : *columns) {
    if (!column.is_object()) {
      problem.set(fmt::format("`columns` of {} has something else than columns", where));
      continue;
    }
    only_keys(column, {"name", "type"}, fmt::format("a column of {}", where), problem);
    const std::string name = text_at(column, "name", fmt::format("a column of {}", where), problem);
    const std::string text = text_at(column, "type", fmt::format("the column `{}` of {}", name, where), problem);
    const auto type = column_type(text);
    if (!type) problem.set(fmt::format("\"{}\" is no type that the column `{}` of {} can have", text, name, where));
    else if (!names.insert(name).second) problem.set(fmt::format("the column `{}` of {} is there twice", name, where));
    else table.columns.push_back({name, *type});
  }
  return table;
}

bool comes_before(const LockedTable& a, const LockedTable& b) { return std::tie(a.file, a.name) < std::tie(b.file, b.name); }

std::string quoted(const std::string& text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

/// The document, or what is wrong with it as JSON. nlohmann says where by an exception, which stops here.
std::expected<Json, std::string> parse_document(std::string_view text) {
  try {
    return Json::parse(text.begin(), text.end(), [](int depth, Json::parse_event_t, Json&) { return depth <= kMostDepth; });
  } catch (const Json::parse_error& e) {
    const std::size_t byte = std::min(e.byte ? e.byte - 1 : 0, text.size());
    return std::unexpected(fmt::format("line {} is no JSON", 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(byte), '\n')));
  } catch (const Json::exception&) {
    return std::unexpected("it has a number that is too large");
  }
}

}  // namespace

const LockedTable* Lock::find(std::string_view file, std::string_view name) const {
  for (const LockedTable& table : tables)
    if (table.file == file && table.name == name) return &table;
  return nullptr;
}

std::string lock_path(std::string_view file) {
  const std::size_t slash = file.rfind('/');
  return std::string(slash == std::string_view::npos ? std::string_view() : file.substr(0, slash + 1)) + "mlp.lock";
}

Result<std::optional<Lock>> read_lock(const std::string& path) {
  const auto unreadable = [&](int error) {
    return failure(diag::Code::E0901, fmt::format("`{}` cannot be read: {}", path, error == EACCES ? "reading it is not permitted" : error == EISDIR ? "it is a folder" : std::strerror(error)),
                   "`rest from lock` takes types from it; `mlpc lock FILE` writes it");
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) {
    if (errno == ENOENT) return std::optional<Lock>();
    return unreadable(errno);
  }
  std::string text;
  char buffer[1 << 16];
  while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, file.get())) {
    text.append(buffer, got);
    if (text.size() > kMostBytes) return failure(diag::Code::E0213, fmt::format("`{}` is larger than 50 MB", path), kMend);
  }
  if (std::ferror(file.get())) return unreadable(errno);
  MLP_TRY(Lock lock, decode_lock(text, path));
  return std::optional(std::move(lock));
}

std::string encode(const Lock& lock) {
  std::vector<LockedTable> sorted = lock.tables;
  std::ranges::stable_sort(sorted, comes_before);
  // Laid out by hand: one column a line, so that a difference of the file reads as one of the table.
  std::string out = fmt::format("{{\n  \"format_version\": {},\n  \"tables\": [", Lock::kFormatVersion);
  for (std::size_t t = 0; t < sorted.size(); ++t) {
    const LockedTable& table = sorted[t];
    out += fmt::format("{}\n    {{\n      \"file\": {},\n      \"table\": {},\n      \"source\": {},\n      \"path\": {},\n      \"columns\": [", t ? "," : "", quoted(table.file),
                       quoted(table.name), quoted(table.source), quoted(table.path));
    for (std::size_t c = 0; c < table.columns.size(); ++c)
      out += fmt::format("{}\n        {{\"name\": {}, \"type\": {}}}", c ? "," : "", quoted(table.columns[c].name), quoted(to_string(table.columns[c].type)));
    out += table.columns.empty() ? "]\n    }" : "\n      ]\n    }";
  }
  return out + (sorted.empty() ? "]\n}\n" : "\n  ]\n}\n");
}

Result<Lock> decode_lock(std::string_view text, const std::string& path) {
  const auto wrong = [&](const std::string& what) { return failure(diag::Code::E0213, fmt::format("`{}` cannot be understood: {}", path, what), kMend); };
  const auto json = parse_document(text);
  if (!json) return wrong(json.error());
  const auto version = json->is_object() ? json->find("format_version") : json->end();
  if (version == json->end() || !version->is_number_integer()) return wrong("it has no `format_version`");
  if (*version != Lock::kFormatVersion)
    return failure(diag::Code::E0909, fmt::format("`{}` has the format version {}; this mlpc reads version {}", path, version->dump(), Lock::kFormatVersion),
                   "it was written by another version of mlpc: use that one, or take it away and run `mlpc lock FILE`");
  Problem problem;
  only_keys(*json, {"format_version", "tables"}, "it", problem);
  Lock lock;
  const auto tables = json->find("tables");
  if (tables == json->end() || !tables->is_array()) problem.set("it has no `tables`");
  else for (const Json& table : *tables) lock.tables.push_back(read_table(table, problem));
  std::ranges::stable_sort(lock.tables, comes_before);
  for (std::size_t i = 1; i < lock.tables.size(); ++i)
    if (!comes_before(lock.tables[i - 1], lock.tables[i])) problem.set(fmt::format("the table `{}` of `{}` is there twice", lock.tables[i].name, lock.tables[i].file));
  if (!problem.what.empty()) return wrong(problem.what);
  return lock;
}

}  // namespace mlp
