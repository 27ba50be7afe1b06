// One convolution, or one of its gradients, as oneDNN primitives.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "library.h"

namespace glue {

enum Kind : int64_t { kForward, kInputGradient, kKernelGradient };

// Sizes are those of the forward convolution, whichever kind it is. Activations have their channels last; kernels are
// (window..., input channels of a group, output channels of all groups).
struct Problem {
  int64_t kind, type, space, groups;
  int64_t batch, channels, filters;
  std::array<int64_t, kSpace> in, out, window, stride, before, after, dilation;

  bool operator<(const Problem& other) const;
  double flops() const;
  int64_t in_size() const;   // elements of the input of one sample
  int64_t out_size() const;  // and of the result
};

// A compiled primitive. Unchanging, so any number of threads may run it at once.
struct Op {
  Problem problem;
  Owned<Primitive> conv;
  Owned<Primitive> pack;  // between the kernel as users have it and the library's own order; none if they are the same
  Desc x, y, packed, plain, scratch;
  size_t packed_size = 0, scratch_size = 0;
  std::string implementation;
};

// The primitive for a problem, from the cache or made now; throws if oneDNN has none.
//
// `like` asks for kernels in the order of axes of another op.
std::shared_ptr<const Op> find(const Problem& problem, const Op* like = nullptr);

// What oneDNN would run for a problem: the name of its implementation, empty if it has none.
std::string implementation(const Problem& problem);

// Number of primitives that are kept.
size_t cached();

void run(const Op& op, void* x, void* kernel, void* y, void* scratch);
void pack(const Op& op, void* from, void* to);

}  // namespace glue
