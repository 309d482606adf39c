#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <malloc.h>
#include <unistd.h>

#include <climits>

#include <cstdlib>
#include <functional>

#include "cli/command.h"

namespace {

bool wants_colour(int descriptor) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return isatty(descriptor) && !(no_colour && *no_colour) && !(term && std::string_view(term) == "dumb");
}

}  // namespace

int main(int argc, char** argv) {
  using namespace mlp::cli;
  // Columns of tens of megabytes come and go: memory that is kept is not asked of the system again page by page, which took longer than
  // the work (docs/benchmarks-relational.md).
  mallopt(M_MMAP_THRESHOLD, 1 << 25);  // the most that is taken
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  Common common;
  common.colour_out = wants_colour(STDOUT_FILENO);
  common.colour_err = wants_colour(STDERR_FILENO);
  common.live = isatty(STDERR_FILENO);
  for (int i = 1; i < argc; ++i) common.command_line += (i > 1 ? " " : "") + std::string(argv[i]);
  if (const char* store = std::getenv("MLP_STORE")) common.store = store;

  CLI::App app{"mlpc checks, plans and runs machine-learning workflows written in .mlp files.", "mlpc"};
  app.require_subcommand(1);
  app.set_help_flag("-h,--help", "what a command does and takes");
  std::function<int()> chosen;
  std::uint64_t most_rows = 10;
  std::optional<std::uint64_t> query_rows;
  std::string format, file, name, emit, output, where, host = "127.0.0.1";
  int port = -1;
  bool insecure = false;
  bool final_rows = false, detailed = false, up = false, down = false, verify_only = false;
  std::vector<std::string> scopes, paths;
  bool only_check = false, fix = false, stdio = false, profile = false;

  const auto command = [&](CLI::App* parent, const char* verb, const char* help) {
    CLI::App* sub = parent->add_subcommand(verb, help);
    if (verb == std::string_view("check"))
      sub->add_option("--format", format, "text, for people, on stderr; json: one document; sarif: SARIF 2.1.0, for editors and code review")
          ->check(CLI::IsMember({"text", "json", "sarif"}));
    else if (verb == std::string_view("peek") || verb == std::string_view("query"))
      sub->add_option("--format", format, "text: a table; json; csv")->check(CLI::IsMember({"text", "json", "csv"}));
    else
      sub->add_option("--format", format, "text, json; for plan and lineage also dot")->check(CLI::IsMember({"text", "json", "dot"}));
    sub->add_flag("--quiet", common.quiet, "no progress, no hints");
    return sub;
  };
  const auto stored = [&](CLI::App* sub) { sub->add_option("--store", common.store, "folder of the state (MLP_STORE); default: .mlp beside the workflow"); };
  const auto with_file = [&](CLI::App* sub) { sub->add_option("FILE", file, "the workflow")->required(); };
  const auto with_params = [&](CLI::App* sub) {
    sub->add_option("--param", common.params, "k=v, sets a param of the workflow")->take_all()->allow_extra_args(false);
    sub->add_option("--env", common.env, "the `env` block whose params and sources hold");
    sub->add_option("--as-of", common.as_of, "the logical time of the run: later rows take no part; else the newest time that is read");
  };
  const auto with_sample = [&](CLI::App* sub) { sub->add_option("--sample", common.sample, "features and models of a share of the rows, such as 1%; no candidate of it is proven"); };
  const auto with_execution = [&](CLI::App* sub) {
    sub->add_option("-j", common.threads, "threads; changes no result")->check(CLI::Range(1, 1024));
    sub->add_option("--fragment-rows", common.fragment_rows, "rows computed at once; changes no result")->check(CLI::Range(1, 1 << 30));
    const CLI::Validator size(
        [](std::string& text) {
          const auto bytes = bytes_of(text);
          if (!bytes || *bytes < 1'000'000) return fmt::format("`{}` is no amount of memory: write it as 4GB, 1.5GB or 500MB, at least 1MB", text);
          text = std::to_string(*bytes);
          return std::string();
        },
        "");
    sub->add_option("--memory", common.memory, "what a run may take, such as 4GB; default: what the machine has; changes no result")->transform(size)->type_name("SIZE");
    sub->add_flag("--baseline-cpu", common.baseline_cpu, "use no instruction that some x86-64 lacks; changes no result");
  };

  {
    CLI::App* sub = command(&app, "check", "every static error; reads no rows");
    sub->add_option("FILE", paths, "workflows; each is checked on its own")->required();
    with_params(sub);
    sub->get_option("--quiet")->description("errors and warnings only, nothing where all is right");
    sub->add_flag("--fix", fix, "first make the mends that are safe, and say which; a file is written only if that leaves it no more errors");
    sub->add_option("--emit", emit, "print a phase instead: ast, hir, logical, physical")->check(CLI::IsMember({"ast", "hir", "logical", "physical"}));
    sub->footer(
        "Exit status: 0 no errors, 1 a workflow is wrong, 2 usage, 5 a file cannot be read or written, 70 a mistake of mlpc; of several\n"
        "files the highest. Warnings change it not. Colours are for terminals, and off where NO_COLOR is set. `mlpc explain CODE` has more.");
    sub->callback([&] { chosen = [&] { return check(common, paths, emit, fix); }; });
  }
  {
    CLI::App* sub = command(&app, "lock", "finds the types of columns that are not declared, for `rest from lock`, and writes them to mlp.lock");
    with_file(sub), with_params(sub), stored(sub);
    sub->add_flag("--check", only_check, "write nothing; exit code 1 where mlp.lock would change");
    sub->add_option("--fragment-rows", common.fragment_rows, "rows read at once; changes no result")->check(CLI::Range(1, 1 << 30));
    sub->callback([&] { chosen = [&] { return lock(common, file, only_check); }; });
  }
  {
    CLI::App* sub = command(&app, "plan", "what would run, reuse, refit, and why");
    with_file(sub), with_params(sub), stored(sub);
    with_sample(sub);
    sub->add_flag("--detailed-exitcode", detailed, "exit 2 when there is something to do");
    sub->add_flag("--final", final_rows, "with the test rows");
    sub->add_option("--fragment-rows", common.fragment_rows, "rows computed at once")->check(CLI::Range(1, 1 << 30));
    sub->callback([&] { chosen = [&] { return plan(common, file, detailed, final_rows); }; });
  }
  {
    CLI::App* sub = command(&app, "run", "computes what is not there yet, up to candidates; changes no production");
    with_file(sub), with_params(sub), stored(sub), with_execution(sub);
    with_sample(sub);
    sub->add_flag("--final", final_rows, "evaluate on the test rows; each look is counted");
    sub->callback([&] { chosen = [&] { return run(common, file, final_rows); }; });
  }
  {
    CLI::App* sub = command(&app, "peek", "the first rows of a table or view, with what its columns are computed from");
    with_file(sub), with_params(sub), stored(sub), with_execution(sub);
    with_sample(sub);
    sub->add_option("NAME", name, "a table or feature view of the workflow")->required();
    sub->add_option("--where", where, "only rows for which this condition holds: 'age > 30 and job is known'")
        ->check(CLI::Validator([](const std::string& condition) { return condition.empty() ? std::string("is empty; write a condition, or leave it out") : std::string(); }, ""));
    CLI::Option* const most = sub->add_option("--rows", most_rows, "how many, at most")->check(CLI::Range(0, 1'000'000))->capture_default_str();
    sub->add_flag("--profile", profile, "of every column, over all rows: missing and distinct values, mean, quantiles, frequent values")->excludes(most);
    sub->callback([&] { chosen = [&] { return peek(common, file, name, where, most_rows, profile); }; });
  }
  {
    CLI::App* sub = command(&app, "query", "a SELECT over the tables and views of the workflow, by DuckDB");
    with_file(sub), with_params(sub), stored(sub), with_execution(sub);
    sub->add_option("SQL", name, "such as 'select job, count(*) from people group by job'")->required();
    sub->add_option("--rows", query_rows, "how many, at most; default: 100 as text, else all")->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 62));
    sub->callback([&] { chosen = [&] { return query(common, file, name, query_rows); }; });
  }
  {
    CLI::App* sub = command(&app, "test", "the test blocks of a workflow");
    with_file(sub), with_params(sub);
    sub->callback([&] { chosen = [&] { return test(common, file); }; });
  }
  {
    CLI::App* sub = command(&app, "runs", "the runs of a store, newest first");
    stored(sub);
    sub->callback([&] { chosen = [&] { return runs(common); }; });
  }
  {
    CLI::App* sub = command(&app, "show", "one run: steps, figures, gates, candidates");
    stored(sub);
    sub->add_option("RUN", name, "its id, or the beginning of it; default: the newest");
    sub->callback([&] { chosen = [&] { return show(common, name); }; });
  }
  {
    CLI::App* sub = command(&app, "why", "why a step is stale or reused");
    with_file(sub), with_params(sub), stored(sub);
    with_sample(sub);
    sub->add_option("NODE", name, "a column, model or step: profile.log_gain, earner")->required();
    sub->callback([&] { chosen = [&] { return why(common, file, name); }; });
  }
  {
    CLI::App* sub = command(&app, "models", "the candidates of a store");
    stored(sub);
    sub->callback([&] { chosen = [&] { return models(common); }; });
  }
  {
    CLI::App* sub = command(&app, "lineage", "what something is made from, and what would break without it");
    stored(sub);
    sub->add_option("NAME", name, "a source, column, model, deployment: people.age, earner")->required();
    sub->add_option("--file", file, "the workflow; default: that of the newest run");
    sub->add_flag("--up", up, "only what it is made from");
    sub->add_flag("--down", down, "only what depends on it");
    sub->callback([&] { chosen = [&] { return lineage(common, name, file, up, down); }; });
  }
  {
    CLI::App* sub = command(&app, "deploy", "takes proven candidates to their stage");
    with_file(sub), with_params(sub), stored(sub);
    sub->add_option("NAME", name, "one deployment of the file; default: all");
    sub->add_option("--fragment-rows", common.fragment_rows, "as the run had it")->check(CLI::Range(1, 1 << 30));
    sub->callback([&] { chosen = [&] { return deploy(common, file, name); }; });
  }
  {
    CLI::App* sub = command(&app, "approve", "approves a proven candidate, with the token in MLP_TOKEN");
    stored(sub);
    sub->add_option("WHAT", name, "earner@1, or a deployment that awaits approval")->required();
    sub->callback([&] { chosen = [&] { return approve(common, name); }; });
  }
  {
    CLI::App* sub = command(&app, "rollback", "takes the version that was deployed before");
    stored(sub);
    sub->add_option("DEPLOYMENT", name, "its name, income_api or income.income_api")->required();
    sub->callback([&] { chosen = [&] { return rollback(common, name); }; });
  }
  {
    CLI::App* token = app.add_subcommand("token", "who may do what");
    token->require_subcommand(1);
    CLI::App* create = command(token, "create", "makes a token and prints it once");
    stored(create);
    create->add_option("--scope", scopes, "predict, read, approve, deploy, admin; approve:risk for one role or deployment")->required()->delimiter(',');
    create->add_option("--name", name, "whose it is; default: who makes it");
    create->callback([&] { chosen = [&] { return token_create(common, scopes, name); }; });
  }
  {
    CLI::App* sub = command(&app, "fmt", "writes files in the one style");
    sub->add_option("FILE", paths, "workflows")->required();
    sub->add_flag("--check", only_check, "write nothing; exit code 1 where a file is formatted otherwise");
    sub->callback([&] { chosen = [&] { return format_files(common, paths, only_check); }; });
  }
  {
    CLI::App* sub = command(&app, "monitor", "whether what a deployment is asked still looks like what it was trained on");
    with_file(sub), stored(sub), with_params(sub);
    sub->add_option("DEPLOYMENT", name, "its name; may be left out where the file has one monitor");
    sub->add_option("--data", output, "look at the rows of this file instead of the requests that were answered");
    sub->add_option("--fragment-rows", common.fragment_rows, "rows computed at once; changes no result")->check(CLI::Range(1, 1 << 30));
    sub->callback([&] { chosen = [&] { return monitor(common, file, name, output); }; });
  }
  {
    CLI::App* sub = command(&app, "score", "predictions for the rows of a file");
    stored(sub);
    sub->add_option("MODEL", name, "earner, earner@2, or a deployment")->required();
    sub->add_option("IN", file, "CSV, TSV, JSON Lines, Parquet or Arrow, with the raw columns of the table")->required();
    sub->add_option("OUT", output, "what is written: .csv or .jsonl")->required();
    sub->add_option("--fragment-rows", common.fragment_rows, "rows of a CSV or TSV file computed at once; changes no result")->check(CLI::Range(1, 1 << 30));
    sub->callback([&] { chosen = [&] { return score(common, name, file, output); }; });
  }
  {
    CLI::App* sub = command(&app, "batch", "scores the tables of `batch` entries into their sinks, with the version that is deployed");
    with_file(sub), with_params(sub), stored(sub), with_execution(sub);
    sub->add_option("DEPLOYMENT", name, "one deployment of the file; default: all with a batch");
    sub->callback([&] { chosen = [&] { return batch(common, file, name); }; });
  }
  {
    CLI::App* sub = command(&app, "serve", "answers requests over HTTP with the deployed version");
    with_file(sub), with_params(sub), stored(sub);
    sub->add_option("DEPLOYMENT", name, "a deployment of the file that serves; default: the only one");
    sub->add_option("--port", port, "0: one that is free; default: that of the deploy block, or 8080")->check(CLI::Range(0, 65535));
    sub->add_option("--host", host, "the address to listen at")->capture_default_str();
    sub->add_flag("--insecure", insecure, "listen at other addresses than this machine's own without TLS; requests need tokens then");
    sub->add_option("-j", common.threads, "threads")->check(CLI::Range(1, 1024));
    sub->callback([&] { chosen = [&] { return serve(common, file, name, host, port, insecure); }; });
  }
  {
    CLI::App* sub = command(&app, "audit", "who changed what in which stage, when, and from which proof");
    stored(sub);
    sub->add_flag("--verify", verify_only, "only whether a line was altered, and which is the first");
    sub->callback([&] { chosen = [&] { return audit(common, verify_only); }; });
  }
  {
    CLI::App* cache = app.add_subcommand("cache", "the store");
    cache->require_subcommand(1);
    CLI::App* verify = command(cache, "verify", "hash every object, check every entry");
    stored(verify);
    verify->callback([&] { chosen = [&] { return cache_verify(common); }; });
    CLI::App* stats = command(cache, "stats", "how much there is");
    stored(stats);
    stats->callback([&] { chosen = [&] { return cache_stats(common); }; });
  }
  {
    CLI::App* sub = command(&app, "explain", "the page of a diagnostic code, or an entry of the standard library");
    sub->add_option("WHAT", name, "E0412, standardize")->required();
    sub->callback([&] { chosen = [&] { return explain(common, name); }; });
  }
  {
    CLI::App* sub = app.add_subcommand("lsp", "the language server, for editors: speaks the Language Server Protocol over stdin and stdout");
    sub->add_flag("--stdio", stdio, "as editors say it; there is no other way");
    sub->callback([&] { chosen = [] { return language_server(); }; });
  }
  command(&app, "version", "the version of mlpc")->callback([&] { chosen = [&] { return version(common); }; });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? kDone : kUsage;
  }
  common.format = format == "json" ? Format::json : format == "sarif" ? Format::sarif : format == "dot" ? Format::dot : format == "csv" ? Format::csv : Format::text;
  return chosen();
}
