#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/learn/cells.h"
#include "runtime/learn/encoding.h"
#include "runtime/learn/native.h"

/// Makes a NativeTransform out of a small struct. What the struct says:
///
///     struct Scale {
///       static constexpr std::uint32_t kFormat = …;   // any number no other transform has
///       struct Partial { …; template <class A> void fields(A& a) { a(…); } };   // what is known of some rows
///       struct Fitted  { …; template <class A> void fields(A& a) { a(…); } };   // what is needed to apply it
///       static void add(const Options&, Partial&, const Rows& rows);            // the rows of one fragment
///       static void merge(Partial& into, Partial&& from);                       // order must not matter: counts, ExactSum, min, max
///       static Result<Fitted> finish(const Options&, Partial&&);
///       static Column apply(const Fitted&, std::span<const Column> args, std::uint64_t& unseen);
///       static Type result(const Fitted&);
///       static std::vector<std::pair<std::string, std::string>> describe(const Fitted&);
///       static bool sound(const Fitted&);                        // optional: false for a state that apply cannot use
///       static std::vector<std::string> slots(const Fitted&);    // optional: for vectors
///     };
///     constinit const NativeTransform NAME = adapt<Scale>();     // in namespace mlp::native_transform
namespace mlp::learn {

/// The rows of a fragment that a transform is fitted on.
struct Rows {
  std::span<const Column> args;
  const Column* label = nullptr;
  std::span<const std::uint8_t> use;
};

template <class T>
struct AdaptedTransform final : FittedTransform {
  explicit AdaptedTransform(typename T::Fitted fitted) : fitted_(std::move(fitted)) {}
  Column apply(std::span<const Column> args, std::uint64_t* unseen) const override {
    std::uint64_t ignored = 0;
    return T::apply(fitted_, args, unseen != nullptr ? *unseen : ignored);
  }
  Type result() const override { return T::result(fitted_); }
  std::vector<std::string> slots() const override {
    if constexpr (requires { T::slots(fitted_); }) return T::slots(fitted_);
    else return {};
  }
  std::vector<std::pair<std::string, std::string>> describe() const override { return T::describe(fitted_); }

 private:
  typename T::Fitted fitted_;
};

template <class T>
consteval NativeTransform adapt() {
  constexpr std::uint32_t kPartial = 2 * T::kFormat, kFitted = 2 * T::kFormat + 1, kVersion = 1;
  return {
      .partial = [](const Options& options, std::span<const Column> args, const Column* label, std::span<const std::uint8_t> use) {
        typename T::Partial partial{};
        T::add(options, partial, Rows{args, label, use});
        return encode_state(kPartial, kVersion, partial);
      },
      .merge = [](const Options&, std::span<const std::string_view> partials) -> Result<std::string> {
        typename T::Partial all{};
        for (const std::string_view bytes : partials) {
          MLP_TRY(auto one, decode_state<typename T::Partial>(bytes, kPartial, kVersion, "a partial state of a transform"));
          T::merge(all, std::move(one));
        }
        return encode_state(kPartial, kVersion, all);
      },
      .finish = [](const Options& options, std::string_view bytes) -> Result<std::string> {
        MLP_TRY(auto partial, decode_state<typename T::Partial>(bytes, kPartial, kVersion, "a partial state of a transform"));
        MLP_TRY(const auto fitted, T::finish(options, std::move(partial)));
        return encode_state(kFitted, kVersion, fitted);
      },
      .load = [](std::string_view bytes) -> Result<std::shared_ptr<const FittedTransform>> {
        MLP_TRY(auto fitted, decode_state<typename T::Fitted>(bytes, kFitted, kVersion, "a fitted state"));
        if constexpr (requires { T::sound(fitted); })
          if (!T::sound(fitted)) return damaged("a fitted state");
        return std::make_shared<const AdaptedTransform<T>>(std::move(fitted));
      },
  };
}

}  // namespace mlp::learn
