#include "pooling.h"

#include <tuple>

#include "cache.h"

namespace glue {
namespace {

Cache<Pooling, PoolingOp>& cache() {
  static auto* kept = new Cache<Pooling, PoolingOp>;  // never destroyed: threads of XLA may outlive static objects
  return *kept;
}

std::shared_ptr<const PoolingOp> build(const Pooling& p) {
  OneThread alone;
  auto type = static_cast<DataType>(p.type);
  auto op = std::make_shared<PoolingOp>();
  op->x = channels_last(type, p.batch, p.channels, p.in.data(), p.space);
  op->y = channels_last(type, p.batch, p.channels, p.out.data(), p.space);
  op->winner = channels_last(kU8, p.batch, p.channels, p.out.data(), p.space);
  auto options = user_scratch();
  Dims none{};
  PrimitiveDesc *hint = nullptr, *made = nullptr;
  check(dnnl().pool_forward(&hint, engine(), kForwardTraining, kPoolingMax, op->x.get(), op->y.get(), p.stride.data(),
                            p.window.data(), none, p.before.data(), p.after.data(), options.get()),
        "pooling");
  Owned<PrimitiveDesc> forward(hint);
  check(dnnl().pool_backward(&made, engine(), kPoolingMax, op->x.get(), op->y.get(), p.stride.data(), p.window.data(), none,
                             p.before.data(), p.after.data(), hint, options.get()),
        "gradient of pooling");
  Owned<PrimitiveDesc> desc(made);
  if (!dnnl().desc_equal(dnnl().query_desc(made, kWorkspace, 0), op->winner.get()))
    throw std::runtime_error("oneDNN keeps the winners of this pooling in another form");
  op->scratch = copy(dnnl().query_desc(made, kScratchpad, 0));
  op->scratch_size = dnnl().desc_size(op->scratch.get());
  op->implementation = name_of(made);
  op->backward = primitive(made);
  return op;
}

}  // namespace

bool Pooling::operator<(const Pooling& o) const {
  return std::tie(type, space, batch, channels, in, out, window, stride, before, after) <
         std::tie(o.type, o.space, o.batch, o.channels, o.in, o.out, o.window, o.stride, o.before, o.after);
}

int64_t Pooling::in_size() const { return channels * product(in, space); }
int64_t Pooling::out_size() const { return channels * product(out, space); }

std::shared_ptr<const PoolingOp> find(const Pooling& pooling) {
  return cache().find(pooling, [&] { return build(pooling); });
}

size_t cached_poolings() { return cache().size(); }

void put_back(const PoolingOp& op, void* dy, void* winner, void* dx, void* scratch) {
  OneThread alone;
  auto mx = memory(op.x, dx), my = memory(op.y, dy), mw = memory(op.winner, winner), ms = memory(op.scratch, scratch);
  ExecArg args[] = {{kArgDiffDst, my.get()}, {kArgWorkspace, mw.get()}, {kArgDiffSrc, mx.get()}, {kArgScratchpad, ms.get()}};
  check(dnnl().execute(op.backward.get(), stream(), 4, args), "gradient of pooling");
  check(dnnl().stream_wait(stream()), "waiting");
}

}  // namespace glue
