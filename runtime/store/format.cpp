#include "runtime/store/format.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include <bit>
#include <cerrno>
#include <system_error>

#include "compiler/support/check.h"

namespace mlp::store {

static_assert(std::endian::native == std::endian::little, "the store's files are little-endian");

std::uint64_t checksum(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::string file_header(std::string_view magic, std::uint32_t version, std::uint64_t identity) {
  MLP_CHECK(magic.size() == 8);
  std::string header(magic);
  append_number(header, version);
  append_number(header, std::uint32_t{0});
  append_number(header, identity);
  append_number(header, checksum(header));
  return header;
}

Result<std::uint64_t> check_file_header(std::string_view bytes, std::string_view magic, std::uint32_t version,
                                        const std::string& path) {
  if (bytes.size() < kFileHeaderSize || !bytes.starts_with(magic) ||
      number_at<std::uint64_t>(bytes, 24) != checksum(bytes.substr(0, 24)))
    return failure(diag::Code::E0903, fmt::format("the beginning of `{}` is damaged", path),
                   "move the file away; what it named is computed again");
  const auto found = number_at<std::uint32_t>(bytes, 8);
  if (found != version)
    return failure(diag::Code::E0909, fmt::format("`{}` has format {}; this mlpc knows format {}", path, found, version),
                   "use the version of mlpc that wrote the store, or another directory with --store");
  return number_at<std::uint64_t>(bytes, 16);
}

std::uint64_t fresh_identity() {
  std::uint64_t identity = 0;
  do {
    if (getrandom(&identity, sizeof identity, 0) != sizeof identity) {
      // Only a kernel without the call comes here; time and process tell writers apart too.
      timespec now{};
      clock_gettime(CLOCK_REALTIME, &now);
      const std::int64_t parts[] = {now.tv_sec, now.tv_nsec, getpid()};
      identity = checksum({reinterpret_cast<const char*>(parts), sizeof parts});
    }
  } while (identity == 0 || identity == ~std::uint64_t{0});
  return identity;
}

std::string identity_text(std::uint64_t identity) { return fmt::format("{:016x}", identity); }

std::optional<std::uint64_t> parse_identity(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<std::uint64_t>(digit);
  }
  return value;
}

diag::Code read_failure_code(int error) {
  return error == EIO || error == ENOENT || error == ENOTDIR ? diag::Code::E0903 : diag::Code::E0902;
}

std::unexpected<diag::Diagnostic> disk_failure(diag::Code code, std::string_view doing, const std::string& path, int error) {
  std::string help;
  switch (error) {
    case ENOSPC:
    case EDQUOT: help = "free some room on that disk and run again; what was finished is kept"; break;
    case EACCES:
    case EPERM:
    case EROFS: help = "make the directory writable, or choose another one with --store"; break;
    case EIO: help = "the disk reports an error; look at the system's log before going on"; break;
    case EMFILE:
    case ENFILE: help = "raise the limit of open files (ulimit -n)"; break;
    default: help = "look at the store's directory, or choose another one with --store";
  }
  return failure(code, fmt::format("cannot {} `{}`: {}", doing, path, std::generic_category().message(error)), std::move(help));
}

}  // namespace mlp::store
