#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/io/arrow_file.h"
#include "runtime/io/typed_values.h"

/// The values of columns of an Arrow file.
namespace mlp::io::arrow {

/// Some values of one column, in memory and checked: what an index below `rows` leads to is there.
struct Values {
  DataType type;
  std::uint64_t rows = 0;
  std::uint64_t first_bit = 0;  ///< of `known`, and of truth values: where the first row is
  std::string known;            ///< a bit for each row; empty: none is missing
  std::string data;
  std::string offsets;          ///< of texts: where each begins in `data`, counted from `base`
  std::uint64_t base = 0;

  bool is_known(std::uint64_t row) const;
  bool any_known() const;
};

ValueKind kind_of(const DataType& type);

/// Rows [from, from + rows) of a field of a batch. E0804 where the buffers do not hold them.
Result<Values> values_at(File& file, const std::string& path, const PlacedBatch& batch, const Batch& parts, std::size_t field, const DataType& type, std::uint64_t from, std::uint64_t rows);
/// The values of a dictionary in this version, one for each of its messages.
Result<std::shared_ptr<const std::vector<Values>>> dictionary_of(Index& index, File& file, const std::string& path, const Field& field, const PlacedBatch& batch);
/// Adds the values to a column of the table.
void add_values(ContractColumn& column, Base base, const Values& values);
/// The same of what the values, which are indices, lead to. E0804 where one leads nowhere.
Result<void> add_values(ContractColumn& column, Base base, const Values& indices, const std::vector<Values>& dictionary, const std::string& path);

}  // namespace mlp::io::arrow
