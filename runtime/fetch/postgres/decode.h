#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/io/row_file.h"

/// Values in the binary form of PostgreSQL's COPY.
namespace mlp::fetch {

/// Whether write_value knows the type, by its oid.
bool is_decoded(std::uint32_t type);
bool is_text_type(std::uint32_t type);
/// Appends the value; false where the bytes are none of the type.
bool write_value(io::RowWriter& to, std::uint32_t type, std::string_view bytes);

}  // namespace mlp::fetch
