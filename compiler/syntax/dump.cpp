#include "compiler/syntax/dump.h"

#include <fmt/format.h>

#include "compiler/syntax/parse.h"

namespace mlp {

namespace syntax {
namespace {

using namespace ast;

/// One line a node. A visitor a struct: a kind that is added to the AST does not compile until it is shown.
class Dumper {
 public:
  explicit Dumper(const File& file) : file_(file) {}

  std::string run() {
    if (file_.workflow) line("workflow {}", file_.workflow->text);
    doc(file_.doc);
    for (const Declaration& declaration : file_.declarations) {
      subject_ = declaration.name.text;
      std::visit(*this, declaration.kind);
      if (declaration.incomplete) {
        ++indent_;
        line("incomplete");
        --indent_;
      }
      inside([&] {
        doc(declaration.doc);
        because(declaration.because);
      });
    }
    return std::move(out_);
  }

  // declarations
  void operator()(const BrokenDeclaration& d) { line("broken {} {}", d.word, subject_); }
  void operator()(const Import& d) { line("import {} {}", subject_, quoted(d.path.value)); }
  void operator()(const Param& d) {
    line("param {}{}{} = {}", subject_, d.type ? " : " + dump_type(*d.type) : "", in(d.range), e(d.fallback));
  }
  void operator()(const Secret& d) { line("secret {} = {}", subject_, e(d.value)); }
  void operator()(const Env& d) {
    line("env {}", subject_);
    inside([&] {
      for (const EnvEntry& entry : d.entries) {
        subject_ = entry.name.text;
        std::visit(*this, entry.kind);
      }
    });
  }
  void operator()(const Callable& d) {
    static constexpr std::string_view kKinds[] = {"fn", "transform", "model", "metric", "drift", "source", "sink", "aggregate"};
    line("{} {}{}{}", kKinds[static_cast<std::size_t>(d.kind)], subject_, d.result ? " -> " + dump_type(*d.result) : "",
         in(d.result_range));
    inside([&] {
      for (const Parameter& p : d.parameters) {
        line("parameter {} : {}{}{}", p.name.text, dump_types(p.types), in(p.range),
             p.fallback ? " = " + e(p.fallback) : "");
        inside([&] { doc(p.doc); });
      }
      if (d.known_when) line("known when {}", e(d.known_when));
      if (d.op) line("operator {}", quoted(d.op->value));
      if (d.row) line("row");
      if (d.random) line("random");
      if (d.interpreted_because) line("interpreted because {}", quoted(d.interpreted_because->value));
      for (const FitField& field : d.fits)
        line("fits {} : {}", field.name.text, dump_type(field.type));
      if (d.cross_fit) line("cross_fit {}", *d.cross_fit);
      if (!d.predicts.empty()) line("predicts {}", dump_types(d.predicts));
      if (!d.takes.empty()) line("takes {}", dump_types(d.takes));
      if (d.binned) line("binned");
      for (const Preparation& p : d.prepares)
        line("prepares {} as {}", dump_type(p.type), many(p.outputs));
      if (d.better) line("better {}", d.better->text);
      if (d.of_decision) line("of decision");
      switch (d.binding.kind) {
        case Binding::Kind::implied:
          break;
        case Binding::Kind::native:
          line("native {}", d.binding.symbol ? quoted(d.binding.symbol->value) : quoted(subject_));
          break;
        case Binding::Kind::python:
          line("python {}", d.binding.symbol ? quoted(d.binding.symbol->value) : "-");
          break;
        case Binding::Kind::expression:
          line("body {}", e(d.binding.body));
          break;
      }
    });
  }
  void operator()(const Data& d) {
    line("data {}", subject_);
    inside([&] {
      if (d.source)
        line("from {}{}", e(d.source->call), d.source->version_by ? " version by " + d.source->version_by->text() : "");
      if (d.input) line("of {}", d.input->text());
      entries(d.entries);
      for (const Stage& stage : d.stages) {
        std::visit(*this, stage.kind);
        inside([&] { doc(stage.doc), because(stage.because); });
      }
    });
  }
  void operator()(const Feature& d) {
    line("feature {} of {}{}", subject_, d.of.text(), d.at ? " at " + d.at->text() : "");
    inside([&] { entries(d.entries); });
  }
  void operator()(const Split& d) {
    line("split {} of {}", subject_, d.of.text());
    inside([&] { form(d.form); });
  }
  void operator()(const Train& d) {
    line("train {} of {}", subject_, join(d.of));
    inside([&] { entries(d.entries); });
  }
  void operator()(const Evaluate& d) {
    line("evaluate {}", subject_);
    inside([&] { entries(d.entries); });
  }
  void operator()(const Deploy& d) {
    line("deploy {} of {}", subject_, d.of.text());
    inside([&] { entries(d.entries); });
  }
  void operator()(const Monitor& d) {
    line("monitor {}", subject_);
    inside([&] { entries(d.entries); });
  }
  void operator()(const Schedule& d) {
    line("schedule");
    inside([&] {
      if (!d.days.empty()) line("on {}", join(d.days));
      if (d.every) line("every {}", e(d.every));
      if (d.minute_of_day) line("at minute {}", *d.minute_of_day);
      if (d.zone) line("zone {}", quoted(d.zone->value));
      if (d.after) line("after {} fresh {}", d.after->text(), e(d.fresh));
      for (const Job& job : d.jobs)
        line("{} {}", job.verb.text, job.target.text());
    });
  }
  void operator()(const Explore& d) { line("explore {} by {}", d.of.text(), join(d.by)); }
  void operator()(const Test& d) {
    line("test {} of {}", quoted(subject_), d.of.text());
    inside([&] {
      for (const Given& given : d.given)
        line("given{} {{ {} }}", given.of ? " " + given.of->text() : "", arguments(given.values));
      for (const ExprId expect : d.expect)
        line("expect {}", e(expect));
    });
  }

