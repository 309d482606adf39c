#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/sema/builder.h"
#include "compiler/sema/context.h"

/// Types of expressions: from the AST to nodes of a Builder. A node id of none is poison: something was reported.
namespace mlp::sema {

/// The columns that names stand for at a place: those of a table, or of a view and its table.
struct RowNames {
  /// "table `people`": for messages.
  std::string owner;
  Span declared;
  bool opaque = false;
  /// The column of that name, resolved on demand. `found` without a column: poison.
  struct Found {
    bool found = false;
    std::optional<hir::ColumnId> column;
  };
  std::function<Found(std::string_view name, Span reference)> find;
  /// As `find`, for `other.name`: columns of another table that stands beside this one, in a join. May be empty.
  std::function<Found(const ast::Path& path)> find_in_other;
  std::function<std::vector<std::string_view>()> names;
};

/// The numbers about a whole table that an expectation speaks of; they become the inputs of its condition.
struct StatisticNames {
  std::vector<hir::Statistic> used;
};

/// Where aggregates may stand, and whose columns they become. Each call becomes a column of its own, which the expression reads.
struct Aggregation {
  enum class Place : std::uint8_t {
    feature,  ///< of the rows before the time of the prediction
    label,    ///< of the rows after it
    group,    ///< of the rows of a group
    window    ///< of the rows of a window stage
  } place = Place::feature;
  std::optional<hir::TableId> table;   ///< owner of the columns …
  std::optional<hir::ViewId> view;     ///< … or a view
  std::optional<hir::TableId> of;      ///< group, window: whose rows are aggregated
  bool has_time = false;               ///< feature, label: whether the row has a time
  RowNames rows;                       ///< group, window: the columns of the rows that are aggregated
  std::vector<hir::ColumnId> made;     ///< the columns that were made
};

/// What an expression is typed in.
struct Scope {
  Context& context;
  Builder& builder;
  const ast::File* file;
  const RowNames* rows = nullptr;
  StatisticNames* statistics = nullptr;
  Aggregation* aggregation = nullptr;
  std::map<std::string, expr::NodeId, std::less<>> locals;  ///< parameters of a function, `it`; none: poison
  std::set<std::string, std::less<>> known;                 ///< names narrowed by `is known`
  bool fitted_allowed = false;
  bool random_allowed = false;
  /// Replaces the spans of nodes whose text is not in the user's file, or stands elsewhere in it.
  std::optional<Span> at;
  /// Reports are dropped: the text was checked before.
  bool quiet = false;

  Scope(Context& in, Builder& into, const ast::File* of) : context(in), builder(into), file(of) {}
  void report(diag::Diagnostic diagnostic) const;
  Span place(Span span) const { return at ? *at : span; }
};

expr::NodeId type_expression(Scope& scope, ast::ExprId id);
/// The expression converted to a declared type; E0301 and E0302 otherwise. `what` names what declares it: "`age`", "the argument `x`".
expr::NodeId type_as(Scope& scope, ast::ExprId id, const Type& type, const std::string& what, Span declared);
expr::NodeId require_type(Scope& scope, expr::NodeId node, const Type& type, const std::string& what, Span declared);
/// A condition: bool, known.
expr::NodeId type_condition(Scope& scope, ast::ExprId id, const std::string& what);

/// An operator of the library applied to typed operands.
expr::NodeId apply_operator(Scope& scope, std::string_view token, std::vector<expr::NodeId> operands, Span op_span, Span span);
expr::NodeId type_call(Scope& scope, const ast::Call& call, Span span);
/// A call that makes one value of many rows; nullopt when it is none.
std::optional<expr::NodeId> type_aggregate(Scope& scope, const ast::Call& call, Span span);
/// A length of time above nothing, in microseconds; 0 after a report.
std::int64_t constant_duration(Context& context, ast::ExprId id, const std::string& what);
/// A bare name: a local, a column, a param, a function without arguments.
expr::NodeId type_name(Scope& scope, const ast::Path& path, Span span);
/// W0301 where ranges decide a comparison for every row.
void warn_decided(const Scope& scope, expr::NodeId node, std::initializer_list<expr::NodeId> operands, Span span);
expr::NodeId type_in(Scope& scope, const ast::In& in, Span span);

/// The best overload for the types, its arguments converted; nullptr when none takes them. `parameter[i]` is the index of the
/// parameter that argument i is for.
struct Choice {
  const Signature* signature = nullptr;
  std::vector<Type> targets;
};
struct Candidate {
  const Signature* signature = nullptr;
  std::vector<std::size_t> parameter;
};
Choice choose_overload(const Builder& builder, const std::vector<Candidate>& candidates, const std::vector<expr::NodeId>& args);
/// The call of a chosen row function, its body inlined, its `known when` decided or lowered. `args` stand for all parameters, in
/// order, none where the fallback of the parameter holds; the types are the parameters'.
expr::NodeId lower_call(Scope& scope, const Signature& signature, std::vector<expr::NodeId> args, Span span);

/// Where a node's value was declared, for secondary labels.
std::optional<diag::Label> origin_of(const Scope& scope, expr::NodeId node);
/// Its type as messages say it: "`int?`", "missing".
std::string type_text(const Builder& builder, expr::NodeId node);
/// Names that are known where the condition is true (or false).
std::set<std::string, std::less<>> known_where(const ast::File& file, ast::ExprId condition, bool truth);

/// The statistics that a finished condition reads, its inputs renumbered to be positions among them.
std::vector<hir::Statistic> number_statistics(expr::Expr& condition, const StatisticNames& names);

// ---- types and constants -----------------------------------------------------------------------------------------------

/// nullopt after a report.
std::optional<Type> resolve_type(Context& context, const ast::TypeRef& type);
/// A constant of that type, params folded; E0304, E0301 and E0303 otherwise.
std::optional<Value> constant_of(Context& context, ast::ExprId id, const Type& type, std::optional<Interval> range, const std::string& what);
std::optional<std::int64_t> constant_int(Context& context, ast::ExprId id, Interval range, const std::string& what);
/// A share such as 15 or 10%: a number as it stands.
std::optional<double> constant_float(Context& context, ast::ExprId id, Interval range, const std::string& what);
/// `A..B` of constants.
std::optional<Interval> constant_range(Context& context, ast::ExprId id, const std::string& what);
/// Reports E0303 when the constant lies outside.
bool check_range(Context& context, const Value& value, const std::optional<Interval>& range, const std::string& what, Span span,
                 std::optional<diag::Label> declared = {});

/// Named options of an entry of the library, complete: E0208, E0209, E0210, E0301, E0303. `skip` names the parameters that are no
/// options of the user's.
struct GivenOption {
  const ast::Name* name = nullptr;  ///< none: by position
  ast::ExprId value;
  Span span;
  bool not_yet = false;  ///< `tune`
};
std::optional<hir::Options> check_options(Context& context, const Signature& signature, const std::vector<GivenOption>& given,
                                          const std::function<bool(const Parameter&)>& is_option, const std::string& what, Span span);

}  // namespace mlp::sema
