#include "gen/grammar/MlpParser.h"

#include "compiler/syntax/parse.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/syntax/describe.h"
#include "compiler/support/utf8.h"

namespace mlp {

namespace syntax {
namespace {

using antlr4::Token;

/// The tokens of one declaration as ANTLR wants them. Positions are bytes.
class ChunkStream final : public antlr4::TokenStream {
 public:
  explicit ChunkStream(const Chunk& chunk) {
    tokens_.reserve(chunk.lexemes.size() + 1);
    for (const Lexeme& lexeme : chunk.lexemes)
      add(lexeme.type, lexeme.begin, lexeme.end);
    add(Token::EOF, chunk.lexemes.back().end, chunk.lexemes.back().end);
  }

  void consume() override { at_ = std::min(at_ + 1, tokens_.size() - 1); }
  size_t LA(ssize_t k) override { return LT(k)->getType(); }
  Token* LT(ssize_t k) override {
    if (k < 0) return at_ < static_cast<std::size_t>(-k) ? nullptr : &tokens_[at_ - static_cast<std::size_t>(-k)];
    return &tokens_[std::min(at_ + static_cast<std::size_t>(k) - 1, tokens_.size() - 1)];
  }
  ssize_t mark() override { return 0; }
  void release(ssize_t) override {}
  size_t index() override { return at_; }
  void seek(size_t index) override { at_ = std::min(index, tokens_.size() - 1); }
  size_t size() override { return tokens_.size(); }
  std::string getSourceName() const override { return {}; }
  Token* get(size_t index) const override { return &tokens_[index]; }
  antlr4::TokenSource* getTokenSource() const override { return nullptr; }
  std::string getText(const antlr4::misc::Interval&) override { return {}; }
  std::string getText() override { return {}; }
  std::string getText(antlr4::RuleContext*) override { return {}; }
  std::string getText(Token*, Token*) override { return {}; }

 private:
  void add(std::size_t type, std::uint32_t begin, std::uint32_t end) {
    tokens_.emplace_back(type);
    tokens_.back().setTokenIndex(tokens_.size() - 1);
    tokens_.back().setStartIndex(begin);
    tokens_.back().setStopIndex(end);
  }
  mutable std::vector<antlr4::CommonToken> tokens_;
  std::size_t at_ = 0;
};

/// Gives up at the first token that does not fit, and remembers where that was. The exceptions are ANTLR's own way out of
/// its generated code; they end in parse_chunk.
///
/// Generated loops and options end silently before a token that they do not know, so the place where a parse fails knows
/// little of what would have fitted. With `probe`, the index of that token, a second parse asks at the first loop or option
/// that meets it.
class GiveUp final : public antlr4::DefaultErrorStrategy {
 public:
  Mismatch mismatch;
  std::optional<std::size_t> probe;

  void sync(antlr4::Parser* parser) override {
    if (!probe || parser->getCurrentToken()->getTokenIndex() != *probe) return;
    remember(parser, *probe, *probe);
    throw antlr4::ParseCancellationException();
  }
  void reportError(antlr4::Parser*, const antlr4::RecognitionException&) override {}
  Token* recoverInline(antlr4::Parser* parser) override {
    remember(parser, parser->getCurrentToken()->getTokenIndex(), parser->getCurrentToken()->getTokenIndex());
    throw antlr4::ParseCancellationException();
  }
  void recover(antlr4::Parser* parser, std::exception_ptr exception) override {
    std::size_t start = parser->getCurrentToken()->getTokenIndex(), at = start;
    try {
      std::rethrow_exception(exception);
    } catch (const antlr4::NoViableAltException& e) {
      start = e.getStartToken()->getTokenIndex();
      at = e.getOffendingToken()->getTokenIndex();
    } catch (const antlr4::RecognitionException& e) {
      if (e.getOffendingToken()) start = at = e.getOffendingToken()->getTokenIndex();
    }
    remember(parser, start, at);
    throw antlr4::ParseCancellationException();
  }

 private:
  void remember(antlr4::Parser* parser, std::size_t start, std::size_t at) {
    mismatch.start = start;
    mismatch.at = at;
    mismatch.rules = parser->getRuleInvocationStack();
    for (const ssize_t type : parser->getExpectedTokens().toList())
      if (type > 0) mismatch.expected.push_back(static_cast<std::uint16_t>(type));
  }
};

/// A parse of one declaration or expression; the tree lives as long as this does.
struct Parse {
  ChunkStream stream;
  P parser;
  std::shared_ptr<GiveUp> strategy = std::make_shared<GiveUp>();

