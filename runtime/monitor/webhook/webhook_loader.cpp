#include <dlfcn.h>

#include "runtime/monitor/webhook/webhook.h"

namespace mlp::monitor {

Result<void> post_json(const std::string& url, const std::string& body) {
  // Found beside the library that this code is in. libcurl and what it needs are loaded by who sends something alone.
  void* const module = ::dlopen("libmlp_webhook.so", RTLD_NOW | RTLD_LOCAL);
  const auto post = module ? reinterpret_cast<PostJson>(::dlsym(module, "mlp_post_json")) : nullptr;
  if (!post) return failure(diag::Code::E0905, "the part of mlpc that calls webhooks (libmlp_webhook.so) cannot be loaded", "install mlpc again, all of its lib folder");
  if (const std::string why = post(url, body); !why.empty()) return failure(diag::Code::E0911, "the webhook was not reached: " + why, "check the address; `mlpc monitor` can be run again");
  return {};
}

}  // namespace mlp::monitor
