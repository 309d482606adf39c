#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "runtime/fetch/web.h"
#include "runtime/secrets/secret.h"

namespace mlp::fetch {

namespace {

using diag::Code;

constexpr std::size_t kMostObjects = 100'000;

struct Object {
  std::string key, tag;
};

/// The text of an XML element, with its entities.
std::string text_of(std::string_view xml) {
  static constexpr std::pair<std::string_view, char> kEntities[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}, {"#34", '"'}, {"#39", '\''}, {"#38", '&'}};
  std::string out;
  for (std::size_t at = 0; at < xml.size(); ++at) {
    const std::size_t end = xml[at] == '&' ? xml.find(';', at) : std::string_view::npos;
    const auto* entity = std::ranges::find(kEntities, end == std::string_view::npos ? std::string_view() : xml.substr(at + 1, end - at - 1), &std::pair<std::string_view, char>::first);
    if (entity == std::end(kEntities)) {
      out += xml[at];
    } else {
      out += entity->second;
      at = end;
    }
  }
  return out;
}

/// What stands in the first element of the name at or after `at`, which goes behind it; nothing where there is none.
std::optional<std::string_view> element(std::string_view xml, std::string_view name, std::size_t& at) {
  const std::string open = fmt::format("<{}>", name), close = fmt::format("</{}>", name);
  const std::size_t begin = xml.find(open, at), end = begin == std::string_view::npos ? begin : xml.find(close, begin);
  if (end == std::string_view::npos) return std::nullopt;
  at = end + close.size();
  return xml.substr(begin + open.size(), end - begin - open.size());
}
std::string first_text(std::string_view xml, std::string_view name) {
  std::size_t at = 0;
  const auto found = element(xml, name, at);
  return found ? text_of(*found) : std::string();
}

class Bucket {
 public:
  static Result<Bucket> open(const Context& context, const plan::Table& table) {
    Bucket bucket(context, table);
    const std::string region = text_option(table, "region");
    bucket.endpoint_ = text_option(table, "endpoint");
    if (bucket.endpoint_.empty()) bucket.endpoint_ = fmt::format("https://s3.{}.amazonaws.com", region);
    while (bucket.endpoint_.ends_with('/')) bucket.endpoint_.pop_back();
    MLP_TRY(bucket.key_id_, secrets::read_secret(text_option(table, "key_id"), context.folder, context.files));
    MLP_TRY(bucket.key_, secrets::read_secret(text_option(table, "key"), context.folder, context.files));
    bucket.sign_ = fmt::format("aws:amz:{}:s3", region);
    const std::string objects = text_option(table, "objects");
    const std::size_t slash = objects.find('/');
    bucket.name_ = objects.substr(0, slash);
    bucket.pattern_ = slash == std::string::npos ? "" : objects.substr(slash + 1);
    if (bucket.name_.empty() || bucket.pattern_.empty())
      return failure(Code::E0912, fmt::format("\"{}\" names no objects", objects), "write the bucket, a slash and the key or a pattern: `s3(\"bucket/orders/*.parquet\")`");
    return bucket;
  }

  /// The objects that fit, in the order of their keys.
  Result<std::vector<Object>> list() {
    std::vector<Object> found;
    const std::string prefix = pattern_.substr(0, pattern_.find_first_of("*?["));
    std::string from;
    std::size_t seen = 0;
    do {
      // Sorted: that is how they are signed.
      const std::string query = fmt::format("{}list-type=2&prefix={}", from.empty() ? "" : "continuation-token=" + encoded(from, false) + "&", encoded(prefix, false));
      http::Request request = asks(fmt::format("{}/{}?{}", endpoint_, encoded(name_, false), query));
      MLP_TRY(const http::Response response, http::ask(request));
      if (!response.good()) return failure(failed(response, "the bucket " + name_));
      const std::string_view xml = response.body;
      for (std::size_t at = 0; const auto contents = element(xml, "Contents", at); ++seen) {
        Object object{first_text(*contents, "Key"), first_text(*contents, "ETag")};
        if (object.key == pattern_ || ::fnmatch(pattern_.c_str(), object.key.c_str(), FNM_PATHNAME) == 0) found.push_back(std::move(object));
      }
      from = first_text(xml, "IsTruncated") == "true" ? first_text(xml, "NextContinuationToken") : std::string();
    } while (!from.empty() && seen < kMostObjects);
    if (!from.empty()) return failure(Code::E0912, fmt::format("the bucket {} has more than {} objects that begin with \"{}\"", name_, kMostObjects, prefix), "write more of the key before the first `*`");
    if (found.empty()) return failure(Code::E0912, fmt::format("no object of the bucket {} fits \"{}\"", name_, pattern_), seen ? fmt::format("{} begin with \"{}\": see whether the pattern is right; `*` passes no `/`", seen, prefix) : "see whether bucket and key are right");
    std::ranges::sort(found, {}, &Object::key);
    return found;
  }

