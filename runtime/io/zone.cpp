#include "runtime/io/zone.h"

#include <chrono>
#include <exception>

#include <date/tz.h>

namespace mlp::io {

namespace {

class DatabaseZone final : public Zone {
 public:
  explicit DatabaseZone(const date::time_zone* zone) : zone_(zone) {}

  std::optional<std::int64_t> to_utc(std::int64_t local) const override {
    const date::local_time<std::chrono::microseconds> shown{std::chrono::microseconds(local)};
    try {
      const date::local_info info = zone_->get_info(shown);
      if (info.result == date::local_info::nonexistent) return std::nullopt;
      const std::chrono::microseconds offset = info.first.offset;
      return local - offset.count();
    } catch (const std::exception&) {  // outside of the years that the database knows
      return std::nullopt;
    }
  }

 private:
  const date::time_zone* zone_;
};

}  // namespace

std::shared_ptr<const Zone> find_zone(const std::string& name) {
  try {
    return std::make_shared<DatabaseZone>(date::locate_zone(name));
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace mlp::io
