// The loaded oneDNN library: functions, engine, and owners of its objects.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "dnnl_abi.h"

namespace glue {

using namespace dnnl_abi;

constexpr int kSpace = 3;  // most spatial axes

// Throws if the library was not opened.
const Functions& dnnl();
Engine* engine();
// A stream of the calling thread.
Stream* stream();

// Opens the library; throws std::runtime_error with the reason if that fails.
void open_library(const char* path);

inline void check(Status status, const char* what) {
  if (status != kSuccess) throw std::runtime_error(std::string("oneDNN: ") + what + " failed with status " + std::to_string(status));
}

struct Destroy {
  void operator()(MemoryDesc* p) const { dnnl().desc_destroy(p); }
  void operator()(Memory* p) const { dnnl().memory_destroy(p); }
  void operator()(Attributes* p) const { dnnl().attr_destroy(p); }
  void operator()(PrimitiveDesc* p) const { dnnl().primitive_desc_destroy(p); }
  void operator()(Primitive* p) const { dnnl().primitive_destroy(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Destroy>;
using Desc = Owned<MemoryDesc>;

// Sizes or strides of the axes of an array.
struct SizesOf {
  Dims dims{};
  int count = 0;
  void add(int64_t value) { dims[count++] = value; }
};

Desc strided(const SizesOf& sizes, DataType type, const SizesOf& strides);
// (batch, channels, space...) to oneDNN, with the channels last in memory.
Desc channels_last(DataType type, int64_t batch, int64_t channels, const int64_t* space, int64_t axes);
Desc copy(const MemoryDesc* desc);
// Attributes of primitives that are given their scratch memory.
Owned<Attributes> user_scratch();
Owned<Primitive> primitive(const PrimitiveDesc* desc);
// Name of the implementation.
std::string name_of(const PrimitiveDesc* desc);

inline Owned<Memory> memory(const Desc& desc, void* data) {
  Memory* made = nullptr;
  check(dnnl().memory_create(&made, desc.get(), engine(), data), "memory");
  return Owned<Memory>(made);
}

template <typename T>
int64_t product(const T& sizes, int64_t count) {
  int64_t all = 1;
  for (int64_t axis = 0; axis < count; ++axis) all *= sizes[axis];
  return all;
}

// While it lives, oneDNN runs on the calling thread alone: the threads are those of XLA.
class OneThread {
 public:
  OneThread() {
    if (!dnnl().omp_set_num_threads) return;
    before_ = dnnl().omp_get_max_threads();
    if (before_ != 1) dnnl().omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ > 1) dnnl().omp_set_num_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_ = 1;
};

}  // namespace glue
