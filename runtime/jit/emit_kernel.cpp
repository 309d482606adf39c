#include "runtime/jit/emit_kernel.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/Verifier.h>

#include <algorithm>
#include <cstring>

#include "compiler/support/check.h"
#include "kernels/checked.h"
#include "runtime/interp/slots.h"
#include "runtime/jit/kernel_frame.h"

// GCC 12 does not see that LLVM's classes bring both their `new` and their `delete`.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace mlp::jit {

namespace {

using namespace mlp::expr;
using llvm::Value;

/// A node's value in the current row; zero (an empty text) where it is not known.
struct RowValue {
  Value* value = nullptr;   ///< i1, i64, double, or a text's address
  Value* size = nullptr;    ///< of a text, i64
  Value* known = nullptr;   ///< i1
};

constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15ull;

std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

class Emitter {
 public:
  Emitter(const Expr& e, const llvm::Module& kernels, const NativeNames& names)
      : e_(e), kernels_(kernels), names_(names), context_(kernels.getContext()), b_(context_),
        module_(std::make_unique<llvm::Module>("kernel", context_)) {
    module_->setTargetTriple(kernels.getTargetTriple());
    module_->setDataLayout(kernels.getDataLayout());
  }
  std::unique_ptr<llvm::Module> emit();

 private:
  llvm::Type* i1() { return b_.getInt1Ty(); }
  llvm::Type* i8() { return b_.getInt8Ty(); }
  llvm::Type* i64() { return b_.getInt64Ty(); }
  llvm::Type* real() { return b_.getDoubleTy(); }
  llvm::Type* address() { return b_.getPtrTy(); }
  llvm::Type* text() { return llvm::StructType::get(context_, {address(), i64()}); }
  llvm::Type* memory_of(Slot slot) {
    switch (slot) {
      case Slot::bool_: return i8();
      case Slot::int_:
      case Slot::bits: return i64();
      case Slot::float_: return real();
      case Slot::text: return text();
      case Slot::weights: return address();
    }
    fail_check(__FILE__, __LINE__, "a slot of no kind");
  }

  RowValue zero(Slot slot);
  /// Clears what is not known.
  RowValue settled(RowValue value, Slot slot);
  RowValue select(Value* condition, const RowValue& yes, const RowValue& no);
  RowValue load(Value* base, Slot slot);
  void store(Value* base, const RowValue& value, Slot slot);
  Value* is_value(Value* value, Slot slot);
  Value* random_bits(std::uint64_t stream);
  /// A constant in read-only memory.
  llvm::Constant* bytes(const std::string& text);
  llvm::Constant* weights(const interp::ConstantWeights& weights);
  Slot slot(NodeId id) const { return interp::slot_of(e_[id].type); }
  const RowValue& of(NodeId id) const { return values_[id.index()]; }

  RowValue emit(const Node& node, const Literal& op);
  RowValue emit(const Node& node, const Input& op);
  RowValue emit(const Node& node, const Call& op);
  RowValue emit(const Node& node, const Convert& op);
  RowValue emit(const Node& node, const And& op);
  RowValue emit(const Node& node, const Or& op);
  RowValue emit(const Node& node, const Not& op);
  RowValue emit(const Node& node, const Choose& op);
  RowValue emit(const Node& node, const Coalesce& op);
  RowValue emit(const Node& node, const IsKnown& op);
  RowValue emit(const Node& node, const InSet& op);
  [[noreturn]] RowValue emit(const Node&, const Fitted&) {
    fail_check(__FILE__, __LINE__, "a fitted transform reached the kernel compiler");
  }

