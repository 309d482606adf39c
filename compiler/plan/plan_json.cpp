// JSON of physical plans and scorers. Every struct lists its fields once, in `fields`; a Writer and a Reader walk the same list.
// The reader is strict: a field that is missing or unknown, a word of no kind, a number that does not fit is a failure.

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "compiler/expr/expr_json.h"
#include "compiler/plan/physical.h"
#include "compiler/plan/scorer.h"

namespace mlp::plan {

namespace {

using nlohmann::json;

constexpr const char* kPlanMend = "Make the plan anew from the workflow with this version of mlpc.";

// ---- words of enumerations ----------------------------------------------------------------------------------------------

template <class Enum>
struct Words;
template <>
struct Words<Expect::Statistic> {
  static constexpr const char* words[] = {"rows", "missing_share", "distinct", "is_unique"};
};
template <>
struct Words<Metrics::Measure::Over> {
  static constexpr const char* words[] = {"all", "min", "max", "gap", "slice"};
};
template <>
struct Words<AlertTarget::Kind> {
  static constexpr const char* words[] = {"file", "command", "webhook"};
};
template <>
struct Words<AlertTarget::Secret> {
  static constexpr const char* words[] = {"none", "env", "file"};
};
template <>
struct Words<Arrange::How> {
  static constexpr const char* words[] = {"sort", "limit", "dedupe", "group", "join", "asof_join", "union", "unpivot", "cross", "fill", "join_if", "sample", "windows"};
};
template <>
struct Words<Arrange::Is> {
  static constexpr const char* words[] = {"<", "<=", ">", ">="};
};
template <>
struct Words<ScorerColumn::By> {
  static constexpr const char* words[] = {"expression", "transform", "bins", "history"};
};

// ---- fields of each struct, in the order of the document ------------------------------------------------------------------

template <class A> void fields(A& a, ReadColumn& c) {
  a("source_name", c.source_name), a("type", c.type), a("format", c.format), a("bool_values", c.bool_values);
  a("allowed", c.allowed), a("matches", c.matches), a("range", c.range);
}
template <class A> void fields(A& a, HashSource& c) { a("takes", c.takes), a("contract", c.contract); }
template <class A> void fields(A& a, Kernel& c) { a("code", c.code), a("generate", c.generate), a("carried", c.carried); }
template <class A> void fields(A& a, Expect::Item& i) {
  a("text", i.text), a("span", i.span), a("warn", i.warn), a("for_all_rows", i.for_all_rows), a("condition", i.condition);
  a("statistics", i.statistics);
}
template <class A> void fields(A& a, Expect& c) { a("items", c.items); }
template <class A> void fields(A& a, Filter& c) { a("share", c.share), a("seed", c.seed), a("of", c.of); }
template <class A> void fields(A& a, Arrange& c) {
  a("how", c.how), a("keys", c.keys), a("descending", c.descending), a("compared", c.compared), a("left", c.left), a("one", c.one), a("first", c.first), a("last", c.last);
  a("every", c.every), a("ahead", c.ahead), a("share", c.share), a("in_pieces", c.in_pieces), a("of", c.of);
}
template <class A> void fields(A& a, Take& c) { a("side", c.side), a("which", c.which), a("itself", c.itself), a("absent", c.absent), a("type", c.type); }
template <class A> void fields(A& a, OrderRows& c) { a("keys", c.keys), a("descending", c.descending); }
template <class A> void fields(A& a, Aggregate& c) {
  a("native", c.native), a("options", c.options), a("columns", c.columns), a("where", c.where), a("type", c.type);
}
template <class A> void fields(A& a, MatchHistory& c) { a("keys", c.keys), a("known_after", c.known_after); }
template <class A> void fields(A& a, History& c) {
  a("aggregate", c.aggregate), a("over_us", c.over_us), a("ending_us", c.ending_us), a("next", c.next), a("as_of_us", c.as_of_us), a("asks_as_of", c.asks_as_of);
}
template <class A> void fields(A& a, KeepHistory& c) { a("keys", c.keys), a("known_after", c.known_after), a("values", c.values), a("where", c.where); }
template <class A> void fields(A&, AsOf&) {}
template <class A> void fields(A& a, CutByTime& c) {
  a("percent", c.percent), a("folds", c.folds), a("windows", c.windows), a("every_us", c.every_us), a("horizon_us", c.horizon_us);
  a("known_after", c.known_after), a("label", c.label), a("chosen", c.chosen), a("until_us", c.until_us);
}
template <class A> void fields(A& a, AssignSplit& c) {
  a("percent", c.percent), a("folds", c.folds), a("stratified", c.stratified), a("keys", c.keys), a("seed", c.seed), a("chosen", c.chosen);
}
template <class A> void fields(A& a, PartialFit& c) {
  a("native", c.native), a("options", c.options), a("label", c.label), a("folds", c.folds), a("rows", c.rows);
}
template <class A> void fields(A& a, MergeFit& c) { a("native", c.native), a("options", c.options), a("folds", c.folds); }
template <class A> void fields(A& a, ApplyFit& c) {
  a("native", c.native), a("options", c.options), a("folds", c.folds), a("rows", c.rows), a("type", c.type);
}
template <class A> void fields(A& a, AssignFolds& c) { a("folds", c.folds), a("keys", c.keys), a("rows", c.rows); }
template <class A> void fields(A& a, PartialBins& c) { a("rows", c.rows); }
template <class A> void fields(A&, MergeBins&) {}
template <class A> void fields(A&, Bin&) {}
template <class A> void fields(A& a, Train& c) {
  a("native", c.native), a("options", c.options), a("binned", c.binned), a("weighted", c.weighted), a("binary", c.binary);
  a("seed", c.seed), a("rows", c.rows);
}
template <class A> void fields(A& a, Predict& c) {
  a("native", c.native), a("binned", c.binned), a("binary", c.binary), a("columns", c.columns), a("models", c.models);
}
template <class A> void fields(A& a, Metrics::Measure& m) {
  a("native", m.native), a("options", m.options), a("over", m.over), a("model", m.model), a("constant", m.constant), a("by", m.by);
  a("at_least_rows", m.at_least_rows), a("at_least_positives", m.at_least_positives), a("minus", m.minus);
  a("minus_scale", m.minus_scale), a("higher_is_better", m.higher_is_better);
}
template <class A> void fields(A& a, Metrics& c) {
  a("measures", c.measures), a("binary", c.binary), a("weighted", c.weighted), a("models", c.models), a("groups", c.groups);
  a("resample", c.resample), a("champion", c.champion), a("rows", c.rows), a("on", c.on);
}
template <class A> void fields(A& a, Gates::Item& i) {
  a("text", i.text), a("span", i.span), a("measure", i.measure), a("left_scale", i.left_scale), a("left_offset", i.left_offset);
  a("right_measure", i.right_measure), a("right_scale", i.right_scale), a("right_offset", i.right_offset);
  a("difference", i.difference), a("comparison", i.comparison), a("confidence", i.confidence);
  a("beats_production", i.beats_production);
}
template <class A> void fields(A& a, Gates& c) { a("items", c.items); }
template <class A> void fields(A& a, BuildScorer& c) { a("scorer_template", c.scorer_template); }
template <class A> void fields(A& a, Champion& c) { a("model", c.model), a("stage", c.stage), a("split", c.split), a("rows", c.rows); }
template <class A> void fields(A& a, PredictChampion& c) { a("rows", c.rows); }
template <class A> void fields(A& a, Register& c) { a("model", c.model), a("evaluated", c.evaluated), a("share", c.share); }

template <class A> void fields(A& a, Step& s) {
  a("name", s.name), a("code", s.code), a("table", s.table), a("per_fragment", s.per_fragment), a("inputs", s.inputs), a("span", s.span);
  a("file", s.file), a("line", s.line), a("text", s.text), a("code_key", s.code_key), a("recipe_key", s.recipe_key);
  a("shows_names", s.shows_names);
}
template <class A> void fields(A& a, SchemaColumn& c) { a("name", c.name), a("type", c.type); }
template <class A> void fields(A& a, Reject& r) { a("share", r.share), a("into", r.into); }
template <class A> void fields(A& a, Table& t) {
  a("name", t.name), a("synthetic", t.synthetic), a("made", t.made), a("source", t.source), a("options", t.options), a("path", t.path), a("rows", t.rows);
  a("span", t.span), a("lock", t.lock), a("locked", t.locked), a("declared", t.declared), a("version_by", t.version_by), a("columns", t.columns), a("key", t.key), a("reject", t.reject);
}
template <class A> void fields(A& a, Param& p) { a("name", p.name), a("value", p.value), a("from", p.from); }
template <class A> void fields(A& a, Edge& e) {
  a("from", e.from), a("to", e.to), a("from_kind", e.from_kind), a("to_kind", e.to_kind), a("how", e.how);
}
template <class A> void fields(A& a, Model& m) {
  a("name", m.name), a("train", m.train), a("metrics", m.metrics), a("gates", m.gates), a("scorer", m.scorer);
  a("registration", m.registration), a("measure_names", m.measure_names), a("group_names", m.group_names);
  a("feature_names", m.feature_names);
}
template <class A> void fields(A& a, NotYet& n) { a("what", n.what), a("span", n.span); }
template <class A> void fields(A& a, Deployment& d) {
  a("name", d.name), a("model", d.model), a("stage", d.stage), a("needs_approval", d.needs_approval), a("approval_from", d.approval_from);
  a("approval_per_code", d.approval_per_code), a("approval_valid_us", d.approval_valid_us), a("needs_final", d.needs_final);
  a("serves", d.serves), a("port", d.port), a("max_latency_us", d.max_latency_us), a("not_yet", d.not_yet), a("span", d.span);
}
template <class A> void fields(A& a, DriftCheck& c) {
  a("text", c.text), a("span", c.span), a("native", c.native), a("comparison", c.comparison), a("bound", c.bound), a("features", c.features);
  a("prediction", c.prediction), a("columns", c.columns), a("alerts", c.alerts);
}
template <class A> void fields(A& a, QualityCheck& c) {
  a("text", c.text), a("span", c.span), a("condition", c.condition), a("statistics", c.statistics), a("alerts", c.alerts);
}
template <class A> void fields(A& a, AlertTarget& t) { a("kind", t.kind), a("secret", t.secret), a("value", t.value), a("span", t.span); }
template <class A> void fields(A& a, Monitor& m) {
  a("deployment", m.deployment), a("table", m.table), a("every_us", m.every_us), a("window_us", m.window_us), a("at_least_rows", m.at_least_rows);
  a("drift", m.drift), a("quality", m.quality), a("alerts", m.alerts), a("not_yet", m.not_yet);
}
template <class A> void fields(A& a, Physical& p) {
  a("workflow", p.workflow), a("folder", p.folder), a("tables", p.tables), a("steps", p.steps), a("models", p.models);
  a("deployments", p.deployments), a("monitors", p.monitors);
  a("params", p.params), a("lineage", p.lineage), a("final_rows", p.final_rows), a("share", p.share);
}
template <class A> void fields(A& a, RawField& f) { a("name", f.name), a("read", f.read); }
template <class A> void fields(A& a, ScorerColumn& c) {
  a("name", c.name), a("type", c.type), a("inputs", c.inputs), a("by", c.by);
  if (c.by == ScorerColumn::By::expression) {
    a("code", c.code);
  } else {
    if (c.by != ScorerColumn::By::bins) a("native", c.native), a("options", c.options);
    if (c.by == ScorerColumn::By::history) a("over_us", c.over_us), a("ending_us", c.ending_us);
    a("state", c.state);
  }
}
template <class A> void fields(A& a, WatchedColumn& c) { a("name", c.name), a("column", c.column), a("bins", c.bins); }
/// `trained` and `states` are digests in a scorer and positions in its template.
template <class A, class Trained, class States> void fields(A& a, Scorer& s, Trained& trained, States& states) {
  a("workflow", s.workflow), a("model", s.model), a("source", s.source), a("request", s.request), a("key", s.key), a("columns", s.columns), a("population", s.population), a("matrix", s.matrix);
  a("watched", s.watched), a("watched_prediction", s.watched_prediction);
  a("states", states), a("trained", trained), a("split", s.split), a("fitted_on", s.fitted_on), a("native", s.native), a("binned", s.binned), a("binary", s.binary);
}

/// The structs above; scalars, texts and lists have overloads of their own, which win.
template <class T>
concept HasFields = std::is_class_v<T>;

// ---- writing ------------------------------------------------------------------------------------------------------------

json write(bool v) { return v; }
template <class Integer>
  requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>)
json write(Integer v) { return v; }
json write(double v) { return std::isfinite(v) ? json(v) : json(v > 0 ? "inf" : v < 0 ? "-inf" : "nan"); }
json write(const std::string& v) { return v; }
json write(const Type& v) { return to_string(v); }
json write(const Interval& v) { return json::array({write(v.low), write(v.high)}); }
json write(const Span& v) { return v ? json::array({v.file, v.begin, v.end}) : json(nullptr); }
json write(const Digest& v) { return v.hex(); }
json write(StepId v) { return v ? json(v.value) : json(nullptr); }
json write(const Rows& v) { return v.known ? json::object({{"parts", v.parts}, {"known", *v.known}}) : json(v.parts); }
json write(const expr::Expr& v) { return json::parse(expr::encode(v), nullptr, false); }
/// A float wears brackets, so that 1.0 comes back as a float.
json write(const Value& value) {
  struct {
    json operator()(std::monostate) const { return nullptr; }
    json operator()(bool v) const { return v; }
    json operator()(std::int64_t v) const { return v; }
    json operator()(double v) const { return json::array({write(v)}); }
    json operator()(const std::string& v) const { return v; }
  } visitor;
  return std::visit(visitor, value);
}
template <class Enum>
  requires std::is_enum_v<Enum>
json write(Enum v) { return Words<Enum>::words[static_cast<std::size_t>(v)]; }
json write(const StepCode& code);
template <class T> json write(const std::optional<T>& v);
template <class A, class B> json write(const std::pair<A, B>& v);
template <class T> json write(const std::vector<T>& v);
template <HasFields T>
  requires(!std::is_same_v<T, Rows>)
json write(const T& v);

struct Writer {
  json object = json::object();
  template <class T> void operator()(const char* name, T& value) { object[name] = write(std::as_const(value)); }
};
template <class T> json write(const std::optional<T>& v) { return v ? write(*v) : json(nullptr); }
template <class A, class B> json write(const std::pair<A, B>& v) { return json::array({write(v.first), write(v.second)}); }
template <class T> json write(const std::vector<T>& v) {
  json list = json::array();
  for (const T& item : v) list.push_back(write(item));
  return list;
}
template <HasFields T>
  requires(!std::is_same_v<T, Rows>)
json write(const T& v) {
  Writer writer;
  fields(writer, const_cast<T&>(v));  // the writer only reads
  return std::move(writer.object);
}
json write(const StepCode& code) {
  json object = std::visit([](const auto& c) { return write(c); }, code);
  object["kind"] = std::string(kind_name(code));
  return object;
}

std::string text_of(const json& j) { return j.dump(-1, ' ', false, json::error_handler_t::replace); }

// ---- reading ------------------------------------------------------------------------------------------------------------

/// The first thing that did not fit; empty while all does.
struct Problem {
  std::string what;
  void set(std::string text) {
    if (what.empty()) what = std::move(text);
  }
};

struct Reader {
  const json& object;
  Problem& problem;
  std::size_t seen = 0;
  template <class T> void operator()(const char* name, T& value);
};

void wrong(Problem& problem, const char* wanted) { problem.set(std::string("it has something else than ") + wanted); }

void read(const json& j, bool& v, Problem& p) { j.is_boolean() ? void(v = j.get<bool>()) : wrong(p, "true or false"); }
template <class Integer>
  requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>)
