#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "compiler/diag/render.h"
#include "runtime/batch/score.h"
#include "runtime/registry/registry.h"
#include "runtime/scorer/scorer.h"

namespace mlp::cli {

namespace {

using Json = nlohmann::ordered_json;

/// What answers to a name.
struct Version {
  std::string model;
  std::uint32_t version = 0;
  Digest scorer;
  bool proven = false;
};

/// "income.earner" is meant by itself and by "earner".
bool is_named(const std::string& whole, std::string_view name) {
  return whole == name || (whole.size() > name.size() && whole.ends_with(name) && whole[whole.size() - name.size() - 1] == '.');
}

/// "earner" (its newest version), "earner@2", or a deployment (the version that stands there).
Result<Version> resolve(const std::string& directory, const std::string& what) {
  const std::size_t at = what.find('@');
  const std::string name = what.substr(0, at);
  if (at == std::string::npos) {
    MLP_TRY(const auto deployed, registry::deployments(directory));
    for (const registry::Deployed& d : deployed)
      if (is_named(d.deployment, name)) return Version{d.model, d.version, d.scorer, true};
  }
  store::Catalog catalog(directory, true);
  MLP_TRY(const auto candidates, catalog.models());
  const store::Candidate* found = nullptr;
  std::vector<std::string_view> names;
  for (const store::Candidate& candidate : candidates) {
    names.push_back(std::string_view(candidate.model).substr(candidate.model.rfind('.') + 1));
    if (!is_named(candidate.model, name)) continue;
    if (found && found->model != candidate.model)
      return failure(diag::Code::E0908, fmt::format("`{}` may be `{}` or `{}`", name, found->model, candidate.model), "write the whole name");
    if (at == std::string::npos || what.substr(at + 1) == std::to_string(candidate.version)) found = &candidate;
  }
  if (!found) {
    const std::string_view near = diag::did_you_mean(name, names);
    return failure(diag::Code::E0908, fmt::format("the store `{}` has no model or deployment `{}`", directory, what),
                   near.empty() ? "`mlpc models` lists them; --store names another store" : fmt::format("did you mean `{}`?", near));
  }
  return Version{found->model, found->version, found->scorer, found->proven};
}

}  // namespace

int score(const Common& common, const std::string& what, const std::string& input, const std::string& output) {
  const std::string directory = common.store.empty() ? std::string(".mlp") : common.store;
  const auto version = resolve(directory, what);
  if (!version) return report(common, version.error());
  auto store = store::Store::open(directory, store::Mode::read_only);
  if (!store) return report(common, store.error());
  const auto loaded = scorer::load(version->scorer, [&](const Digest& digest) { return store->get(digest); });
  if (!loaded) return report(common, loaded.error());
  const auto files = io::real_file_system();
  const auto done = batch::score_file(**loaded, *files, input, output, common.fragment_rows);
  if (!done) return report(common, done.error());

  std::vector<diag::Diagnostic> warnings;
  if (done->bad_rows) warnings.push_back(io::rows_set_aside(done->bad_rows, done->bad, input, "they have no prediction; mend them and score them again"));
  if (done->outside)
    warnings.push_back(diag::make(diag::Code::W0802, {}, fmt::format("{} row{} of `{}` {} no prediction: the model was not made for such rows", done->outside, done->outside == 1 ? "" : "s", input,
                                                                     done->outside == 1 ? "has" : "have"))
                           .with_help("a `where` of the table's pipeline, or a join, leaves them out"));
  if (done->undefined) {
    warnings.push_back(diag::make(diag::Code::W0802, {}, fmt::format("{} row{} of `{}` {} no prediction: a number that the model needs is infinite or undefined",
                                                                     done->undefined, done->undefined == 1 ? "" : "s", input, done->undefined == 1 ? "has" : "have")));
    warnings.back().help = "bound the expressions of the features, or give a fallback with `??`";
  }
  for (const diag::Diagnostic& d : warnings) fmt::print(stderr, "{}", diag::render_text(d, {}, {common.colour_err, 20}));
  if (common.format == Format::json) {
    Json json{{"format_version", 1}, {"model", version->model}, {"version", version->version}, {"proven", version->proven},
              {"scorer", scorer::schema(**loaded).scorer.hex()}, {"rows", done->rows}, {"scored", done->scored}, {"set_aside", done->bad_rows},
              {"out_of_population", done->outside}, {"undefined", done->undefined}, {"output", output}};
    json["diagnostics"] = Json::array();
    for (const diag::Diagnostic& d : warnings) json["diagnostics"].push_back(Json::parse(diag::render_json(d, {})));
    fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else if (!common.quiet) {
    fmt::print("{} of {} rows scored by {} version {}{}, in {}\n", done->scored, done->rows, version->model, version->version,
               version->proven ? "" : " (not proven)", output);
  }
  return kDone;
}

}  // namespace mlp::cli