  const Expr& e_;
  const llvm::Module& kernels_;
  const NativeNames& names_;
  llvm::LLVMContext& context_;
  llvm::IRBuilder<> b_;
  std::unique_ptr<llvm::Module> module_;
  llvm::Function* kernel_ = nullptr;
  llvm::BasicBlock* entry_ = nullptr;
  Value* row_ = nullptr;      ///< within the run
  Value* ordinal_ = nullptr;  ///< within the table
  std::vector<std::pair<Value*, Value*>> inputs_;  ///< data and known bytes
  std::vector<RowValue> values_;
};

RowValue Emitter::zero(Slot slot) {
  RowValue result;
  result.known = b_.getFalse();
  if (slot == Slot::text) {
    result.value = llvm::ConstantPointerNull::get(b_.getPtrTy());
    result.size = b_.getInt64(0);
  } else {
    result.value = llvm::Constant::getNullValue(slot == Slot::bool_ ? i1() : memory_of(slot));
  }
  return result;
}

RowValue Emitter::select(Value* condition, const RowValue& yes, const RowValue& no) {
  RowValue result;
  result.value = b_.CreateSelect(condition, yes.value, no.value);
  if (yes.size) result.size = b_.CreateSelect(condition, yes.size, no.size);
  result.known = b_.CreateSelect(condition, yes.known, no.known);
  return result;
}

RowValue Emitter::settled(RowValue value, Slot slot) {
  if (auto* constant = llvm::dyn_cast<llvm::ConstantInt>(value.known); constant && constant->isOne()) return value;
  RowValue cleared = select(value.known, value, zero(slot));
  cleared.known = value.known;
  return cleared;
}

RowValue Emitter::load(Value* base, Slot slot) {
  Value* const at = b_.CreateInBoundsGEP(memory_of(slot), base, row_);
  RowValue result;
  if (slot == Slot::text) {
    result.value = b_.CreateLoad(address(), b_.CreateStructGEP(text(), at, 0));
    result.size = b_.CreateLoad(i64(), b_.CreateStructGEP(text(), at, 1));
  } else {
    result.value = b_.CreateLoad(memory_of(slot), at);
    if (slot == Slot::bool_) result.value = b_.CreateICmpNE(result.value, b_.getInt8(0));
  }
  return result;
}

void Emitter::store(Value* base, const RowValue& value, Slot slot) {
  Value* const at = b_.CreateInBoundsGEP(memory_of(slot), base, row_);
  if (slot == Slot::text) {
    b_.CreateStore(value.value, b_.CreateStructGEP(text(), at, 0));
    b_.CreateStore(value.size, b_.CreateStructGEP(text(), at, 1));
  } else {
    b_.CreateStore(slot == Slot::bool_ ? b_.CreateZExt(value.value, i8()) : value.value, at);
  }
}

Value* Emitter::is_value(Value* value, Slot slot) {
  if (slot == Slot::int_) return b_.CreateICmpNE(value, b_.getInt64(static_cast<std::uint64_t>(kNoInt)));
  if (slot != Slot::float_) return b_.getTrue();
  return b_.CreateFCmpOLT(b_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, value), llvm::ConstantFP::getInfinity(real()));
}

/// draw_bits of kernels/abi.h, the part of the stream computed here.
Value* Emitter::random_bits(std::uint64_t stream) {
  Value* const step = b_.CreateMul(b_.CreateAdd(ordinal_, b_.getInt64(1)), b_.getInt64(kGolden));
  Value* z = b_.CreateAdd(b_.getInt64(mixed(stream + kGolden)), step);
  z = b_.CreateMul(b_.CreateXor(z, b_.CreateLShr(z, 30)), b_.getInt64(0xBF58476D1CE4E5B9ull));
  z = b_.CreateMul(b_.CreateXor(z, b_.CreateLShr(z, 27)), b_.getInt64(0x94D049BB133111EBull));
  return b_.CreateXor(z, b_.CreateLShr(z, 31));
}

llvm::Constant* Emitter::bytes(const std::string& text) {
  auto* const data = llvm::ConstantDataArray::getString(context_, text, /*AddNull=*/false);
  auto* const global = new llvm::GlobalVariable(*module_, data->getType(), true, llvm::GlobalValue::PrivateLinkage, data);
  return global;
}

llvm::Constant* Emitter::weights(const interp::ConstantWeights& source) {
  const auto constant = [&](llvm::Constant* value) {
    return new llvm::GlobalVariable(*module_, value->getType(), true, llvm::GlobalValue::PrivateLinkage, value);
  };
  auto* const text_type = llvm::cast<llvm::StructType>(text());
  std::vector<llvm::Constant*> names;
  for (const std::string& name : source.names)
    names.push_back(llvm::ConstantStruct::get(text_type, {bytes(name), b_.getInt64(name.size())}));
  auto* const cumulative = constant(llvm::ConstantDataArray::get(context_, llvm::ArrayRef<double>(source.cumulative)));
  auto* const all_names = constant(llvm::ConstantArray::get(llvm::ArrayType::get(text_type, names.size()), names));
  return constant(llvm::ConstantStruct::getAnon({b_.getInt64(names.size()), cumulative, all_names}));
}

