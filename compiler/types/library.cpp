#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>

#include "compiler/types/library_rows.h"

namespace mlp {

namespace {

using stdlib::SignatureRow;
using stdlib::ValueRow;

Type type_of(std::string_view text) { return text.empty() ? Type::error() : parse_type(text).value(); }

std::vector<Type> types_of(std::span<const std::string_view> texts) {
  std::vector<Type> out;
  out.reserve(texts.size());
  for (const std::string_view text : texts) out.push_back(type_of(text));
  return out;
}

std::vector<std::string> strings(std::span<const std::string_view> texts) { return {texts.begin(), texts.end()}; }

std::optional<Interval> interval_of(const stdlib::IntervalRow& row) { return row.there ? std::optional(Interval{row.low, row.high}) : std::nullopt; }

std::optional<Value> value_of(const ValueRow& row) {
  switch (row.kind) {
    case ValueRow::none: return std::nullopt;
    case ValueRow::missing: return Value();
    case ValueRow::bool_: return Value(row.whole != 0);
    case ValueRow::int_: return Value(std::int64_t{row.whole});
    case ValueRow::float_: return Value(row.real);
    case ValueRow::text: return Value(std::string(row.string));
  }
  return std::nullopt;
}

Signature signature_of(const SignatureRow& row) {
  Signature s;
  s.kind = row.kind;
  s.name = row.name;
  s.op = row.op;
  s.parameters.reserve(row.parameters.size());
  for (const stdlib::ParameterRow& p : row.parameters)
    s.parameters.push_back({std::string(p.name), types_of(p.types), strings(p.one_of), interval_of(p.range), p.secret, value_of(p.fallback), std::string(p.doc)});
  s.result = type_of(row.result);
  s.result_range = interval_of(row.result_range);
  s.domain_of = row.domain_of;
  s.known_when = row.known_when;
  s.body = row.body;
  s.native = row.native;
  s.row = row.row;
  s.random = row.random;
  s.can_fail = row.can_fail;
  s.interpreted_because = row.interpreted_because;
  for (const stdlib::FitRow& fit : row.fits) s.fits.emplace_back(std::string(fit.name), type_of(fit.type));
  s.uses_label = row.uses_label;
  s.cross_fit = row.cross_fit;
  s.predicts = types_of(row.predicts);
  s.takes = types_of(row.takes);
  s.binned = row.binned;
  for (const stdlib::PreparationRow& p : row.prepares) s.prepares.emplace_back(type_of(p.type), strings(p.outputs));
  s.higher_is_better = row.higher_is_better;
  s.of_decision = row.of_decision;
  s.of_window = row.of_window;
  s.declassifies = row.declassifies;
  s.doc = row.doc;
  s.place = row.place;
  return s;
}

/// Entries are made when they are first asked for: a process uses some dozens of the several hundred, and making all of them would
/// cost each start more than checking a workflow does.
class Library {
 public:
  explicit Library(stdlib::LibraryRows data)
      : data_(data), entries_(std::allocator<Signature>().allocate(data.rows.size())), made_(new std::atomic<bool>[data.rows.size()]()) {
    for (std::size_t i = 0; i < data.rows.size(); ++i) in_order_.push_back(entries_ + i);
    for (const std::uint16_t i : data.by_op) by_op_.push_back(entries_ + i);
    for (const std::uint16_t i : data.by_native) by_native_.push_back(entries_ + i);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  std::span<const Signature> all() {
    for (std::size_t i = 0; i < data_.rows.size(); ++i) make(i);
    return {entries_, data_.rows.size()};
  }

  std::span<const Signature* const> named(EntryKind kind, std::string_view name) {
    const auto found = std::ranges::equal_range(data_.rows, std::pair(kind, name), {}, [](const SignatureRow& row) { return std::pair(row.kind, row.name); });
    return made(in_order_, static_cast<std::size_t>(found.begin() - data_.rows.begin()), found.size());
  }

  std::span<const Signature* const> with_op(std::string_view op) { return with(data_.by_op, by_op_, op, &SignatureRow::op); }

  const Signature* with_native(std::string_view native) {
    const auto found = with(data_.by_native, by_native_, native, &SignatureRow::native);
    return found.empty() ? nullptr : found.front();
  }

 private:
  std::span<const Signature* const> with(std::span<const std::uint16_t> order, const std::vector<const Signature*>& pointers, std::string_view text,
                                         std::string_view SignatureRow::*of) {
    const auto found = std::ranges::equal_range(order, text, {}, [&](std::uint16_t i) { return data_.rows[i].*of; });
    return made(pointers, static_cast<std::size_t>(found.begin() - order.begin()), found.size());
  }

  std::span<const Signature* const> made(const std::vector<const Signature*>& pointers, std::size_t begin, std::size_t count) {
    const std::span<const Signature* const> out(pointers.data() + begin, count);
    for (const Signature* entry : out) make(static_cast<std::size_t>(entry - entries_));
    return out;
  }

  void make(std::size_t i) {
    if (made_[i].load(std::memory_order_acquire)) return;
    const std::lock_guard lock(mutex_);
    if (made_[i].load(std::memory_order_relaxed)) return;
    std::construct_at(entries_ + i, signature_of(data_.rows[i]));
    made_[i].store(true, std::memory_order_release);
  }

  stdlib::LibraryRows data_;
  Signature* entries_;  ///< one array; each is constructed by make()
  std::unique_ptr<std::atomic<bool>[]> made_;
  std::vector<const Signature*> in_order_, by_op_, by_native_;
  std::mutex mutex_;
};

/// Lives as long as the process: others may ask while it ends.
Library& library() {
  static Library* const it = new Library(stdlib::library_rows());
  return *it;
}

}  // namespace

std::span<const Signature> standard_library() { return library().all(); }
std::span<const Signature* const> find_entries(EntryKind kind, std::string_view name) { return library().named(kind, name); }
std::span<const Signature* const> find_operators(std::string_view op) { return library().with_op(op); }
const Signature* find_native(std::string_view native) { return library().with_native(native); }

}  // namespace mlp
