#include "runtime/jit/host_symbols.h"

#include <sleef.h>

#include <charconv>
#include <cmath>
#include <cstring>

namespace mlp::jit {

namespace {

template <class Function>
void* address_of(Function* function) {
  return reinterpret_cast<void*>(function);
}

using FromChars = std::from_chars_result(const char*, const char*, double&, std::chars_format);
using OneDouble = double(double);
using TwoDoubles = double(double, double);

}  // namespace

std::span<const HostSymbol> host_symbols() {
#define MLP_SLEEF(NAME) {#NAME, address_of(&NAME)}
  static const HostSymbol symbols[] = {
      {"memcmp", address_of(&std::memcmp)},
      {"bcmp", address_of(&std::memcmp)},
      {"memcpy", address_of(&std::memcpy)},
      {"memmove", address_of(&std::memmove)},
      {"memset", address_of(&std::memset)},
      // Exact by definition, called where the CPU has no instruction for them.
      {"floor", address_of<OneDouble>(&::floor)},
      {"ceil", address_of<OneDouble>(&::ceil)},
      {"trunc", address_of<OneDouble>(&::trunc)},
      {"rint", address_of<OneDouble>(&::rint)},
      {"fmod", address_of<TwoDoubles>(&::fmod)},
      {"_ZSt10from_charsPKcS0_RdSt12chars_format", address_of<FromChars>(&std::from_chars)},
      MLP_SLEEF(Sleef_cinz_acosd1_u10purec),
      MLP_SLEEF(Sleef_cinz_asind1_u10purec),
      MLP_SLEEF(Sleef_cinz_atan2d1_u10purec),
      MLP_SLEEF(Sleef_cinz_atand1_u10purec),
      MLP_SLEEF(Sleef_cinz_cosd1_u10purec),
      MLP_SLEEF(Sleef_cinz_expd1_u10purec),
      MLP_SLEEF(Sleef_cinz_expm1d1_u10purec),
      MLP_SLEEF(Sleef_cinz_lgammad1_u10purec),
      MLP_SLEEF(Sleef_cinz_log10d1_u10purec),
      MLP_SLEEF(Sleef_cinz_log1pd1_u10purec),
      MLP_SLEEF(Sleef_cinz_log2d1_u10purec),
      MLP_SLEEF(Sleef_cinz_logd1_u10purec),
      MLP_SLEEF(Sleef_cinz_powd1_u10purec),
      MLP_SLEEF(Sleef_cinz_sind1_u10purec),
      MLP_SLEEF(Sleef_cinz_tand1_u10purec),
      MLP_SLEEF(Sleef_cinz_tanhd1_u10purec),
  };
#undef MLP_SLEEF
  return symbols;
}

}  // namespace mlp::jit