RowValue Emitter::emit(const Node& node, const Literal& op) {
  const auto constant = interp::make_constant(op.value, node.type);
  RowValue result = zero(constant->slot);
  if (!constant->known) return result;
  result.known = b_.getTrue();
  std::int64_t whole = 0;
  std::memcpy(&whole, constant->bytes, interp::size_of(constant->slot) < 8 ? 1 : 8);
  switch (constant->slot) {
    case Slot::bool_: result.value = b_.getInt1(whole != 0); break;
    case Slot::int_: result.value = b_.getInt64(static_cast<std::uint64_t>(whole)); break;
    case Slot::float_: result.value = llvm::ConstantFP::get(real(), std::bit_cast<double>(whole)); break;
    case Slot::text:
      result.value = bytes(constant->text);
      result.size = b_.getInt64(constant->text.size());
      break;
    case Slot::bits:
    case Slot::weights: MLP_CHECK(false);
  }
  return result;
}

RowValue Emitter::emit(const Node& node, const Input& op) {
  MLP_CHECK(op.index < inputs_.size());
  RowValue result = load(inputs_[op.index].first, interp::slot_of(node.type));
  Value* const at = b_.CreateInBoundsGEP(i8(), inputs_[op.index].second, row_);
  result.known = b_.CreateICmpNE(b_.CreateLoad(i8(), at), b_.getInt8(0));
  return result;
}

RowValue Emitter::emit(const Node& node, const Call& op) {
  const interp::BoundCall bound = interp::bind_call(e_, op);
  const auto name = names_.find(op.native);
  MLP_CHECK(name != names_.end() && !bound.function->makes_text && bound.function->result == interp::slot_of(node.type));
  const llvm::Function* const native = kernels_.getFunction(name->second);
  MLP_CHECK(native);
  llvm::FunctionCallee callee = module_->getOrInsertFunction(name->second, native->getFunctionType());
  llvm::cast<llvm::Function>(callee.getCallee())->copyAttributesFrom(native);

  RowValue result;
  result.known = b_.getTrue();
  std::vector<Value*> arguments;
  if (bound.row) arguments.push_back(ordinal_);
  if (bound.random) arguments.push_back(random_bits(op.stream));
  for (std::size_t i = 0; i < bound.plain; ++i) {
    const RowValue& argument = of(op.args[i]);
    arguments.push_back(argument.value);
    if (argument.size) arguments.push_back(argument.size);
    result.known = b_.CreateAnd(result.known, argument.known);
  }
  if (bound.plain < op.args.size())
    arguments.push_back(weights(*interp::make_weights(e_, std::span(op.args).subspan(bound.plain))));
  Value* flag = nullptr;
  if (bound.function->can_fail) {
    flag = llvm::IRBuilder<>(&entry_->front()).CreateAlloca(i8());
    arguments.push_back(flag);
  }
  MLP_CHECK(arguments.size() == native->arg_size());
  llvm::CallInst* const call = b_.CreateCall(callee, arguments);
  call->setAttributes(native->getAttributes());
  if (flag) result.known = b_.CreateAnd(result.known, b_.CreateICmpNE(b_.CreateLoad(i8(), flag), b_.getInt8(0)));
  const Slot slot = bound.function->result;
  if (slot == Slot::text) {
    result.value = b_.CreateExtractValue(call, 0);
    result.size = b_.CreateExtractValue(call, 1);
  } else {
    result.value = call;
    result.known = b_.CreateAnd(result.known, is_value(call, slot));
  }
  return settled(result, slot);
}

RowValue Emitter::emit(const Node& node, const Convert& op) {
  const Base from = e_[op.value].type.base, to = node.type.base;
  RowValue result = of(op.value);
  if (from == Base::int_ && to == Base::float_) {
    result.value = b_.CreateSIToFP(result.value, real());
  } else if (from == Base::date && to == Base::timestamp) {
    Value* const product = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smul_with_overflow, result.value, b_.getInt64(kMicrosPerDay));
    result.value = b_.CreateExtractValue(product, 0);
    result.known = b_.CreateAnd(result.known, b_.CreateNot(b_.CreateExtractValue(product, 1)));
    result.known = b_.CreateAnd(result.known, is_value(result.value, Slot::int_));
    return settled(result, Slot::int_);
  } else {
    MLP_CHECK((e_[op.value].type.is_text() && node.type.is_text()) || from == to);
  }
  return result;
}

