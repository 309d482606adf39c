#include "compiler/sema/check.h"

#include "compiler/sema/block_spec.h"
#include "compiler/sema/context.h"

namespace mlp {

namespace {

/// One declaration; those that others need may have been resolved on the way.
void check_declaration(sema::Context& context, const ast::Declaration& declaration) {
  struct {
    sema::Context& context;
    const ast::Declaration& declaration;
    void operator()(const ast::BrokenDeclaration&) const {}
    void operator()(const ast::Import&) const {}
    void operator()(const ast::Param&) const { sema::resolve_param(context, declaration, {}); }
    void operator()(const ast::Secret&) const { sema::check_secret(context, declaration); }
    void operator()(const ast::Env&) const { sema::check_env(context, declaration); }
    void operator()(const ast::Callable& callable) const {
      if (callable.kind == ast::CallableKind::fn) sema::resolve_function(context, declaration, {});
      else sema::check_callable(context, declaration);
    }
    void operator()(const ast::Data&) const { sema::resolve_table(context, declaration, {}); }
    void operator()(const ast::Feature&) const { sema::resolve_view(context, declaration, {}); }
    void operator()(const ast::Split&) const { sema::resolve_split(context, declaration); }
    void operator()(const ast::Train&) const { sema::resolve_train(context, declaration); }
    void operator()(const ast::Evaluate&) const { sema::check_evaluate(context, declaration); }
    void operator()(const ast::Deploy&) const { sema::check_deploy(context, declaration); }
    void operator()(const ast::Monitor&) const { sema::check_monitor(context, declaration); }
    void operator()(const ast::Schedule&) const { sema::check_schedule(context, declaration); }
    void operator()(const ast::Explore&) const { sema::check_explore(context, declaration); }
    void operator()(const ast::Test&) const { sema::check_test(context, declaration); }
  } visitor{context, declaration};
  std::visit(visitor, declaration.kind);
}

/// The texts that have a reason of their own.
std::vector<Span> reasoned_spans(const ast::File& file) {
  std::vector<Span> out;
  const auto add = [&](const auto& entries) {
    for (const auto& entry : entries)
      if (entry.because) out.push_back(cover(entry.span, entry.because->span));
  };
  for (const ast::Declaration& declaration : file.declarations) {
    if (declaration.because) out.push_back(cover(declaration.span, declaration.because->span));
    if (const auto* data = std::get_if<ast::Data>(&declaration.kind)) add(data->entries), add(data->stages);
    if (const auto* feature = std::get_if<ast::Feature>(&declaration.kind)) add(feature->entries);
    if (const auto* train = std::get_if<ast::Train>(&declaration.kind)) add(train->entries);
    if (const auto* evaluate = std::get_if<ast::Evaluate>(&declaration.kind)) add(evaluate->entries);
    if (const auto* deploy = std::get_if<ast::Deploy>(&declaration.kind)) add(deploy->entries);
    if (const auto* monitor = std::get_if<ast::Monitor>(&declaration.kind)) add(monitor->entries);
  }
  return out;
}

/// The names of the workflow and of what it imports. What is imported is looked at where it is used.
void open_modules(sema::Context& context) {
  context.modules.push_back({context.file.now, "", "", {}, {}});
  for (const auto& [alias, index] : context.options.imports) context.modules[0].imports.emplace(alias, index + 1);
  if (context.options.modules)
    for (const Module& module : *context.options.modules) {
      sema::ModuleState& state = context.modules.emplace_back(sema::ModuleState{&module.file, "", module.folder, {}, {}});
      for (const auto& [alias, index] : module.imports) state.imports.emplace(alias, index + 1);
      for (const ast::Declaration& declaration : module.file.declarations) context.module_of.emplace(&declaration, context.modules.size() - 1);
    }
  // A file has the name by which it is reached first.
  std::vector<std::size_t> open{0};
  for (std::size_t i = 0; i < open.size(); ++i)
    for (const auto& [alias, index] : context.modules[open[i]].imports)
      if (context.modules[index].prefix.empty()) context.modules[index].prefix = context.modules[open[i]].prefix + alias + ".", open.push_back(index);
  for (std::size_t i = 0; i < context.modules.size(); ++i) {
    const sema::InModule inside(context, i);
    for (const Span span : reasoned_spans(*context.file.now)) context.reasoned.push_back(span);
    sema::declare_names(context);
  }
}

}  // namespace

hir::Workflow understand(const ast::File& file, const SourceMap& sources, const CheckOptions& options, diag::Sink& sink) {
  sema::Context context(file, sources, options, sink);
  if (file.workflow) context.out.name = file.workflow->text;
  open_modules(context);
  sema::check_option_params(context);
  for (const ast::Declaration& declaration : file.declarations) {
    // Of two declarations with one name the first is meant.
    if (const auto at = context.names.find(declaration.name.text); at != context.names.end() && at->second.declaration != &declaration &&
                                                                   at->second.declaration->kind.index() == declaration.kind.index())
      continue;
    check_declaration(context, declaration);
  }
  for (const RowsQuestion& question : options.rows) sema::check_rows(context, question);
  sink.sort();
  return std::move(context.out);
}

std::optional<hir::Workflow> check(const ast::File& file, const SourceMap& sources, const CheckOptions& options, diag::Sink& sink) {
  hir::Workflow workflow = understand(file, sources, options, sink);
  if (sink.has_errors()) return std::nullopt;
  return workflow;
}

}  // namespace mlp
