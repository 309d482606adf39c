#include <fmt/format.h>

#include "compiler/sema/block_spec.h"
#include "compiler/sema/check_data.h"
#include "compiler/sema/typer.h"

namespace mlp::sema {

using diag::Code;

namespace {

void check_serve(Context& context, const ast::Serve& serve) {
  std::map<std::string, Span> seen;
  std::vector<std::string_view> names;
  for (const FieldSpec& field : kServeOptions) names.push_back(field.name);
  for (const ast::Option& option : serve.options) {
    if (const auto [at, fresh] = seen.emplace(option.name.text, option.name.span); !fresh) {
      context.report(diag::make(Code::E0210, option.name.span, fmt::format("`{}` is given twice", option.name.text)).with_label("given again here").with_secondary(at->second, "first given here")
                         .with_help("leave one of the two out"));
      continue;
    }
    if (option.name.text == kServeOptions[0].name) {
      constant_int(context, option.value, {1, 65'535}, "a port");
    } else if (option.name.text == kServeOptions[1].name) {
      constant_of(context, option.value, Type::of(Base::duration), std::nullopt, "the longest latency");
    } else {
      context.report(with_suggestion(diag::make(Code::E0206, option.name.span, fmt::format("`serve` has no option `{}`", option.name.text)).with_label("no such option"), option.name.text,
                                     option.name.span, names, fmt::format("it has {}", listing(names))));
    }
  }
}

}  // namespace

void check_deploy(Context& context, const ast::Declaration& declaration) {
  const auto& deploy = std::get<ast::Deploy>(declaration.kind);
  std::vector<Span> words;
  for (const ast::DeployEntry& entry : deploy.entries) words.push_back(entry.word);
  check_fields(context, declaration, "deploy", kDeployFields, words);
  const ast::Declaration* declared = find_declared(context, deploy.of, DeclaredKind::train);
  const auto train = declared ? resolve_train(context, *declared) : std::nullopt;
  hir::Deploy out;
  out.name = declaration.name.text;
  out.span = declaration.name.span;
  for (const ast::DeployEntry& entry : deploy.entries) {
    if (const auto* stage = std::get_if<ast::StageOf>(&entry.kind)) {
      out.stage = stage->stage.text;
      if (stage->approval_valid) constant_of(context, stage->approval_valid, Type::of(Base::duration), std::nullopt, "how long an approval is valid");
    } else if (const auto* serve = std::get_if<ast::Serve>(&entry.kind)) {
      check_serve(context, *serve);
    } else if (const auto* canary = std::get_if<ast::Canary>(&entry.kind)) {
      if (canary->share) constant_float(context, canary->share, {0, 1}, "the share of a canary");
      if (canary->duration) constant_of(context, canary->duration, Type::of(Base::duration), std::nullopt, "the time of a canary");
      if (canary->at_least) constant_int(context, canary->at_least, {0, 1e15}, "the least number of requests");
    } else if (const auto* batch = std::get_if<ast::BatchInto>(&entry.kind)) {
      const ast::Declaration* table = find_declared(context, batch->table, DeclaredKind::table);
      const TableState state = table ? resolve_table(context, *table, batch->table.span) : TableState{};
      if (state.id)
        for (const ast::Path& path : batch->key) column_of_table(context, *state.id, path);
    }
  }
  if (!train) return;
  out.train = *train;
  context.out.deploys.push_back(std::move(out));
}

}  // namespace mlp::sema
