// Functions that are compiled for several processors; the loader takes the best one.
#pragma once

#if defined(__x86_64__)
#define HORNBEAM_EVERY_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define HORNBEAM_EVERY_PROCESSOR
#endif
#define HORNBEAM_INLINE __attribute__((always_inline)) inline