  explicit Parse(const Chunk& chunk) : stream(chunk), parser(&stream) {
    parser.removeErrorListeners();
    parser.setErrorHandler(strategy);
    parser.getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(antlr4::atn::PredictionMode::SLL);
  }
  /// nullptr when the tokens do not fit; then strategy->mismatch says where.
  template <class Context>
  Context* run(Context* (P::*rule)()) {
    try {
      return (parser.*rule)();
    } catch (const antlr4::ParseCancellationException&) {
      return nullptr;
    }
  }
  /// Of a run that failed, with all that could have stood there.
  Mismatch mismatch(const Chunk& chunk) const {
    const Mismatch& first = strategy->mismatch;
    if (first.start != first.at) return first;
    Parse again(chunk);
    again.strategy->probe = first.at;
    if (is_expression)
      again.run(&P::loneExpression);
    else
      again.run(&P::declaration);
    return again.strategy->mismatch;
  }
  bool is_expression = false;
};

/// The entry of a block (not of a block inside of it) that token `at` stands in, as [begin, end), with the separator before it
/// or after it; empty where `at` is outside of the block.
std::pair<std::size_t, std::size_t> entry_of(const Chunk& chunk, std::size_t at) {
  std::size_t begin = 0;
  int depth = 0;
  const auto& all = chunk.lexemes;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::uint16_t type = all[i].type;
    const bool ends = depth == 1 && (type == P::SEP || type == P::RBRACE);
    if (ends && begin != 0) {
      if (at >= begin && at <= i) {
        if (type == P::SEP) return {begin, i + 1};
        return {all[begin - 1].type == P::SEP ? begin - 1 : begin, i};
      }
      begin = type == P::SEP ? i + 1 : 0;
    }
    if (type == P::LBRACE || type == P::LPAREN || type == P::LBRACKET || type == P::SET_OPEN) {
      if (++depth == 1 && type == P::LBRACE) begin = i + 1;
    }
    if (type == P::RBRACE || type == P::RPAREN || type == P::RBRACKET) {
      if (--depth == 0) begin = 0;
    }
  }
  return {0, 0};
}

bool has_bad(const Chunk& chunk, std::size_t begin, std::size_t end) {
  return std::any_of(chunk.lexemes.begin() + static_cast<std::ptrdiff_t>(begin),
                     chunk.lexemes.begin() + static_cast<std::ptrdiff_t>(end),
                     [](const Lexeme& lexeme) { return lexeme.type == P::BAD; });
}

/// After so many mistakes in one declaration the rest of it is not read.
constexpr int kMostMistakes = 25;

/// Whether the chunk is a declaration, right or wrong, rather than something that begins none. The places that were described are
/// appended to `described`.
bool parse_chunk(Chunk chunk, std::string_view text, std::uint32_t file, Builder& builder, ast::File& out,
                 diag::Sink& sink, std::vector<Span>& described) {
  bool incomplete = chunk.reported;
  bool declares = true;
  for (int mistakes = 0; mistakes < kMostMistakes; ++mistakes) {
    Parse parse(chunk);
    if (P::DeclarationContext* tree = parse.run(&P::declaration)) {
      builder.declaration(tree, chunk, incomplete);
      return true;
    }
    const Mismatch mismatch = parse.mismatch(chunk);
    declares = mismatch.at > 0;
    auto [begin, end] = entry_of(chunk, mismatch.at);
    const bool in_entry = end > begin;
    // What was reported by the lexer or for its brackets is not reported again.
    const bool known = chunk.reported || chunk.lexemes[std::min(mismatch.at, chunk.lexemes.size() - 1)].mended ||
                       (in_entry ? has_bad(chunk, begin, end) : has_bad(chunk, 0, mismatch.at + 1));
    if (!known) {
      diag::Diagnostic d = describe(mismatch, chunk, text, file);
      described.push_back(mismatch.at > 0 ? d.span : Span{file, chunk.lexemes.front().begin, chunk.lexemes.back().end});
      sink.report(std::move(d));
    }
    if (!in_entry) break;
    incomplete = true;
    chunk.lexemes.erase(chunk.lexemes.begin() + static_cast<std::ptrdiff_t>(begin),
                        chunk.lexemes.begin() + static_cast<std::ptrdiff_t>(end));
  }
  out.declarations.push_back(broken_declaration(chunk, text, file));
  return declares;
}

/// Nullopt where the text may go to the lexer, else what is wrong with it.
std::optional<diag::Diagnostic> refuse(std::string_view text, std::uint32_t file, const ParseOptions& options) {
  if (text.size() > options.most_bytes)
    return diag::make(
               diag::Code::E0109, {file, 0, 0},
               fmt::format("the file has {} MB; a workflow may have {}", text.size() >> 20, options.most_bytes >> 20))
        .with_help("split it and use `import`; tables belong into data files");
  const auto wrong = [&](std::size_t at, std::string what) {
    const auto place = static_cast<std::uint32_t>(at);
    return diag::make(diag::Code::E0106, {file, place, place + 1}, std::move(what))
        .with_help("store the file as UTF-8 text");
  };
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) return wrong(zero, "the file holds a zero byte, so it is not text");
  if (const std::size_t bad = utf8_prefix(text); bad != text.size()) return wrong(bad, fmt::format("byte {:#04x} is not UTF-8", static_cast<unsigned char>(text[bad])));
  return std::nullopt;
}

}  // namespace

