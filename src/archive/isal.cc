#include "archive/isal.hh"

#include <isa-l/crc.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace veneer::archive {

namespace {

#if defined(__x86_64__)
__attribute__((target("avx"))) void clear_upper_halves_by_avx() { _mm256_zeroupper(); }
#endif

void clear_upper_halves() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx")) clear_upper_halves_by_avx();
#endif
}

}  // namespace

std::uint32_t crc32_of(std::uint32_t crc, ByteView bytes) {
  crc = crc32_gzip_refl(crc, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  clear_upper_halves();
  return crc;
}

int inflate_some(inflate_state& state) {
  const int result = isal_inflate(&state);
  clear_upper_halves();
  return result;
}

}  // namespace veneer::archive
