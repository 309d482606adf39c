#include <dlfcn.h>

#include "runtime/http/http.h"

namespace mlp::http {

Result<Response> ask(const Request& request) {
  // Found beside the library that this code is in. libcurl and what it needs are loaded by who asks something alone.
  void* const module = ::dlopen("libmlp_http.so", RTLD_NOW | RTLD_LOCAL);
  const auto function = module ? reinterpret_cast<Ask>(::dlsym(module, "mlp_http_ask")) : nullptr;
  if (!function) return failure(diag::Code::E0905, "the part of mlpc that speaks HTTP (libmlp_http.so) cannot be loaded", "install mlpc again, all of its lib folder, and libcurl");
  Response response;
  function(request, response);
  return response;
}

}  // namespace mlp::http
