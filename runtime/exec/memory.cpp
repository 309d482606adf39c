#include "runtime/exec/memory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "compiler/support/text.h"

namespace mlp::exec {

namespace {

constexpr std::uint64_t kListsPerRow = 48;  ///< row numbers, keys and their order

std::uint64_t bytes_per_row(const Type* type) {
  if (!type) return 1;  // bins
  switch (type->base) {
    case Base::bool_: return 1;
    case Base::category: return 4;
    case Base::string: return 32;
    case Base::vector: return 8 * std::uint64_t{std::max(type->detail ? type->detail->width : 1u, 1u)};
    default: return 8;
  }
}

/// The inputs that a step reads as a whole; none of one that goes by fragments.
std::vector<plan::StepId> read_whole(const Session& session, const plan::Step& step) {
  std::vector<plan::StepId> all = step.inputs;
  if (const auto* arrange = std::get_if<plan::Arrange>(&step.code)) {
    using How = plan::Arrange::How;
    if (arrange->how == How::group) return {};  // told when they are known
    if (arrange->is_whole()) return all;
    const bool joins = arrange->how == How::join || arrange->how == How::asof_join;
    if (!joins) return {};
    return {all.begin() + arrange->keys, all.begin() + 2 * arrange->keys};
  }
  if (std::holds_alternative<plan::Aggregate>(step.code)) return std::holds_alternative<plan::OrderRows>(session.plan[all[0]].code) ? all : std::vector<plan::StepId>{};
  if (std::holds_alternative<plan::OrderRows>(step.code) || std::holds_alternative<plan::MatchHistory>(step.code) || std::holds_alternative<plan::History>(step.code) ||
      std::holds_alternative<plan::CutByTime>(step.code) || std::holds_alternative<plan::KeepHistory>(step.code) || std::holds_alternative<plan::Train>(step.code) ||
      std::holds_alternative<plan::Metrics>(step.code) || std::holds_alternative<plan::HashSource>(step.code))
    return all;
  return {};
}

std::string amount(std::uint64_t bytes) {
  const auto x = static_cast<double>(bytes);
  return x >= 1e9 ? fmt::format("{:.1f} GB", x / 1e9) : fmt::format("{:.0f} MB", std::max(x / 1e6, 1.0));
}

std::unexpected<diag::Diagnostic> too_large(const plan::Step& step, const std::string& what, std::uint64_t needs, std::uint64_t may) {
  diag::Diagnostic d = diag::make(diag::Code::E0915, step.span, fmt::format("`{}` holds {} at once and needs about {}; this run may use {}", step.name, what, amount(needs), amount(may)));
  d.help = "allow it more with `--memory`, or leave fewer rows with `where`, `sample` or `group by` before it";
  return std::unexpected(std::move(d));
}

}  // namespace

std::uint64_t memory_of(const RunOptions& options) {
  if (options.memory > 0) return options.memory;
  auto most = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  for (const char* file : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::uint64_t limit = 0;
    if (std::ifstream(file) >> limit && limit > 0) most = std::min(most, limit);  // "max" is no number
  }
  return most;
}

Result<void> check_memory(const Session& session, const plan::Step& step) {
  std::uint64_t needs = 0, rows = 0;
  for (const plan::StepId id : read_whole(session, step)) {
    const plan::Step& input = session.plan[id];
    const auto& table = session.tables[input.table];
    if (!input.per_fragment || !table) continue;
    needs += table->rows * bytes_per_row(plan::column_type(input.code));
    rows = std::max(rows, table->rows);
  }
  const bool lists = !std::holds_alternative<plan::Train>(step.code) && !std::holds_alternative<plan::Metrics>(step.code);
  needs += lists ? rows * kListsPerRow : needs;  // a model and figures have a copy of what they read
  if (needs <= session.memory) return {};
  return too_large(step, fmt::format("all {} rows", with_commas(rows)), needs, session.memory);
}

Result<void> check_memory(const Session& session, const plan::Step& step, std::uint64_t groups, std::uint64_t bytes_of_one) {
  const std::uint64_t needs = groups * (kListsPerRow + bytes_of_one);
  if (needs <= session.memory) return {};
  return too_large(step, fmt::format("{} groups", with_commas(groups)), needs, session.memory);
}

}  // namespace mlp::exec