RowValue Emitter::emit(const Node&, const And& op) {
  const RowValue &left = of(op.left), &right = of(op.right);
  // Under a missing value the bit is 0, so a known false is `known and not value`.
  Value* const left_false = b_.CreateAnd(left.known, b_.CreateNot(left.value));
  Value* const right_false = b_.CreateAnd(right.known, b_.CreateNot(right.value));
  return {b_.CreateAnd(left.value, right.value), nullptr,
          b_.CreateOr(b_.CreateAnd(left.known, right.known), b_.CreateOr(left_false, right_false))};
}

RowValue Emitter::emit(const Node&, const Or& op) {
  const RowValue &left = of(op.left), &right = of(op.right);
  Value* const either = b_.CreateOr(left.value, right.value);
  return {either, nullptr, b_.CreateOr(either, b_.CreateAnd(left.known, right.known))};
}

RowValue Emitter::emit(const Node&, const Not& op) {
  const RowValue& value = of(op.value);
  return {b_.CreateAnd(value.known, b_.CreateNot(value.value)), nullptr, value.known};
}

RowValue Emitter::emit(const Node& node, const Choose& op) {
  RowValue result = select(of(op.condition).value, of(op.yes), of(op.no));
  result.known = b_.CreateAnd(result.known, of(op.condition).known);
  return settled(result, interp::slot_of(node.type));
}

RowValue Emitter::emit(const Node&, const Coalesce& op) { return select(of(op.value).known, of(op.value), of(op.fallback)); }

RowValue Emitter::emit(const Node&, const IsKnown& op) {
  Value* const known = of(op.value).known;
  return {op.negated ? b_.CreateNot(known) : known, nullptr, b_.getTrue()};
}

RowValue Emitter::emit(const Node&, const InSet& op) {
  const RowValue& value = of(op.value);
  const Type& type = e_[op.value].type;
  Value* found = b_.getFalse();
  for (const mlp::Value& member : op.set) {
    const auto constant = interp::make_constant(member, type);
    MLP_CHECK(constant->known);
    const RowValue other = emit(e_[op.value], Literal{member});
    Value* same = nullptr;
    switch (constant->slot) {
      case Slot::bool_:
      case Slot::int_: same = b_.CreateICmpEQ(value.value, other.value); break;
      case Slot::float_: same = b_.CreateFCmpOEQ(value.value, other.value); break;
      case Slot::text: {
        // Bytes are compared only where the sizes are equal: branches, for reading further would leave the text.
        llvm::BasicBlock* const before = b_.GetInsertBlock();
        auto* const compare = llvm::BasicBlock::Create(context_, "compare", kernel_);
        auto* const after = llvm::BasicBlock::Create(context_, "after", kernel_);
        b_.CreateCondBr(b_.CreateICmpEQ(value.size, other.size), compare, after);
        b_.SetInsertPoint(compare);
        llvm::FunctionCallee memory_compare = module_->getOrInsertFunction("memcmp", b_.getInt32Ty(), address(), address(), i64());
        Value* const order = b_.CreateCall(memory_compare, {value.value, other.value, other.size});
        Value* const equal = constant->text.empty() ? static_cast<Value*>(b_.getTrue()) : b_.CreateICmpEQ(order, b_.getInt32(0));
        b_.CreateBr(after);
        b_.SetInsertPoint(after);
        llvm::PHINode* const result = b_.CreatePHI(i1(), 2);
        result->addIncoming(b_.getFalse(), before);
        result->addIncoming(equal, compare);
        same = result;
        break;
      }
      case Slot::bits:
      case Slot::weights: MLP_CHECK(false);
    }
    found = b_.CreateOr(found, same);
  }
  if (op.negated) found = b_.CreateNot(found);
  return {b_.CreateAnd(found, value.known), nullptr, value.known};
}

