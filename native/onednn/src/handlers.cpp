// What XLA calls on the CPU: convolutions, their gradients, products, recurrent layers, sums per channel, and the gradient
// of max-pooling.
//
// Activations (batch, space..., channels), kernels (window..., channels of a group, filters), float32 or bfloat16.
// Large convolutions are split along the batch, or along the rows of few images, and products along the longer side of
// their result, into parts that oneDNN computes on one thread each; the threads are XLA's. The split depends on shapes
// and the number of threads alone, and partial sums are added in their order, so results repeat to the last bit.
#include <cstdlib>
#include <cstring>
#include <deque>
#include <vector>

#include "buffers.h"
#include "cache.h"
#include "convolution.h"
#include "moments.h"
#include "parallel.h"
#include "pooling.h"
#include "product.h"
#include "recurrent.h"
#include "winograd.h"

namespace ffi = xla::ffi;

namespace glue {
namespace {

double split_flops() {
  static const double value = [] {
    const char* text = std::getenv("HORNBEAM_ONEDNN_SPLIT");
    return text ? std::atof(text) : 8e6;
  }();
  return value;
}

Problem problem_of(int64_t kind, int64_t type, ffi::Span<const int64_t> x, ffi::Span<const int64_t> w, ffi::Span<const int64_t> y,
                   ffi::Span<const int64_t> geometry) {
  Problem p{};
  p.kind = kind, p.type = type;
  p.space = geometry[0], p.groups = geometry[1];
  p.batch = x[0], p.channels = x[p.space + 1], p.filters = y[p.space + 1];
  const int64_t* numbers = geometry.begin() + 2;
  for (int64_t axis = 0; axis < p.space; ++axis) {
    p.in[axis] = x[axis + 1], p.out[axis] = y[axis + 1], p.window[axis] = w[axis];
    p.stride[axis] = numbers[axis], p.before[axis] = numbers[p.space + axis];
    p.after[axis] = numbers[2 * p.space + axis], p.dilation[axis] = numbers[3 * p.space + axis];
  }
  return p;
}

constexpr double kLargePooling = 65536;  // elements from which several threads are worth their start

struct Part {
  std::shared_ptr<const Op> op;
  int64_t x = 0, y = 0;  // first elements
};
using Parts = std::vector<Part>;

// The whole problem at once.
Parts whole(const Problem& p) { return {{find(p), 0, 0}}; }

// Adds a part with the kernel packed as the first one's.
void add(Parts& parts, const Problem& p, int64_t x, int64_t y) {
  const Op* like = parts.empty() ? nullptr : parts[0].op.get();
  bool same = like && !(like->problem < p) && !(p < like->problem);
  parts.push_back({same ? parts[0].op : find(p, like), x, y});
}

Parts along_batch(const Problem& p, int64_t count) {
  Parts parts;
  int64_t each = (p.batch + count - 1) / count;
  for (int64_t first = 0; first < p.batch; first += each) {
    Problem part = p;
    part.batch = std::min(each, p.batch - first);
    add(parts, part, first * p.in_size(), first * p.out_size());
  }
  return parts;
}

// Rows of single images: a part reads the rows its window reaches, and only the outer parts are padded.
Parts along_rows(const Problem& p, int64_t count) {
  Parts parts;
  int64_t each = (p.out[0] + count - 1) / count, reach = (p.window[0] - 1) * p.dilation[0];
  int64_t in_row = p.in_size() / p.in[0], out_row = p.out_size() / p.out[0];
  for (int64_t image = 0; image < p.batch; ++image) {
    for (int64_t row = 0; row < p.out[0]; row += each) {
      Problem part = p;
      part.batch = 1;
      part.out[0] = std::min(each, p.out[0] - row);
      int64_t first = row * p.stride[0] - p.before[0], last = first + (part.out[0] - 1) * p.stride[0] + reach;
      part.before[0] = std::max<int64_t>(0, -first), part.after[0] = std::max<int64_t>(0, last - p.in[0] + 1);
      first = std::max<int64_t>(first, 0), last = std::min(last, p.in[0] - 1);
      part.in[0] = last - first + 1;
      if (part.in[0] < 1) return whole(p);
      add(parts, part, image * p.in_size() + first * in_row, image * p.out_size() + row * out_row);
    }
  }
  return parts;
}

Parts split(const Problem& p, int64_t threads) {
  if (threads < 2 || !dnnl().omp_set_num_threads || p.flops() < split_flops()) return whole(p);
  try {
    if (p.batch >= threads) return along_batch(p, threads);
    if (p.kind == kForward) return along_rows(p, (threads + p.batch - 1) / p.batch);
    if (p.batch > 1) return along_batch(p, p.batch);
  } catch (const std::runtime_error&) {
    // oneDNN packs kernels of some part differently.
  }
  return whole(p);
}

char* at(void* data, int64_t element, size_t size) { return static_cast<char*>(data) + element * static_cast<int64_t>(size); }

// Forward, and the gradient of the input.
void slide(ffi::ThreadPool& pool, const Parts& parts, size_t size, void* x, void* w, void* y) {
  const Op& first = *parts[0].op;
  Borrowed packed(first.pack ? first.packed_size : 0);
  if (first.pack) pack(first, w, packed.data());
  void* kernel = first.pack ? packed.data() : w;
  parallel(pool, static_cast<int64_t>(parts.size()), [&](int64_t number) {
    const Part& part = parts[number];
    Borrowed scratch(part.op->scratch_size);
    run(*part.op, at(x, part.x, size), kernel, at(y, part.y, size), scratch.data());
  });
}

void gradient_of_kernel(ffi::ThreadPool& pool, const Parts& parts, size_t size, void* x, void* w, void* y) {
  const Op& first = *parts[0].op;
  std::deque<Borrowed> sums;
  for (size_t n = 0; n < parts.size(); ++n) sums.emplace_back(n || first.pack ? first.packed_size : 0);
  auto sum = [&](size_t number) { return number || first.pack ? sums[number].data() : w; };
  parallel(pool, static_cast<int64_t>(parts.size()), [&](int64_t number) {
    const Part& part = parts[number];
    Borrowed scratch(part.op->scratch_size);
    run(*part.op, at(x, part.x, size), sum(number), at(y, part.y, size), scratch.data());
  });
  if (parts.size() > 1) {
    int64_t count = static_cast<int64_t>(first.packed_size / sizeof(float)), pieces = count > 65536 ? static_cast<int64_t>(parts.size()) : 1;
    parallel(pool, pieces, [&](int64_t piece) {
      float* total = static_cast<float*>(sum(0));
      for (size_t n = 1; n < parts.size(); ++n) {
        const float* more = static_cast<const float*>(sum(n));
        for (int64_t i = count * piece / pieces, end = count * (piece + 1) / pieces; i < end; ++i) total[i] += more[i];
      }
    });
  }
  if (first.pack) pack(first, sum(0), w);
}

// Cut along the longer side of the result, never along the sum: nothing has to be added up afterwards. Products have less
// to prepare than convolutions, so smaller ones are cut.
void multiply(ffi::ThreadPool& pool, const Product& p, size_t size, void* left, void* right, void* result) {
  int64_t threads = p.flops() < split_flops() / 4 || !dnnl().omp_set_num_threads ? 1 : pool.num_threads();
  bool by_rows = p.rows >= p.columns;
  // Lines that the kernels take at once.
  int64_t length = by_rows ? p.rows : p.columns, grain = by_rows ? 8 : 48;
  int64_t each = (length + threads * grain - 1) / (threads * grain) * grain;
  parallel(pool, (length + each - 1) / each, [&](int64_t number) {
    int64_t first = number * each;
    Product part = p;
    (by_rows ? part.rows : part.columns) = std::min(each, length - first);
    char* l = at(left, by_rows ? (p.left_turned ? first : first * p.left_step) : 0, size);
    char* r = at(right, by_rows ? 0 : (p.right_turned ? first * p.right_step : first), size);
    char* y = at(result, by_rows ? first * p.result_step : first, size);
    if (p.type == kF32) return multiply_f32(part, l, r, y);
    auto op = find(part);
    Borrowed scratch(op->scratch_size);
    run(*op, l, r, y, scratch.data());
  });
}

// A window of one element that skips nothing: the convolution and its gradients are products, for which the kernels of
// products are quicker than those of convolutions (gradients of kernels two times).
bool is_product(const Problem& p) {
  bool plain = p.groups == 1;
  for (int64_t axis = 0; axis < p.space; ++axis)
    plain = plain && p.window[axis] == 1 && p.stride[axis] == 1 && !p.before[axis] && !p.after[axis];
  return plain;
}

Product as_product(const Problem& p) {
  int64_t places = p.batch * product(p.in, p.space);
  switch (p.kind) {
    case kForward:
      return plain_product(p.type, false, false, places, p.channels, p.filters);
    case kInputGradient:
      return plain_product(p.type, false, true, places, p.filters, p.channels);
    default:
      return plain_product(p.type, true, false, p.channels, places, p.filters);
  }
}

// Not every processor has code for bfloat16; what one has is asked once.
bool is_quick(const Product& p) {
  if (p.type == kF32) return true;
  static auto* known = new Cache<Product, bool>;
  return *known->find(p, [&]() -> std::shared_ptr<const bool> {
    try {
      return std::make_shared<bool>(find(p)->implementation.find("ref") == std::string::npos);
    } catch (const std::runtime_error&) {
      return std::make_shared<bool>(false);
    }
  });
}

template <Kind kind>
ffi::Error handle(ffi::ThreadPool pool, ffi::AnyBuffer left, ffi::AnyBuffer right, ffi::Result<ffi::AnyBuffer> result,
                  ffi::Span<const int64_t> geometry) try {
  ffi::AnyBuffer out = *result;
  auto& x = kind == kInputGradient ? out : left;
  auto& w = kind == kKernelGradient ? out : right;
  auto& y = kind == kForward ? out : kind == kInputGradient ? left : right;
  bool narrow = left.element_type() == ffi::BF16;
  auto p = problem_of(kind, narrow ? kBf16 : kF32, x.dimensions(), w.dimensions(), y.dimensions(), geometry);
  if (is_product(p) && is_quick(as_product(p))) {
    multiply(pool, as_product(p), narrow ? 2 : 4, left.untyped_data(), right.untyped_data(), out.untyped_data());
    return ffi::Error::Success();
  }
  if (by_winograd(p, pool.num_threads())) {
    if (winograd(pool, p, x.untyped_data(), w.untyped_data(), y.untyped_data())) return ffi::Error::Success();
  }
  auto parts = split(p, pool.num_threads());
  auto work = kind == kKernelGradient ? gradient_of_kernel : slide;
  work(pool, parts, narrow ? 2 : 4, x.untyped_data(), w.untyped_data(), y.untyped_data());
  return ffi::Error::Success();
} catch (const std::exception& error) {
  return ffi::Error(ffi::ErrorCode::kInternal, error.what());
}

// From what Python says of one.
Product product_of(bool narrow, const int64_t* geometry) {
  return plain_product(narrow ? kBf16 : kF32, geometry[0], geometry[1], geometry[2], geometry[3], geometry[4]);
}

ffi::Error handle_product(ffi::ThreadPool pool, ffi::AnyBuffer left, ffi::AnyBuffer right, ffi::Result<ffi::AnyBuffer> result,
                          ffi::Span<const int64_t> geometry) try {
  bool narrow = left.element_type() == ffi::BF16;
  auto p = product_of(narrow, geometry.begin());
  multiply(pool, p, narrow ? 2 : 4, left.untyped_data(), right.untyped_data(), result->untyped_data());
  return ffi::Error::Success();
} catch (const std::exception& error) {
  return ffi::Error(ffi::ErrorCode::kInternal, error.what());
}

Pooling pooling_of(int64_t type, ffi::Span<const int64_t> x, ffi::Span<const int64_t> y, ffi::Span<const int64_t> geometry) {
  Pooling p{};
  p.type = type, p.space = geometry[0], p.batch = x[0], p.channels = x[p.space + 1];
  const int64_t* numbers = geometry.begin() + 1;
  for (int64_t axis = 0; axis < p.space; ++axis) {
    p.in[axis] = x[axis + 1], p.out[axis] = y[axis + 1], p.window[axis] = numbers[axis];
    p.stride[axis] = numbers[p.space + axis], p.before[axis] = numbers[2 * p.space + axis];
    p.after[axis] = numbers[3 * p.space + axis];
  }
  return p;
}

ffi::Error handle_pooling(ffi::ThreadPool pool, ffi::AnyBuffer dy, ffi::AnyBuffer winner, ffi::Result<ffi::AnyBuffer> result,
                          ffi::Span<const int64_t> geometry) try {
  ffi::AnyBuffer dx = *result;
  bool narrow = dy.element_type() == ffi::BF16;
  size_t size = narrow ? 2 : 4;
  auto p = pooling_of(narrow ? kBf16 : kF32, dx.dimensions(), dy.dimensions(), geometry);
  bool large = static_cast<double>(p.batch) * p.in_size() > kLargePooling && dnnl().omp_set_num_threads;
  int64_t count = large ? std::min<int64_t>(pool.num_threads(), p.batch) : 1;
  std::vector<std::shared_ptr<const PoolingOp>> ops;
  int64_t each = p.batch;
  for (; ops.empty(); count = 1) {
    each = (p.batch + count - 1) / count;
    try {
      for (int64_t first = 0; first < p.batch; first += each) {
        Pooling part = p;
        part.batch = std::min(each, p.batch - first);
        ops.push_back(find(part));
      }
    } catch (const std::runtime_error&) {
      ops.clear();  // oneDNN does some part differently
      if (count == 1) throw;
    }
  }
  parallel(pool, static_cast<int64_t>(ops.size()), [&](int64_t number) {
    int64_t first = number * each;
    Borrowed scratch(ops[number]->scratch_size);
    put_back(*ops[number], at(dy.untyped_data(), first * p.out_size(), size), at(winner.untyped_data(), first * p.out_size(), 1),
             at(dx.untyped_data(), first * p.in_size(), size), scratch.data());
  });
  return ffi::Error::Success();
} catch (const std::exception& error) {
  return ffi::Error(ffi::ErrorCode::kInternal, error.what());
}

ffi::Error handle_moments(ffi::ThreadPool pool, ffi::AnyBuffer x, ffi::Result<ffi::AnyBuffer> mean, ffi::Result<ffi::AnyBuffer> variance) try {
  int64_t channels = x.dimensions().back(), lines = static_cast<int64_t>(x.element_count()) / channels;
  moments(pool, x.element_type() == ffi::BF16, x.untyped_data(), lines, channels, static_cast<float*>(mean->untyped_data()),
          static_cast<float*>(variance->untyped_data()));
  return ffi::Error::Success();
} catch (const std::exception& error) {
  return ffi::Error(ffi::ErrorCode::kInternal, error.what());
}

ffi::Error handle_gradient_sums(ffi::ThreadPool pool, ffi::AnyBuffer gradient, ffi::AnyBuffer x, ffi::Result<ffi::AnyBuffer> sum,
                                ffi::Result<ffi::AnyBuffer> products) try {
  int64_t channels = x.dimensions().back(), lines = static_cast<int64_t>(x.element_count()) / channels;
  gradient_sums(pool, x.element_type() == ffi::BF16, gradient.untyped_data(), x.untyped_data(), lines, channels,
                static_cast<float*>(sum->untyped_data()), static_cast<float*>(products->untyped_data()));
  return ffi::Error::Success();
} catch (const std::exception& error) {
  return ffi::Error(ffi::ErrorCode::kInternal, error.what());
}

void expect(const ffi::AnyBuffer& array, int64_t rows, int64_t columns, const char* what) {
  if (array.element_type() != ffi::F32 || static_cast<int64_t>(array.element_count()) != rows * columns)
    throw std::runtime_error(std::string("recurrent layer: ") + what + " must have " + std::to_string(rows) + " times " +
                             std::to_string(columns) + " numbers in float32, got " + std::to_string(array.element_count()));
}

// Throws unless all arrays fit.
Recurrent layer_of(Cell cell, const ffi::AnyBuffer& x, std::initializer_list<ffi::AnyBuffer> states, const ffi::AnyBuffer& kernel,
                   const ffi::AnyBuffer& recurrent_kernel, const ffi::AnyBuffer& bias, const ffi::AnyBuffer& outputs) {
  auto sizes = x.dimensions();
  Recurrent p{cell, sizes[0], sizes[1], sizes[2], recurrent_kernel.dimensions()[0]};
  for (const auto& state : states) expect(state, p.batch, p.units, "a state");
  expect(kernel, p.features, p.gates() * p.units, "the kernel");
  expect(recurrent_kernel, p.units, p.gates() * p.units, "the recurrent kernel");
  expect(bias, 4, p.units, "the bias");
  expect(x, p.batch, p.steps * p.features, "the sequences");
  expect(outputs, p.batch, p.steps * p.units, "the outputs");
  return p;
}
float* floats(const ffi::AnyBuffer& array) { return static_cast<float*>(array.untyped_data()); }

ffi::Error handle_lstm(ffi::ThreadPool pool, ffi::AnyBuffer x, ffi::AnyBuffer state, ffi::AnyBuffer memory, ffi::AnyBuffer kernel,
                       ffi::AnyBuffer recurrent_kernel, ffi::AnyBuffer bias, ffi::Result<ffi::AnyBuffer> outputs,
                       ffi::Result<ffi::AnyBuffer> last_state, ffi::Result<ffi::AnyBuffer> last_memory) try {
  run(pool, layer_of(kLstm, x, {state, memory, *last_state, *last_memory}, kernel, recurrent_kernel, bias, *outputs),
      {floats(x), floats(state), floats(memory), floats(kernel), floats(recurrent_kernel), floats(bias), floats(*outputs),
       floats(*last_state), floats(*last_memory)},
      split_flops() / 4);
  return ffi::Error::Success();
} catch (const std::exception& error) {
  return ffi::Error(ffi::ErrorCode::kInternal, error.what());
}

ffi::Error handle_gru(ffi::ThreadPool pool, ffi::AnyBuffer x, ffi::AnyBuffer state, ffi::AnyBuffer kernel, ffi::AnyBuffer recurrent_kernel,
                      ffi::AnyBuffer bias, ffi::Result<ffi::AnyBuffer> outputs, ffi::Result<ffi::AnyBuffer> last_state) try {
  run(pool, layer_of(kGru, x, {state, *last_state}, kernel, recurrent_kernel, bias, *outputs),
      {floats(x), floats(state), nullptr, floats(kernel), floats(recurrent_kernel), floats(bias), floats(*outputs), floats(*last_state),
       nullptr},
      split_flops() / 4);
  return ffi::Error::Success();
} catch (const std::exception& error) {
  return ffi::Error(ffi::ErrorCode::kInternal, error.what());
}

// The array itself, computed once: XLA does not repeat the work that leads to it in every pass that reads it.
ffi::Error handle_hold(ffi::AnyBuffer array, ffi::Result<ffi::AnyBuffer> result) {
  if (result->untyped_data() != array.untyped_data()) std::memcpy(result->untyped_data(), array.untyped_data(), array.size_bytes());
  return ffi::Error::Success();
}

std::string& last_error() {
  thread_local std::string text;
  return text;
}

}  // namespace
}  // namespace glue