void read(const json& j, Integer& v, Problem& p) {
  using Limits = std::numeric_limits<Integer>;
  if (j.is_number_unsigned()) {
    const auto wide = j.get<std::uint64_t>();
    if (wide <= static_cast<std::uint64_t>(Limits::max())) return void(v = static_cast<Integer>(wide));
  } else if (j.is_number_integer() && std::is_signed_v<Integer>) {
    const auto wide = j.get<std::int64_t>();
    if (wide >= static_cast<std::int64_t>(Limits::min())) return void(v = static_cast<Integer>(wide));
  }
  wrong(p, "a whole number that fits");
}
void read(const json& j, double& v, Problem& p) {
  if (j.is_number()) v = j.get<double>();
  else if (j == "inf") v = std::numeric_limits<double>::infinity();
  else if (j == "-inf") v = -std::numeric_limits<double>::infinity();
  else if (j == "nan") v = std::numeric_limits<double>::quiet_NaN();
  else wrong(p, "a number");
}
void read(const json& j, std::string& v, Problem& p) { j.is_string() ? void(v = j.get<std::string>()) : wrong(p, "a text"); }
void read(const json& j, Type& v, Problem& p) {
  if (!j.is_string()) return wrong(p, "a type");
  const std::string& text = j.get_ref<const std::string&>();
  constexpr std::string_view kList = "list(";
  std::size_t lists = 0;  // the reader of types goes down one call a list
  while (lists < 8 && std::string_view(text).substr(lists * kList.size()).starts_with(kList)) ++lists;
  std::optional<Type> type = lists < 8 ? parse_type(text) : std::nullopt;
  type ? void(v = std::move(*type)) : wrong(p, "a type");
}
template <class T> void read(const json& j, std::vector<T>& v, Problem& p);
void read(const json& j, Interval& v, Problem& p) {
  if (!j.is_array() || j.size() != 2) return wrong(p, "a range");
  read(j[0], v.low, p);
  read(j[1], v.high, p);
}
void read(const json& j, Span& v, Problem& p) {
  if (j.is_null()) return void(v = Span{});
  if (!j.is_array() || j.size() != 3) return wrong(p, "a place");
  read(j[0], v.file, p);
  read(j[1], v.begin, p);
  read(j[2], v.end, p);
}
void read(const json& j, Digest& v, Problem& p) {
  const auto digest = j.is_string() ? Digest::parse(j.get_ref<const std::string&>()) : std::nullopt;
  digest ? void(v = *digest) : wrong(p, "a digest");
}
void read(const json& j, StepId& v, Problem& p) {
  if (j.is_null()) return void(v = StepId());
  read(j, v.value, p);
}
void read(const json& j, Rows& v, Problem& p) {
  const auto parts = j.is_object() ? j.find("parts") : j.end();
  const auto known = j.is_object() ? j.find("known") : j.end();
  if (j.is_array()) return read(j, v.parts, p);
  if (parts == j.end() || known == j.end() || j.size() != 2) return wrong(p, "parts of a split");
  read(*parts, v.parts, p);
  read(*known, v.known.emplace(), p);
}
void read(const json& j, expr::Expr& v, Problem& p) {
  auto e = expr::decode_expr(text_of(j));
  e ? void(v = std::move(*e)) : p.set(e.error().message);
}
void read(const json& j, Value& v, Problem& p) {
  if (j.is_null()) v = std::monostate{};
  else if (j.is_boolean()) v = j.get<bool>();
  else if (j.is_string()) v = j.get<std::string>();
  else if (j.is_array() && j.size() == 1) read(j[0], v.emplace<double>(), p);
  else read(j, v.emplace<std::int64_t>(), p);
}
template <class Enum>
  requires std::is_enum_v<Enum>
