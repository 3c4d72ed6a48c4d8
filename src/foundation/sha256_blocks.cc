#include "foundation/sha256_blocks.hh"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#include <array>

#define VENEER_SHA_INSTRUCTIONS __attribute__((target("sha,sse4.1")))

namespace veneer {

namespace {

// The fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
alignas(16) constexpr std::array<std::uint32_t, 64> constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

__m128i load(const void* place) { return _mm_loadu_si128(static_cast<const __m128i*>(place)); }
void store(void* place, __m128i value) { _mm_storeu_si128(static_cast<__m128i*>(place), value); }

/// The words a to h of a state in the order in which the instructions want them.
struct State {
  __m128i abef;
  __m128i cdgh;
};

VENEER_SHA_INSTRUCTIONS State load_state(const std::uint32_t* words) {
  const __m128i cdab = _mm_shuffle_epi32(load(words), 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(load(words + 4), 0x1b);
  return {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};
}

VENEER_SHA_INSTRUCTIONS void store_state(std::uint32_t* words, const State& state) {
  const __m128i feba = _mm_shuffle_epi32(state.abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(state.cdgh, 0xb1);
  store(words, _mm_blend_epi16(feba, dchg, 0xf0));
  store(words + 4, _mm_alignr_epi8(dchg, feba, 8));
}

/// Four rounds; `words` are those of the schedule with the constants added.
VENEER_SHA_INSTRUCTIONS inline void four_rounds(State& state, __m128i words) {
  state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, words);
  state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, _mm_shuffle_epi32(words, 0x0e));
}

VENEER_SHA_INSTRUCTIONS inline void add(State& state, const State& before) {
  state.abef = _mm_add_epi32(state.abef, before.abef);
  state.cdgh = _mm_add_epi32(state.cdgh, before.cdgh);
}

}  // namespace

bool has_sha256_instructions() {
  static const bool has = [] {
    constexpr unsigned sse41 = 1u << 19;
    constexpr unsigned sha = 1u << 29;
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    const bool has_sse = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & sse41) != 0;
    return has_sse && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & sha) != 0;
  }();
  return has;
}

VENEER_SHA_INSTRUCTIONS void sha256_blocks_twice(std::uint32_t* one, std::uint32_t* other, ByteView blocks) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  State left = load_state(one);
  State right = load_state(other);
  for (; blocks.size() >= sha256_block_size; blocks = blocks.subspan(sha256_block_size)) {
    const State left_before = left;
    const State right_before = right;
    __m128i schedule[4];  // the last sixteen words
    for (std::size_t i = 0; i < 4; ++i) schedule[i] = _mm_shuffle_epi8(load(blocks.data() + 16 * i), big_endian);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < 16; ++i) {
      __m128i& now = schedule[i % 4];
      const __m128i words = _mm_add_epi32(now, load(constants.data() + 4 * i));
      four_rounds(left, words);
      four_rounds(right, words);
      if (i >= 12) continue;  // the last words of the schedule are there
      const __m128i last = schedule[(i + 3) % 4];
      const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(now, schedule[(i + 1) % 4]),
                                        _mm_alignr_epi8(last, schedule[(i + 2) % 4], 4));
      now = _mm_sha256msg2_epu32(sum, last);
    }
    add(left, left_before);
    add(right, right_before);
  }
  store_state(one, left);
  store_state(other, right);
}

}  // namespace veneer

#else

namespace veneer {

bool has_sha256_instructions() { return false; }
void sha256_blocks_twice(std::uint32_t*, std::uint32_t*, ByteView) {}

}  // namespace veneer

#endif