#define HORNBEAM_BINDING                             \
  ffi::Ffi::Bind()                                   \
      .Ctx<ffi::ThreadPool>()                        \
      .Arg<ffi::AnyBuffer>()                         \
      .Arg<ffi::AnyBuffer>()                         \
      .Ret<ffi::AnyBuffer>()                         \
      .Attr<ffi::Span<const int64_t>>("geometry")

// (x, kernel) to y; (dy, kernel) to dx; (x, dy) to the gradient of the kernel.
XLA_FFI_DEFINE_HANDLER_SYMBOL(hornbeam_conv_forward, glue::handle<glue::kForward>, HORNBEAM_BINDING);
XLA_FFI_DEFINE_HANDLER_SYMBOL(hornbeam_conv_input_gradient, glue::handle<glue::kInputGradient>, HORNBEAM_BINDING);
XLA_FFI_DEFINE_HANDLER_SYMBOL(hornbeam_conv_kernel_gradient, glue::handle<glue::kKernelGradient>, HORNBEAM_BINDING);

// (left, right) to their product.
XLA_FFI_DEFINE_HANDLER_SYMBOL(hornbeam_product, glue::handle_product, HORNBEAM_BINDING);

// (dy, winner) to dx.
XLA_FFI_DEFINE_HANDLER_SYMBOL(hornbeam_pool_put_back, glue::handle_pooling, HORNBEAM_BINDING);

