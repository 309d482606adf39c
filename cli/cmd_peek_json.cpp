#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/asked_rows.h"
#include "cli/profiles.h"
#include "cli/rows.h"
#include "compiler/support/text.h"
#include "runtime/exec/cell_profiles.h"

namespace mlp::cli {

namespace {

/// The column that is read fastest, to count rows.
plan::StepId cheapest(const planner::ShownRows& rows) {
  const auto at = std::ranges::find_if(rows.columns, [](const planner::ShownColumn& column) { return column.type.base != Base::string && column.type.base != Base::vector; });
  return (at == rows.columns.end() ? rows.columns.front() : *at).step;
}

struct Found {
  Rows rows;
  std::uint64_t total = 0, matching = 0;
};

Result<Found> find_rows(ComputedRows& computed, std::uint64_t most) {
  const planner::ShownRows& asked = computed.asked.rows.front();
  Found out;
  std::vector<std::vector<Column>> parts(asked.columns.size());
  const plan::StepId counted = asked.where.value_or(cheapest(asked));
  for (std::size_t f = 0; f < computed.fragments(counted); ++f) {
    MLP_TRY(const Column column, computed.column(counted, f));
    std::vector<std::uint32_t> chosen;
    for (std::uint32_t row = 0; row < column.rows; ++row) {
      if (asked.where && !(column.is_known(row) && column.values<std::uint8_t>()[row])) continue;
      ++out.matching;
      if (out.rows.numbers.size() == most) continue;
      out.rows.numbers.push_back(out.total + row + 1);
      chosen.push_back(row);
    }
    out.total += column.rows;
    if (chosen.empty()) continue;
    for (std::size_t c = 0; c < asked.columns.size(); ++c) {
      MLP_TRY(const Column cell, computed.column(asked.columns[c].step, f));
      parts[c].push_back(take(cell, chosen));
    }
  }
  const bool several = std::ranges::any_of(asked.columns, [&](const planner::ShownColumn& column) { return column.owner != asked.columns.front().owner; });
  for (std::size_t c = 0; c < asked.columns.size(); ++c) {
    const planner::ShownColumn& column = asked.columns[c];
    out.rows.columns.push_back({column.name, several ? column.owner : std::string(), column.type, parts[c].empty() ? ColumnBuilder(column.type).finish() : concatenate(parts[c]), column.code});
  }
  return out;
}

struct Profiled {
  std::vector<ShownProfile> columns;
  std::uint64_t total = 0, matching = 0;
};

Result<Profiled> profile_rows(ComputedRows& computed, int threads) {
  const planner::ShownRows& asked = computed.asked.rows.front();
  const auto cells_of = [&](plan::StepId step) { return computed.ran.report.steps[step.index()].outputs; };
  std::vector<std::vector<Digest>> cells;
  for (const planner::ShownColumn& column : asked.columns) cells.push_back(cells_of(column.step));
  const std::vector<Digest> where = asked.where ? cells_of(*asked.where) : std::vector<Digest>();
  MLP_TRY(std::vector<learn::ColumnProfile> profiles, exec::profile_cells(computed.ran.store, cells, where, threads));
  Profiled out;
  out.total = out.matching = profiles.front().rows;
  if (asked.where) {
    MLP_TRY(const auto all, exec::profile_cells(computed.ran.store, {where}, {}, threads));
    out.total = all.front().rows;
  }
  const bool several = std::ranges::any_of(asked.columns, [&](const planner::ShownColumn& column) { return column.owner != asked.columns.front().owner; });
  for (std::size_t c = 0; c < profiles.size(); ++c) {
    const planner::ShownColumn& column = asked.columns[c];
    out.columns.push_back({column.name, several ? column.owner : std::string(), column.type, column.code, std::move(profiles[c])});
  }
  return out;
}

/// Of a JSON object that says rows of a table or view: what stands before these.
std::string json_head(const ComputedRows& computed, const std::string& name, std::uint64_t total, std::uint64_t matching) {
  const auto text = [](const std::string& t) { return nlohmann::json(t).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); };
  const hir::Workflow& workflow = *computed.compiled.workflow;
  const planner::ShownRows& asked = computed.asked.rows.front();
  return fmt::format("\"format_version\":1,\"workflow\":{},\"name\":{},\"kind\":\"{}\",\"total_rows\":{},\"matching_rows\":{},\"sample\":{},\"fitted_as\":{},\"left_out\":{}", text(workflow.name), text(name),
                     workflow.rows.front().view ? "view" : "table", total, matching, computed.asked.plan.share < 1 ? fmt::format("{}", computed.asked.plan.share) : "null", asked.fitted_as ? text(*asked.fitted_as) : "null", nlohmann::json(asked.left_out).dump());
}

void print_footer(const Common& common, const ComputedRows& computed, std::uint64_t shown, std::uint64_t matching, std::uint64_t total, const std::string& where) {
  if (common.quiet) return;
  const char* noun = matching == 1 ? "row" : "rows";
  if (where.empty()) fmt::print("\n{} of {} {}\n", with_commas(shown), with_commas(total), noun);
  else fmt::print("\n{} of {} {} where {}, out of {}\n", with_commas(shown), with_commas(matching), noun, where, with_commas(total));
  if (computed.asked.plan.share < 1) fmt::print("a sample of {:g}%\n", computed.asked.plan.share * 100);
  fmt::print("{}", fitted_text(computed.asked.rows.front()));
}

int show_profile(const Common& common, ComputedRows& computed, const std::string& name, const std::string& where) {
  const auto found = profile_rows(computed, common.threads > 0 ? common.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  if (!found) return report(common, found.error(), computed.compiled.sources);
  if (common.format == Format::csv) {
    fmt::print("{}", profiles_csv(found->columns));
  } else if (common.format == Format::json) {
    fmt::print("{{{},{}}}\n", json_head(computed, name, found->total, found->matching), profiles_json(found->columns));
  } else {
    fmt::print("{}", profiles_text(found->columns, terminal_width(), common.colour_out));
    print_footer(common, computed, found->matching, found->matching, found->total, where);
  }
  return kDone;
}

}  // namespace

int peek(const Common& common, const std::string& file, const std::string& name, const std::string& where, std::uint64_t most, bool profile) {
  int exit = kDone;
  auto computed = compute_rows(common, file, {{name, where, false}}, true, exit);
  if (!computed) return exit;
  const planner::ShownRows& asked = computed->asked.rows.front();
  if (asked.columns.empty()) return report(common, diag::make(diag::Code::E0309, {}, fmt::format("all columns of `{}` are fitted on training rows, and no train says which these are", name)).with_help("peek at the table that it is made from"));
  if (profile) return show_profile(common, *computed, name, where);
  const auto found = find_rows(*computed, most);
  if (!found) return report(common, found.error(), computed->compiled.sources);
  if (common.format == Format::csv) {
    fmt::print("{}", rows_csv(found->rows));
  } else if (common.format == Format::json) {
    fmt::print("{{{},{}}}\n", json_head(*computed, name, found->total, found->matching), rows_json(found->rows));
  } else {
    fmt::print("{}", rows_text(found->rows, terminal_width(), common.colour_out));
    print_footer(common, *computed, found->rows.numbers.size(), found->matching, found->total, where);
  }
  return kDone;
}

}  // namespace mlp::cli
