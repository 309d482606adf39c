#include "compiler/types/signature.h"

#include <tuple>

namespace mlp {

Digest shape(const Signature& signature) {
  Hasher h("signature_shape/1");
  h.add(signature.kind).add(signature.parameters.size());
  for (const Parameter& parameter : signature.parameters)
    for (const Type& type : parameter.types) h.add(parameter.name).add(to_string(type));
  h.add(to_string(signature.result)).add(signature.known_when).add(signature.row).add(signature.random).add(signature.can_fail);
  return h.add(signature.uses_label).add(signature.cross_fit).finish();
}

bool declared_before(const Signature& a, const Signature& b) {
  const auto place = [](const Signature& signature) {  // "stdlib/functions.mlp:12"; of two line numbers the longer is the later
    const std::size_t colon = signature.place.rfind(':');
    const std::string_view text = signature.place;
    return std::tuple(text.substr(0, colon), text.size(), text);
  };
  return place(a) < place(b);
}

}  // namespace mlp
