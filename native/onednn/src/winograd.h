// Convolutions with windows of 3x3 by Winograd's minimal filtering F(2x2, 3x3).
//
// A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2016. Of each 4x4 elements of the input, 16
// sums are made, and of the kernel's 3x3; 16 matrix products of these, which are oneDNN's, give 2x2 results by sums
// again: 16 multiplications where the definition has 36. A result is a sum of as many products as there are channels, not
// nine times as many, so rounding is no worse than by the definition.
#pragma once

#include "convolution.h"
#include "xla/ffi/api/ffi.h"

namespace glue {

// Whether that is quicker on so many threads than oneDNN's own convolutions for the problem, whichever kind it is.
bool by_winograd(const Problem& problem, int64_t threads);

// The problem's result, in the array that is its kind's: x, w or y.
void winograd(xla::ffi::ThreadPool& pool, const Problem& problem, float* x, float* w, float* y);

}  // namespace glue