void Builder::declaration(P::DeclarationContext* tree, const Chunk& chunk, bool incomplete) {
  chunk_ = &chunk;
  too_deep_ = false;
  ast::Declaration out;
  out.incomplete = incomplete;
  out.doc = doc(tree);
  P::BecauseContext* reason = tree->dataDecl() ? tree->dataDecl()->because() : tree->because();
  out.because = because(reason);
  out.word = span(tree->start);
  auto* body = dynamic_cast<antlr4::ParserRuleContext*>(tree->children[0]);
  out.span = reason ? cover(span(body), span(reason)) : span(body);
  switch (body->getRuleIndex()) {
    case P::RuleWorkflowDecl: {
      const ast::Name title = name(static_cast<P::WorkflowDeclContext*>(body)->name());
      if (out_.workflow)
        sink_.report(diag::make(diag::Code::E0202, title.span, "the workflow has a name already")
                         .with_secondary(out_.workflow->span, "named here")
                         .with_help("keep one `workflow` line"));
      else
        out_.workflow = title;
      if (out_.doc.empty()) out_.doc = out.doc;
      return;
    }
    case P::RuleImportDecl:
      kind(static_cast<P::ImportDeclContext*>(body), out);
      break;
    case P::RuleParamDecl:
      kind(static_cast<P::ParamDeclContext*>(body), out);
      break;
    case P::RuleSecretDecl:
      kind(static_cast<P::SecretDeclContext*>(body), out);
      break;
    case P::RuleEnvDecl:
      kind(static_cast<P::EnvDeclContext*>(body), out);
      break;
    case P::RuleCallableDecl:
      kind(static_cast<P::CallableDeclContext*>(body), out);
      break;
    case P::RuleModelDecl:
      kind(static_cast<P::ModelDeclContext*>(body), out);
      break;
    case P::RuleDataDecl:
      kind(static_cast<P::DataDeclContext*>(body), out);
      break;
    case P::RuleFeatureDecl:
      kind(static_cast<P::FeatureDeclContext*>(body), out);
      break;
    case P::RuleSplitDecl:
      kind(static_cast<P::SplitDeclContext*>(body), out);
      break;
    case P::RuleTrainDecl:
      kind(static_cast<P::TrainDeclContext*>(body), out);
      break;
    case P::RuleEvaluateDecl:
      kind(static_cast<P::EvaluateDeclContext*>(body), out);
      break;
    case P::RuleDeployDecl:
      kind(static_cast<P::DeployDeclContext*>(body), out);
      break;
    case P::RuleMonitorDecl:
      kind(static_cast<P::MonitorDeclContext*>(body), out);
      break;
    case P::RuleExploreDecl:
      kind(static_cast<P::ExploreDeclContext*>(body), out);
      break;
    case P::RuleTestDecl:
      kind(static_cast<P::TestDeclContext*>(body), out);
      break;
    default:
      kind(static_cast<P::ScheduleDeclContext*>(body), out);
  }
  out_.declarations.push_back(std::move(out));
}

ast::ExprId Builder::lone_expression(P::LoneExpressionContext* tree, const Chunk& chunk) {
  chunk_ = &chunk;
  return expr(tree->expr());
}

ast::Declaration broken_declaration(const Chunk& chunk, std::string_view text, std::uint32_t file) {
  const auto& all = chunk.lexemes;
  const auto word = [&](std::size_t i) { return std::string(text.substr(all[i].begin, all[i].end - all[i].begin)); };
  ast::Declaration out;
  out.incomplete = true;
  out.span = {file, all.front().begin, all.back().end};
  out.word = {file, all.front().begin, all.front().end};
  out.kind = ast::BrokenDeclaration{word(0)};
  // Only words that give a name to something new: `evaluate x` does not declare x.
  const std::uint16_t type = all.front().type;
  const bool names = type == P::K_PARAM || type == P::K_SECRET || type == P::K_ENV ||
                     (type >= P::K_FN && type <= P::K_TRAIN) || type == P::K_DEPLOY;
  if (names && all.size() > 1 && is_name(all[1].type)) {
    out.name = {word(1), {file, all[1].begin, all[1].end}, all[1].type == P::QUOTED_NAME};
    if (out.name.quoted) out.name.text = out.name.text.substr(1, out.name.text.size() - 2);
  }
  return out;
}

}  // namespace syntax

