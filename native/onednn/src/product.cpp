#include "product.h"

#include <tuple>

#include "cache.h"

namespace glue {
namespace {

Desc matrix(int64_t type, int64_t rows, int64_t columns, int64_t step, bool turned) {
  SizesOf sizes, strides;
  sizes.add(rows), sizes.add(columns);
  strides.add(turned ? 1 : step), strides.add(turned ? step : 1);
  return strided(sizes, type == kBf16 ? kBf16 : kF32, strides);
}

std::shared_ptr<const ProductOp> build(const Product& p) {
  OneThread alone;
  auto op = std::make_shared<ProductOp>();
  op->left = matrix(p.type, p.rows, p.inner, p.left_step, p.left_turned);
  op->right = matrix(p.type, p.inner, p.columns, p.right_step, p.right_turned);
  op->result = matrix(p.type, p.rows, p.columns, p.result_step, false);
  auto options = user_scratch();
  PrimitiveDesc* made = nullptr;
  auto status = dnnl().matmul(&made, engine(), op->left.get(), op->right.get(), nullptr, op->result.get(), options.get());
  Owned<PrimitiveDesc> desc(status == kSuccess ? made : nullptr);
  if (!desc) throw std::runtime_error("oneDNN has no such product");
  op->scratch = copy(dnnl().query_desc(desc.get(), kScratchpad, 0));
  op->scratch_size = dnnl().desc_size(op->scratch.get());
  op->implementation = name_of(desc.get());
  op->multiply = primitive(desc.get());
  return op;
}

Cache<Product, ProductOp>& cache() {
  static auto* kept = new Cache<Product, ProductOp>;  // never destroyed: threads of XLA may outlive static objects
  return *kept;
}

}  // namespace

bool Product::operator<(const Product& o) const {
  return std::tie(type, left_turned, right_turned, rows, inner, columns, left_step, right_step, result_step) <
         std::tie(o.type, o.left_turned, o.right_turned, o.rows, o.inner, o.columns, o.left_step, o.right_step, o.result_step);
}

Product plain_product(int64_t type, bool left_turned, bool right_turned, int64_t rows, int64_t inner, int64_t columns) {
  return {type, left_turned, right_turned, rows, inner, columns, left_turned ? rows : inner, right_turned ? inner : columns, columns};
}

void multiply_f32(const Product& p, const void* left, const void* right, void* result, bool add) {
  OneThread alone;
  auto turned = [](int64_t flag) { return flag ? 'T' : 'N'; };
  check(dnnl().sgemm(turned(p.left_turned), turned(p.right_turned), p.rows, p.columns, p.inner, 1, static_cast<const float*>(left),
                     p.left_step, static_cast<const float*>(right), p.right_step, add ? 1 : 0, static_cast<float*>(result), p.result_step),
        "product");
}

std::shared_ptr<const ProductOp> find(const Product& product) {
  return cache().find(product, [&] { return build(product); });
}

size_t cached_products() { return cache().size(); }

void run(const ProductOp& op, void* left, void* right, void* result, void* scratch) {
  OneThread alone;
  auto ml = memory(op.left, left), mr = memory(op.right, right), my = memory(op.result, result);
  auto ms = memory(op.scratch, scratch);
  ExecArg args[] = {{kArgSrc, ml.get()}, {kArgWeights, mr.get()}, {kArgDst, my.get()}, {kArgScratchpad, ms.get()}};
  check(dnnl().execute(op.multiply.get(), stream(), 4, args), "product");
  check(dnnl().stream_wait(stream()), "waiting");
}

}  // namespace glue
