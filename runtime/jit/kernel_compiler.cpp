// The only user of LLVM's compiler: emits, links the natives in, optimises, and loads the object code.

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/Linker/Linker.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/Transforms/IPO/Internalize.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "compiler/support/check.h"
#include "runtime/interp/slots.h"
#include "runtime/jit/compiler.h"
#include "runtime/jit/emit_kernel.h"
#include "runtime/jit/host_symbols.h"
#include "runtime/jit/kernel_frame.h"
#include "runtime/jit/object_cache.h"

extern "C" const unsigned char mlp_kernels_bc[];
extern "C" const std::size_t mlp_kernels_bc_size;

namespace mlp::jit {

namespace {

using namespace mlp::expr;

/// Rows a kernel computes at once: large enough to forget the call, small enough for the cache.
constexpr std::size_t kRun = 4096;

std::unexpected<diag::Diagnostic> llvm_failed(const std::string& what, llvm::Error error) {
  // LLVM's own words would tell a user nothing; they are consumed here.
  llvm::consumeError(std::move(error));
  return failure(diag::Code::E0907, "LLVM could not " + what,
                 "run with `--baseline-cpu`; where that fails too, report it with the output of `mlpc version`");
}

llvm::StringRef kernel_bitcode() {
  return {reinterpret_cast<const char*>(mlp_kernels_bc), mlp_kernels_bc_size};
}

/// Loaded code; kernels keep it alive.
struct Session {
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

class CompiledKernel final : public Kernel {
 public:
  CompiledKernel(std::shared_ptr<Session> session, KernelFunction function, const Expr& e)
      : session_(std::move(session)), function_(function), type_(e.type()) {
    for (const InputColumn& input : e.inputs) inputs_.push_back(input.type);
  }
  Column evaluate(const Batch& batch) const override;

 private:
  std::shared_ptr<Session> session_;
  KernelFunction function_;
  Type type_;
  std::vector<Type> inputs_;
};

Column CompiledKernel::evaluate(const Batch& batch) const {
  MLP_CHECK(batch.columns.size() == inputs_.size());
  const Slot slot = interp::slot_of(type_);
  const std::size_t size = interp::size_of(slot), run = std::min(kRun, std::max<std::size_t>(batch.rows, 1));
  const std::vector<std::uint8_t> all_known(run, 1);
  std::vector<std::vector<Text>> texts(inputs_.size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const Column& column = batch.columns[i];
    MLP_CHECK(column.rows == batch.rows && column.type.base == inputs_[i].base);
    if (column.type.is_text()) texts[i].resize(run);
  }
  std::vector<KernelInput> inputs(inputs_.size());
  std::vector<std::uint8_t> known(batch.rows);
  std::vector<Text> result_texts(slot == Slot::text ? run : 0);
  std::optional<interp::TextColumn> text_column;
  Column column;
  if (slot == Slot::text) text_column.emplace(type_, batch.rows);
  else column = {.type = type_, .rows = batch.rows, .data = Buffer(batch.rows * size)};

  for (std::size_t from = 0; from < batch.rows; from += run) {
    const std::size_t count = std::min(run, batch.rows - from);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Column& source = batch.columns[i];
      inputs[i].known = source.known ? source.known.as<std::uint8_t>().data() + from : all_known.data();
      if (texts[i].empty()) {
        inputs[i].data = source.data.data() + from * interp::size_of(interp::slot_of(source.type));
      } else {
        interp::read_texts(source, from, count, texts[i].data());
        inputs[i].data = texts[i].data();
      }
    }
    void* const result = text_column ? static_cast<void*>(result_texts.data()) : column.data.mutable_data() + from * size;
    function_(static_cast<std::int64_t>(count), static_cast<std::int64_t>(batch.first_row + from), inputs.data(), result,
              known.data() + from);
    if (text_column) text_column->append(result_texts.data(), known.data() + from, count);
  }
  if (text_column) return text_column->finish();
  if (std::ranges::find(known, 0) != known.end()) column.known = Buffer::copy(known.data(), known.size());
  return column;
}

class LlvmCompiler final : public KernelCompiler {
 public:
  static Result<std::unique_ptr<KernelCompiler>> make(const CompilerOptions& options);
  Result<std::shared_ptr<const Kernel>> compile(const Expr& e) override;
  std::size_t cache_hits() const override { return cache_hits_; }