std::unique_ptr<llvm::Module> Emitter::emit() {
  auto* const type = llvm::FunctionType::get(b_.getVoidTy(), {i64(), i64(), address(), address(), address()}, false);
  kernel_ = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, kKernelName, *module_);
  kernel_->addFnAttr(llvm::Attribute::NoUnwind);
  Value* const rows = kernel_->getArg(0);
  Value* const first_row = kernel_->getArg(1);
  for (unsigned i = 2; i < 5; ++i) kernel_->addParamAttr(i, llvm::Attribute::NoAlias);

  entry_ = llvm::BasicBlock::Create(context_, "entry", kernel_);
  auto* const head = llvm::BasicBlock::Create(context_, "head", kernel_);
  auto* const body = llvm::BasicBlock::Create(context_, "body", kernel_);
  auto* const done = llvm::BasicBlock::Create(context_, "done", kernel_);

  b_.SetInsertPoint(entry_);
  llvm::Type* const input_type = llvm::StructType::get(context_, {address(), address()});
  for (std::size_t i = 0; i < e_.inputs.size(); ++i) {
    Value* const at = b_.CreateConstInBoundsGEP1_64(input_type, kernel_->getArg(2), i);
    Value* const data = b_.CreateLoad(address(), b_.CreateStructGEP(input_type, at, 0));
    inputs_.emplace_back(data, b_.CreateLoad(address(), b_.CreateStructGEP(input_type, at, 1)));
  }
  b_.CreateBr(head);
  b_.SetInsertPoint(head);
  llvm::PHINode* const row = b_.CreatePHI(i64(), 2, "row");
  row_ = row;
  b_.CreateCondBr(b_.CreateICmpSLT(row, rows), body, done);
  b_.SetInsertPoint(body);
  ordinal_ = b_.CreateAdd(first_row, row);

  std::vector<bool> needed(e_.nodes.size(), false);
  needed.back() = true;
  for (std::size_t i = e_.nodes.size(); i-- > 0;) {
    if (!needed[i]) continue;
    std::vector<NodeId> used = operands(e_.nodes[i].op);
    if (const auto* call = std::get_if<Call>(&e_.nodes[i].op)) used.resize(interp::bind_call(e_, *call).plain);
    for (const NodeId operand : used) {
      MLP_CHECK(operand.index() < i);
      needed[operand.index()] = true;
    }
  }
  values_.resize(e_.nodes.size());
  for (std::size_t i = 0; i < e_.nodes.size(); ++i)
    if (needed[i]) values_[i] = std::visit([&](const auto& op) { return emit(e_.nodes[i], op); }, e_.nodes[i].op);

  const Slot slot = interp::slot_of(e_.type());
  store(kernel_->getArg(3), values_.back(), slot);
  b_.CreateStore(b_.CreateZExt(values_.back().known, i8()), b_.CreateInBoundsGEP(i8(), kernel_->getArg(4), row_));
  Value* const next = b_.CreateNSWAdd(row_, b_.getInt64(1));
  row->addIncoming(b_.getInt64(0), entry_);
  row->addIncoming(next, b_.GetInsertBlock());
  b_.CreateBr(head);
  b_.SetInsertPoint(done);
  b_.CreateRetVoid();
  MLP_CHECK(!llvm::verifyModule(*module_));
  return std::move(module_);
}

}  // namespace

NativeNames native_names(const llvm::Module& kernels) {
  // Itanium mangling of mlp::native_fn::NAME: _ZN 3mlp 9native_fn <length> NAME E …
  constexpr std::string_view kPrefix = "_ZN3mlp9native_fn";
  NativeNames names;
  for (const llvm::Function& function : kernels) {
    const std::string_view mangled(function.getName().data(), function.getName().size());
    if (!mangled.starts_with(kPrefix)) continue;
    std::size_t at = kPrefix.size(), length = 0;
    while (at < mangled.size() && mangled[at] >= '0' && mangled[at] <= '9') length = length * 10 + static_cast<std::size_t>(mangled[at++] - '0');
    if (length == 0 || at + length >= mangled.size() || mangled[at + length] != 'E') continue;
    names.emplace(mangled.substr(at, length), mangled);
  }
  return names;
}

std::unique_ptr<llvm::Module> emit_kernel(const expr::Expr& e, const llvm::Module& kernels, const NativeNames& names) {
  return Emitter(e, kernels, names).emit();
}

}  // namespace mlp::jit