ast::File parse(const SourceMap& sources, std::uint32_t file, diag::Sink& sink, const ParseOptions& options) {
  ast::File out;
  out.file = file;
  const std::string& text = sources.file(file).text;
  if (auto refused = syntax::refuse(text, file, options)) {
    sink.report(std::move(*refused));
    return out;
  }
  diag::Sink of_tokens;
  syntax::Tokens tokens = syntax::tokenize(text, file, of_tokens, options);
  syntax::Builder builder(out, text, file, sink, tokens.docs);
  std::vector<Span> described;
  std::string_view statement;  // the first word of what begins no declaration, as long as lines may go on with it
  bool told = false;           // what is wrong with it was said of it, and not of a token that may stand in a line after it
  for (syntax::Chunk& chunk : tokens.chunks) {
    const syntax::Lexeme first = chunk.lexemes.front();
    if (!statement.empty() && syntax::continues_foreign(statement, chunk, text)) {
      if (told) described.push_back({file, first.begin, chunk.lexemes.back().end});
      continue;
    }
    const std::size_t before = described.size();
    const bool declares = syntax::parse_chunk(std::move(chunk), text, file, builder, out, sink, described);
    told = described.size() > before;
    statement = declares ? std::string_view() : std::string_view(text).substr(first.begin, first.end - first.begin);
  }
  // What was said of single tokens is told again by what was said of the place around them.
  for (const diag::Diagnostic& d : of_tokens.diagnostics()) {
    const auto holds = [&](Span s) { return s.begin <= d.span.begin && d.span.end <= s.end && !(s == d.span); };
    if (std::ranges::none_of(described, holds)) sink.report(d);
  }
  return out;
}

namespace syntax {
namespace {

/// `at`: where all nodes are said to be; nowhere: where they are in the text, which is the file's.
std::optional<ast::ExprId> parse_lone_expression(std::string_view text, std::uint32_t file, Span at, ast::File& into, diag::Sink& sink) {
  if (auto refused = refuse(text, file, {})) {
    sink.report(std::move(*refused));
    return std::nullopt;
  }
  Tokens tokens = tokenize(text, file, sink, {});
  if (sink.has_errors()) return std::nullopt;
  if (tokens.chunks.size() != 1) {
    sink.report(diag::make(diag::Code::E0101, at ? at : Span{file, 0, static_cast<std::uint32_t>(text.size())}, fmt::format("`{}` is not one expression", text)).with_help("write one condition, such as `age > 30 and job is known`"));
    return std::nullopt;
  }
  Parse parse(tokens.chunks[0]);
  parse.is_expression = true;
  if (auto* tree = parse.run(&P::loneExpression)) return Builder(into, text, file, sink, tokens.docs, at).lone_expression(tree, tokens.chunks[0]);
  sink.report(describe(parse.mismatch(tokens.chunks[0]), tokens.chunks[0], text, file));
  return std::nullopt;
}

}  // namespace
}  // namespace syntax

std::optional<ast::ExprId> parse_expression(const SourceMap& sources, std::uint32_t file, ast::File& into, diag::Sink& sink) {
  diag::Sink found;
  const auto result = syntax::parse_lone_expression(sources.file(file).text, file, {}, into, found);
  for (const diag::Diagnostic& d : found.diagnostics()) sink.report(d);
  return found.has_errors() ? std::nullopt : result;
}

std::optional<ast::ExprId> parse_expression(std::string_view text, Span at, ast::File& into, diag::Sink& sink) {
  diag::Sink found;
  const auto result = syntax::parse_lone_expression(text, at.file, at, into, found);
  for (diag::Diagnostic d : found.diagnostics()) {
    // Places inside the text are none of a source file.
    d.span = at;
    d.secondary.clear();
    d.fixes.clear();
    sink.report(std::move(d));
  }
  if (found.has_errors()) return std::nullopt;
  return result;
}

GrammarProfile profile_grammar(const SourceMap& sources, std::uint32_t file) {
  GrammarProfile out;
  diag::Sink sink;
  for (const syntax::Chunk& chunk : syntax::tokenize(sources.file(file).text, file, sink, {}).chunks) {
    syntax::Parse parse(chunk);
    parse.parser.setProfile(true);
    parse.parser.getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(antlr4::atn::PredictionMode::LL);
    parse.run(&syntax::P::declaration);
    for (const antlr4::atn::DecisionInfo& decision : parse.parser.getParseInfo().getDecisionInfo()) {
      out.full_context_retries += decision.LL_Fallback;
      const auto& atn = parse.parser.getATN();
      const std::string& rule = parse.parser.getRuleNames()[atn.getDecisionState(decision.decision)->ruleIndex];
      if (decision.LL_Fallback > 0) out.retrying_rule = rule;
      if (decision.SLL_MaxLook <= out.most_lookahead) continue;
      out.most_lookahead = decision.SLL_MaxLook;
      out.farthest_rule = rule;
    }
  }
  return out;
}

}  // namespace mlp
