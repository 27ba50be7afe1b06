#include "recurrent.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "buffers.h"
#include "cache.h"
#include "parallel.h"

namespace glue {
namespace {

// A compiled layer. Unchanging, so any number of threads may run it at once.
struct Op {
  Recurrent layer{};
  Owned<Primitive> forward, pack_kernel, pack_recurrent;
  Desc x, state, outputs, bias, plain_kernel, plain_recurrent, kernel, recurrent, scratch;
  size_t kernel_size = 0, recurrent_size = 0, scratch_size = 0;
  std::string implementation;
};

// In memory as the sizes say.
Desc dense(std::initializer_list<int64_t> list) {
  SizesOf sizes, strides;
  for (int64_t size : list) sizes.add(size);
  strides.count = sizes.count;
  int64_t step = 1;
  for (int axis = sizes.count - 1; axis >= 0; --axis) strides.dims[axis] = step, step *= sizes.dims[axis];
  return strided(sizes, kF32, strides);
}

// (steps, batch, size) to oneDNN, with the batch first in memory.
Desc sequence(int64_t steps, int64_t batch, int64_t size) {
  SizesOf sizes, strides;
  sizes.add(steps), strides.add(size);
  sizes.add(batch), strides.add(steps * size);
  sizes.add(size), strides.add(1);
  return strided(sizes, kF32, strides);
}

Desc any_kernel(int64_t rows, const Recurrent& p) {
  Dims sizes = {1, 1, rows, p.gates(), p.units};
  MemoryDesc* made = nullptr;
  check(dnnl().desc_with_tag(&made, 5, sizes, kF32, kAnyFormat), "kernel");
  return Desc(made);
}

Owned<Primitive> reorder(const Desc& from, const Desc& to) {
  PrimitiveDesc* made = nullptr;
  check(dnnl().reorder(&made, from.get(), engine(), to.get(), engine(), nullptr), "reorder");
  return primitive(Owned<PrimitiveDesc>(made).get());
}

// `like` says how kernels are packed.
std::shared_ptr<const Op> build(const Recurrent& p, const Op* like) {
  OneThread alone;
  auto op = std::make_shared<Op>();
  op->layer = p;
  op->x = sequence(p.steps, p.batch, p.features), op->outputs = sequence(p.steps, p.batch, p.units);
  op->state = dense({1, 1, p.batch, p.units}), op->bias = dense({1, 1, 4, p.units});
  op->plain_kernel = dense({1, 1, p.features, p.gates(), p.units}), op->plain_recurrent = dense({1, 1, p.units, p.gates(), p.units});
  Desc kernel = like ? copy(like->kernel.get()) : any_kernel(p.features, p);
  Desc recurrent = like ? copy(like->recurrent.get()) : any_kernel(p.units, p);
  auto options = user_scratch();
  const MemoryDesc *x = op->x.get(), *state = op->state.get(), *y = op->outputs.get(), *bias = op->bias.get();
  PrimitiveDesc* made = nullptr;
  auto status = p.cell == kLstm ? dnnl().lstm(&made, engine(), kInference, kLeftToRight, x, state, state, kernel.get(), recurrent.get(), nullptr,
                                              nullptr, bias, y, state, state, 0, options.get())
                                : dnnl().gru(&made, engine(), kInference, kLeftToRight, x, state, kernel.get(), recurrent.get(), bias, y, state,
                                             0, options.get());
  Owned<PrimitiveDesc> desc(status == kSuccess ? made : nullptr);
  if (!desc) throw std::runtime_error("oneDNN has no such layer");
  op->kernel = copy(dnnl().query_desc(desc.get(), kWeights, 0)), op->recurrent = copy(dnnl().query_desc(desc.get(), kWeights, 1));
  op->kernel_size = dnnl().desc_size(op->kernel.get()), op->recurrent_size = dnnl().desc_size(op->recurrent.get());
  op->scratch = copy(dnnl().query_desc(desc.get(), kScratchpad, 0));
  op->scratch_size = dnnl().desc_size(op->scratch.get());
  op->implementation = name_of(desc.get());
  op->forward = primitive(desc.get());
  op->pack_kernel = reorder(op->plain_kernel, op->kernel), op->pack_recurrent = reorder(op->plain_recurrent, op->recurrent);
  return op;
}

using Key = std::pair<Recurrent, Recurrent>;

Cache<Key, Op>& cache() {
  static auto* kept = new Cache<Key, Op>;  // never destroyed: threads of XLA may outlive static objects
  return *kept;
}

std::shared_ptr<const Op> find(const Recurrent& layer, const Op* like = nullptr) {
  return cache().find({layer, like ? like->layer : Recurrent{}}, [&] { return build(layer, like); });
}

// oneDNN's interface has no constant arrays.
void* open(const float* data) { return const_cast<float*>(data); }

void pack(const Primitive* reorder, const Desc& from, const float* data, const Desc& to, void* packed) {
  OneThread alone;
  auto source = memory(from, open(data)), target = memory(to, packed);
  ExecArg args[] = {{kArgSrc, source.get()}, {kArgDst, target.get()}};
  check(dnnl().execute(reorder, stream(), 2, args), "reorder");
  check(dnnl().stream_wait(stream()), "waiting");
}

void run(const Op& op, const RecurrentArrays& a, void* kernel, void* recurrent, void* scratch) {
  OneThread alone;
  auto x = memory(op.x, open(a.x)), state = memory(op.state, open(a.state)), bias = memory(op.bias, open(a.bias));
  auto w = memory(op.kernel, kernel), u = memory(op.recurrent, recurrent), s = memory(op.scratch, scratch);
  auto y = memory(op.outputs, a.outputs), last = memory(op.state, a.last_state);
  std::vector<ExecArg> args = {{kArgSrc, x.get()}, {kArgSrcState, state.get()}, {kArgWeights, w.get()}, {kArgWeightsState, u.get()},
                               {kArgBias, bias.get()}, {kArgDst, y.get()}, {kArgDstState, last.get()}, {kArgScratchpad, s.get()}};
  Owned<Memory> before, after;
  if (op.layer.cell == kLstm) {
    before = memory(op.state, open(a.memory)), after = memory(op.state, a.last_memory);
    args.push_back({kArgSrcMemory, before.get()}), args.push_back({kArgDstMemory, after.get()});
  }
  check(dnnl().execute(op.forward.get(), stream(), static_cast<int>(args.size()), args.data()), "recurrent layer");
  check(dnnl().stream_wait(stream()), "waiting");
}

// One layer per part of the batch; all of it in one if oneDNN would pack kernels of some part differently.
std::vector<std::shared_ptr<const Op>> split(const Recurrent& p, int64_t parts) {
  std::vector<std::shared_ptr<const Op>> ops;
  try {
    for (int64_t part = 0; part < parts; ++part) {
      Recurrent smaller = p;
      smaller.batch = p.batch * (part + 1) / parts - p.batch * part / parts;
      bool alike = ops.empty() || smaller.batch == ops[0]->layer.batch;
      ops.push_back(find(smaller, alike ? nullptr : ops[0].get()));
    }
  } catch (const std::runtime_error&) {
    if (parts == 1) throw;
    return {find(p)};
  }
  return ops;
}

}  // namespace

bool Recurrent::operator<(const Recurrent& o) const {
  return std::tie(cell, batch, steps, features, units) < std::tie(o.cell, o.batch, o.steps, o.features, o.units);
}

void run(xla::ffi::ThreadPool& pool, const Recurrent& p, const RecurrentArrays& arrays, double split_flops) {
  bool large = p.flops() >= split_flops && dnnl().omp_set_num_threads;
  auto ops = split(p, large ? std::min(p.batch, pool.num_threads()) : 1);
  const Op& first = *ops[0];
  Borrowed kernel(first.kernel_size), recurrent(first.recurrent_size);
  parallel(pool, 2, [&](int64_t number) {
    if (number)
      pack(first.pack_recurrent.get(), first.plain_recurrent, arrays.recurrent_kernel, first.recurrent, recurrent.data());
    else
      pack(first.pack_kernel.get(), first.plain_kernel, arrays.kernel, first.kernel, kernel.data());
  });
  int64_t count = static_cast<int64_t>(ops.size());
  parallel(pool, count, [&](int64_t part) {
    int64_t sample = p.batch * part / count, state = sample * p.units;
    RecurrentArrays own = arrays;
    own.x += sample * p.steps * p.features, own.outputs += state * p.steps;
    own.state += state, own.last_state += state;
    if (p.cell == kLstm) own.memory += state, own.last_memory += state;
    Borrowed scratch(ops[part]->scratch_size);
    run(*ops[part], own, kernel.data(), recurrent.data(), scratch.data());
  });
}

std::string implementation(const Recurrent& layer) { return find(layer)->implementation; }

size_t cached_recurrent() { return cache().size(); }

}  // namespace glue
