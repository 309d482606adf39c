#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/expr/expr.h"
#include "compiler/types/type.h"
#include "kernels/table.h"
#include "runtime/column/column.h"

/// How values of the language lie in memory while they are computed: what interpreter and kernels share.
namespace mlp::interp {

/// Rows that are computed at once.
inline constexpr std::size_t kChunk = 1024;

/// Slot of a type's values. Ends the process for types that no expression computes (vector, list, map).
Slot slot_of(const Type& type);
std::size_t size_of(Slot slot);

/// A constant of the slot: `bytes` holds its value (text: a Text into `text`). Missing where the value is monostate.
struct Constant {
  Slot slot;
  bool known = false;
  alignas(8) std::byte bytes[16] = {};
  std::string text;
};
std::unique_ptr<Constant> make_constant(const Value& value, const Type& type);

/// The options of a call such as choice(…): literal pairs of text and weight, in order.
struct ConstantWeights {
  std::vector<std::string> names;
  std::vector<Text> texts;
  std::vector<double> cumulative;
  Weights weights{};
};
std::unique_ptr<ConstantWeights> make_weights(const expr::Expr& e, std::span<const expr::NodeId> pairs);

/// A call's arguments matched with the parameters of its native.
struct BoundCall {
  const NativeFunction* function = nullptr;
  bool row = false;      ///< parameter 0 is the row's ordinal
  bool random = false;   ///< parameter 0 is the row's random bits
  std::size_t first = 0; ///< parameters in front of the arguments
  std::size_t plain = 0; ///< arguments that are values of rows; the others are the pairs of a map
};
BoundCall bind_call(const expr::Expr& e, const expr::Call& call);

/// Texts of rows [from, from + count) of a string or category column; empty where missing.
void read_texts(const Column& column, std::size_t from, std::size_t count, Text* to);

/// Grows a string or category column out of texts. Category dictionaries come out sorted by bytes.
class TextColumn {
 public:
  TextColumn(Type type, std::size_t expected_rows);
  /// `known` may be null: all are.
  void append(const Text* texts, const std::uint8_t* known, std::size_t count);
  Column finish();

 private:
  std::int32_t code_of(Text text);

  struct Recent {
    const char* data = nullptr;
    std::int64_t size = -1;
    std::int32_t code = 0;
  };
  Type type_;
  std::size_t rows_ = 0;
  bool any_missing_ = false;
  std::vector<std::uint8_t> known_;
  std::vector<std::int32_t> codes_;
  std::vector<std::int64_t> offsets_;
  std::string bytes_;
  std::deque<std::string> distinct_;
  std::unordered_map<std::string_view, std::int32_t> code_of_;
  std::vector<Recent> recent_;  ///< last code seen per pointer, a power of two of them; texts of a dictionary come again and again
};

}  // namespace mlp::interp
