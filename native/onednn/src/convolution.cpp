#include "convolution.h"

#include <tuple>

#include "cache.h"

namespace glue {
namespace {

DataType type_of(const Problem& p) { return p.type == kBf16 ? kBf16 : kF32; }
// Sums over the batch are kept in full precision; the caller rounds them once.
DataType kernel_type(const Problem& p) { return p.kind == kKernelGradient ? kF32 : type_of(p); }

Desc activations(const Problem& p, int64_t channels, const std::array<int64_t, kSpace>& space) {
  return channels_last(type_of(p), p.batch, channels, space.data(), p.space);
}

Desc kernel(const Problem& p, bool any) {
  int64_t channels = p.channels / p.groups, filters = p.filters / p.groups;
  SizesOf sizes, strides;
  if (p.groups > 1) sizes.add(p.groups), strides.add(filters);
  sizes.add(filters), strides.add(1);
  sizes.add(channels), strides.add(p.filters);
  int64_t step = channels * p.filters;
  for (int axis = 0; axis < p.space; ++axis) step *= p.window[axis];
  for (int axis = 0; axis < p.space; ++axis) {
    step /= p.window[axis];
    sizes.add(p.window[axis]), strides.add(step);
  }
  if (!any) return strided(sizes, kernel_type(p), strides);
  MemoryDesc* made = nullptr;
  check(dnnl().desc_with_tag(&made, sizes.count, sizes.dims, kernel_type(p), kAnyFormat), "kernel");
  return Desc(made);
}

// The description of a primitive, or null if oneDNN has none.
Owned<PrimitiveDesc> describe(const Problem& p, const Desc& x, const Desc& w, const Desc& y) {
  Dims dilation{};
  for (int axis = 0; axis < p.space; ++axis) dilation[axis] = p.dilation[axis] - 1;
  auto options = user_scratch();
  const int64_t *stride = p.stride.data(), *before = p.before.data(), *after = p.after.data();
  PrimitiveDesc *hint = nullptr, *made = nullptr;
  Desc any = kernel(p, true);
  const MemoryDesc* forward_kernel = p.kind == kForward ? w.get() : any.get();
  if (p.kind == kKernelGradient) {
    // The hint is of the type of the activations, as the forward convolution is.
    Problem forward = p;
    forward.kind = kForward;
    any = kernel(forward, true);
    forward_kernel = any.get();
  }
  auto status = dnnl().conv_forward(&hint, engine(), kForwardTraining, kDirect, x.get(), forward_kernel, nullptr, y.get(), stride,
                                    dilation, before, after, options.get());
  if (status != kSuccess) return nullptr;
  Owned<PrimitiveDesc> owned_hint(hint);
  if (p.kind == kForward) return owned_hint;
  if (p.kind == kInputGradient) {
    status = dnnl().conv_backward_data(&made, engine(), kDirect, x.get(), w.get(), y.get(), stride, dilation, before, after, hint,
                                       options.get());
  } else {
    status = dnnl().conv_backward_weights(&made, engine(), kDirect, x.get(), w.get(), nullptr, y.get(), stride, dilation, before,
                                          after, hint, options.get());
  }
  return Owned<PrimitiveDesc>(status == kSuccess ? made : nullptr);
}

std::shared_ptr<const Op> build(const Problem& p, const Op* like) {
  OneThread alone;
  auto op = std::make_shared<Op>();
  op->problem = p;
  op->x = activations(p, p.channels, p.in);
  op->y = activations(p, p.filters, p.out);
  op->plain = kernel(p, false);
  auto desc = describe(p, op->x, like ? copy(like->packed.get()) : kernel(p, true), op->y);
  if (!desc) throw std::runtime_error("oneDNN has no such convolution");
  op->packed = copy(dnnl().query_desc(desc.get(), p.kind == kKernelGradient ? kDiffWeights : kWeights, 0));
  op->packed_size = dnnl().desc_size(op->packed.get());
  op->scratch = copy(dnnl().query_desc(desc.get(), kScratchpad, 0));
  op->scratch_size = dnnl().desc_size(op->scratch.get());
  op->implementation = name_of(desc.get());
  op->conv = primitive(desc.get());
  // Gradients of kernels are sums in full precision; rounding to bfloat16 happens on the way out.
  Problem outside = p;
  if (p.kind == kKernelGradient) {
    outside.kind = kForward;
    op->plain = kernel(outside, false);
  }
  if (!dnnl().desc_equal(op->packed.get(), op->plain.get())) {
    const auto &from = p.kind == kKernelGradient ? op->packed : op->plain, &to = p.kind == kKernelGradient ? op->plain : op->packed;
    PrimitiveDesc* made = nullptr;
    check(dnnl().reorder(&made, from.get(), engine(), to.get(), engine(), nullptr), "reorder");
    op->pack = primitive(Owned<PrimitiveDesc>(made).get());
  }
  return op;
}

using Key = std::pair<Problem, Problem>;

Cache<Key, Op>& cache() {
  static auto* kept = new Cache<Key, Op>;  // never destroyed: threads of XLA may outlive static objects
  return *kept;
}

}  // namespace

bool Problem::operator<(const Problem& o) const {
  return std::tie(kind, type, space, groups, batch, channels, filters, in, out, window, stride, before, after, dilation) <
         std::tie(o.kind, o.type, o.space, o.groups, o.batch, o.channels, o.filters, o.in, o.out, o.window, o.stride, o.before,
                  o.after, o.dilation);
}

int64_t Problem::in_size() const { return channels * product(in, space); }
int64_t Problem::out_size() const { return filters * product(out, space); }
double Problem::flops() const {
  return 2.0 * static_cast<double>(batch) * out_size() * product(window, space) * (channels / groups);
}

std::shared_ptr<const Op> find(const Problem& problem, const Op* like) {
  return cache().find({problem, like ? like->problem : Problem{}}, [&] { return build(problem, like); });
}

size_t cached() { return cache().size(); }

std::string implementation(const Problem& p) {
  OneThread alone;
  auto desc = describe(p, activations(p, p.channels, p.in), kernel(p, true), activations(p, p.filters, p.out));
  return desc ? name_of(desc.get()) : "";
}

void run(const Op& op, void* x, void* kernel, void* y, void* scratch) {
  OneThread alone;
  auto mx = memory(op.x, x), mw = memory(op.packed, kernel), my = memory(op.y, y);
  auto ms = memory(op.scratch, scratch);
  bool back_x = op.problem.kind == kInputGradient, back_w = op.problem.kind == kKernelGradient;
  ExecArg args[] = {{back_x ? kArgDiffSrc : kArgSrc, mx.get()},
                    {back_w ? kArgDiffWeights : kArgWeights, mw.get()},
                    {op.problem.kind == kForward ? kArgDst : kArgDiffDst, my.get()},
                    {kArgScratchpad, ms.get()}};
  check(dnnl().execute(op.conv.get(), stream(), 4, args), "convolution");
  check(dnnl().stream_wait(stream()), "waiting");
}

void pack(const Op& op, void* from, void* to) {
  OneThread alone;
  bool out = op.problem.kind == kKernelGradient;
  auto source = memory(out ? op.packed : op.plain, from), target = memory(out ? op.plain : op.packed, to);
  ExecArg args[] = {{kArgSrc, source.get()}, {kArgDst, target.get()}};
  check(dnnl().execute(op.pack.get(), stream(), 2, args), "reorder");
  check(dnnl().stream_wait(stream()), "waiting");
}

}  // namespace glue