void read(const json& j, Enum& v, Problem& p) {
  for (std::size_t i = 0; i < std::size(Words<Enum>::words); ++i)
    if (j == Words<Enum>::words[i]) return void(v = static_cast<Enum>(i));
  wrong(p, "a known word");
}
template <class T> void read(const json& j, std::optional<T>& v, Problem& p) {
  v.reset();
  if (!j.is_null()) read(j, v.emplace(), p);
}
template <class A, class B> void read(const json& j, std::pair<A, B>& v, Problem& p) {
  if (!j.is_array() || j.size() != 2) return wrong(p, "a pair");
  read(j[0], v.first, p);
  read(j[1], v.second, p);
}

/// Reads the fields of `v` and nothing else; `known` further fields are the caller's.
template <HasFields T>
  requires(!std::is_same_v<T, Rows>)
void read(const json& j, T& v, Problem& p, std::size_t known = 0) {
  if (!j.is_object()) return wrong(p, "an object");
  Reader reader{j, p};
  fields(reader, v);
  if (reader.seen + known != j.size()) p.set("it has a field that is not known");
}
template <std::size_t I = 0> void read_code(std::string_view kind, const json& j, StepCode& v, Problem& p) {
  if constexpr (I == std::variant_size_v<StepCode>) {
    p.set("it has a kind of step that is not known");
  } else {
    StepCode candidate = std::variant_alternative_t<I, StepCode>{};
    if (kind_name(candidate) != kind) return read_code<I + 1>(kind, j, v, p);
    read(j, std::get<I>(candidate), p, 1);
    v = std::move(candidate);
  }
}
void read(const json& j, StepCode& v, Problem& p) {
  const auto kind = j.is_object() ? j.find("kind") : j.end();
  if (!j.is_object() || kind == j.end() || !kind->is_string()) return p.set("it has a step without a kind");
  read_code(kind->get_ref<const std::string&>(), j, v, p);
}
template <class T> void read(const json& j, std::vector<T>& v, Problem& p) {
  if (!j.is_array()) return wrong(p, "a list");
  v.clear();
  v.reserve(j.size());
  for (const json& item : j) {
    read(item, v.emplace_back(), p);
    if (!p.what.empty()) return;
  }
}
template <class T> void Reader::operator()(const char* name, T& value) {
  const auto field = object.find(name);
  if (field == object.end()) return problem.set(std::string("it has no field `") + name + "`");
  ++seen;
  read(*field, value, problem);
}

