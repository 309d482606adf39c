#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/support/digest.h"
#include "compiler/types/type.h"

namespace mlp {

enum class EntryKind : std::uint8_t { fn, transform, model, metric, drift, source, sink, aggregate };

/// One parameter as `stdlib/*.mlp` declares it: `smoothing: float in 0..10_000 = 10`.
struct Parameter {
  std::string name;
  std::vector<Type> types;            ///< `A | B`: any of these; one for most
  std::vector<std::string> one_of;    ///< `one_of(a, b)`: the bare words allowed; then `types` is {string}
  std::optional<Interval> range;      ///< `in 0..10_000`
  bool secret = false;                ///< `secret`: takes the name of a declared secret only; then `types` is {string}
  std::optional<Value> fallback;      ///< `= 10`; none: required. A one_of default is its word as string
  std::string doc;
};

/// One entry of the standard library, or of a workflow that declares its own. Overloads of a name are entries of their own.
struct Signature {
  EntryKind kind = EntryKind::fn;
  std::string name;
  std::string op;                      ///< `operator "+"`: the token that stands for it ("neg" for unary minus); else empty
  std::vector<Parameter> parameters;   ///< positional inputs and named options alike, in order
  Type result;
  std::optional<Interval> result_range;  ///< `-> float in 0..1`
  std::string domain_of;               ///< `-> category(options)`: the map parameter whose keys are the result's domain
  std::string known_when;              ///< text of the condition under which the value is known; empty: always
  std::string body;                    ///< text of the expression of a fn written in the language; empty: native
  std::string native;                  ///< symbol of the native definition; empty where there is a body, and where nothing runs it yet
  bool row = false;                    ///< the native takes the row's ordinal in its table first
  bool random = false;                 ///< the native takes 64 random bits of (seed, call, row) first
  bool can_fail = false;               ///< `-> T?` without `known when`: the native says through its last argument whether the value is known
  std::string interpreted_because;     ///< the reason why no kernel is compiled; empty: it is
  // transforms
  std::vector<std::pair<std::string, Type>> fits;  ///< the fields of the fitted state
  bool uses_label = false;             ///< a parameter named `label` that the planner binds
  int cross_fit = 0;                   ///< number of folds; 0: not cross-fitted
  // models
  std::vector<Type> predicts;
  std::vector<Type> takes;
  bool binned = false;                 ///< the model reads uint8 bins of every column, cut on training rows
  /// `prepares { float as standardize(it) ?? 0.0; … }`: per type of a column, the texts of the expressions (of `it`) the model reads
  std::vector<std::pair<Type, std::vector<std::string>>> prepares;
  // metrics and drift tests
  bool higher_is_better = true;
  bool of_decision = false;
  // aggregates
  bool of_window = false;              ///< stands in a `window` stage only: its value depends on the order of the rows
  // functions
  bool declassifies = false;           ///< what the first argument reads may go where personal and protected values may not
  std::string doc;
  std::string place;                   ///< "stdlib/functions.mlp:12"
};

/// All of `stdlib/*.mlp`, compiled in at build time, sorted by (kind, name); overloads in the order of declaration. Makes every entry:
/// look-ups are for what is asked often, this for suggestions and lists.
std::span<const Signature> standard_library();
/// The overloads of a name; empty when there is none. What is found lives as long as the process.
std::span<const Signature* const> find_entries(EntryKind kind, std::string_view name);
/// The overloads of an operator token.
std::span<const Signature* const> find_operators(std::string_view op);
/// The entry with that native symbol; nullptr when there is none.
const Signature* find_native(std::string_view native);
/// What the declaration says without names: equal for entries that differ only in their name, their native symbol and place.
Digest shape(const Signature& signature);
/// Order of declaration: by file, then by line. It tells entries of equal shape apart where names must not.
bool declared_before(const Signature& a, const Signature& b);

}  // namespace mlp
