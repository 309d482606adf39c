#include "compiler/types/type.h"

#include <fmt/format.h>

namespace mlp {

namespace {

const std::vector<std::string> kNoDomain;

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') { out += "\\n"; continue; }
    out += c;
  }
  return out + '"';
}

/// Reads `text` from `at`; the grammar is small enough to be read by hand.
struct Reader {
  std::string_view text;
  std::size_t at = 0;

  void blanks() { while (at < text.size() && text[at] == ' ') ++at; }
  bool take(char c) { blanks(); if (at < text.size() && text[at] == c) { ++at; return true; } return false; }
  std::string_view word() {
    blanks();
    const std::size_t from = at;
    while (at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '_')) ++at;
    return text.substr(from, at - from);
  }
  std::optional<std::string> string() {
    if (!take('"')) return std::nullopt;
    std::string out;
    while (at < text.size() && text[at] != '"') {
      if (text[at] == '\\' && at + 1 < text.size()) {
        ++at;
        out += text[at] == 'n' ? '\n' : text[at];
      } else {
        out += text[at];
      }
      ++at;
    }
    if (at == text.size()) return std::nullopt;
    ++at;
    return out;
  }
  std::optional<Type> type() {
    const std::string_view name = word();
    Type t;
    if (name == "bool") t.base = Base::bool_;
    else if (name == "int") t.base = Base::int_;
    else if (name == "float") t.base = Base::float_;
    else if (name == "string") t.base = Base::string;
    else if (name == "date") t.base = Base::date;
    else if (name == "timestamp") t.base = Base::timestamp;
    else if (name == "duration") t.base = Base::duration;
    else if (name == "map") t.base = Base::map;
    else if (name == "category") {
      std::vector<std::string> domain;
      bool ordered = false;
      if (take('(')) {
        do {
          auto value = string();
          if (!value) return std::nullopt;
          domain.push_back(*value);
          blanks();
          if (at < text.size() && text[at] == '<') { ordered = true; ++at; continue; }
          if (take(',')) continue;
          break;
        } while (true);
        if (!take(')')) return std::nullopt;
      }
      t = Type::category(std::move(domain), ordered);
    } else if (name == "list") {
      if (!take('(')) return std::nullopt;
      auto element = type();
      if (!element || !take(')')) return std::nullopt;
      t = Type::list(*element);
    } else if (name == "vector" || name == "sparse") {
      std::uint32_t width = 0;
      if (take('(')) {
        for (char c : word()) { if (c < '0' || c > '9') return std::nullopt; width = width * 10 + static_cast<std::uint32_t>(c - '0'); }
        if (!take(')')) return std::nullopt;
      }
      t = name == "vector" ? Type::vector(width) : Type::sparse(width);
    } else {
      return std::nullopt;
    }
    t.missing = take('?');
    return t;
  }
};

}  // namespace

Type Type::category(std::vector<std::string> domain, bool ordered, bool missing) {
  Type t = of(Base::category, missing);
  if (!domain.empty()) t.detail = std::make_shared<TypeDetail>(TypeDetail{std::move(domain), ordered, nullptr, 0});
  return t;
}

Type Type::list(Type element, bool missing) {
  Type t = of(Base::list, missing);
  t.detail = std::make_shared<TypeDetail>(TypeDetail{{}, false, std::make_shared<Type>(std::move(element)), 0});
  return t;
}

Type Type::vector(std::uint32_t width, bool missing) {
  Type t = of(Base::vector, missing);
  if (width) t.detail = std::make_shared<TypeDetail>(TypeDetail{{}, false, nullptr, width});
  return t;
}

Type Type::sparse(std::uint32_t width, bool missing) {
  Type t = of(Base::vector, missing);
  t.detail = std::make_shared<TypeDetail>(TypeDetail{{}, false, nullptr, width, true});
  return t;
}

const std::vector<std::string>& Type::domain() const { return detail ? detail->domain : kNoDomain; }

bool operator==(const Type& a, const Type& b) {
  if (a.base != b.base || a.missing != b.missing) return false;
  if (a.detail == b.detail) return true;
  const TypeDetail none;
  const TypeDetail &x = a.detail ? *a.detail : none, &y = b.detail ? *b.detail : none;
  if (x.domain != y.domain || x.ordered != y.ordered || x.width != y.width || x.sparse != y.sparse) return false;
  if (!x.element || !y.element) return x.element == y.element;
  return *x.element == *y.element;
}

std::string to_string(const Type& type) {
  std::string out;
  switch (type.base) {
    case Base::error: out = "unknown"; break;
    case Base::bool_: out = "bool"; break;
    case Base::int_: out = "int"; break;
    case Base::float_: out = "float"; break;
    case Base::string: out = "string"; break;
    case Base::date: out = "date"; break;
    case Base::timestamp: out = "timestamp"; break;
    case Base::duration: out = "duration"; break;
    case Base::map: out = "map"; break;
    case Base::category:
      out = "category";
      if (type.closed()) {
        out += '(';
        for (std::size_t i = 0; i < type.domain().size(); ++i) {
          if (i) out += type.detail->ordered ? " < " : ", ";
          out += quoted(type.domain()[i]);
        }
        out += ')';
      }
      break;
    case Base::list: out = "list(" + to_string(*type.detail->element) + ")"; break;
    case Base::vector:
      out = type.detail && type.detail->sparse ? "sparse" : "vector";
      if (type.detail && type.detail->width) out += fmt::format("({})", type.detail->width);
      break;
  }
  if (type.missing) out += '?';
  return out;
}

std::optional<Type> parse_type(std::string_view text) {
  Reader reader{text};
  auto type = reader.type();
  reader.blanks();
  if (!type || reader.at != text.size()) return std::nullopt;
  return type;
}

std::string to_string(const Value& value) {
  struct {
    std::string operator()(std::monostate) const { return "missing"; }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(std::int64_t v) const { return fmt::format("{}", v); }
    std::string operator()(double v) const { return fmt::format("{}", v); }
    std::string operator()(const std::string& v) const { return quoted(v); }
  } visitor;
  return std::visit(visitor, value);
}

}  // namespace mlp
