// The gradient of max-pooling as oneDNN primitives.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "library.h"

namespace glue {

// Sizes of a pooling; activations have their channels last. The numbers of the winners' places in the windows are bytes.
struct Pooling {
  int64_t type, space, batch, channels;
  std::array<int64_t, kSpace> in, out, window, stride, before, after;

  bool operator<(const Pooling& other) const;
  int64_t in_size() const;   // elements of the input of one sample
  int64_t out_size() const;  // and of the result
};

// A compiled primitive. Unchanging, so any number of threads may run it at once.
struct PoolingOp {
  Owned<Primitive> backward;
  Desc x, y, winner, scratch;
  size_t scratch_size = 0;
  std::string implementation;
};

// The primitive for a pooling, from the cache or made now; throws if oneDNN has none.
std::shared_ptr<const PoolingOp> find(const Pooling& pooling);

// Number of primitives that are kept.
size_t cached_poolings();

// Writes all of dx: dy where the winners were, zero elsewhere, sums where windows share elements.
void put_back(const PoolingOp& op, void* dy, void* winner, void* dx, void* scratch);

}  // namespace glue
