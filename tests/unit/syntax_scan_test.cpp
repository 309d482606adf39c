// The scanner against ANTLR's lexer of the same rules (grammar/MlpLexer.g4): token by token, over all programs and random texts.
#include "gen/grammar/MlpLexer.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "compiler/syntax/tokens.h"

namespace fs = std::filesystem;
using mlp::grammar::MlpLexer;

namespace {

struct Seen {
  std::size_t type, begin, end;  // in bytes
  bool operator==(const Seen&) const = default;
};

/// What ANTLR's lexer makes of it, without blanks and comments, which it skips.
std::vector<Seen> by_antlr(const std::string& text) {
  std::vector<std::size_t> offsets;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) offsets.push_back(i);
  offsets.push_back(text.size());
  antlr4::ANTLRInputStream input(text);
  MlpLexer lexer(&input);
  lexer.removeErrorListeners();
  std::vector<Seen> out;
  for (auto token = lexer.nextToken(); token->getType() != antlr4::Token::EOF; token = lexer.nextToken())
    out.push_back({token->getType(), offsets[token->getStartIndex()], offsets[token->getStopIndex() + 1]});
  return out;
}

std::vector<Seen> by_scanner(const std::string& text) {
  std::vector<Seen> out;
  for (std::size_t at = 0; at < text.size();) {
    const auto [type, end] = mlp::syntax::scan(text, at);
    REQUIRE(end > at);
    if (type != MlpLexer::BLANK && type != MlpLexer::COMMENT) out.push_back({type, at, end});
    at = end;
  }
  return out;
}

void compare(const std::string& text) {
  const std::vector<Seen> expected = by_antlr(text), found = by_scanner(text);
  if (found == expected) return;
  std::size_t i = 0;
  while (i < std::min(found.size(), expected.size()) && found[i] == expected[i]) ++i;
  INFO(text);
  INFO("token " << i << " of " << expected.size() << " and " << found.size());
  if (i < expected.size()) INFO("ANTLR: " << expected[i].type << " at " << expected[i].begin << ".." << expected[i].end);
  if (i < found.size()) INFO("scan: " << found[i].type << " at " << found[i].begin << ".." << found[i].end);
  CHECK(found == expected);
}

bool is_utf8_text(const std::string& text) {
  // As the parser's own test before it lexes; the rules are for text alone.
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t bytes = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
    if (c == 0 || bytes == 0 || i + bytes > text.size()) return false;
    for (std::size_t k = 1; k < bytes; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    if (c == 0xED && static_cast<unsigned char>(text[i + 1]) > 0x9F) return false;
    i += bytes;
  }
  return true;
}

}  // namespace

TEST_CASE("the scanner finds the tokens of MlpLexer.g4 in every program") {
  const fs::path root = MLP_SOURCE_DIR;
  std::size_t count = 0;
  for (const char* folder : {"stdlib", "examples", "benchmarks", "tests/golden", "tests/fuzz/corpus", "../shared/workflows"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (!entry.is_regular_file() || (entry.path().extension() != ".mlp" && std::string_view(folder) != "tests/fuzz/corpus")) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::ostringstream text;
      text << in.rdbuf();
      if (!is_utf8_text(text.str()) || text.str().starts_with("\xEF\xBB\xBF")) continue;
      INFO(entry.path().string());
      compare(text.str());
      ++count;
    }
  }
  CHECK(count > 100);
}

TEST_CASE("the scanner finds the tokens of MlpLexer.g4 in random texts") {
  // Pieces whose neighbours decide what they are; glued at random, most borders of tokens come up.
  static constexpr std::string_view kPieces[] = {
      "\"", "\"\"\"", "\"\"", "r\"", "r", "R", "\\", "`", "'", "#", "##", "\n", "\r", "\r\n", " ", "\t", "\f", "a", "e", "E", "x1", "_", "ms", "min", "days", "h", "1",
      "07", "12:30", "1_000", "1__0", "0.5", ".", "..", ":", "e5", "e-3", "E+2", "%", "10%", "=", "==", "!", "!=", "<", "<=", ">", ">=", "?", "??", "-", "->", "+", "*", "/", "^", "|",
      "@", ",", ";", "(", ")", "[", "]", "{", "}", "&&", "~", "$", "ä", "ß", "×", "÷", "λ", "日本", "한", "…", "\u201C", "😀", "\u0300", "\u2014", "\x01", "\x7F", "and", "data"};
  const std::size_t count = std::getenv("MLP_SOAK") ? 1'000'000 : 20'000;
  std::mt19937_64 random(20'260'101);
  for (std::size_t i = 0; i < count; ++i) {
    std::string text;
    for (std::size_t pieces = 1 + random() % 12; pieces > 0; --pieces) text += kPieces[random() % std::size(kPieces)];
    compare(text);
  }
}
