#include "tests/fuzz/rules.h"

#include <fmt/format.h>

#include "compiler/diag/render.h"
#include "compiler/sema/check.h"
#include "compiler/syntax/format.h"
#include "compiler/syntax/parse.h"

namespace mlp::rules {

namespace {

/// Words that a user's program has no use for; they come from our own code or from a library's.
constexpr std::string_view kInsideWords[] = {"internal", "exception", "std::", "nullptr", "bad_alloc", "antlr", "mlp::"};

std::string wrong_place(const Span& span, const SourceMap& sources, std::string_view what) {
  if (!span) return fmt::format("{} is nowhere", what);
  if (span.file >= sources.size()) return fmt::format("{} is in file {} of {}", what, span.file, sources.size());
  const std::string& text = sources.file(span.file).text;
  if (span.begin > span.end || span.end > text.size())
    return fmt::format("{} is {}..{} of {} bytes", what, span.begin, span.end, text.size());
  const auto inside_character = [&](std::uint32_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  // A file that is no UTF-8 has one diagnostic, at a byte.
  if (text.size() < 4096 && (inside_character(span.begin) || inside_character(span.end)))
    return fmt::format("{} {}..{} cuts a character", what, span.begin, span.end);
  return {};
}

std::string inside_word(std::string_view said, std::string_view source) {
  for (const std::string_view word : kInsideWords)
    if (said.find(word) != std::string_view::npos && source.find(word) == std::string_view::npos) return fmt::format("`{}` in \"{}\"", word, said);
  return {};
}

std::string broken_by(const diag::Diagnostic& d, const SourceMap& sources, std::string_view text) {
  if (d.message.empty()) return "no message";
  if (d.message.find('\n') != std::string::npos) return "a message of several lines";
  if (d.help.empty()) return "no help text";
  if (d.code != diag::Code::E0106) {
    if (auto wrong = wrong_place(d.span, sources, "the place"); !wrong.empty()) return wrong;
  } else if (!d.span || d.span.begin > d.span.end || d.span.end > text.size()) {
    return "the place is outside";
  }
  for (const diag::Label& label : d.secondary)
    if (auto wrong = wrong_place(label.span, sources, "a second place"); !wrong.empty()) return wrong;
  for (const diag::Fix& fix : d.fixes)
    if (auto wrong = wrong_place(fix.span, sources, "a fix"); !wrong.empty()) return wrong;
  for (const std::string_view said : {std::string_view(d.message), std::string_view(d.label), std::string_view(d.help)})
    if (auto wrong = inside_word(said, text); !wrong.empty()) return wrong;
  for (const std::string& note : d.notes)
    if (auto wrong = inside_word(note, text); !wrong.empty()) return wrong;
  return {};
}

std::string broken_by(const diag::Sink& sink, const SourceMap& sources, std::string_view text) {
  for (const diag::Diagnostic& d : sink.diagnostics())
    if (auto wrong = broken_by(d, sources, text); !wrong.empty())
      return fmt::format("{}\n{}", wrong, diag::render_text(d, sources));
  if (sink.diagnostics().size() <= 200) diag::render_text(sink.diagnostics(), sources);
  diag::render_json(sink.diagnostics(), sources);
  return {};
}

}  // namespace

std::string parse(std::string_view text) {
  SourceMap sources;
  diag::Sink sink;
  const std::uint32_t file = sources.add("program.mlp", std::string(text));
  const std::string before = dump(mlp::parse(sources, file, sink));
  if (auto wrong = broken_by(sink, sources, text); !wrong.empty()) return wrong;
  diag::Sink quiet;
  const std::optional<std::string> once = format_source(sources, file, quiet);
  if (once.has_value() == sink.has_errors()) return once ? "what is not well formed was formatted" : "what is well formed was not formatted";
  if (!once) return {};
  const std::uint32_t formatted = sources.add("formatted.mlp", *once);
  if (dump(mlp::parse(sources, formatted, quiet)) != before) return "formatting changed the meaning:\n" + *once;
  if (quiet.has_errors()) return "the formatted text is not well formed:\n" + *once;
  const std::optional<std::string> twice = format_source(sources, formatted, quiet);
  if (twice != once) return fmt::format("formatted again it is another text:\n{}\nand then\n{}", *once, twice.value_or("nothing"));
  return {};
}

std::string check(std::string_view text, Outcome* outcome) {
  SourceMap sources;
  diag::Sink sink;
  const auto file = mlp::parse(sources, sources.add("program.mlp", std::string(text)), sink);
  const auto workflow = mlp::check(file, sources, {}, sink);
  sink.sort();
  if (outcome) {
    outcome->accepted = workflow.has_value();
    outcome->errors = sink.error_count();
    outcome->warnings = sink.warning_count();
    for (const diag::Diagnostic& d : sink.diagnostics())
      if (diag::severity(d.code) == diag::Severity::error) outcome->codes += fmt::format("{} ", diag::name(d.code));
  }
  if (workflow.has_value() == sink.has_errors()) return workflow ? "accepted in spite of errors" : "rejected without an error";
  return broken_by(sink, sources, text);
}

}  // namespace mlp::rules
