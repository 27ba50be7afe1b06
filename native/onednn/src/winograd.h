// Convolutions with windows of 3x3 by Winograd's minimal filtering F(2x2, 3x3).
//
// A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2016. Of each 4x4 elements of the input, 16
// sums are made, and of the kernel's 3x3; 16 matrix products of these, which are oneDNN's, give 2x2 results by sums
// again: 16 multiplications where the definition has 36. A result is a sum of as many products as there are channels, not
// nine times as many, so the largest rounding error is usually smaller than by the definition. Two things differ: what a
// zero of the kernel meets leaves its rounding error behind, and four elements of the input are added before they are
// multiplied, so infinity, and numbers within a fourth of the largest float, may give NaN.
#pragma once

#include "convolution.h"
#include "xla/ffi/api/ffi.h"

namespace glue {

// Whether that is quicker on so many threads than oneDNN's own convolutions for the problem, whichever kind it is. Of
// bfloat16, gradients of kernels alone: they are computed in float32 and rounded at the end.
//
// HORNBEAM_ONEDNN_WINOGRAD=0 says never; "always" whatever the size, if the lines are whole.
bool by_winograd(const Problem& problem, int64_t threads);

// The problem's result, in the array that is its kind's: x, w or y. False, and nothing done, if the kernel does not look at
// some place of its window at all: what a mask hides must not matter, not by rounding either.
bool winograd(xla::ffi::ThreadPool& pool, const Problem& problem, void* x, void* w, void* y);

}  // namespace glue
