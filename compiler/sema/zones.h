#pragma once

#include <string_view>

#include "compiler/sema/context.h"

namespace mlp::sema {

/// Parameters of the library that are called so take the name of a zone.
inline constexpr std::string_view kZoneParameter = "zone";
/// Whether a text is the name of a time zone, such as "Europe/Berlin" or "UTC"; reports E0311 where it is none. The names are part of the
/// compiler, so that a program is right on every machine or on none.
bool check_zone(Context& context, std::string_view name, Span span);

}  // namespace mlp::sema