/// The document's object, if it is of this kind and version.
Result<json> open_document(std::string_view text, const char* kind, int version, const std::string& what) {
  json j = json::parse(text, nullptr, false);
  if (!j.is_object()) return failure(diag::Code::E0909, what + " cannot be read: it is no JSON object", kPlanMend);
  const auto found = j.find(kind);
  if (found == j.end()) return failure(diag::Code::E0909, what + " cannot be read: it is no such document", kPlanMend);
  if (!found->is_number_integer() || *found != version)
    return failure(diag::Code::E0909, what + " has a format of another version of mlpc", kPlanMend);
  return j;
}

std::unexpected<diag::Diagnostic> unfit(const std::string& what, const std::string& why) {
  return failure(diag::Code::E0909, what + " cannot be used: " + why, kPlanMend);
}

template <class Trained, class States>
std::string write_scorer(const char* kind, const Scorer& scorer, Trained trained, States states) {
  Writer writer;
  writer.object[kind] = Scorer::kFormatVersion;
  fields(writer, const_cast<Scorer&>(scorer), trained, states);  // the writer only reads
  return text_of(writer.object);
}

template <class Trained, class States>
Result<Scorer> read_scorer(const char* kind, std::string_view text, Trained& trained, States& states) {
  MLP_TRY(const json j, open_document(text, kind, Scorer::kFormatVersion, "the scorer"));
  Scorer scorer;
  Problem problem;
  Reader reader{j, problem};
  fields(reader, scorer, trained, states);
  if (reader.seen + 1 != j.size()) problem.set("it has a field that is not known");
  if (!problem.what.empty()) return unfit("the scorer", problem.what);
  const std::size_t raw = scorer.request.size();
  for (std::size_t i = 0; i < scorer.columns.size(); ++i) {
    const ScorerColumn& column = scorer.columns[i];
    for (const std::uint32_t input : column.inputs)
      if (input >= raw + i) return unfit("the scorer", "a column is computed before what it needs");
    if (column.by == ScorerColumn::By::expression) {
      for (const expr::InputColumn& input : column.code.inputs)
        if (input.column >= column.inputs.size()) return unfit("the scorer", "an expression reads a column that it does not have");
    } else if (column.state >= states.size()) {
      return unfit("the scorer", "a column needs a fitted state that is not there");
    }
  }
  for (const std::uint32_t column : scorer.population)
    if (column >= raw + scorer.columns.size()) return unfit("the scorer", "it asks for a column that is not there");
  for (const std::uint32_t column : scorer.matrix)
    if (column >= raw + scorer.columns.size()) return unfit("the scorer", "the model reads a column that is not there");
  for (const WatchedColumn& watched : scorer.watched)
    if (watched.column >= raw + scorer.columns.size() || watched.bins >= states.size()) return unfit("the scorer", "it watches a column that is not there");
  if (scorer.watched_prediction && *scorer.watched_prediction >= states.size()) return unfit("the scorer", "its predictions on held-out rows are not there");
  return scorer;
}

}  // namespace

