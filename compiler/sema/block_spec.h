#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "compiler/sema/context.h"

/// What a block may hold: one constexpr table a block, read by the checks of required and repeated fields.
namespace mlp::sema {

struct FieldSpec {
  std::string_view name;
  bool required = false;
  bool repeats = false;
  std::string_view type;
  std::string_view doc;
};

inline constexpr FieldSpec kTrainFields[] = {
    {"predict", true, false, "column", "what the model learns to predict"},
    {"split", true, false, "split", "which rows are for training, validation and test"},
    {"model", true, false, "model", "the kind of model and its parameters"},
    {"rank", false, false, "column", "the group that is ranked"},
    {"tune", false, false, "search", "how parameters written `tune` are searched"},
    {"early_stop", false, false, "int", "rounds without improvement"},
    {"calibrate", false, false, "word", "makes probabilities honest"},
    {"decide", false, false, "condition", "when a probability becomes a decision"},
    {"refit", false, false, "word", "which rows the final model is fitted on"},
    {"per", false, false, "column", "a model for each value"},
    {"seed", false, false, "int", "of all that is random in the training"},
    {"where", false, false, "condition", "which rows are used"},
    {"weights", false, false, "column", "weights of rows"},
    {"sample", false, false, "share", "fewer training rows of one class"},
};
inline constexpr FieldSpec kEvaluateFields[] = {
    {"metrics", false, true, "metrics", "what is measured"},
    {"slice", false, true, "columns", "groups of rows measured by themselves"},
    {"explain", false, false, "int", "which columns matter most"},
    {"resample", false, false, "column", "rows that are resampled together"},
    {"require", false, true, "gate", "what a model must reach to be proven"},
};
inline constexpr FieldSpec kDeployFields[] = {
    {"stage", true, false, "word", "where the model stands"},
    {"serve", false, false, "options", "answers requests"},
    {"canary", false, false, "share", "a part of the requests first"},
    {"batch", false, true, "table", "scores a table into a sink"},
};
inline constexpr FieldSpec kServeOptions[] = {
    {"port", false, false, "int in 1..65_535", "where it listens"},
    {"max_latency", false, false, "duration", "how long an answer may take"},
};

/// Reports fields given twice (E0210) and required ones that are missing (E0207; not for incomplete blocks). `words` are the
/// spans of the words that begin the entries.
inline void check_fields(Context& context, const ast::Declaration& declaration, std::string_view block, std::span<const FieldSpec> spec, const std::vector<Span>& words) {
  std::map<std::string_view, Span> seen;
  for (const Span word : words) {
    const std::string_view name = context.sources.text(word);
    for (const FieldSpec& field : spec) {
      if (field.name != name) continue;
      const auto [at, fresh] = seen.emplace(name, word);
      if (fresh || field.repeats) continue;
      context.report(diag::make(diag::Code::E0210, word, "`" + std::string(name) + "` is given twice").with_label("given again here").with_secondary(at->second, "first given here")
                         .with_help("a `" + std::string(block) + "` has one `" + std::string(name) + "`: leave one of the two out"));
    }
  }
  if (declaration.incomplete) return;
  for (const FieldSpec& field : spec)
    if (field.required && !seen.contains(field.name))
      context.report(diag::make(diag::Code::E0207, declaration.name.span, "`" + declaration.name.text + "` has no `" + std::string(field.name) + "`")
                         .with_label("`" + std::string(field.name) + "` is missing").with_help("write `" + std::string(field.name) + " …`: " + std::string(field.doc)));
}

/// A metric of a model as `metrics`, `tune` and gates name it; nullopt after a report.
std::optional<hir::Metric> check_metric(Context& context, const hir::Train& train, const ast::Train& written, ast::ExprId metric);
/// E0612 where nothing has to be reached before a new version of the model takes over.
void require_gates(Context& context, hir::TrainId train, Span span);
/// `file.py:Name`; reports E0303 otherwise.
void check_python_reference(Context& context, const std::string& text, Span span);
/// A secret says where it comes from: `env("X")` or `file("…")`.
std::optional<hir::AlertTarget> check_secret(Context& context, const ast::Declaration& declaration);
/// The same of the expression alone; `what` it is, for the message.
std::optional<hir::AlertTarget> secret_of(Context& context, ast::ExprId id, const std::string& what);
/// The column of a table that a path names, E0203 otherwise.
std::optional<hir::ColumnId> column_of_table(Context& context, hir::TableId table, const ast::Path& path);
/// Names of a table by its id.
bool is_opaque(const Context& context, hir::TableId table);
const ast::Declaration* declaration_of(const Context& context, hir::TableId table);

}  // namespace mlp::sema
