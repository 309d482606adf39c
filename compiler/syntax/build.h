#pragma once

// For the .cpp files of this folder only. They include gen/grammar/MlpParser.h first: ANTLR is seen by no header.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/syntax/ast.h"
#include "compiler/syntax/tokens.h"

namespace mlp::syntax {

using P = grammar::MlpParser;

/// From the parse tree of a declaration to the AST. A tree that gets here fits the grammar; what the grammar cannot say
/// (chained comparisons, numbers too large, options of another form) is reported here.
class Builder {
 public:
  Builder(ast::File& out, std::string_view text, std::uint32_t file, diag::Sink& sink,
          const std::vector<std::string>& docs, Span everywhere = {})
      : out_(out),
        text_(text),
        file_(file),
        sink_(sink),
        docs_(docs),
        everywhere_(everywhere),
        depth_(out.exprs.size(), 1) {}

  /// Appends the declaration (or sets the workflow's name) that a parse tree over `chunk` is of.
  void declaration(P::DeclarationContext* tree, const Chunk& chunk, bool incomplete);
  ast::ExprId lone_expression(P::LoneExpressionContext* tree, const Chunk& chunk);

 private:
  // tokens, names (build_expr.cpp)
  const Lexeme& lexeme(antlr4::Token* token) const { return chunk_->lexemes[token->getTokenIndex()]; }
  std::string_view text(antlr4::Token* token) const;
  Span span(antlr4::Token* token) const;
  Span span(antlr4::tree::TerminalNode* node) const { return span(node->getSymbol()); }
  Span span(antlr4::ParserRuleContext* tree) const;
  std::string doc(antlr4::ParserRuleContext* tree) const;
  void report(diag::Code code, Span at, std::string message, std::string help = {});

  ast::Name name_of(antlr4::Token* token);
  ast::Name name(P::NameContext* tree) { return name_of(tree->start); }
  ast::Name name(P::WordContext* tree) { return name_of(tree->start); }
  std::vector<ast::Name> names(P::NamesContext* tree);
  ast::Path path(antlr4::ParserRuleContext* tree);  ///< of a path or safePath
  std::vector<ast::Path> paths(P::PathsContext* tree);
  ast::Text string(antlr4::tree::TerminalNode* node);
  std::vector<ast::Text> strings(const std::vector<antlr4::tree::TerminalNode*>& nodes);
  std::int64_t integer(antlr4::tree::TerminalNode* node);
  std::optional<ast::Text> because(P::BecauseContext* tree);

  // expressions (build_expr.cpp)
  ast::ExprId push(Span span, decltype(ast::Expr::kind) kind, std::initializer_list<ast::ExprId> operands = {});
  ast::ExprId push_many(Span span, decltype(ast::Expr::kind) kind, const std::vector<ast::ExprId>& operands);
  ast::ExprId expr(P::ExprContext* tree);
  ast::ExprId infix(P::OperandContext* first, const std::vector<P::InfixTailContext*>& rest,
                    ast::ExprId first_value = {});  ///< first_value: of `first`, where it is made already
  ast::ExprId operand(P::OperandContext* tree);
  ast::ExprId with_at(P::OperandContext* tree, ast::ExprId value);
  ast::ExprId primary(P::PrimaryContext* tree);
  ast::ExprId literal(P::LiteralContext* tree);
  ast::ExprId number(P::NumberContext* tree);
  ast::ExprId duration(antlr4::Token* token);
  ast::ExprId ref(antlr4::ParserRuleContext* tree) { return push(span(tree), ast::Ref{path(tree)}); }
  ast::ExprId set(P::SetContext* tree);
  ast::ExprId range(P::RangeContext* tree);
  ast::ExprId span_expr(P::SpanContext* tree);  ///< none for none
  ast::ExprId call(P::CallContext* tree);
  ast::ExprId call_of(antlr4::ParserRuleContext* path, P::ArgumentsContext* arguments, P::WindowContext* window,
                      Span whole);
  ast::Argument argument(P::ArgumentContext* tree);
  std::vector<ast::Argument> plain_arguments(P::ArgumentsContext* tree, std::string_view of);
  ast::ExprId metric_item(P::MetricItemContext* tree);

