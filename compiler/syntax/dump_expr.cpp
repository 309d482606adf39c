#include "compiler/syntax/dump.h"

#include <fmt/format.h>

namespace mlp::syntax {

using namespace ast;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (c == '\n')
      out += "\\n";
    else if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{{{:x}}}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + '"';
}

namespace {

struct ExprDumper {
  const File& file;

  std::string operator()(ExprId id) const { return std::visit(*this, file.expr(id).kind); }
  std::string many(const std::vector<ExprId>& ids) const {
    std::string out;
    for (const ExprId id : ids)
      (out += out.empty() ? "" : ", ") += (*this)(id);
    return out;
  }

  std::string operator()(const Broken&) const { return "<broken>"; }
  std::string operator()(const Missing&) const { return "missing"; }
  std::string operator()(const Bool& e) const { return e.value ? "true" : "false"; }
  std::string operator()(const Int& e) const { return fmt::format("{}", e.value); }
  std::string operator()(const Float& e) const {
    const std::string text = fmt::format("{}", e.value);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  }
  std::string operator()(const Percent& e) const { return fmt::format("<share {}>", e.fraction); }
  std::string operator()(const Duration& e) const { return fmt::format("{}us", e.microseconds); }
  std::string operator()(const String& e) const { return quoted(e.value); }
  std::string operator()(const Ref& e) const { return e.path.text(); }
  std::string operator()(const Unary& e) const { return fmt::format("({} {})", token(e.op), (*this)(e.operand)); }
  std::string operator()(const Binary& e) const {
    return fmt::format("({} {} {})", (*this)(e.left), token(e.op), (*this)(e.right));
  }
  std::string operator()(const In& e) const {
    return fmt::format("({} {} {})", (*this)(e.value), e.negated ? "not in" : "in", (*this)(e.set));
  }
  std::string operator()(const Set& e) const { return fmt::format("({})", many(e.elements)); }
  std::string operator()(const List& e) const { return fmt::format("[{}]", many(e.elements)); }
  std::string operator()(const IsKnown& e) const {
    return fmt::format("({} is {})", (*this)(e.value), e.known ? "known" : "missing");
  }
  std::string operator()(const If& e) const {
    return fmt::format("(if {} then {} else {})", (*this)(e.condition), (*this)(e.then), (*this)(e.otherwise));
  }
  std::string operator()(const Call& e) const {
    std::string out = e.callee.text() + "(";
    for (std::size_t i = 0; i < e.arguments.size(); ++i)
      out += (i ? ", " : "") + argument(e.arguments[i]);
    if (!e.by.empty()) out += " by " + join(e.by);
    if (e.where) out += " where " + (*this)(e.where);
    out += ")";
    if (!e.over) return out;
    out += fmt::format(" over {}{}", e.over->next ? "next " : "", (*this)(e.over->length));
    if (e.over->ending) out += fmt::format(" ending {} ago", (*this)(e.over->ending));
    return out;
  }
  std::string operator()(const MetricAt& e) const {
    return fmt::format("({} at {}{})", (*this)(e.metric), e.of ? e.of->text + " " : "", (*this)(e.value));
  }
  std::string operator()(const MetricBy& e) const { return fmt::format("({} by {})", (*this)(e.metric), e.by.text()); }
  std::string argument(const Argument& a) const {
    if (a.name) return a.name->text + ": " + (*this)(a.value);
    if (a.key) return quoted(a.key->value) + ": " + (*this)(a.value);
    return (*this)(a.value);
  }
};

}  // namespace

std::string dump_expr(const File& file, ExprId id) {
  return id ? ExprDumper{file}(id) : std::string("-");
}
std::string dump_argument(const File& file, const Argument& argument) {
  return ExprDumper{file}.argument(argument);
}

std::string join(const std::vector<Path>& paths) {
  std::string out;
  for (const Path& path : paths)
    (out += out.empty() ? "" : ", ") += path.text();
  return out;
}
std::string join(const std::vector<Name>& names) {
  std::string out;
  for (const Name& name : names)
    (out += out.empty() ? "" : ", ") += name.text;
  return out;
}

std::string dump_type(const TypeRef& type) {
  std::string inner;
  for (const Text& value : type.values)
    inner += (inner.empty() ? "" : type.ordered ? " < " : ", ") + quoted(value.value);
  for (const TypeRef& element : type.element)
    inner += (inner.empty() ? "" : ", ") + dump_type(element);
  if (type.width) inner += fmt::format("{}", *type.width);
  inner += join(type.words);
  return type.name.text + (inner.empty() ? "" : "(" + inner + ")") + (type.missing ? "?" : "");
}
std::string dump_types(const TypeRefs& types) {
  std::string out;
  for (const TypeRef& type : types)
    (out += out.empty() ? "" : " | ") += dump_type(type);
  return out;
}

}  // namespace mlp::syntax