  // data
  void operator()(const Column& c) {
    line("column {} : {}", join(c.names), dump_type(c.type));
    inside([&] {
      if (c.as) line("as {}", quoted(c.as->value));
      if (c.in) line("in {}", e(c.in));
      if (c.matches) line("matches {}", quoted(c.matches->value));
      if (c.unique) line("unique");
      if (!c.values.empty()) line("values {}, {}", quoted(c.values.front().value), quoted(c.values.back().value));
      if (c.format) line("format {}", quoted(c.format->value));
      if (c.value) line("value {}", e(c.value));
      tags(c.tags);
    });
  }
  void operator()(const Expect& x) {
    line("expect {}{}{}", e(x.condition), x.for_all_rows ? " for all rows" : "", x.only_warns ? " else warn" : "");
  }
  void operator()(const Reject& r) { line("reject up to {} into {}", e(r.share), quoted(r.into.value)); }
  void operator()(const RestFromLock&) { line("rest from lock"); }
  void operator()(const WhereStage& s) { line("where {}", e(s.condition)); }
  void operator()(const JoinStage& s) {
    line("join{}{} {} on {}", s.one ? " one" : "", s.left ? " left" : "", s.table.text(), e(s.on));
  }
  void operator()(const AsofJoinStage& s) { line("asof join {} by {} at {}", s.table.text(), join(s.by), s.at.text()); }
  void operator()(const DedupeStage& s) {
    line("dedupe by {}{}", join(s.by), s.keep ? " keep " + s.keep->text + " " + s.of->text() : "");
  }
  void operator()(const DeriveStage& s) { line("derive"), definitions(s.definitions); }
  void operator()(const GroupStage& s) { line("group by {}", join(s.by)), definitions(s.definitions); }
  void operator()(const WindowStage& s) {
    line("window by {} order by {}", join(s.by), order(s.order)), definitions(s.definitions);
  }
  void operator()(const SelectStage& s) {
    line("select");
    inside([&] {
      if (s.all) all(*s.all);
      for (const SelectItem& item : s.items) {
        line("{}{}", e(item.value), item.as ? " as " + item.as->text : "");
        inside([&] { tags(item.tags); });
      }
    });
  }
  void operator()(const UnionStage& s) { line("union {}", join(s.tables)); }
  void operator()(const SortStage& s) { line("sort by {}", order(s.by)); }
  void operator()(const LimitStage& s) { line("limit {}", e(s.rows)); }
  void operator()(const SampleStage& s) { line("sample {} seed {}", e(s.share), e(s.seed)); }
  void operator()(const UnpivotStage& s) { line("unpivot {} as {}, {}", join(s.columns), s.name.text, s.value.text); }
  void operator()(const FillStage& s) {
    line("fill by {} every {} until ahead {} with {}", join(s.by), e(s.every), e(s.until_ahead), arguments(s.with));
  }
  void operator()(const CrossStage& s) { line("cross {} as {}", e(s.range), s.as.text); }
  void operator()(const SqlStage& s) { line("sql {}", quoted(s.query.value)); }
  void operator()(const PythonStage& s) {
    line("python {}", quoted(s.function.value));
    inside([&] { entries(s.columns); });
  }

