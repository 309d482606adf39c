#pragma once

#include <string>

#include "runtime/monitor/monitor.h"

/// Parts of the documents of `mlpc monitor` and of alerts, as JSON texts; docs/json.md has their fields.
namespace mlp::monitor {

std::string window_json(const Window& window);
std::string check_json(const Check& check, bool with_histogram);

}  // namespace mlp::monitor
