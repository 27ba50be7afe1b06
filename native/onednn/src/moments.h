// What BatchNormalization and its gradient ask of each channel, in one pass over memory.
//
// oneDNN computes them only together with the normalized array, and on all of its threads or one. Lines are summed up in
// blocks that stay in the cache: the sum first, then the squared distances from the block's own mean. Blocks are joined as by
// T. F. Chan, G. H. Golub and R. J. LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances",
// 1979, so nothing is lost where the mean is large.
#pragma once

#include <cstdint>

#include "xla/ffi/api/ffi.h"

namespace glue {

// Of (lines, channels) in bfloat16 or float32; the variance is divided by the number of lines.
void moments(xla::ffi::ThreadPool& pool, bool narrow, const void* x, int64_t lines, int64_t channels, float* mean, float* variance);

// Sums of `gradient` and of its products with `x`, both (lines, channels) in bfloat16 or float32.
void gradient_sums(xla::ffi::ThreadPool& pool, bool narrow, const void* gradient, const void* x, int64_t lines, int64_t channels, float* sum,
                   float* sum_of_products);

}  // namespace glue
