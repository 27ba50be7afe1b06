#include "library.h"

#include <dlfcn.h>

#include <mutex>

namespace glue {
namespace {

Functions functions;
Engine* the_engine = nullptr;  // lives as long as the process
std::mutex opening;

struct OwnedStream {
  Stream* stream = nullptr;
  ~OwnedStream() {
    if (stream) functions.stream_destroy(stream);
  }
};

}  // namespace

const Functions& dnnl() { return functions; }

Engine* engine() {
  if (!the_engine) throw std::runtime_error("oneDNN has not been opened");
  return the_engine;
}

Stream* stream() {
  thread_local OwnedStream own;
  if (!own.stream) check(functions.stream_create(&own.stream, engine(), kInOrder), "stream");
  return own.stream;
}

void open_library(const char* path) {
  std::lock_guard<std::mutex> lock(opening);
  if (the_engine) return;
  void* handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) throw std::runtime_error(dlerror());
  Functions found;
#define X(member, symbol, result, arguments)                                                            \
  found.member = reinterpret_cast<result(*) arguments>(dlsym(handle, symbol));                          \
  if (!found.member) throw std::runtime_error(std::string(path) + " has no function " + symbol);
  HORNBEAM_DNNL_FUNCTIONS(X)
#undef X
  if (found.version()->major != 3) {
    throw std::runtime_error(std::string(path) + " is oneDNN " + std::to_string(found.version()->major) + ", and version 3 is needed");
  }
  // Looks into the libraries that oneDNN itself was linked with, too.
  auto set = dlsym(handle, "omp_set_num_threads"), get = dlsym(handle, "omp_get_max_threads");
  if (set && get) {
    found.omp_set_num_threads = reinterpret_cast<void (*)(int)>(set);
    found.omp_get_max_threads = reinterpret_cast<int (*)()>(get);
  }
  functions = found;
  check(functions.engine_create(&the_engine, kCpu, 0), "engine");
}

Desc strided(const SizesOf& sizes, DataType type, const SizesOf& strides) {
  MemoryDesc* made = nullptr;
  check(dnnl().desc_with_strides(&made, sizes.count, sizes.dims, type, strides.dims), "array");
  return Desc(made);
}

Desc channels_last(DataType type, int64_t batch, int64_t channels, const int64_t* space, int64_t axes) {
  SizesOf sizes, strides;
  int64_t all = channels;
  for (int64_t axis = 0; axis < axes; ++axis) all *= space[axis];
  sizes.add(batch), strides.add(all);
  sizes.add(channels), strides.add(1);
  int64_t step = all;
  for (int64_t axis = 0; axis < axes; ++axis) {
    step /= space[axis];
    sizes.add(space[axis]), strides.add(step);
  }
  return strided(sizes, type, strides);
}

Desc copy(const MemoryDesc* desc) {
  MemoryDesc* made = nullptr;
  check(dnnl().desc_clone(&made, desc), "copy of a description");
  return Desc(made);
}

Owned<Attributes> user_scratch() {
  Attributes* made = nullptr;
  check(dnnl().attr_create(&made), "attributes");
  Owned<Attributes> owned(made);
  check(dnnl().attr_scratchpad(made, kUserScratchpad), "scratchpad mode");
  return owned;
}

Owned<Primitive> primitive(const PrimitiveDesc* desc) {
  Primitive* made = nullptr;
  check(dnnl().primitive_create(&made, desc), "primitive");
  return Owned<Primitive>(made);
}

std::string name_of(const PrimitiveDesc* desc) {
  const char* text = nullptr;
  dnnl().query(desc, kImplementation, 0, &text);
  return text ? text : "";
}

}  // namespace glue
