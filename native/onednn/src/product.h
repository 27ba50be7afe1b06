// Matrix products.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "library.h"

namespace glue {

// (rows, inner) times (inner, columns). A turned operand lies in memory with its axes swapped. Steps are the distances of
// lines in memory, in elements.
struct Product {
  int64_t type, left_turned, right_turned;
  int64_t rows, inner, columns;
  int64_t left_step, right_step, result_step;

  bool operator<(const Product& other) const;
  double flops() const { return 2.0 * rows * inner * columns; }
};

// Of operands without gaps between their lines.
Product plain_product(int64_t type, bool left_turned, bool right_turned, int64_t rows, int64_t inner, int64_t columns);

// A product of float32, by the kernels that oneDNN keeps for it alone; added to the result, or put there.
void multiply_f32(const Product& product, const void* left, const void* right, void* result, bool add = false);

// One of another type, as a compiled primitive. Unchanging, so any number of threads may run it at once.
struct ProductOp {
  Owned<Primitive> multiply;
  Desc left, right, result, scratch;
  size_t scratch_size = 0;
  std::string implementation;
};

// The primitive for a product, from the cache or made now; throws if oneDNN has none.
std::shared_ptr<const ProductOp> find(const Product& product);

// Number of primitives that are kept.
size_t cached_products();

void run(const ProductOp& op, void* left, void* right, void* result, void* scratch);

}  // namespace glue
