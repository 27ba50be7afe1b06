// LSTM and GRU over whole sequences as oneDNN primitives, for inference.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "library.h"
#include "xla/ffi/api/ffi.h"

namespace glue {

enum Cell : int64_t { kLstm, kGru };

// Sizes of a layer. Sequences (batch, steps, features), outputs (batch, steps, units), states (batch, units), kernels
// (features or units, gates times units), all in float32. Gates of an LSTM: input, forget, candidate, output; of a GRU,
// whose reset gate is applied after the product: update, reset, candidate.
struct Recurrent {
  int64_t cell, batch, steps, features, units;

  bool operator<(const Recurrent& other) const;
  int64_t gates() const { return cell == kLstm ? 4 : 3; }
  double flops() const { return 2.0 * batch * steps * gates() * units * (features + units); }
};

struct RecurrentArrays {
  const float *x, *state, *memory, *kernel, *recurrent_kernel, *bias;  // a bias has four numbers per unit
  float *outputs, *last_state, *last_memory;                           // memory is an LSTM's
};

// Computes all steps, on parts of the batch at once; throws if oneDNN has no such layer.
void run(xla::ffi::ThreadPool& pool, const Recurrent& layer, const RecurrentArrays& arrays, double split_flops);

// What oneDNN would run; throws if it has nothing.
std::string implementation(const Recurrent& layer);

// Number of primitives that are kept.
size_t cached_recurrent();

}  // namespace glue
