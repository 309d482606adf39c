#include "runtime/registry/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "compiler/plan/scorer.h"
#include "compiler/support/check.h"
#include "runtime/registry/state.h"

namespace mlp::registry {

namespace {

/// Why something is refused, before anything is written.
Outcome refused(diag::Code code, std::string reason, std::string help) { return {Status::refused, code, std::move(reason), std::move(help), {}}; }

Outcome not_proven(const Candidate& candidate) {
  std::vector<std::string> open;
  for (const GateProof& gate : candidate.gates)
    if (gate.status == "failed" || gate.status == "inconclusive")
      open.push_back(gate.value ? fmt::format("`{}` {} at {:.4g}", gate.text, gate.status == "failed" ? "failed" : "is inconclusive", *gate.value)
                                : fmt::format("`{}` {}", gate.text, gate.status == "failed" ? "failed" : "is inconclusive"));
  const std::string why = open.empty() ? candidate.why : fmt::format("{}", fmt::join(open, ", "));
  return refused(diag::Code::E0605, fmt::format("`{}` version {} is not proven: {}", candidate.model, candidate.version, why),
                 open.empty() ? "write gates, `require …`, into an `evaluate` of the model, then run it" : "a gate is passed by a better model, or by more rows where it is inconclusive");
}

/// Names of those who made the candidate or asked for it: none of them approves it.
std::set<std::string> authors_of(const std::vector<Entry>& entries, const std::string& model, std::uint32_t version, const std::string& author) {
  std::set<std::string> authors;
  if (!author.empty()) authors.insert(author);
  for (const Entry& entry : entries)
    if ((entry.event == Event::requested || entry.event == Event::deployed) && entry.model == model && entry.version == version) authors.insert(entry.who);
  return authors;
}

bool is_for(const Entry& approval, const Request& request) {
  const Candidate& candidate = request.candidate;
  if (approval.event != Event::approved || approval.model != candidate.model) return false;
  const bool this_one = approval.version == candidate.version && approval.scorer == candidate.scorer;
  if (!this_one && !(request.approval_per_code && approval.code && approval.code == candidate.code)) return false;
  Identity then{approval.who, true, approval.scopes};
  const std::string_view whole = request.deployment;
  return may(then, "approve", {request.approval_from, whole.substr(whole.rfind('.') + 1), whole});
}

bool still_valid(const Entry& approval, const Request& request) {
  if (request.approval_valid_us == 0) return true;
  const auto then = seconds_of(approval.at), now = seconds_of(store::utc_now());
  return then && now && *now - *then < request.approval_valid_us / 1'000'000;
}

struct Approval {
  const Entry* counted = nullptr;
  std::string why_not;
};

Approval find_approval(const std::vector<Entry>& entries, const Request& request, const Identity& by) {
  std::set<std::string> authors = authors_of(entries, request.candidate.model, request.candidate.version, request.candidate.author);
  authors.insert(by.name);
  Approval found;
  for (const Entry& entry : entries) {
    if (!is_for(entry, request)) continue;
    if (!still_valid(entry, request)) found.why_not = fmt::format("the approval by `{}` of {} is no longer valid", entry.who, entry.at);
    else if (authors.contains(entry.who)) found.why_not = fmt::format("`{}` approved it, and made it or asks for it: somebody else has to", entry.who);
    else found.counted = &entry;
  }
  return found;
}

/// All objects without which the scorer cannot answer become roots. E0903, E0908 when one is not there.
Result<void> keep_objects(store::Store& store, store::Catalog& catalog, const Request& request) {
  const Digest& digest = request.candidate.scorer;
  MLP_TRY(const std::string bytes, store.get(digest));
  MLP_TRY(const plan::Scorer scorer, plan::decode_scorer(bytes));
  std::vector<Digest> objects{digest, scorer.trained};
  objects.insert(objects.end(), scorer.states.begin(), scorer.states.end());
  const std::string why = fmt::format("deployed {} version {} as {}", request.candidate.model, request.candidate.version, request.deployment);
  for (const Digest& object : objects) {
    if (!store.has(object))
      return failure(diag::Code::E0908, fmt::format("`{}` version {} needs an object that is not in `{}`: {}", request.candidate.model, request.candidate.version, store.directory(), object.brief()),
                     "run the workflow again: it makes what is missing");
    MLP_TRY_VOID(catalog.add_root({object, why}));
  }
  return {};
}

Entry entry_for(Event event, const Request& request, const Identity& by) {
  Entry entry;
  entry.event = event;
  entry.who = by.name;
  entry.deployment = request.deployment;
  entry.stage = request.stage;
  entry.model = request.candidate.model;
  entry.version = request.candidate.version;
  entry.scorer = request.candidate.scorer;
  entry.code = request.candidate.code;
  entry.run = request.candidate.run;
  entry.gates = request.candidate.gates;
  return entry;
}

std::vector<Deployed> standing_in(const std::map<std::string, DeploymentState>& states, const std::string& model, const std::string& stage) {
  std::vector<Deployed> out;
  for (const auto& [whole, state] : states)
    for (const Deployed& one : state.versions)
      if (one.model == model && one.stage == stage) out.push_back(one);
  std::ranges::sort(out, {}, &Deployed::entry);
  return out;
}

Result<Outcome> await_approval(LockedAuditLog& log, const DeploymentState& state, const Request& request, const Identity& by, const std::string& why_not) {
  const Candidate& candidate = request.candidate;
  const auto& before = state.awaiting;
  const bool asked = before && before->model == candidate.model && before->version == candidate.version && before->scorer == candidate.scorer &&
                     before->stage == request.stage && before->role == request.approval_from && before->who == by.name;
  if (!asked) {
    Entry entry = entry_for(Event::requested, request, by);
    entry.role = request.approval_from;
    MLP_TRY_VOID(log.append(std::move(entry)));
  }
  Outcome out;
  out.status = Status::awaiting_approval;
  out.code = diag::Code::E0606;
  out.reason = fmt::format("`{}` version {} awaits approval{} before it goes to `{}`", candidate.model, candidate.version,
                           request.approval_from.empty() ? "" : fmt::format(" from \"{}\"", request.approval_from), request.stage);
  if (!why_not.empty()) out.reason += ": " + why_not;
  out.help = fmt::format("whoever may approve runs `mlpc approve {}@{}` with a token of the scope {}, then this is run again", candidate.model, candidate.version,
                         request.approval_from.empty() ? "approve" : "approve:" + request.approval_from);
  if (!state.versions.empty()) out.now = state.versions.back();
  return out;
}

}  // namespace

std::string_view name(Status status) {
  switch (status) {
    case Status::deployed: return "deployed";
    case Status::unchanged: return "unchanged";
    case Status::awaiting_approval: return "awaiting_approval";
    case Status::refused: return "refused";
  }
  MLP_CHECK(false);
}

Result<Outcome> deploy(store::Store& store, store::Catalog& catalog, const Request& request, const Identity& by, store::Disk& disk) {
  const Candidate& candidate = request.candidate;
  const std::string_view whole = request.deployment;
  if (!may(by, "deploy", {whole.substr(whole.rfind('.') + 1), whole}))
    return refused(diag::Code::E0608, fmt::format("the token of `{}` may not deploy", by.name), "that takes a token with the scope deploy");
  MLP_TRY(LockedAuditLog log, LockedAuditLog::open(store.directory(), disk));
  const auto states = replay(log.entries());
  const auto at = states.find(request.deployment);
  const DeploymentState state = at == states.end() ? DeploymentState{} : at->second;
  const std::optional<Deployed> stands = state.versions.empty() ? std::nullopt : std::optional(state.versions.back());
  const auto with_state = [&](Outcome outcome) {
    outcome.now = stands;
    return outcome;
  };
  if (!candidate.proven) return with_state(not_proven(candidate));
  if (stands && stands->model == candidate.model && stands->version == candidate.version && stands->scorer == candidate.scorer && stands->stage == request.stage)
    return Outcome{Status::unchanged, {}, {}, {}, stands};
  if (candidate.compared) {
    const auto now = champion(standing_in(states, candidate.model, kProduction), candidate.scorer);
    if ((now ? std::optional(now->scorer) : std::nullopt) != candidate.champion)
      return with_state(refused(diag::Code::E0604, fmt::format("production changed while `{}` version {} was looked at", candidate.model, candidate.version),
                                "`mlpc run` compares it with the version that stands there now"));
  }
  std::string approved_by;
  if (request.needs_approval) {
    const Approval approval = find_approval(log.entries(), request, by);
    if (!approval.counted) return await_approval(log, state, request, by, approval.why_not);
    approved_by = approval.counted->who;
  }
  MLP_TRY_VOID(keep_objects(store, catalog, request));
  Entry entry = entry_for(Event::deployed, request, by);
  entry.approved_by = approved_by;
  MLP_TRY(entry, log.append(std::move(entry)));
  return Outcome{Status::deployed, {}, {}, {}, deployed_by(entry)};
}

Result<RolledBack> rollback(store::Store& store, const std::string& deployment, const Identity& by) {
  MLP_TRY(LockedAuditLog log, LockedAuditLog::open(store.directory()));
  const auto states = replay(log.entries());
  MLP_TRY(const std::string whole, find_deployment(states, deployment, store.directory()));
  if (!may(by, "deploy", {std::string_view(whole).substr(whole.rfind('.') + 1), whole}))
    return failure(diag::Code::E0608, fmt::format("the token of `{}` may not roll back", by.name), "that takes a token with the scope deploy");
  const auto& versions = states.at(whole).versions;
  if (versions.size() < 2)
    return failure(diag::Code::E0609, versions.empty() ? fmt::format("nothing was ever deployed as `{}`", whole)
                                                       : fmt::format("`{}` has no version before version {}", whole, versions.back().version),
                   versions.empty() ? "`mlpc deploy` takes a candidate there" : "`mlpc deploy` takes another candidate there");
  const Deployed from = versions.back(), to = versions[versions.size() - 2];
  MLP_TRY_VOID(store.get(to.scorer));
  Entry entry;
  entry.event = Event::rolled_back;
  entry.who = by.name;
  entry.deployment = whole;
  entry.stage = to.stage;
  entry.model = to.model;
  entry.version = to.version;
  entry.scorer = to.scorer;
  entry.run = to.run;
  for (const Entry& earlier : log.entries())
    if (earlier.number == to.entry) entry.gates = earlier.gates, entry.code = earlier.code;
  MLP_TRY(entry, log.append(std::move(entry)));
  return RolledBack{from, deployed_by(entry)};
}

Result<std::vector<Deployed>> standing(const std::string& directory, const std::string& model, const std::string& stage) {
  MLP_TRY(const AuditLog log, read_audit_log(directory));
  MLP_TRY_VOID(require_unaltered(log, directory));
  return standing_in(replay(log.entries), model, stage);
}

std::optional<Deployed> champion(const std::vector<Deployed>& standing, const Digest& candidate) {
  const auto found = std::find_if(standing.rbegin(), standing.rend(), [&](const Deployed& one) { return one.scorer != candidate; });
  return found == standing.rend() ? std::nullopt : std::optional(*found);
}

Result<std::vector<Deployed>> deployments(const std::string& directory) {
  MLP_TRY(const AuditLog log, read_audit_log(directory));
  MLP_TRY_VOID(require_unaltered(log, directory));
  std::vector<Deployed> out;
  for (const auto& [whole, state] : replay(log.entries))
    if (!state.versions.empty()) out.push_back(state.versions.back());
  return out;
}

Result<Deployed> current(const std::string& directory, const std::string& deployment) {
  MLP_TRY(const AuditLog log, read_audit_log(directory));
  MLP_TRY_VOID(require_unaltered(log, directory));
  const auto states = replay(log.entries);
  MLP_TRY(const std::string whole, find_deployment(states, deployment, directory));
  const DeploymentState& state = states.at(whole);
  if (state.versions.empty())
    return failure(diag::Code::E0908, fmt::format("nothing is deployed as `{}`: it awaits approval", whole), "`mlpc approve`, then `mlpc deploy` again");
  return state.versions.back();
}

Generation generation(const std::string& directory) {
  const auto stat = store::system_disk().stat(directory + "/audit.jsonl");
  return stat ? Generation{stat->inode, stat->size} : Generation{};
}

}  // namespace mlp::registry