// x to the means and variances of its channels.
XLA_FFI_DEFINE_HANDLER_SYMBOL(
    hornbeam_moments, glue::handle_moments,
    ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<ffi::AnyBuffer>().Ret<ffi::AnyBuffer>().Ret<ffi::AnyBuffer>());

// (gradient, x) to the sums of the gradient and of the products of both, per channel.
XLA_FFI_DEFINE_HANDLER_SYMBOL(hornbeam_gradient_sums, glue::handle_gradient_sums,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>());

// (x, states, kernels, bias) to outputs and last states.
XLA_FFI_DEFINE_HANDLER_SYMBOL(hornbeam_lstm, glue::handle_lstm,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(hornbeam_gru, glue::handle_gru,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>());

// An array to itself.
XLA_FFI_DEFINE_HANDLER_SYMBOL(hornbeam_hold, glue::handle_hold, ffi::Ffi::Bind().Arg<ffi::AnyBuffer>().Ret<ffi::AnyBuffer>());

// For Python.
extern "C" {

// Opens oneDNN; null, or why that failed.
const char* hornbeam_onednn_open(const char* path) {
  try {
    glue::open_library(path);
    return nullptr;
  } catch (const std::exception& error) {
    glue::last_error() = error.what();
    return glue::last_error().c_str();
  }
}

// Major * 10000 + minor * 100 + patch.
int hornbeam_onednn_version() {
  auto version = glue::dnnl().version();
  return version->major * 10000 + version->minor * 100 + version->patch;
}

// 1 if the library's threads can be told to stand aside, so that XLA's are used.
int hornbeam_onednn_shares_threads() { return glue::dnnl().omp_set_num_threads != nullptr; }

// What oneDNN would run: the name of its implementation; empty if it has none, null if asking failed.
const char* hornbeam_onednn_implementation(int kind, int narrow, const int64_t* x, const int64_t* w, const int64_t* y,
                                           const int64_t* geometry) {
  try {
    size_t axes = static_cast<size_t>(geometry[0]) + 2;
    glue::last_error() = glue::implementation(
        glue::problem_of(kind, narrow ? glue::kBf16 : glue::kF32, {x, axes}, {w, axes}, {y, axes}, {geometry, 2 + 4 * (axes - 2)}));
    return glue::last_error().c_str();
  } catch (const std::exception&) {
    return nullptr;
  }
}

// 1 if that is done by Winograd's filtering instead, on so many threads.
int hornbeam_onednn_winograd(int kind, int narrow, int threads, const int64_t* x, const int64_t* w, const int64_t* y, const int64_t* geometry) {
  size_t axes = static_cast<size_t>(geometry[0]) + 2;
  return glue::by_winograd(
      glue::problem_of(kind, narrow ? glue::kBf16 : glue::kF32, {x, axes}, {w, axes}, {y, axes}, {geometry, 2 + 4 * (axes - 2)}), threads);
}

// What oneDNN would run for the gradient of a max-pooling; empty if it has none that takes our winners.
const char* hornbeam_onednn_pooling(int narrow, const int64_t* x, const int64_t* y, const int64_t* geometry) {
  try {
    size_t axes = static_cast<size_t>(geometry[0]) + 2;
    glue::last_error() =
        glue::find(glue::pooling_of(narrow ? glue::kBf16 : glue::kF32, {x, axes}, {y, axes}, {geometry, 1 + 4 * (axes - 2)}))
            ->implementation;
    return glue::last_error().c_str();
  } catch (const std::exception&) {
    return "";
  }
}

// What oneDNN would run for a product; empty if it has none.
const char* hornbeam_onednn_product(int narrow, const int64_t* geometry) {
  try {
    auto p = glue::product_of(narrow, geometry);
    glue::last_error() = p.type == glue::kF32 ? "gemm" : glue::find(p)->implementation;
    return glue::last_error().c_str();
  } catch (const std::exception&) {
    return "";
  }
}

// What oneDNN would run for a recurrent layer of (batch, steps, features, units); empty if it has none.
const char* hornbeam_onednn_recurrent(int cell, const int64_t* sizes) {
  try {
    glue::last_error() = glue::implementation(glue::Recurrent{cell, sizes[0], sizes[1], sizes[2], sizes[3]});
    return glue::last_error().c_str();
  } catch (const std::exception&) {
    return "";
  }
}

// Number of compiled primitives that are kept.
int64_t hornbeam_onednn_cached() {
  return static_cast<int64_t>(glue::cached() + glue::cached_poolings() + glue::cached_products() + glue::cached_recurrent());
}
}