std::string encode(const Physical& plan) {
  json j = write(plan);
  j["plan"] = Physical::kFormatVersion;
  return text_of(j);
}

Result<Physical> decode_physical(std::string_view text) {
  MLP_TRY(const json j, open_document(text, "plan", Physical::kFormatVersion, "the plan"));
  Physical plan;
  Problem problem;
  read(j, plan, problem, 1);
  if (!problem.what.empty()) return unfit("the plan", problem.what);
  if (const std::vector<std::string> problems = verify(plan); !problems.empty()) return unfit("the plan", problems.front());
  Physical again = plan;
  fill_keys(again);
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    if (plan.steps[i].code_key != again.steps[i].code_key || plan.steps[i].recipe_key != again.steps[i].recipe_key)
      return unfit("the plan", "the keys of `" + plan.steps[i].name + "` are of another version of mlpc, or the plan was edited");
  return plan;
}

std::string encode(const Scorer& scorer) { return write_scorer("scorer", scorer, scorer.trained, scorer.states); }

Result<Scorer> decode_scorer(std::string_view text) {
  Digest trained;
  std::vector<Digest> states;
  MLP_TRY(Scorer scorer, read_scorer("scorer", text, trained, states));
  scorer.trained = trained;
  scorer.states = std::move(states);
  return scorer;
}

std::string encode_template(const Scorer& scorer) {
  std::vector<std::uint32_t> states;
  for (std::size_t i = 0; i < scorer.states.size(); ++i) states.push_back(static_cast<std::uint32_t>(i + 1));
  return write_scorer("scorer_template", scorer, std::uint32_t{0}, states);
}

Result<Scorer> fill_template(std::string_view text, const std::vector<Digest>& inputs) {
  std::uint32_t trained = 0;
  std::vector<std::uint32_t> states;
  MLP_TRY(Scorer scorer, read_scorer("scorer_template", text, trained, states));
  const auto there = [&](std::uint32_t position) { return position < inputs.size(); };
  if (inputs.size() != states.size() + 1 || !there(trained) || !std::all_of(states.begin(), states.end(), there))
    return unfit("the scorer", "the number of fitted states differs");
  scorer.trained = inputs[trained];
  for (const std::uint32_t position : states) scorer.states.push_back(inputs[position]);
  return scorer;
}

}  // namespace mlp::plan
