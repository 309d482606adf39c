#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/types/type.h"
#include "runtime/column/column.h"
#include "runtime/io/source.h"
#include "runtime/scorer/scorer.h"

/// Single values, as JSON, a tensor or a host program gives them, into the columns of a request: the contract of the table is
/// checked here for all of them.
namespace mlp::scorer {

/// One value for each field of Schema::request. nullopt: the record does not have the field. monostate: null.
using Record = std::vector<std::optional<Value>>;

/// A value that breaks the contract of its field.
struct Fault {
  std::uint32_t record = 0;  ///< position among the records
  std::uint32_t field = 0;   ///< position in Schema::request
  std::string value;         ///< shortened, as a person reads it
  std::string reason;        ///< what was expected: "not in 1..99", "missing; a value is required"
};

struct RecordBatch {
  std::vector<Column> columns;    ///< in the order of the request; where a value is bad it is missing
  std::size_t rows = 0;
  std::vector<Fault> faults;      ///< by record, then field
  std::vector<std::uint32_t> bad;  ///< records with a fault, ascending
};

/// Typed columns of the records. What a value may be, by the type of its field:
///   bool: true, false (and the texts of `values (…)`) · int: a whole number, 40.0 is one · float: a finite number
///   string, category: a text · date, timestamp: a text in the format of the column · duration: a text like "90min"
/// A text is read as a field of the table's files is: blanks around it go where the source trims, the source's null text and
/// the empty text are missing. A field that is not there is missing, which only `T?` allows.
RecordBatch to_columns(const LoadedScorer& scorer, std::span<const Record> records);

/// Columns of a table that have types already, as columns of a request: each has the base of its field, or is int for a float or a text
/// for a text. They are judged by the contract as the values of the files are; texts are taken as they stand.
struct TableRequest {
  std::vector<Column> columns;          ///< in the order of the request; where a value is bad it is missing
  io::BadValues bad;                    ///< places: `table` and the number of the row, from 1
  std::vector<std::uint32_t> bad_rows;  ///< ascending
};
/// `given`: one for each field of Schema::request. `first_row`: number in the table of the first of the rows, from 0.
TableRequest to_request(const LoadedScorer& scorer, std::span<const Column> given, const std::string& table, std::uint64_t first_row);

/// E0801 that names each of `faults` by field and reason (the first 20) and counts the rest; there is at least one.
diag::Diagnostic fault_diagnostic(const Schema& schema, std::span<const Fault> faults);

/// to_columns and predict in one; E0801 where a value breaks the contract.
Result<std::vector<double>> predict_records(const LoadedScorer& scorer, std::span<const Record> records);

/// Position in Schema::request of a field by its name in the workflow, else by its name in the table's files.
std::optional<std::uint32_t> field_position(const Schema& schema, std::string_view name);

}  // namespace mlp::scorer