  std::string name_of(const Object& object) const { return fmt::format("s3 {}/{}", name_, object.key); }

  /// The object in a file; fetched where the version that is there was not fetched before.
  Result<File> fetch(const Object& object, Ending& ending) {
    const std::string name = name_of(object);
    ending = ending_of(object.key, {});
    if (ending.form.empty()) return failure(Code::E0912, fmt::format("of which form {} is cannot be told", name), "name objects that end in .csv, .tsv, .jsonl (also .gz and .zst), .parquet or .arrow");
    const Digest id = definition(table_, object.key);
    if (const auto record = find_record(context_, id); record && !object.tag.empty() && record->validator == object.tag) return File{record->path, name};
    MLP_TRY(Scratch scratch, Scratch::make(context_, id));
    http::Request request = asks(fmt::format("{}/{}/{}", endpoint_, encoded(name_, false), encoded(object.key, true)));
    request.file = scratch.file();
    MLP_TRY(http::Response response, http::ask(request));
    if (!response.good()) return failure(failed(response, name));
    if (response.headers["etag"] != object.tag) return failure(Code::E0805, fmt::format("{} changed while it was read", name), "run again when nothing writes to it");
    std::string partitions;  // folders `year=2024` of the key are columns
    for (std::size_t at = 0, slash = 0; (slash = object.key.find('/', at)) != std::string::npos; at = slash + 1)
      if (const std::string part = object.key.substr(at, slash - at); part.find('=') != std::string::npos && part.front() != '.') partitions += part + "/";
    MLP_TRY(std::string path, scratch.keep(context_, ending.text, ending.form, object.tag, now_ns(), partitions));
    return File{std::move(path), name};
  }

 private:
  Bucket(const Context& context, const plan::Table& table) : context_(context), table_(table) {}

  http::Request asks(std::string url) const {
    http::Request request = request_of(context_, table_, std::move(url));
    if (key_id_.empty()) return request;
    request.sign = sign_;
    request.key_id = key_id_;
    request.key = key_;
    // The store asks for it with every signed request; libcurl before 8 leaves it out.
    request.headers.push_back("x-amz-content-sha256: " + sha256("").hex());
    return request;
  }

  diag::Diagnostic failed(const http::Response& response, const std::string& name) const {
    diag::Diagnostic d = refused(response, name, key_id_.empty() ? "give `key_id:` and `key:`, two secrets" : "see whether `key_id:`, `key:` and `region:` are those that were meant, and may read it");
    if (const std::string code = first_text(response.body, "Code"); !code.empty() && code.size() < 80 && code.find(key_id_.empty() ? "\n" : key_id_) == std::string::npos) d.notes.push_back("the server calls it " + code);
    return d;
  }

  const Context& context_;
  const plan::Table& table_;
  std::string endpoint_, name_, pattern_, key_id_, key_, sign_;
};

}  // namespace

Result<std::optional<Fetched>> fetch_s3(const Context& context, const plan::Table& table) {
  if (!context.may_fetch) return std::nullopt;
  MLP_TRY(Bucket bucket, Bucket::open(context, table));
  MLP_TRY(const std::vector<Object> objects, bucket.list());
  Fetched out;
  for (const Object& object : objects) {
    Ending ending;
    MLP_TRY(File file, bucket.fetch(object, ending));
    if (!out.form.empty() && out.form != ending.form)
      return failure(Code::E0912, fmt::format("{} is of another form than {}", file.name, out.files.front().name), "name objects of one form: a pattern such as `orders/*.parquet`");
    out.form = ending.form;
    MLP_TRY(out.options, options_for(table, ending, file.name));
    out.files.push_back(std::move(file));
    if (stopped(context)) return stop_failure();
  }
  return out;
}

}  // namespace mlp::fetch
