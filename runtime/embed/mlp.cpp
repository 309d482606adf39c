#include "runtime/embed/mlp.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "compiler/driver/compile.h"
#include "runtime/exec/run.h"
#include "runtime/registry/registry.h"
#include "runtime/scorer/records.h"
#include "runtime/scorer/scorer.h"

using namespace mlp;

struct mlp_error {
  struct Item {
    std::string code, message, help, file;
    std::uint32_t line = 0, column = 0;
  };
  std::vector<Item> items;
};

struct mlp_scorer {
  registry::Deployed deployed;
  std::shared_ptr<const scorer::LoadedScorer> loaded;
  std::string digest;
  std::vector<std::string> types;
};

struct mlp_workflow {
  std::string file;
  SourceMap sources;
  plan::Physical plan;
};

struct mlp_report {
  exec::RunReport done;
  struct Metric {
    std::string model, name;
    double value;
  };
  std::vector<Metric> metrics;
  std::vector<std::string> statuses;
};

namespace {

mlp_error::Item item_of(const diag::Diagnostic& d, const SourceMap* sources) {
  mlp_error::Item item{std::string(diag::name(d.code)), d.message, d.help, "", 0, 0};
  // Of a value that breaks its contract the first is told; its field is in the message already when it is the only one.
  if (!d.places.empty() && d.places.size() + d.more_places > 1) item.message += "; first: `" + d.places[0].column + "` is " + d.places[0].reason;
  if (sources && d.span) {
    item.file = sources->file(d.span.file).path;
    const auto at = sources->locate(d.span.file, d.span.begin);
    item.line = at.line, item.column = at.column;
  }
  return item;
}

mlp_status fail(mlp_error** error, mlp_status status, std::vector<mlp_error::Item> items) {
  if (error) *error = new mlp_error{std::move(items)};
  return status;
}
mlp_status fail(mlp_error** error, const diag::Diagnostic& d, const SourceMap* sources = nullptr) {
  return fail(error, static_cast<mlp_status>(diag::exit_status(d.code)), {item_of(d, sources)});
}
mlp_status wrong_call(mlp_error** error, const char* what) { return fail(error, MLP_ARGUMENT, {{"", std::string(what) + " is NULL", "", "", 0, 0}}); }

/// No exception goes through the interface: what is left of them is the lack of memory, and mistakes of ours.
template <class Call>
mlp_status guarded(mlp_error** error, Call call) {
  if (error) *error = nullptr;
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return MLP_ENVIRONMENT;
  } catch (const std::exception&) {
    return MLP_BUG;
  }
}

std::optional<Value> value_of(const mlp_value& value) {
  switch (value.kind) {
    case MLP_MISSING: return std::monostate{};
    case MLP_BOOL: return value.of.boolean != 0;
    case MLP_INT: return value.of.integer;
    case MLP_FLOAT: return std::isnan(value.of.number) ? Value(std::monostate{}) : Value(value.of.number);
    case MLP_TEXT:
      if (!value.of.text.data && value.of.text.size) return std::nullopt;
      return std::string(value.of.text.data ? value.of.text.data : "", value.of.text.size);
  }
  return std::nullopt;
}

/// `value(row, field)` for each; a value of no kind is the call's mistake.
template <class ValueAt>
mlp_status predict_rows(const mlp_scorer* scorer, std::size_t rows, double* predictions, mlp_error** error, ValueAt value_at) {
  const std::size_t fields = scorer::schema(*scorer->loaded).request.size();
  // Blocks bound the memory of a call of millions of rows.
  constexpr std::size_t kRowsAtOnce = 4096;
  std::vector<double> all;
  for (std::size_t from = 0; from < rows; from += kRowsAtOnce) {
    std::vector<scorer::Record> records(std::min(kRowsAtOnce, rows - from), scorer::Record(fields));
    for (std::size_t r = 0; r < records.size(); ++r)
      for (std::size_t f = 0; f < fields; ++f) {
        auto value = value_at(from + r, f);
        if (!value) return fail(error, MLP_ARGUMENT, {{"", "a value has no kind that there is, or a text without data", "", "", 0, 0}});
        records[r][f] = std::move(*value);
      }
    auto some = scorer::predict_records(*scorer->loaded, records);
    if (!some) return fail(error, some.error());
    if (rows <= kRowsAtOnce) {
      std::ranges::copy(*some, predictions);
      return MLP_OK;
    }
    all.insert(all.end(), some->begin(), some->end());
  }
  std::ranges::copy(all, predictions);
  return MLP_OK;
}

