#pragma once

#include <string_view>

#include "compiler/plan/physical.h"

/// What makes two steps the same: their code without names, spans and texts, and the recipes of what they read.
namespace mlp::plan {

/// Digest of a native definition as its declaration describes it: symbol, types, known_when, label use, cross-fitting. A changed
/// declaration changes every key in which the native is called. A native of no declaration is keyed by its symbol alone.
Digest native_key(std::string_view native);

/// What the code of a step does. Every kind starts with a version word of its own, to be raised when its native
/// implementation gives other values than before.
Digest code_key(const StepCode& code);

/// H(code_key, recipe keys of the inputs in order), down to the declared sources: for HashSource the kind of source and its
/// options, never path or table name; for a step that needs only the rows of a synthetic table, their number.
/// `step.code_key` and the recipe keys of its inputs have to be filled.
Digest recipe_key(const Physical& plan, const Step& step);

}  // namespace mlp::plan
