#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/support/digest.h"
#include "runtime/registry/audit_log.h"
#include "runtime/registry/identity.h"
#include "runtime/store/catalog.h"
#include "runtime/store/store.h"

/// Which version of a model stands where. The state is read from the audit log, so a transition is its entry and nothing else:
/// a process that is killed leaves the old state or the new one.
namespace mlp::registry {

/// A version that stands in a stage.
struct Deployed {
  std::string deployment;  ///< "income.income_api"
  std::string model;       ///< "income.earner"
  std::uint32_t version = 0;
  std::string stage;
  Digest scorer;           ///< object of the store: plan::Scorer
  std::string since;       ///< UTC
  std::string who;
  std::string run;         ///< whose gates are the proof
  std::uint64_t entry = 0; ///< of the audit log; another one is another state

  friend bool operator==(const Deployed&, const Deployed&) = default;
};

/// What `deployment` answers with now. By its whole name ("income.income_api") or, where the store has only one such, by the last
/// part. E0908 when nothing is deployed under the name; E0910 when the audit log was altered.
Result<Deployed> current(const std::string& store_directory, const std::string& deployment);
/// All that is deployed, by name.
Result<std::vector<Deployed>> deployments(const std::string& store_directory);

/// The versions of a model that stand or stood in a stage and were not rolled back, oldest first. E0910 when the log was altered.
Result<std::vector<Deployed>> standing(const std::string& store_directory, const std::string& model, const std::string& stage);
/// Of them the newest that is not the candidate itself: what it has to beat. So a candidate that was deployed is still compared
/// with the version that it replaced.
std::optional<Deployed> champion(const std::vector<Deployed>& standing, const Digest& candidate);
inline constexpr const char* kProduction = "production";  ///< the stage that `beats production` means

/// Changes whenever the audit log does; costs one stat. Ask `current` again only when it is another.
struct Generation {
  std::uint64_t inode = 0, size = 0;
  friend bool operator==(const Generation&, const Generation&) = default;
};
Generation generation(const std::string& store_directory);

/// A candidate as the present file makes it, with its proof.
struct Candidate {
  std::string model;               ///< "income.earner"
  std::uint32_t version = 0;
  Digest scorer, code;
  std::string run, author;         ///< who ran it
  bool proven = false;
  std::string why;                 ///< of `proven`
  std::vector<GateProof> gates;
  bool compared = false;           ///< a gate compares it with production; then with
  std::optional<Digest> champion;  ///< this scorer, or with none
};

/// A deploy block and the candidate it wants in its stage.
struct Request {
  std::string deployment;          ///< "income.income_api"
  std::string stage;
  bool needs_approval = false;
  std::string approval_from;       ///< role; empty: anybody who may approve
  bool approval_per_code = false;
  std::int64_t approval_valid_us = 0;  ///< 0: for ever
  Candidate candidate;
};

enum class Status : std::uint8_t { deployed, unchanged, awaiting_approval, refused };
std::string_view name(Status status);  ///< "awaiting_approval"

struct Outcome {
  Status status = Status::refused;
  std::optional<diag::Code> code;  ///< of what is refused or awaited
  std::string reason, help;        ///< of the same
  std::optional<Deployed> now;     ///< what stands there after this
};

/// Takes the candidate to its stage if all is there that has to be. Its scorer and the objects that it needs become roots of the
/// store first. Twice is once. Failures are those of the log, the store and the catalog; a refusal is an outcome.
Result<Outcome> deploy(store::Store& store, store::Catalog& catalog, const Request& request, const Identity& by,
                       store::Disk& disk = store::system_disk());

struct Approved {
  Entry entry;
  bool is_new = true;  ///< false: the same approval stood already
};
/// Approves `what`: "earner@1", or a deployment that awaits approval. E0607 when the identity is no token's or is the author's,
/// E0608 when it may not, E0605 when the candidate is not proven, E0908 when there is no such thing.
Result<Approved> approve(store::Catalog& catalog, const std::string& store_directory, const std::string& what, const Identity& by);

struct RolledBack {
  Deployed from, to;
};
/// Takes the version that stood there before. E0609 when there is none.
Result<RolledBack> rollback(store::Store& store, const std::string& deployment, const Identity& by);

}  // namespace mlp::registry
