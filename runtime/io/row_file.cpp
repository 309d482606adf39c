#include "runtime/io/row_file.h"


#include <errno.h>
#include <fmt/format.h>
#include <string.h>
#include <unistd.h>

#include <iterator>

#include "runtime/io/date_text.h"

namespace mlp::io {

namespace {

constexpr std::size_t kFlushed = std::size_t{1} << 20;

}  // namespace

std::string& RowWriter::begin() {
  if (!first_) buffer_ += ',';
  first_ = false;
  return buffer_;
}

void RowWriter::header(std::span<const std::string> names) {
  for (const std::string& name : names) add_text(name);
  end_row();
  rows_ = 0;
}

void RowWriter::add_int(std::int64_t value) { fmt::format_to(std::back_inserter(begin()), "{}", value); }
void RowWriter::add_float(double value) { fmt::format_to(std::back_inserter(begin()), "{}", value); }

void RowWriter::add_text(std::string_view value) {
  begin() += '"';
  for (std::size_t at = 0;;) {
    const std::size_t quote = value.find('"', at);
    buffer_.append(value.substr(at, quote - at));
    if (quote == std::string_view::npos) break;
    buffer_ += "\"\"";
    at = quote + 1;
  }
  // One NUL byte would be a missing value; two are, as it is, a text that nobody can read.
  if (value == std::string_view("\0", 1)) buffer_ += '\0';
  buffer_ += '"';
}

void RowWriter::add_value(const Column& column, std::size_t row) {
  if (!column.is_known(row)) return add_missing();
  switch (column.type.base) {
    case Base::bool_: return add_bool(column.values<std::uint8_t>()[row] != 0);
    case Base::int_: return add_int(column.values<std::int64_t>()[row]);
    case Base::float_: return add_float(column.values<double>()[row]);
    case Base::date: return add_plain(text_of_date(column.values<std::int64_t>()[row]));
    case Base::timestamp: return add_plain(text_of_timestamp(column.values<std::int64_t>()[row]));
    case Base::duration: return add_plain(fmt::format("{}us", column.values<std::int64_t>()[row]));
    default: return add_text(column.text(row));
  }
}

void RowWriter::end_row() {
  buffer_ += '\n';
  first_ = true;
  ++rows_;
  if (buffer_.size() >= kFlushed) flush();
}

void RowWriter::flush() {
  for (std::size_t at = 0; at < buffer_.size() && !error_;) {
    const ssize_t wrote = ::write(file_, buffer_.data() + at, buffer_.size() - at);
    if (wrote > 0) at += static_cast<std::size_t>(wrote);
    else if (wrote == 0 || errno != EINTR) error_ = wrote == 0 ? ENOSPC : errno;
  }
  buffer_.clear();
}

Result<void> RowWriter::finish() {
  flush();
  if (!error_) return {};
  return failure(diag::Code::E0904, fmt::format("the rows cannot be written: {}", ::strerror(error_)), "free room on the disk, or mend the permissions of the store");
}

}  // namespace mlp::io
