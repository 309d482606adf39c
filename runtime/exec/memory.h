#pragma once

#include "runtime/exec/session.h"

/// What steps need of the memory that a run may use.
namespace mlp::exec {


/// Most steps go by fragments and need little. E0915: this one looks at all rows at once, and they do not fit. An estimate, of the columns that it
/// reads and of lists of row numbers. Its inputs are done.
Result<void> check_memory(const Session& session, const plan::Step& step);
/// The same of groups that were found.
Result<void> check_memory(const Session& session, const plan::Step& step, std::uint64_t groups, std::uint64_t bytes_of_one);

}  // namespace mlp::exec
