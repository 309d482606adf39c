#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "runtime/registry/state.h"

namespace mlp::registry {

namespace {

/// What an approval is of, with what has been asked for it.
struct Subject {
  std::string model;
  std::uint32_t version = 0;
  Digest scorer, code;
  std::string run;
  std::vector<GateProof> gates;
  std::vector<Entry> requests;  ///< by deploy, of this version
};

std::optional<std::pair<std::string, std::uint32_t>> model_and_version(const std::string& what) {
  const std::size_t at = what.rfind('@');
  if (at == std::string::npos || at == 0) return std::nullopt;
  std::uint32_t version = 0;
  const char* end = what.data() + what.size();
  const auto [stopped, error] = std::from_chars(what.data() + at + 1, end, version);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return std::pair(what.substr(0, at), version);
}

Result<store::Candidate> find_candidate(const std::vector<store::Candidate>& all, const std::string& model, std::uint32_t version, const std::string& directory) {
  std::vector<const store::Candidate*> found;
  for (const store::Candidate& one : all)
    if (one.version == version && (one.model == model || one.model.ends_with("." + model))) {
      // The newest record of a version stands.
      std::erase_if(found, [&](const store::Candidate* other) { return other->model == one.model; });
      found.push_back(&one);
    }
  if (found.size() == 1) return *found.front();
  if (found.size() > 1) return failure(diag::Code::E0908, fmt::format("several models in `{}` are called `{}`", directory, model), fmt::format("say which: {}@{}", found.front()->model, version));
  return failure(diag::Code::E0908, fmt::format("there is no version {} of a model `{}` in `{}`", version, model, directory), "`mlpc models` lists them");
}

Result<Subject> find_subject(store::Catalog& catalog, const std::vector<Entry>& entries, const std::string& directory, const std::string& what) {
  std::string model;
  std::uint32_t version = 0;
  if (const auto named = model_and_version(what)) {
    std::tie(model, version) = *named;
  } else {
    const auto states = replay(entries);
    MLP_TRY(const std::string whole, find_deployment(states, what, directory));
    const auto& awaiting = states.at(whole).awaiting;
    if (!awaiting) return failure(diag::Code::E0908, fmt::format("nothing awaits approval at `{}`", whole), "`mlpc deploy` asks for it; `mlpc approve MODEL@VERSION` approves ahead of that");
    model = awaiting->model, version = awaiting->version;
  }
  MLP_TRY(const std::vector<store::Candidate> all, catalog.models());
  MLP_TRY(const store::Candidate candidate, find_candidate(all, model, version, directory));
  if (!candidate.proven)
    return failure(diag::Code::E0605, fmt::format("`{}` version {} is not proven: {}", candidate.model, version, candidate.why), "only what its gates have proven can be approved");
  Subject subject{candidate.model, version, candidate.scorer, {}, candidate.run, {}, {}};
  for (const Entry& entry : entries)
    if (entry.event == Event::requested && entry.model == subject.model && entry.version == version && entry.scorer == subject.scorer) {
      subject.requests.push_back(entry);
      subject.code = entry.code, subject.run = entry.run, subject.gates = entry.gates;
    }
  return subject;
}

/// Whether the scopes of the token fit: one of the requests if there are any, else any approval.
Result<void> check_scope(const Subject& subject, const Identity& by) {
  const auto fits = [&](const Entry& request) {
    const std::string_view whole = request.deployment;
    return may(by, "approve", {request.role, whole.substr(whole.rfind('.') + 1), whole});
  };
  const auto refuse = [&](const std::string& scope) {
    return failure(diag::Code::E0608, fmt::format("the token of `{}` may not approve `{}` version {}", by.name, subject.model, subject.version), fmt::format("that takes a token with the scope {}", scope));
  };
  if (subject.requests.empty()) {
    const bool some = std::any_of(by.scopes.begin(), by.scopes.end(), [](const std::string& scope) { return scope == "approve" || scope.starts_with("approve:"); });
    if (some) return {};
    return refuse("approve");
  }
  if (std::any_of(subject.requests.begin(), subject.requests.end(), fits)) return {};
  const std::string& role = subject.requests.back().role;
  return refuse(role.empty() ? "approve" : "approve:" + role);
}

}  // namespace

Result<Approved> approve(store::Catalog& catalog, const std::string& directory, const std::string& what, const Identity& by) {
  if (!by.by_token)
    return failure(diag::Code::E0607, fmt::format("`{}` has no token, and an approval comes from one", by.name), "`mlpc token create --scope approve --name WHO` makes one; give it as MLP_TOKEN");
  MLP_TRY(LockedAuditLog log, LockedAuditLog::open(directory));
  MLP_TRY(const Subject subject, find_subject(catalog, log.entries(), directory, what));
  MLP_TRY_VOID(check_scope(subject, by));
  MLP_TRY(const store::RunRecord made, catalog.load_run(subject.run));
  const bool asked = std::any_of(subject.requests.begin(), subject.requests.end(), [&](const Entry& request) { return request.who == by.name; });
  if (made.run.author == by.name || asked)
    return failure(diag::Code::E0607, fmt::format("`{}` {} `{}` version {} and cannot approve it", by.name, asked ? "asked to deploy" : "made", subject.model, subject.version),
                   "an approver is not the author: somebody else has to, with a token of their own");
  for (const Entry& entry : log.entries())
    if (entry.event == Event::approved && entry.who == by.name && entry.model == subject.model && entry.version == subject.version && entry.scorer == subject.scorer &&
        entry.code == subject.code && entry.scopes == by.scopes)
      return Approved{entry, false};
  Entry entry;
  entry.event = Event::approved;
  entry.who = by.name;
  entry.model = subject.model;
  entry.version = subject.version;
  entry.scorer = subject.scorer;
  entry.code = subject.code;
  entry.run = subject.run;
  entry.gates = subject.gates;
  entry.scopes = by.scopes;
  if (!subject.requests.empty()) entry.deployment = subject.requests.back().deployment, entry.stage = subject.requests.back().stage;
  MLP_TRY(entry, log.append(std::move(entry)));
  return Approved{std::move(entry), true};
}

}  // namespace mlp::registry
