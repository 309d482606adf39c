#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <set>

#include "compiler/support/check.h"
#include "runtime/exec/session.h"
#include "runtime/interp/evaluate.h"
#include "runtime/io/field_text.h"

namespace mlp::exec {

namespace {

/// Equal for equal values; 0 and -0 are.
std::string identity(const Column& column, std::size_t row) {
  if (column.type.is_text()) return std::string(column.text(row));
  const Value value = value_at(column, row);
  const auto* number = std::get_if<double>(&value);
  return to_string(number ? Value(*number + 0.0) : value);
}

struct Statistic {
  double value = 0;
  std::string repeated;  ///< the first value that is there twice, in words
};

/// A value of a table-wide statistic; `distinct` counts known values.
Result<Statistic> statistic(Session& session, const plan::Step& step, plan::Expect::Statistic what, std::uint32_t input) {
  const io::Table& fragments = session.fragments(step);
  if (what == plan::Expect::Statistic::rows) return Statistic{static_cast<double>(fragments.rows), {}};
  std::uint64_t missing = 0;
  std::set<std::string> distinct;
  std::string repeated;
  for (std::size_t f = 0; f < fragments.fragments.size(); ++f) {
    MLP_TRY(const auto column, session.column(step.inputs[input], f));
    missing += column->count_missing();
    if (what == plan::Expect::Statistic::missing_share) continue;
    for (std::size_t i = 0; i < column->rows; ++i) {
      if (!column->is_known(i)) continue;
      const auto [at, is_new] = distinct.insert(identity(*column, i));
      if (!is_new && repeated.empty()) repeated = fmt::format("row {} has `{}` again", fragments.fragments[f].first_row + i + 1, io::shortened(*at));
    }
  }
  switch (what) {
    case plan::Expect::Statistic::missing_share: return Statistic{fragments.rows ? static_cast<double>(missing) / static_cast<double>(fragments.rows) : 0.0, {}};
    case plan::Expect::Statistic::distinct: return Statistic{static_cast<double>(distinct.size()), {}};
    case plan::Expect::Statistic::is_unique: return Statistic{repeated.empty() ? 1.0 : 0.0, repeated};
    case plan::Expect::Statistic::rows: break;
  }
  return Statistic{};
}

std::string statistic_name(plan::Expect::Statistic what, const std::string& column) {
  switch (what) {
    case plan::Expect::Statistic::rows: return "rows";
    case plan::Expect::Statistic::missing_share: return fmt::format("missing({})", column);
    case plan::Expect::Statistic::distinct: return fmt::format("distinct({})", column);
    case plan::Expect::Statistic::is_unique: return fmt::format("unique({})", column);
  }
  return {};
}

std::string short_name(const std::string& step) { return step.substr(step.rfind('.') + 1); }

/// Why the expectation does not hold, or nothing.
Result<std::string> check(Session& session, const plan::Step& step, const plan::Expect::Item& item) {
  const io::Table& fragments = session.fragments(step);
  if (!item.for_all_rows) {
    Batch one;
    one.rows = 1;
    std::string seen;
    for (std::size_t i = 0; i < item.statistics.size(); ++i) {
      const auto [what, input] = item.statistics[i];
      MLP_TRY(const Statistic found, statistic(session, step, what, input));
      const double value = found.value;
      const std::string column = what == plan::Expect::Statistic::rows ? std::string() : short_name(session.plan[step.inputs[input]].name);
      if (!seen.empty()) seen += ", ";
      seen += what == plan::Expect::Statistic::missing_share ? fmt::format("{} is {:.4g}%", statistic_name(what, column), value * 100)
              : what == plan::Expect::Statistic::is_unique   ? fmt::format("{} is {}", statistic_name(what, column), value != 0 ? "true" : "false: " + found.repeated)
                                                             : fmt::format("{} is {:.0f}", statistic_name(what, column), value);
    }
    for (const expr::InputColumn& input : item.condition.inputs) {
      const auto [what, position] = item.statistics[input.column];
      MLP_TRY(const Statistic found, statistic(session, step, what, position));
      const double value = found.value;
      const Value constant_value = input.type.base == Base::int_    ? Value(static_cast<std::int64_t>(value))
                                   : input.type.base == Base::bool_ ? Value(value != 0)
                                                                    : Value(value);
      one.columns.push_back(constant(input.type, constant_value, 1));
    }
    MLP_TRY(const Column held, interp::evaluate(item.condition, one));
    return held.is_known(0) && held.values<std::uint8_t>()[0] ? std::string() : seen;
  }
  std::uint64_t broken = 0, first = 0;
  for (std::size_t f = 0; f < fragments.fragments.size(); ++f) {
    Batch batch;
    batch.rows = fragments.fragments[f].rows;
    batch.first_row = fragments.fragments[f].first_row;
    for (const expr::InputColumn& input : item.condition.inputs) {
      MLP_TRY(const auto column, session.column(step.inputs[input.column], f));
      batch.columns.push_back(*column);
    }
    MLP_TRY(const Column held, interp::evaluate(item.condition, batch));
    for (std::size_t i = 0; i < held.rows; ++i)
      if (!held.is_known(i) || !held.values<std::uint8_t>()[i])
        if (broken++ == 0) first = batch.first_row + i + 1;
  }
  return broken ? fmt::format("{} of {} rows break it, the first is row {}", broken, fragments.rows, first) : std::string();
}

}  // namespace

Result<std::string> expect(Session& session, const plan::Step& step, const plan::Expect& code, std::vector<diag::Diagnostic>& warnings) {
  nlohmann::ordered_json report;
  report["version"] = 1;
  report["held"] = nlohmann::ordered_json::array();
  std::optional<diag::Diagnostic> failed;
  for (const plan::Expect::Item& item : code.items) {
    MLP_TRY(const std::string broken, check(session, step, item));
    report["held"].push_back(broken.empty());
    if (broken.empty()) continue;
    diag::Diagnostic d = diag::make(item.warn ? diag::Code::W0801 : diag::Code::E0802, item.span,
                                    fmt::format("`{}` does not hold for `{}`", item.text, session.plan.tables[step.table].name));
    d.label = broken;
    d.notes.push_back(broken);
    d.help = "look at the data; if it is right, change the expectation, or let it only warn with `else warn`";
    if (item.warn)
      warnings.push_back(std::move(d));
    else if (failed)
      failed->notes.push_back(fmt::format("`{}` does not hold either: {}", item.text, broken));
    else
      failed = std::move(d);
  }
  if (failed) return failure(std::move(*failed));
  return report.dump();
}

}  // namespace mlp::exec