  // types, functions and the library (build_library.cpp)
  ast::TypeRef type(P::TypeContext* tree);
  ast::TypeRefs types(P::TypesContext* tree);
  ast::Parameter parameter(P::ParameterContext* tree);
  ast::Binding binding(P::ExprContext* tree, ast::CallableKind kind);
  void clause(P::CallableClauseContext* tree, ast::Callable& callable);
  void kind(P::CallableDeclContext* tree, ast::Declaration& out);
  void kind(P::ModelDeclContext* tree, ast::Declaration& out);
  void kind(P::ImportDeclContext* tree, ast::Declaration& out);
  void kind(P::ParamDeclContext* tree, ast::Declaration& out);
  void kind(P::SecretDeclContext* tree, ast::Declaration& out);
  void kind(P::EnvDeclContext* tree, ast::Declaration& out);

  // data (build_data.cpp)
  ast::SourceRef source(P::SourceRefContext* tree);
  std::vector<ast::DataEntry> data_block(P::DataBlockContext* tree);
  ast::DataEntry data_entry(P::DataEntryContext* tree);
  ast::Column column(P::ColumnContext* tree);
  std::optional<ast::Tag> tag(P::TagContext* tree);
  std::vector<ast::Tag> tags(const std::vector<P::TagContext*>& trees);
  ast::Definition definition(P::DefinitionContext* tree);
  std::vector<ast::Definition> definitions(P::DefinitionsContext* tree);
  ast::AllColumns all_columns(P::AllColumnsContext* tree);
  std::vector<ast::OrderItem> order(P::OrderItemsContext* tree);
  ast::Stage stage(P::StageContext* tree);
  ast::Argument named_value(P::NamedValueContext* tree);
  void kind(P::DataDeclContext* tree, ast::Declaration& out);
  void kind(P::FeatureDeclContext* tree, ast::Declaration& out);

  // split, train, evaluate (build_train.cpp)
  ast::SplitForm split_form(P::SplitFormContext* tree);
  ast::Objective objective(P::ObjectiveContext* tree);
  ast::Model model(P::ModelEntryContext* tree);
  ast::TrainEntry train_entry(P::TrainEntryContext* tree);
  ast::EvaluateEntry evaluate_entry(P::EvaluateEntryContext* tree);
  void kind(P::SplitDeclContext* tree, ast::Declaration& out);
  void kind(P::TrainDeclContext* tree, ast::Declaration& out);
  void kind(P::EvaluateDeclContext* tree, ast::Declaration& out);

  // deploy, monitor and the rest (build_deploy.cpp)
  ast::DeployEntry deploy_entry(P::DeployEntryContext* tree);
  ast::MonitorEntry monitor_entry(P::MonitorEntryContext* tree);
  std::vector<ast::Action> actions(P::ActionsContext* tree);
  void kind(P::DeployDeclContext* tree, ast::Declaration& out);
  void kind(P::MonitorDeclContext* tree, ast::Declaration& out);
  void kind(P::ExploreDeclContext* tree, ast::Declaration& out);
  void kind(P::TestDeclContext* tree, ast::Declaration& out);
  void kind(P::ScheduleDeclContext* tree, ast::Declaration& out);

  /// The subject of a block whose name is that of another thing: `evaluate shared.earner`.
  static ast::Name subject(const ast::Path& path) { return {path.text(), path.span, false}; }
  ast::ExprId operand_or_none(P::OperandContext* tree) { return tree ? operand(tree) : ast::ExprId{}; }

  ast::File& out_;
  std::string_view text_;
  std::uint32_t file_;
  diag::Sink& sink_;
  const std::vector<std::string>& docs_;
  Span everywhere_;                   ///< if set, the place of everything
  std::vector<std::uint32_t> depth_;  ///< of each expression's tree
  const Chunk* chunk_ = nullptr;
  bool too_deep_ = false;  ///< one report a declaration
};

/// A declaration whose syntax was reported: its word and, where they can be told, its name.
ast::Declaration broken_declaration(const Chunk& chunk, std::string_view text, std::uint32_t file);

/// What the parser met where, when the tokens of a declaration do not fit the grammar.
struct Mismatch {
  std::size_t start = 0;                ///< first token of the decision that failed, or the token itself
  std::size_t at = 0;                   ///< the token that does not fit
  std::vector<std::uint16_t> expected;  ///< at `start`
  std::vector<std::string> rules;       ///< innermost first
};

/// The report of a mismatch, in words that a person needs.
diag::Diagnostic describe(const Mismatch& mismatch, const Chunk& chunk, std::string_view text, std::uint32_t file);

}  // namespace mlp::syntax
