#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace mlp {

/// Index of a node in the vector that owns it; `Tag` keeps the indices of different vectors apart.
template <class Tag>
struct Id {
  static constexpr std::uint32_t kNone = 0xFFFF'FFFFu;
  std::uint32_t value = kNone;

  constexpr Id() = default;
  constexpr explicit Id(std::size_t index) : value(static_cast<std::uint32_t>(index)) {}
  constexpr explicit operator bool() const { return value != kNone; }
  constexpr std::size_t index() const { return value; }
  friend constexpr auto operator<=>(Id, Id) = default;
};

}  // namespace mlp

template <class Tag>
struct std::hash<mlp::Id<Tag>> {
  std::size_t operator()(mlp::Id<Tag> id) const noexcept { return std::hash<std::uint32_t>{}(id.value); }
};
