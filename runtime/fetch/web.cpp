#include "runtime/fetch/web.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/io/source.h"
#include "runtime/io/text_file.h"

namespace mlp::fetch {

namespace {

constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {"text/csv", ".csv"}, {"application/csv", ".csv"}, {"text/tab-separated-values", ".tsv"}, {"application/json", ".jsonl"}, {"application/x-ndjson", ".jsonl"},
    {"application/jsonl", ".jsonl"}, {"application/vnd.apache.parquet", ".parquet"}, {"application/x-parquet", ".parquet"},
    {"application/vnd.apache.arrow.file", ".arrow"}, {"application/vnd.apache.arrow.stream", ".arrows"},
};

}  // namespace

Ending ending_of(std::string_view path, std::string_view type) {
  std::string name(path.substr(path.rfind('/') + 1));
  const io::Form* form = io::form_of_path(name);
  if (!form) {
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' ')) type.remove_suffix(1);
    for (const auto& [known, ending] : kTypes)
      if (known == type) name = ending;
    form = io::form_of_path(name);
  }
  if (!form) return {};
  const std::string_view whole = name, plain = io::without_compression(whole);
  Ending out{std::string(whole.substr(plain.rfind('.'))), {}};
  for (const char* symbol : {"csv", "json", "parquet", "arrow"})
    if (io::find_form(symbol) == form) out.form = symbol;
  return out;
}

Result<plan::Options> options_for(const plan::Table& table, const Ending& ending, const std::string& name) {
  const plan::Options of_text = {{"null", std::string()}, {"trim", false}, {"delimiter", std::string(",")}, {"decimal", std::string(".")}};
  plan::Options options = table.options;
  for (auto& [option, value] : options) {
    if (ending.form != "csv" && std::ranges::any_of(of_text, [&](const auto& usual) { return usual.first == option && usual.second != value; }))
      return failure(diag::Code::E0206, fmt::format("`{}:` says how delimited text is read, and {} is none", option, name), "leave it out");
    if (ending.text.starts_with(".tsv") && option == "delimiter" && value == Value(std::string(","))) value = std::string("\t");
  }
  return options;
}

std::string encoded(std::string_view text, bool is_path) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("-_.~").find(c) != std::string_view::npos || (is_path && c == '/');
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

http::Request request_of(const Context& context, const plan::Table& table, std::string url) {
  http::Request request;
  request.url = std::move(url);
  request.longest = std::chrono::milliseconds(int_option(table, "timeout") / 1000);
  request.most_bytes = static_cast<std::uint64_t>(int_option(table, "megabytes")) << 20;
  request.stop = context.stop;
  return request;
}

diag::Diagnostic refused(const http::Response& response, const std::string& name, const std::string& help_with_login) {
  if (response.why == "stopped on request") return stop_failure().error();
  const auto make = [&](std::string why, std::string help) { return failure(diag::Code::E0912, fmt::format("{} cannot be fetched: {}", name, why), std::move(help)).error(); };
  if (!response.why.empty()) return make(response.why, "see whether the server is up and the address is right; `timeout:` and `megabytes:` set the limits");
  switch (response.status) {
    case 401:
    case 403: return make(fmt::format("the server refuses it (status {})", response.status), help_with_login);
    case 404:
    case 410: return make(fmt::format("the server does not have it (status {})", response.status), "see whether the address is right");
    case 429: return make("the server was asked too often (status 429)", "run again later");
    default: return make(fmt::format("the server answered with status {}", response.status), response.status >= 500 ? "run again later" : "see whether the address is right");
  }
}

}  // namespace mlp::fetch