  // feature
  void operator()(const TakenColumns& c) {
    if (c.all) all(*c.all);
    if (!c.columns.empty()) line("take {}", join(c.columns));
  }
  void operator()(const Definition& d) {
    line("{} = {}", d.name.text, e(d.value));
    inside([&] { tags(d.tags); });
  }
  void operator()(const EachColumn& c) {
    line("each {} as {} = {}", dump_type(c.type), quoted(c.as.value), e(c.value));
  }
  void operator()(const Publish& p) {
    line("publish {}{} refresh {} expire {}", p.where.text, p.live ? " live" : "", e(p.refresh), e(p.expire));
  }

  // train
  void operator()(const Predict& p) {
    line("predict {}{}{}", p.name ? p.name->text + " = " : "", e(p.value), p.back ? " back " + p.back->text : "");
    inside([&] {
      if (!p.quantiles.empty()) line("quantiles {}", many(p.quantiles));
      if (p.rank_by) line("rank by {}", p.rank_by->text());
    });
  }
  void operator()(const RankBy& r) { line("rank by {}", r.column.text()); }
  void operator()(const UseSplit& s) {
    if (s.name) line("split {}", s.name->text());
    if (s.form) form(*s.form);
  }
  void operator()(const Model& m) {
    line("model {}({})", m.name.text(), arguments(m.arguments));
    inside([&] {
      for (const ModelParameter& p : m.parameters)
        line("{}: {}{}{}", p.name.text, p.tuned ? "tune " : "", e(p.value), p.log_scale ? " log" : "");
    });
  }
  void operator()(const Tune& t) {
    line("tune {} trials {} strategy {}{}", objective(t.objective), e(t.trials), t.strategy ? t.strategy->text : "-",
         t.early_stop ? " early_stop " + e(t.early_stop_rounds) : "");
  }
  void operator()(const EarlyStop& s) { line("early_stop {}", e(s.rounds)); }
  void operator()(const Calibrate& c) { line("calibrate {}", c.method.text); }
  void operator()(const Decide& d) {
    line("decide when {} {} {}", d.subject.text, token(d.op),
         d.objective ? "tune " + objective(*d.objective) : e(d.threshold));
  }
  void operator()(const Refit& r) { line("refit {}", join(r.parts)); }
  void operator()(const Per& p) {
    line("per {} at_least {} rows{}", p.column.text(), e(p.at_least), p.else_global ? " else global" : "");
  }
  void operator()(const Seed& s) { line("seed {}", e(s.value)); }
  void operator()(const TrainWhere& w) { line("where {}", e(w.condition)); }
  void operator()(const Weights& w) { line("weights {}", w.column.text()); }
  void operator()(const SampleClass& s) {
    line("sample {} {}{}", e(s.value), e(s.share), s.corrected ? " corrected" : "");
  }

  // evaluate
  void operator()(const Metrics& m) { line("metrics {}", many(m.metrics)); }
  void operator()(const Slice& s) {
    std::string items;
    for (const SliceItem& item : s.items) {
      std::string columns;
      for (const Path& column : item.columns)
        columns += (columns.empty() ? "" : " * ") + column.text();
      items += (items.empty() ? "" : ", ") + columns;
    }
    line("slice by {}{}", items, s.unit ? fmt::format(" at_least {} {}", e(s.at_least), s.unit->text) : "");
  }
  void operator()(const Explain& x) { line("explain top {}", e(x.top)); }
  void operator()(const Resample& r) { line("resample by {}", r.by.text()); }
  void operator()(const Gate& g) {
    line("require {}{}{}", e(g.condition), g.beats_production ? " beats production by " + e(g.margin) : "",
         g.confidence ? " with " + e(g.confidence) : "");
  }

  // deploy, monitor
  void operator()(const StageOf& s) {
    line("stage {}", s.stage.text);
    inside([&] {
      if (s.approval)
        line("approval from {} per {} valid {}", s.approval_from ? quoted(s.approval_from->value) : "-",
             s.approval_per ? s.approval_per->text : "-", e(s.approval_valid));
      if (s.final) line("final");
    });
  }
  void operator()(const Serve& s) {
    line("serve");
    inside([&] {
      for (const Option& option : s.options)
        line("{} {}", option.name.text, e(option.value));
    });
  }
  void operator()(const Canary& c) {
    line("canary {} for {} at_least {} require {}", e(c.share), e(c.duration), e(c.at_least), e(c.require));
  }
  void operator()(const BatchInto& b) { line("batch {} into {} key {}", b.table.text(), e(b.sink), join(b.key)); }
  void operator()(const Rhythm& r) {
    line("every {} over last {} at_least {} rows", e(r.every), e(r.over_last), e(r.at_least));
  }
  void operator()(const DriftCheck& c) {
    line("drift {} on {} same {} ago {} -> {}", e(c.condition), join(c.on), e(c.same), e(c.ago), actions(c.actions));
  }
  void operator()(const QualityCheck& c) { line("quality {} -> {}", e(c.condition), actions(c.actions)); }
  void operator()(const PerformanceCheck& c) {
    line("performance {} labels {} key {} within {} absent means {} -> {}", e(c.condition), e(c.labels), join(c.key),
         e(c.within), e(c.absent_means), actions(c.actions));
  }
  void operator()(const AlertTo& a) { line("alert {}", many(a.targets)); }