const mlp_error::Item* item(const mlp_error* error, std::size_t i) { return error && i < error->items.size() ? &error->items[i] : nullptr; }
const plan::RawField* field(const mlp_scorer* scorer, std::size_t i) {
  if (!scorer) return nullptr;
  const auto& request = scorer::schema(*scorer->loaded).request;
  return i < request.size() ? &request[i] : nullptr;
}

}  // namespace

extern "C" {

uint32_t mlp_abi_version(void) { return MLP_ABI_VERSION; }

size_t mlp_error_count(const mlp_error* error) { return error ? error->items.size() : 0; }
const char* mlp_error_code(const mlp_error* error, size_t i) { return item(error, i) ? item(error, i)->code.c_str() : ""; }
const char* mlp_error_message(const mlp_error* error, size_t i) { return item(error, i) ? item(error, i)->message.c_str() : ""; }
const char* mlp_error_help(const mlp_error* error, size_t i) { return item(error, i) ? item(error, i)->help.c_str() : ""; }
const char* mlp_error_file(const mlp_error* error, size_t i) { return item(error, i) ? item(error, i)->file.c_str() : ""; }
uint32_t mlp_error_line(const mlp_error* error, size_t i) { return item(error, i) ? item(error, i)->line : 0; }
uint32_t mlp_error_column(const mlp_error* error, size_t i) { return item(error, i) ? item(error, i)->column : 0; }
void mlp_error_free(mlp_error* error) { delete error; }

mlp_status mlp_scorer_load(const char* store, const char* deployment, const char* stage, mlp_scorer** out, mlp_error** error) {
  return guarded(error, [&]() -> mlp_status {
    if (!store || !deployment || !out) return wrong_call(error, !store ? "store" : !deployment ? "deployment" : "out");
    const std::string directory = store;
    auto deployed = registry::current(directory, deployment);
    if (!deployed) return fail(error, deployed.error());
    if (stage && deployed->stage != stage)
      return fail(error, failure(diag::Code::E0908, "`" + deployed->deployment + "` stands in the stage `" + deployed->stage + "`, not in `" + stage + "`",
                                 "ask for that stage, or for any").error());
    auto opened = store::Store::open(directory, store::Mode::read_only);
    if (!opened) return fail(error, opened.error());
    auto loaded = scorer::load_compiled(deployed->scorer, [&](const Digest& digest) { return opened->get(digest); }, {"native", directory + "/kernels"});
    if (!loaded) return fail(error, loaded.error());
    auto made = std::make_unique<mlp_scorer>(mlp_scorer{std::move(*deployed), std::move(*loaded), "", {}});
    made->digest = made->deployed.scorer.hex();
    for (const plan::RawField& raw : scorer::schema(*made->loaded).request) made->types.push_back(to_string(raw.read.type));
    *out = made.release();
    return MLP_OK;
  });
}
void mlp_scorer_free(mlp_scorer* scorer) { delete scorer; }
const char* mlp_scorer_model(const mlp_scorer* scorer) { return scorer ? scorer->deployed.model.c_str() : ""; }
const char* mlp_scorer_stage(const mlp_scorer* scorer) { return scorer ? scorer->deployed.stage.c_str() : ""; }
uint32_t mlp_scorer_version(const mlp_scorer* scorer) { return scorer ? scorer->deployed.version : 0; }
const char* mlp_scorer_digest(const mlp_scorer* scorer) { return scorer ? scorer->digest.c_str() : ""; }
size_t mlp_scorer_field_count(const mlp_scorer* scorer) { return scorer ? scorer->types.size() : 0; }
const char* mlp_scorer_field_name(const mlp_scorer* scorer, size_t i) { return field(scorer, i) ? field(scorer, i)->name.c_str() : ""; }
const char* mlp_scorer_field_type(const mlp_scorer* scorer, size_t i) { return field(scorer, i) ? scorer->types[i].c_str() : ""; }
int mlp_scorer_field_may_be_missing(const mlp_scorer* scorer, size_t i) { return field(scorer, i) && field(scorer, i)->read.type.missing; }

mlp_status mlp_predict(const mlp_scorer* scorer, const mlp_value* values, size_t rows, double* predictions, mlp_error** error) {
  return guarded(error, [&]() -> mlp_status {
    if (!scorer) return wrong_call(error, "scorer");
    if (rows && (!values || !predictions)) return wrong_call(error, !values ? "values" : "predictions");
    const std::size_t fields = scorer->types.size();
    return predict_rows(scorer, rows, predictions, error, [&](std::size_t row, std::size_t f) { return value_of(values[row * fields + f]); });
  });
}

mlp_status mlp_predict_columns(const mlp_scorer* scorer, const mlp_column* columns, size_t rows, double* predictions, mlp_error** error) {
  return guarded(error, [&]() -> mlp_status {
    if (!scorer) return wrong_call(error, "scorer");
    if (rows && (!columns || !predictions)) return wrong_call(error, !columns ? "columns" : "predictions");
    for (std::size_t f = 0; rows && f < scorer->types.size(); ++f)
      if (!columns[f].data && columns[f].kind != MLP_MISSING) return wrong_call(error, "the data of a column");
    return predict_rows(scorer, rows, predictions, error, [&](std::size_t row, std::size_t f) -> std::optional<Value> {
      const mlp_column& column = columns[f];
      mlp_value value{column.known && !column.known[row] ? MLP_MISSING : column.kind, {}};
      switch (value.kind) {
        case MLP_MISSING: break;
        case MLP_BOOL: value.of.boolean = static_cast<const int*>(column.data)[row]; break;
        case MLP_INT: value.of.integer = static_cast<const int64_t*>(column.data)[row]; break;
        case MLP_FLOAT: value.of.number = static_cast<const double*>(column.data)[row]; break;
        case MLP_TEXT: value.of.text = static_cast<const mlp_text*>(column.data)[row]; break;
      }
      return value_of(value);
    });
  });
}

mlp_status mlp_workflow_compile(const char* file, mlp_workflow** out, mlp_error** error) {
  return guarded(error, [&]() -> mlp_status {
    if (!file || !out) return wrong_call(error, !file ? "file" : "out");
    driver::Compiled compiled = driver::compile(file, {});
    std::vector<mlp_error::Item> items;
    int status = MLP_WORKFLOW;
    for (const diag::Diagnostic& d : compiled.sink.diagnostics())
      if (diag::severity(d.code) == diag::Severity::error) items.push_back(item_of(d, &compiled.sources)), status = diag::exit_status(d.code);
    if (items.empty() && compiled.workflow)
      for (const hir::NotYet& form : compiled.workflow->not_yet)
        items.push_back(item_of(diag::make(diag::Code::E0601, form.span, form.what + " is checked, but this version of mlpc cannot run it yet").with_help("leave it out to run the rest"), &compiled.sources));
    if (!items.empty()) return fail(error, static_cast<mlp_status>(status), std::move(items));
    *out = new mlp_workflow{file, std::move(compiled.sources), std::move(*compiled.plan)};
    return MLP_OK;
  });
}
const char* mlp_workflow_name(const mlp_workflow* workflow) { return workflow ? workflow->plan.workflow.c_str() : ""; }
void mlp_workflow_free(mlp_workflow* workflow) { delete workflow; }

mlp_status mlp_workflow_run(const mlp_workflow* workflow, const char* store, mlp_progress progress, void* context, mlp_report** out, mlp_error** error) {
  return guarded(error, [&]() -> mlp_status {
    if (!workflow || !out) return wrong_call(error, !workflow ? "workflow" : "out");
    const std::string folder = driver::folder_of(workflow->file);
    const std::string directory = store ? std::string(store) : (folder.empty() ? std::string() : folder + "/") + ".mlp";
    auto opened = store::Store::open(directory, store::Mode::read_write);
    if (!opened) return fail(error, opened.error());
    store::Catalog catalog(directory, false);
    const auto by = registry::identify(directory, std::nullopt);
    if (!by) return fail(error, by.error());
    catalog.set_author(by->name);
    exec::RunOptions options;
    options.file = workflow->file;
    options.command = "embedded";
    exec::Listener listener;
    std::size_t ended = 0;
    if (progress) listener.finished = [&](const plan::Step& step, const exec::StepReport&) { progress(step.name.c_str(), ++ended, workflow->plan.steps.size(), context); };
    auto done = exec::run(workflow->plan, *opened, catalog, options, listener);
    if (!done) return fail(error, done.error(), &workflow->sources);
    if (done->failure) return fail(error, *done->failure, &workflow->sources);
    auto report = std::make_unique<mlp_report>();
    report->done = std::move(*done);
    for (const exec::FigureReport& figure : report->done.figures)
      if (figure.group_columns.empty()) report->metrics.push_back({figure.model, figure.metric, figure.figure.value.value_or(std::numeric_limits<double>::quiet_NaN())});
    for (const exec::GateReport& gate : report->done.gates) report->statuses.emplace_back(exec::name(gate.status.kind));
    *out = report.release();
    return MLP_OK;
  });
}

const char* mlp_report_run(const mlp_report* report) { return report ? report->done.id.c_str() : ""; }
size_t mlp_report_steps_ran(const mlp_report* report) { return report ? report->done.count(exec::Action::ran) : 0; }
size_t mlp_report_steps_reused(const mlp_report* report) { return report ? report->done.count(exec::Action::reused) : 0; }
size_t mlp_report_metric_count(const mlp_report* report) { return report ? report->metrics.size() : 0; }
const char* mlp_report_metric_model(const mlp_report* report, size_t i) { return i < mlp_report_metric_count(report) ? report->metrics[i].model.c_str() : ""; }
const char* mlp_report_metric_name(const mlp_report* report, size_t i) { return i < mlp_report_metric_count(report) ? report->metrics[i].name.c_str() : ""; }
double mlp_report_metric_value(const mlp_report* report, size_t i) {
  return i < mlp_report_metric_count(report) ? report->metrics[i].value : std::numeric_limits<double>::quiet_NaN();
}
size_t mlp_report_gate_count(const mlp_report* report) { return report ? report->statuses.size() : 0; }
const char* mlp_report_gate_model(const mlp_report* report, size_t i) { return i < mlp_report_gate_count(report) ? report->done.gates[i].model.c_str() : ""; }
const char* mlp_report_gate_text(const mlp_report* report, size_t i) { return i < mlp_report_gate_count(report) ? report->done.gates[i].text.c_str() : ""; }
const char* mlp_report_gate_status(const mlp_report* report, size_t i) { return i < mlp_report_gate_count(report) ? report->statuses[i].c_str() : ""; }
size_t mlp_report_candidate_count(const mlp_report* report) { return report ? report->done.candidates.size() : 0; }
const char* mlp_report_candidate_model(const mlp_report* report, size_t i) {
  return i < mlp_report_candidate_count(report) ? report->done.candidates[i].model.c_str() : "";
}
uint32_t mlp_report_candidate_version(const mlp_report* report, size_t i) { return i < mlp_report_candidate_count(report) ? report->done.candidates[i].version : 0; }
int mlp_report_candidate_proven(const mlp_report* report, size_t i) { return i < mlp_report_candidate_count(report) && report->done.candidates[i].proven; }
void mlp_report_free(mlp_report* report) { delete report; }

}  // extern "C"
