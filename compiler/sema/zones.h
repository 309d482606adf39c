#pragma once

#include <string_view>

#include "compiler/sema/context.h"

namespace mlp::sema {

/// Whether a text is the name of a time zone, such as "Europe/Berlin" or "UTC". The names are part of the compiler, so that a program
/// is right on every machine or on none.
bool is_zone(std::string_view name);
/// Parameters of the library that are called so take the name of a zone.
inline constexpr std::string_view kZoneParameter = "zone";
/// Reports E0311 where the text is none.
bool check_zone(Context& context, std::string_view name, Span span);

}  // namespace mlp::sema
