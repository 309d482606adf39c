#include "compiler/lsp/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "compiler/lsp/completion.h"
#include "compiler/lsp/meaning.h"
#include "compiler/syntax/format.h"

namespace mlp::lsp {

namespace {

using Json = nlohmann::ordered_json;

enum ErrorCode : int { kParseError = -32700, kInvalidRequest = -32600, kMethodNotFound = -32601, kInvalidParams = -32602, kNotInitialized = -32002 };

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string notification(std::string_view method, Json params) { return text_of({{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}}); }
std::string answer(const Json& id, Json result) { return text_of({{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}}); }
std::string refusal(const Json& id, int code, std::string_view message) {
  return text_of({{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", message}}}});
}
std::string log_message(std::string_view message) { return notification("window/logMessage", {{"type", 1}, {"message", message}}); }

// ---- reading what a client sent: no member is taken for granted -----------------------------------------------------------------

/// The member along a path of keys; nullptr where there is none.
const Json* at(const Json& json, std::initializer_list<const char*> path) {
  const Json* here = &json;
  for (const char* key : path) {
    if (!here->is_object()) return nullptr;
    const auto found = here->find(key);
    if (found == here->end()) return nullptr;
    here = &*found;
  }
  return here;
}
std::optional<std::string> text_at(const Json& json, std::initializer_list<const char*> path) {
  const Json* found = at(json, path);
  return found && found->is_string() ? std::optional(found->get<std::string>()) : std::nullopt;
}
bool true_at(const Json& json, std::initializer_list<const char*> path) {
  const Json* found = at(json, path);
  return found && found->is_boolean() && found->get<bool>();
}
std::optional<std::uint32_t> number_at(const Json& json, std::initializer_list<const char*> path) {
  const Json* found = at(json, path);
  if (!found || !found->is_number_integer() || (!found->is_number_unsigned() && found->get<std::int64_t>() < 0)) return std::nullopt;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(found->get<std::uint64_t>(), std::numeric_limits<std::uint32_t>::max()));
}
std::optional<Position> position_at(const Json& json, std::initializer_list<const char*> path) {
  const Json* found = at(json, path);
  if (!found) return std::nullopt;
  const auto line = number_at(*found, {"line"}), character = number_at(*found, {"character"});
  return line && character ? std::optional(Position{*line, *character}) : std::nullopt;
}
std::optional<Range> range_at(const Json& json, std::initializer_list<const char*> path) {
  const Json* found = at(json, path);
  if (!found) return std::nullopt;
  const auto start = position_at(*found, {"start"}), end = position_at(*found, {"end"});
  if (!start || !end) return std::nullopt;
  return *end < *start ? Range{*end, *start} : Range{*start, *end};
}

/// Arrays and objects inside one another, at most. Deeper ones are no message of the protocol, and would cost memory for nothing.
constexpr int kMostDepth = 100;
bool is_too_deep(std::string_view text) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      else if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMostDepth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

/// `file:///a%20b.mlp` -> "/a b.mlp"; other URIs as they are.
std::string path_of(std::string_view uri) {
  constexpr std::string_view scheme = "file://";
  if (!uri.starts_with(scheme)) return std::string(uri);
  uri.remove_prefix(scheme.size());
  std::string out;
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1; };
  for (std::size_t i = 0; i < uri.size(); ++i) {
    if (uri[i] == '%' && i + 2 < uri.size() && digit(uri[i + 1]) >= 0 && digit(uri[i + 2]) >= 0) {
      out += static_cast<char>(digit(uri[i + 1]) * 16 + digit(uri[i + 2]));
      i += 2;
    } else {
      out += uri[i];
    }
  }
  return out;
}

std::string uri_of(std::string_view path) {
  std::string out = "file://";
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("/-._~").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// ---- writing ---------------------------------------------------------------------------------------------------------------------

Json json_of(const Position& position) { return {{"line", position.line}, {"character", position.character}}; }
Json json_of(const Range& range) { return {{"start", json_of(range.start)}, {"end", json_of(range.end)}}; }

int kind_number(ItemKind kind) {
  switch (kind) {  // CompletionItemKind of the protocol
    case ItemKind::column: return 5;
    case ItemKind::param: return 21;
    case ItemKind::declaration: return 9;
    case ItemKind::function: return 3;
    case ItemKind::model: return 7;
    case ItemKind::metric: return 3;
    case ItemKind::word: return 14;
    case ItemKind::argument: return 10;
    case ItemKind::type: return 25;
    case ItemKind::value: return 20;
  }
  return 1;
}

struct Document {
  std::string uri, text;
  Json version;  ///< as the client counts; null where it does not
  std::shared_ptr<const Analysis> now, last_good;
  bool published = false;

  const Analysis& analysis(const AnalysisOptions& options) {
    if (!now) {
      now = analyse(path_of(uri), text, options);
      if (!now->sink.has_errors()) last_good = now;
    }
    return *now;
  }
  /// Whether what was found out may be another when the text at that path is.
  bool depends_on(const std::string& path) const {
    if (!now) return false;
    for (std::size_t i = 0; i < now->sources.size(); ++i)
      if (i != now->main && now->sources.file(static_cast<std::uint32_t>(i)).path == path) return true;
    // An import that could not be read may be there now.
    std::size_t imports = 0;
    for (const ast::Declaration& declaration : now->file.declarations) imports += std::holds_alternative<ast::Import>(declaration.kind);
    return imports > now->imports.names.size();
  }
};

}  // namespace

struct Server::State {
  std::map<std::string, Document, std::less<>> documents;
  Encoding encoding = Encoding::utf16;
  bool initialized = false, shut_down = false;
  bool related = false, versioned_edits = false, markdown_hover = true, markdown_items = true, code_actions = false, watches = false;
  std::optional<int> exit;
  std::vector<std::string> out;
  AnalysisOptions options;

  /// Imports are read as the editor shows them where it does, else from their files.
  explicit State(ReadText read, SqlTyper type_sql) {
    options.type_sql = std::move(type_sql);
    if (!read) return;
    options.read = [this, read = std::move(read)](const std::string& path) -> Result<std::string> {
      for (const auto& [uri, document] : documents)
        if (path_of(uri) == path) return document.text;
      return read(path);
    };
  }

  const Analysis& analysis_of(Document& document) { return document.analysis(options); }
  /// The text at that path is another: what imports it is looked at again.
  void text_changed(const std::string& path) {
    for (auto& [uri, document] : documents) {
      if (!document.depends_on(path)) continue;
      document.now.reset();
      document.published = false;
    }
  }

  // ---- places ----------------------------------------------------------------------------------------------------------------
  Range range_of(const Analysis& analysis, Span span) const {
    if (!span || span.file >= analysis.sources.size()) return {};
    if (span.file == analysis.main) return {analysis.lines.position(analysis.text(), span.begin, encoding), analysis.lines.position(analysis.text(), span.end, encoding)};
    const std::string& text = analysis.sources.file(span.file).text;
    const Lines lines(text);
    return {lines.position(text, span.begin, encoding), lines.position(text, span.end, encoding)};
  }
  /// Of an opened document as the editor calls it.
  std::string uri_of_file(const Analysis& analysis, std::uint32_t file) const {
    const std::string& path = analysis.sources.file(file).path;
    for (const auto& [uri, document] : documents)
      if (path_of(uri) == path) return uri;
    return uri_of(path);
  }
  /// Where a document shows what is wrong in a file that it imports: at the import, or the first of several on the way.
  static Span import_of(const Analysis& analysis, std::uint32_t file) {
    Span first;
    for (const ast::Declaration& declaration : analysis.file.declarations)
      if (const auto* import = std::get_if<ast::Import>(&declaration.kind)) {
        if (!first) first = import->path.span;
        if (import_path(analysis.sources.file(analysis.main).path, import->path.value) == analysis.sources.file(file).path) return import->path.span;
      }
    return first;
  }

  // ---- the conversation ------------------------------------------------------------------------------------------------------
  Json initialize(const Json& params) {
    initialized = true;
    options.env = text_at(params, {"initializationOptions", "env"}).value_or("");
    if (const Json* encodings = at(params, {"capabilities", "general", "positionEncodings"}); encodings && encodings->is_array())
      for (const Json& each : *encodings) {
        if (each == "utf-8") encoding = Encoding::utf8;
        else if (each == "utf-32") encoding = Encoding::utf32;
        else if (each != "utf-16") continue;
        break;
      }
    const auto takes_markdown = [&](std::initializer_list<const char*> path) {
      const Json* formats = at(params, path);
      return !formats || !formats->is_array() || std::ranges::find(*formats, Json("markdown")) != formats->end();
    };
    markdown_hover = takes_markdown({"capabilities", "textDocument", "hover", "contentFormat"});
    markdown_items = takes_markdown({"capabilities", "textDocument", "completion", "completionItem", "documentationFormat"});
    related = true_at(params, {"capabilities", "textDocument", "publishDiagnostics", "relatedInformation"});
    versioned_edits = true_at(params, {"capabilities", "workspace", "workspaceEdit", "documentChanges"});
    watches = true_at(params, {"capabilities", "workspace", "didChangeWatchedFiles", "dynamicRegistration"});
    code_actions = at(params, {"capabilities", "textDocument", "codeAction", "codeActionLiteralSupport"}) != nullptr;
    const char* chosen = encoding == Encoding::utf8 ? "utf-8" : encoding == Encoding::utf32 ? "utf-32" : "utf-16";
    Json capabilities{{"positionEncoding", chosen},
                      {"textDocumentSync", {{"openClose", true}, {"change", 2}}},
                      {"hoverProvider", true},
                      {"definitionProvider", true},
                      {"completionProvider", {{"triggerCharacters", Json::array({".", "@", ":"})}}},
                      {"documentFormattingProvider", true}};
    if (code_actions) capabilities["codeActionProvider"] = {{"codeActionKinds", Json::array({"quickfix"})}};
    return {{"capabilities", std::move(capabilities)}, {"serverInfo", {{"name", "mlpc"}}}};
  }

  // ---- documents -------------------------------------------------------------------------------------------------------------
  bool did_open(const Json& params) {
    const auto uri = text_at(params, {"textDocument", "uri"}), text = text_at(params, {"textDocument", "text"});
    if (!uri || !text) return false;
    const Json* version = at(params, {"textDocument", "version"});
    documents[*uri] = Document{*uri, *text, version && version->is_number_integer() ? *version : Json(), nullptr, nullptr, false};
    text_changed(path_of(*uri));
    return true;
  }

  bool did_change(const Json& params) {
    const auto uri = text_at(params, {"textDocument", "uri"});
    const Json* changes = at(params, {"contentChanges"});
    const auto found = uri ? documents.find(*uri) : documents.end();
    if (found == documents.end() || !changes || !changes->is_array()) return false;
    Document& document = found->second;
    // All or nothing: half of a change would leave a text that nobody has.
    std::string text = document.text;
    for (const Json& change : *changes) {
      const auto replacement = text_at(change, {"text"});
      if (!replacement) return false;
      if (!at(change, {"range"})) {
        text = *replacement;
        continue;
      }
      const auto range = range_at(change, {"range"});
      if (!range) return false;
      const Lines lines(text);
      const std::uint32_t begin = lines.offset(text, range->start, encoding), end = lines.offset(text, range->end, encoding);
      text.replace(begin, end - begin, *replacement);
    }
    document.text = std::move(text);
    if (const Json* version = at(params, {"textDocument", "version"}); version && version->is_number_integer()) document.version = *version;
    document.now.reset();
    document.published = false;
    text_changed(path_of(*uri));
    return true;
  }

  bool did_close(const Json& params) {
    const auto uri = text_at(params, {"textDocument", "uri"});
    if (!uri || documents.erase(*uri) == 0) return false;
    out.push_back(notification("textDocument/publishDiagnostics", {{"uri", *uri}, {"diagnostics", Json::array()}}));
    text_changed(path_of(*uri));  // from now on it is as it was saved
    return true;
  }

  /// A file beside the documents was written: what was found out of it may be another.
  void did_change_files() {
    for (auto& [uri, document] : documents) {
      document.now.reset();
      document.published = false;
    }
  }

  /// Asks the client to tell when a file that documents depend on is written.
  void watch_files() {
    if (!watches) return;
    const Json watchers = Json::array({{{"globPattern", "**/mlp.lock"}}, {{"globPattern", "**/*.mlp"}}});
    const Json registration{{"id", "files"}, {"method", "workspace/didChangeWatchedFiles"}, {"registerOptions", {{"watchers", watchers}}}};
    out.push_back(text_of({{"jsonrpc", "2.0"}, {"id", "watch"}, {"method", "client/registerCapability"}, {"params", {{"registrations", Json::array({registration})}}}}));
  }

  // ---- diagnostics -----------------------------------------------------------------------------------------------------------
  Json diagnostic(const Document& document, const Analysis& analysis, const diag::Diagnostic& d) const {
    std::string message = d.message;
    Json places = Json::array();
    const auto location = [&](Span span) -> Json {
      return {{"uri", span.file == analysis.main ? document.uri : uri_of_file(analysis, span.file)}, {"range", json_of(range_of(analysis, span))}};
    };
    Span shown = d.span;
    if (d.span && d.span.file != analysis.main) {
      shown = import_of(analysis, d.span.file);
      message = fmt::format("{}:{}: {}", analysis.sources.file(d.span.file).path, analysis.sources.locate(d.span.file, d.span.begin).line, message);
      if (related) places.push_back({{"location", location(d.span)}, {"message", d.label.empty() ? "here" : d.label}});
    }
    if (!d.label.empty()) message += "\n" + d.label;
    for (const diag::Label& label : d.secondary) {
      if (related && label.span && label.span.file < analysis.sources.size()) {
        places.push_back({{"location", location(label.span)}, {"message", label.text}});
      } else if (label.span) {
        message += fmt::format("\nline {}: {}", analysis.sources.locate(label.span.file, label.span.begin).line, label.text);
      }
    }
    for (const std::string& note : d.notes) message += "\nnote: " + note;
    if (!d.help.empty()) message += "\nhelp: " + d.help;
    Json out{{"range", json_of(range_of(analysis, shown))},
             {"severity", diag::severity(d.code) == diag::Severity::error ? 1 : 2},
             {"code", diag::name(d.code)},
             {"source", "mlpc"},
             {"message", message},
             {"data", {{"title", diag::title(d.code)}, {"help", d.help}, {"page", fmt::format("mlpc explain {}", diag::name(d.code))}}}};
    if (!places.empty()) out["relatedInformation"] = std::move(places);
    return out;
  }

  void publish(Document& document) {
    const Analysis& analysis = analysis_of(document);
    Json list = Json::array();
    for (const diag::Diagnostic& d : analysis.sink.diagnostics()) list.push_back(diagnostic(document, analysis, d));
    Json params{{"uri", document.uri}};
    if (!document.version.is_null()) params["version"] = document.version;
    params["diagnostics"] = std::move(list);
    out.push_back(notification("textDocument/publishDiagnostics", std::move(params)));
    document.published = true;
  }

  // ---- questions about a place -----------------------------------------------------------------------------------------------
  Json markup(bool markdown, const std::string& code, const std::string& text) const {
    if (!markdown) return {{"kind", "plaintext"}, {"value", code + (code.empty() || text.empty() ? "" : "\n\n") + text}};
    // Code that holds a fence of its own needs a longer one.
    std::string fence = "```";
    while (code.find(fence) != std::string::npos) fence += '`';
    const std::string block = code.empty() ? "" : fmt::format("{}mlp\n{}\n{}", fence, code, fence);
    return {{"kind", "markdown"}, {"value", block + (block.empty() || text.empty() ? "" : "\n\n") + text}};
  }

  Json hover(Document& document, Position position) {
    const Analysis& now = analysis_of(document);
    const auto found = lsp::hover(now, document.last_good.get(), now.lines.offset(now.text(), position, encoding));
    if (!found) return nullptr;
    return {{"contents", markup(markdown_hover, found->code, found->text)}, {"range", json_of(range_of(now, found->at))}};
  }

  Json definition(Document& document, Position position) {
    const Analysis& now = analysis_of(document);
    const Span found = lsp::definition(now, document.last_good.get(), now.lines.offset(now.text(), position, encoding));
    if (!found || found.file >= now.sources.size()) return nullptr;
    return {{"uri", found.file == now.main ? document.uri : uri_of_file(now, found.file)}, {"range", json_of(range_of(now, found))}};
  }

  Json completion(Document& document, Position position) {
    const Analysis& now = analysis_of(document);
    const Completion found = complete(now, document.last_good.get(), now.lines.offset(now.text(), position, encoding));
    const Json range = json_of(range_of(now, found.replace));
    Json items = Json::array();
    for (const CompletionItem& item : found.items) {
      Json json{{"label", item.label}, {"kind", kind_number(item.kind)}, {"sortText", fmt::format("{}{}", item.group, item.label)}, {"textEdit", {{"range", range}, {"newText", item.insert}}}};
      if (item.insert.starts_with('`')) json["filterText"] = item.label;
      if (!item.detail.empty()) json["detail"] = item.detail;
      if (!item.doc.empty()) json["documentation"] = markup(markdown_items, {}, item.doc);
      items.push_back(std::move(json));
    }
    return {{"isIncomplete", false}, {"items", std::move(items)}};
  }

  Json formatting(Document& document) {
    const Analysis& now = analysis_of(document);
    diag::Sink sink;
    const auto formatted = format_source(now.sources, now.main, sink);
    if (!formatted) return nullptr;  // what stops it is among the diagnostics already
    if (*formatted == now.text()) return Json::array();
    const Edit edit = smallest_edit(now.text(), *formatted);
    return Json::array({{{"range", json_of(range_of(now, {now.main, edit.begin, edit.end}))}, {"newText", edit.text}}});
  }

  Json code_actions_at(Document& document, const Range& range, const Json& params) {
    Json actions = Json::array();
    if (const Json* only = at(params, {"context", "only"}); only && only->is_array() && !only->empty())
      if (std::ranges::none_of(*only, [](const Json& kind) { return kind == "quickfix" || kind == ""; })) return actions;
    const Analysis& now = analysis_of(document);
    for (const diag::Diagnostic& d : now.sink.diagnostics()) {
      if (!d.span || d.span.file != now.main) continue;
      const Range place = range_of(now, d.span);
      if (place.end < range.start || range.end < place.start) continue;
      for (const diag::Fix& fix : d.fixes) {
        if (!fix.span || fix.span.file != now.main) continue;
        const Json edits = Json::array({{{"range", json_of(range_of(now, fix.span))}, {"newText", fix.replacement}}});
        Json edit;
        if (versioned_edits) edit["documentChanges"] = Json::array({{{"textDocument", {{"uri", document.uri}, {"version", document.version}}}, {"edits", edits}}});
        else edit["changes"] = {{document.uri, edits}};
        Json action{{"title", fix.title.empty() ? fmt::format("write `{}`", fix.replacement) : fix.title}, {"kind", "quickfix"}, {"diagnostics", Json::array({diagnostic(document, now, d)})}};
        if (fix.safe) action["isPreferred"] = true;
        action["edit"] = std::move(edit);
        actions.push_back(std::move(action));
      }
    }
    return actions;
  }

  // ---- messages --------------------------------------------------------------------------------------------------------------
  void request(const Json& id, const std::string& method, const Json& params) {
    if (method == "initialize") {
      if (initialized) return out.push_back(refusal(id, kInvalidRequest, "the server is initialized already"));
      return out.push_back(answer(id, initialize(params)));
    }
    if (!initialized) return out.push_back(refusal(id, kNotInitialized, "the first request has to be `initialize`"));
    if (shut_down) return out.push_back(refusal(id, kInvalidRequest, "the server was shut down"));
    if (method == "shutdown") {
      shut_down = true;
      return out.push_back(answer(id, nullptr));
    }
    const bool at_place = method == "textDocument/hover" || method == "textDocument/definition" || method == "textDocument/completion";
    const bool at_range = method == "textDocument/codeAction";
    if (!at_place && !at_range && method != "textDocument/formatting")
      return out.push_back(refusal(id, kMethodNotFound, fmt::format("`{}` is not answered by this server", method)));
    const auto uri = text_at(params, {"textDocument", "uri"});
    if (!uri) return out.push_back(refusal(id, kInvalidParams, "`textDocument.uri` is missing"));
    const auto found = documents.find(*uri);
    if (found == documents.end()) return out.push_back(refusal(id, kInvalidParams, fmt::format("`{}` is not open", *uri)));
    Document& document = found->second;
    if (at_range) {
      const auto range = range_at(params, {"range"});
      if (!range) return out.push_back(refusal(id, kInvalidParams, "`range` is no range"));
      return out.push_back(answer(id, code_actions_at(document, *range, params)));
    }
    if (!at_place) return out.push_back(answer(id, formatting(document)));
    const auto position = position_at(params, {"position"});
    if (!position) return out.push_back(refusal(id, kInvalidParams, "`position` is no position"));
    if (method == "textDocument/hover") return out.push_back(answer(id, hover(document, *position)));
    if (method == "textDocument/definition") return out.push_back(answer(id, definition(document, *position)));
    out.push_back(answer(id, completion(document, *position)));
  }

  void notify(const std::string& method, const Json& params) {
    if (method == "exit") {
      exit = shut_down ? 0 : 1;
      return;
    }
    if (!initialized || shut_down) return;
    if (method == "initialized") watch_files();
    if (method == "workspace/didChangeWatchedFiles") did_change_files();
    if (method == "textDocument/didOpen" && !did_open(params)) out.push_back(log_message("didOpen: `textDocument` needs `uri` and `text`"));
    if (method == "textDocument/didChange" && !did_change(params)) out.push_back(log_message("didChange: the document is not open, or a change is no change; nothing was changed"));
    if (method == "textDocument/didClose" && !did_close(params)) out.push_back(log_message("didClose: the document is not open"));
  }

  void receive(std::string_view message) {
    Json json = is_too_deep(message) ? Json(Json::value_t::discarded) : Json::parse(message, nullptr, false);
    if (json.is_discarded()) return out.push_back(refusal(nullptr, kParseError, "the message is no JSON text"));
    const Json* id = json.is_object() ? at(json, {"id"}) : nullptr;
    const bool named = id && (id->is_string() || id->is_number_integer());
    const auto method = text_at(json, {"method"});
    if (!method && json.is_object() && (json.contains("result") || json.contains("error"))) return;  // the answer to what it asked, which changes nothing
    if (!method || text_at(json, {"jsonrpc"}) != "2.0" || (id && !named))
      return out.push_back(refusal(named ? *id : Json(), kInvalidRequest, "the message is no request of JSON-RPC 2.0"));
    const Json* params = at(json, {"params"});
    if (id) request(*id, *method, params ? *params : Json());
    else notify(*method, params ? *params : Json());
  }
};

Server::Server(ReadText read, SqlTyper type_sql) : state_(std::make_unique<State>(std::move(read), std::move(type_sql))) {}
Server::~Server() = default;

std::vector<std::string> Server::receive(std::string_view message) {
  state_->receive(message);
  return std::exchange(state_->out, {});
}

std::vector<std::string> Server::when_idle() {
  for (auto& [uri, document] : state_->documents)
    if (!document.published) state_->publish(document);
  return std::exchange(state_->out, {});
}

bool Server::has_work() const {
  return std::ranges::any_of(state_->documents, [](const auto& each) { return !each.second.published; });
}

std::optional<int> Server::exit_status() const { return state_->exit; }

std::string Server::fault(std::string_view reason) { return refusal(nullptr, kParseError, reason); }

}  // namespace mlp::lsp
