#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <unistd.h>

#include "runtime/io/row_file.h"
#include "runtime/python/python.h"

namespace mlp::python {

namespace {

/// The file in which the table goes there; gone with the object.
struct InputFile {
  std::string path;
  int fd = -1;
  ~InputFile() {
    if (fd >= 0) ::close(fd);
    if (fd >= 0) ::unlink(path.c_str());
  }
};

std::string_view type_word(Base base) {
  switch (base) {
    case Base::bool_: return "bool";
    case Base::int_: return "int";
    case Base::float_: return "float";
    case Base::date: return "date";
    case Base::timestamp: return "timestamp";
    case Base::duration: return "duration";
    default: return "string";
  }
}

}  // namespace

Result<void> call_stage(const Place& place, const Code& code, std::span<const std::string> names, std::span<const Column> table, const std::vector<std::string>& wanted,
                        const std::string& output) {
  InputFile input{output + ".given"};
  input.fd = ::open(input.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (input.fd < 0) return failure(diag::Code::E0904, fmt::format("`{}` cannot be written: {}", input.path, ::strerror(errno)), "free room on the disk, or mend the permissions of the store");
  std::vector<std::string> types;
  for (const Column& column : table) types.emplace_back(type_word(column.type.base));
  io::RowWriter rows(input.fd);
  rows.header(names);
  for (std::size_t row = 0; !table.empty() && row < table[0].rows; ++row) {
    for (const Column& column : table) rows.add_value(column, row);
    rows.end_row();
  }
  MLP_TRY_VOID(rows.finish());
  return call_with_table(place, code, types, wanted, input.path, output);
}

}  // namespace mlp::python