 private:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    out_.append(static_cast<std::size_t>(indent_) * 2, ' ');
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    while (out_.ends_with(' '))
      out_.pop_back();
    out_ += '\n';
  }
  template <class Body>
  void inside(Body body) {
    ++indent_;
    body();
    --indent_;
  }
  template <class Entry>
  void entries(const std::vector<Entry>& all) {
    for (const Entry& entry : all) {
      std::visit(*this, entry.kind);
      inside([&] { doc(entry.doc), because(entry.because); });
    }
  }
  void doc(const std::string& text) {
    if (!text.empty()) line("doc {}", quoted(text));
  }
  void because(const std::optional<Text>& reason) {
    if (reason) line("because {}", quoted(reason->value));
  }
  void definitions(const std::vector<Definition>& all) {
    inside([&] {
      for (const Definition& each : all)
        (*this)(each);
    });
  }
  void all(const AllColumns& columns) { line("all except {}", join(columns.except)); }
  void tags(const std::vector<Tag>& all) {
    static constexpr std::string_view kTags[] = {"key",       "time",   "label",  "pii",
                                                 "protected", "weight", "ignore", "available"};
    static constexpr std::string_view kWhen[] = {"always", "never", "at", "after", "before"};
    for (const Tag& tag : all) {
      std::string rest = arguments(tag.arguments);
      if (tag.availability)
        rest = fmt::format("{} {}", kWhen[static_cast<std::size_t>(tag.availability->kind)],
                           tag.availability->column   ? tag.availability->column->text()
                           : tag.availability->offset ? e(tag.availability->offset)
                                                      : "");
      line("@{} {}", kTags[static_cast<std::size_t>(tag.kind)], rest);
    }
  }
  void form(const SplitForm& f) {
    static constexpr std::string_view kForms[] = {"random", "time", "group", "fold", "rolling"};
    line("split {}", kForms[static_cast<std::size_t>(f.kind)]);
    inside([&] {
      if (!f.parts.empty()) line("parts {}", many(f.parts));
      if (f.count) line("count {}", e(f.count));
      if (f.group_by) line("group by {}", f.group_by->text());
      if (f.by_time) line("by time");
      if (f.stratified) line("stratified {}", f.stratified->text());
      if (!f.by.empty()) line("by {}", join(f.by));
      if (f.seed) line("seed {}", e(f.seed));
      if (f.gap) line("gap {}", e(f.gap));
      if (f.every) line("every {}", e(f.every));
      if (f.horizon) line("horizon {}", e(f.horizon));
    });
  }
  std::string e(ExprId id) const { return dump_expr(file_, id); }
  std::string in(ExprId range) const { return range ? " in " + e(range) : std::string(); }
  std::string many(const std::vector<ExprId>& ids) const {
    std::string out;
    for (const ExprId id : ids)
      (out += out.empty() ? "" : ", ") += e(id);
    return out;
  }
  std::string arguments(const std::vector<Argument>& all) const {
    std::string out;
    for (const Argument& each : all)
      (out += out.empty() ? "" : ", ") += dump_argument(file_, each);
    return out;
  }
  std::string objective(const Objective& o) const {
    return fmt::format("{} {}", o.maximize ? "maximize" : "minimize", e(o.metric));
  }
  std::string order(const std::vector<OrderItem>& items) const {
    std::string out;
    for (const OrderItem& item : items)
      out += (out.empty() ? "" : ", ") + item.column.text() + (item.descending ? " desc" : "");
    return out;
  }
  std::string actions(const std::vector<Action>& all) const {
    static constexpr std::string_view kActions[] = {"alert", "retrain", "rollback", "stop"};
    std::string out;
    for (const Action& action : all) {
      out += (out.empty() ? "" : " ") + std::string(kActions[static_cast<std::size_t>(action.kind)]);
      if (action.cooldown) out += " cooldown " + e(action.cooldown);
    }
    return out;
  }

  const File& file_;
  std::string subject_;
  std::string out_;
  int indent_ = 0;
};

}  // namespace
}  // namespace syntax

std::string dump(const ast::File& file) {
  return syntax::Dumper(file).run();
}

}  // namespace mlp