 private:
  explicit LlvmCompiler(const CompilerOptions& options) : cache_(options.cache_directory) {}
  /// Object code of the expression, from the cache if it is there.
  Result<std::string> object_of(const Expr& e);
  std::string optimised(llvm::Module& module);

  std::mutex mutex_;  ///< a TargetMachine works for one thread at a time
  std::unique_ptr<llvm::TargetMachine> machine_;
  std::shared_ptr<Session> session_;
  llvm::orc::JITDylib* host_ = nullptr;  ///< the functions of this process that kernels call
  NativeNames names_;
  Digest code_digest_;  ///< of everything that object code depends on, except the expression
  ObjectCache cache_;
  std::size_t kernels_ = 0;
  std::size_t cache_hits_ = 0;
};

Result<std::unique_ptr<KernelCompiler>> LlvmCompiler::make(const CompilerOptions& options) {
  // The targets register once a process, whoever asks first.
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();

  const std::string triple = llvm::sys::getProcessTriple();
  std::string error;
  const llvm::Target* const target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target) return llvm_failed("find its code generator for this machine", llvm::Error::success());
  std::string cpu = options.cpu, features;
  if (cpu == "native") {
    cpu = llvm::sys::getHostCPUName().str();
    std::vector<std::string> list;
    for (const auto& feature : llvm::sys::getHostCPUFeatures())
      list.push_back((feature.second ? "+" : "-") + feature.first().str());
    std::ranges::sort(list);  // a StringMap has no order, and the list is in the key of the cache
    for (const std::string& feature : list) features += (features.empty() ? "" : ",") + feature;
  } else if (cpu == "baseline") {
    cpu = triple.starts_with("x86_64") ? "x86-64" : "generic";
  }
  // Asked of a description without CPU: LLVM prints its own complaint about one that it does not know.
  const std::unique_ptr<llvm::MCSubtargetInfo> known(target->createMCSubtargetInfo(triple, "", ""));
  if (!known || !known->isCPUStringValid(cpu))
    return failure(diag::Code::E0907, "LLVM knows no CPU `" + options.cpu + "` of this architecture", "run with `--baseline-cpu`");
  llvm::TargetOptions target_options;
  target_options.AllowFPOpFusion = llvm::FPOpFusion::Strict;

  std::unique_ptr<LlvmCompiler> compiler(new LlvmCompiler(options));
  compiler->machine_.reset(target->createTargetMachine(triple, cpu, features, target_options, llvm::Reloc::PIC_,
                                                       llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default, true));
  if (!compiler->machine_) return llvm_failed("make code for this machine", llvm::Error::success());

  llvm::LLVMContext context;
  auto kernels = llvm::getLazyBitcodeModule(llvm::MemoryBufferRef(kernel_bitcode(), "kernels"), context);
  if (!kernels) return llvm_failed("read the row functions it was built with", kernels.takeError());
  compiler->names_ = native_names(**kernels);

  Hasher hasher("object/1");
  hasher.add(LLVM_VERSION_STRING).add(triple).add(cpu).add(features).add(sha256({kernel_bitcode().data(), kernel_bitcode().size()}));
  compiler->code_digest_ = hasher.finish();

