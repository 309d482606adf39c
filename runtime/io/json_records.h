#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/types/type.h"

/// JSON objects into values by position.
namespace mlp::io {

/// What is wrong with an object, in words.
struct JsonFault {
  std::string field;   ///< empty: the text as a whole
  std::string value;   ///< shortened
  std::string reason;  ///< "given twice", "not JSON: the string is not closed"
  bool is_object = true;  ///< false: the text is no JSON object at all
  std::uint32_t record = 0;  ///< of a list: which object
};

/// Reads objects. Keeps its memory from one to the next, so a thread has its own.
class JsonRecordReader {
 public:
  /// The names that fields have, and the position of each; several names may have one position.
  JsonRecordReader(std::vector<std::pair<std::string, std::uint32_t>> names, std::size_t positions);
  JsonRecordReader(JsonRecordReader&&) noexcept;
  ~JsonRecordReader();

  /// Fills `record` with the values of one object; nullopt where it has no such field, monostate for null. A number without a
  /// fraction or exponent that fits 64 bits is an int. Fields of other names are given to `unknown`, or passed over. Nesting is
  /// bounded (1,024), and the text has to be UTF-8.
  std::optional<JsonFault> read(std::string_view text, std::vector<std::optional<Value>>& record, std::vector<std::string>* unknown = nullptr);

  /// Adds the names of an object's fields that are not among `names` yet, in its order; none where it is no object.
  void add_names(std::string_view text, std::vector<std::string>& names);

  /// One object, or a list of at most `most` of them. `unknown` gets the record and the name of each field of another name.
  std::optional<JsonFault> read_all(std::string_view text, std::size_t most, std::vector<std::vector<std::optional<Value>>>& records,
                                    bool& is_list, std::vector<std::pair<std::uint32_t, std::string>>& unknown);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mlp::io