  auto jit = llvm::orc::LLJITBuilder()
                 .setJITTargetMachineBuilder(llvm::orc::JITTargetMachineBuilder(compiler->machine_->getTargetTriple()))
                 .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
                 .setLinkProcessSymbolsByDefault(false)
                 .create();
  if (!jit) return llvm_failed("start its loader", jit.takeError());
  compiler->session_ = std::make_shared<Session>();
  compiler->session_->jit = std::move(*jit);
  llvm::orc::LLJIT& session = *compiler->session_->jit;
  auto host = session.createJITDylib("host");
  if (!host) return llvm_failed("start its loader", host.takeError());
  compiler->host_ = &*host;
  llvm::orc::SymbolMap symbols;
  for (const HostSymbol& symbol : host_symbols())
    symbols[session.mangleAndIntern(symbol.name)] = {llvm::orc::ExecutorAddr::fromPtr(symbol.address),
                                                     llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  if (llvm::Error defined = compiler->host_->define(llvm::orc::absoluteSymbols(std::move(symbols))))
    return llvm_failed("start its loader", std::move(defined));
  return compiler;
}

std::string LlvmCompiler::optimised(llvm::Module& module) {
  for (llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    // One CPU for all, so that natives are inlined into the kernel's loop.
    function.addFnAttr("target-cpu", machine_->getTargetCPU());
    function.addFnAttr("target-features", machine_->getTargetFeatureString());
    function.removeFnAttr("tune-cpu");
  }
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager calls;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder passes(machine_.get());
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(calls);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, calls, modules);
  passes.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);

  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager codegen;
  MLP_CHECK(!machine_->addPassesToEmitFile(codegen, stream, nullptr, llvm::CodeGenFileType::ObjectFile));
  codegen.run(module);
  return std::string(object.data(), object.size());
}

Result<std::string> LlvmCompiler::object_of(const Expr& e) {
  llvm::LLVMContext context;
  auto kernels = llvm::getLazyBitcodeModule(llvm::MemoryBufferRef(kernel_bitcode(), "kernels"), context);
  if (!kernels) return llvm_failed("read the row functions it was built with", kernels.takeError());
  const std::unique_ptr<llvm::Module> module = emit_kernel(e, **kernels, names_);
  std::string text;
  llvm::raw_string_ostream(text) << *module;
  const Digest key = Hasher("kernel/1").add(code_digest_).add(text).finish();
  if (auto object = cache_.load(key)) {
    ++cache_hits_;
    return std::move(*object);
  }
  module->setDataLayout(machine_->createDataLayout());
  if (llvm::Linker::linkModules(*module, std::move(*kernels), llvm::Linker::LinkOnlyNeeded))
    return llvm_failed("link the row functions into a kernel", llvm::Error::success());
  llvm::internalizeModule(*module, [](const llvm::GlobalValue& value) { return value.getName() == kKernelName; });
  std::string object = optimised(*module);
  cache_.save(key, object);
  return object;
}

Result<std::shared_ptr<const Kernel>> LlvmCompiler::compile(const Expr& e) {
  const std::scoped_lock lock(mutex_);
  MLP_TRY(const std::string object, object_of(e));
  llvm::orc::LLJIT& jit = *session_->jit;
  auto library = jit.createJITDylib("kernel" + std::to_string(kernels_++));
  if (!library) return llvm_failed("load a kernel", library.takeError());
  library->addToLinkOrder(*host_);
  if (llvm::Error added = jit.addObjectFile(*library, llvm::MemoryBuffer::getMemBufferCopy(object, "kernel")))
    return llvm_failed("load a kernel", std::move(added));
  auto address = jit.lookup(*library, kKernelName);
  if (!address) return llvm_failed("load a kernel", address.takeError());
  return std::make_shared<CompiledKernel>(session_, address->toPtr<KernelFunction>(), e);
}

}  // namespace

}  // namespace mlp::jit

/// What the loader looks up in this module.
extern "C" __attribute__((visibility("default"))) void mlp_make_kernel_compiler(
    const mlp::jit::CompilerOptions* options, mlp::Result<std::unique_ptr<mlp::jit::KernelCompiler>>* result) {
  *result = mlp::jit::LlvmCompiler::make(*options);
}
