// The part of oneDNN 3's C interface that the glue calls, found by name at run time.
//
// Nothing is linked: one build of the glue works with every oneDNN 3.x, whatever its threading runtime, and its wheel
// needs no headers of the library. Names and numbers are those of oneDNN's public interface, stable within version 3.
#pragma once

#include <cstdint>

namespace dnnl_abi {

using Status = int;  // 0 is success
using Dim = int64_t;
constexpr int kMaxAxes = 12;
using Dims = Dim[kMaxAxes];

struct Engine;
struct Stream;
struct Memory;
struct MemoryDesc;
struct Attributes;
struct PrimitiveDesc;
struct Primitive;

struct ExecArg {
  int arg;
  Memory* memory;
};

enum : int { kSuccess = 0 };
enum : int { kCpu = 1 };
enum : unsigned { kInOrder = 1 };
enum DataType : int { kBf16 = 2, kF32 = 3, kU8 = 6 };
enum : int { kAnyFormat = 1 };
enum : int { kForwardTraining = 64, kInference = 96 };
enum : int { kLeftToRight = 1 };
enum : int { kDirect = 1, kPoolingMax = 0x1ff };
enum : int { kUserScratchpad = 1 };
enum Query : int { kImplementation = 8, kWeights = 131, kDiffWeights = 132, kWorkspace = 135, kScratchpad = 136 };
enum Arg : int {
  kArgSrc = 1,
  kArgSrcState = 2,
  kArgSrcMemory = 3,
  kArgDst = 17,
  kArgDstState = 18,
  kArgDstMemory = 19,
  kArgWeights = 33,
  kArgWeightsState = 34,
  kArgBias = 41,
  kArgWorkspace = 64,
  kArgScratchpad = 80,
  kArgDiffSrc = 129,
  kArgDiffDst = 145,
  kArgDiffWeights = 161,
};

struct Version {
  int major, minor, patch;
  const char* hash;
  unsigned cpu_runtime, gpu_runtime;
};

// X(member, name of the symbol, result, arguments)
#define HORNBEAM_DNNL_FUNCTIONS(X)                                                                                     \
  X(version, "dnnl_version", const Version*, ())                                                                       \
  X(engine_create, "dnnl_engine_create", Status, (Engine**, int, size_t))                                              \
  X(stream_create, "dnnl_stream_create", Status, (Stream**, Engine*, unsigned))                                        \
  X(stream_destroy, "dnnl_stream_destroy", Status, (Stream*))                                                          \
  X(stream_wait, "dnnl_stream_wait", Status, (Stream*))                                                                \
  X(desc_with_strides, "dnnl_memory_desc_create_with_strides", Status,                                                 \
    (MemoryDesc**, int, const Dims, int, const Dims))                                                                  \
  X(desc_with_tag, "dnnl_memory_desc_create_with_tag", Status, (MemoryDesc**, int, const Dims, int, int))              \
  X(desc_clone, "dnnl_memory_desc_clone", Status, (MemoryDesc**, const MemoryDesc*))                                   \
  X(desc_destroy, "dnnl_memory_desc_destroy", Status, (MemoryDesc*))                                                   \
  X(desc_equal, "dnnl_memory_desc_equal", int, (const MemoryDesc*, const MemoryDesc*))                                 \
  X(desc_size, "dnnl_memory_desc_get_size", size_t, (const MemoryDesc*))                                               \
  X(memory_create, "dnnl_memory_create", Status, (Memory**, const MemoryDesc*, Engine*, void*))                        \
  X(memory_destroy, "dnnl_memory_destroy", Status, (Memory*))                                                          \
  X(attr_create, "dnnl_primitive_attr_create", Status, (Attributes**))                                                 \
  X(attr_destroy, "dnnl_primitive_attr_destroy", Status, (Attributes*))                                                \
  X(attr_scratchpad, "dnnl_primitive_attr_set_scratchpad_mode", Status, (Attributes*, int))                            \
  X(conv_forward, "dnnl_convolution_forward_primitive_desc_create", Status,                                            \
    (PrimitiveDesc**, Engine*, int, int, const MemoryDesc*, const MemoryDesc*, const MemoryDesc*, const MemoryDesc*,   \
     const Dims, const Dims, const Dims, const Dims, const Attributes*))                                               \
  X(conv_backward_data, "dnnl_convolution_backward_data_primitive_desc_create", Status,                                \
    (PrimitiveDesc**, Engine*, int, const MemoryDesc*, const MemoryDesc*, const MemoryDesc*, const Dims, const Dims,   \
     const Dims, const Dims, const PrimitiveDesc*, const Attributes*))                                                 \
  X(conv_backward_weights, "dnnl_convolution_backward_weights_primitive_desc_create", Status,                          \
    (PrimitiveDesc**, Engine*, int, const MemoryDesc*, const MemoryDesc*, const MemoryDesc*, const MemoryDesc*,        \
     const Dims, const Dims, const Dims, const Dims, const PrimitiveDesc*, const Attributes*))                         \
  X(pool_forward, "dnnl_pooling_forward_primitive_desc_create", Status,                                                \
    (PrimitiveDesc**, Engine*, int, int, const MemoryDesc*, const MemoryDesc*, const Dims, const Dims, const Dims,     \
     const Dims, const Dims, const Attributes*))                                                                       \
  X(pool_backward, "dnnl_pooling_backward_primitive_desc_create", Status,                                              \
    (PrimitiveDesc**, Engine*, int, const MemoryDesc*, const MemoryDesc*, const Dims, const Dims, const Dims,          \
     const Dims, const Dims, const PrimitiveDesc*, const Attributes*))                                                 \
  X(matmul, "dnnl_matmul_primitive_desc_create", Status,                                                               \
    (PrimitiveDesc**, Engine*, const MemoryDesc*, const MemoryDesc*, const MemoryDesc*, const MemoryDesc*,             \
     const Attributes*))                                                                                               \
  X(lstm, "dnnl_lstm_forward_primitive_desc_create", Status,                                                           \
    (PrimitiveDesc**, Engine*, int, int, const MemoryDesc*, const MemoryDesc*, const MemoryDesc*, const MemoryDesc*,   \
     const MemoryDesc*, const MemoryDesc*, const MemoryDesc*, const MemoryDesc*, const MemoryDesc*, const MemoryDesc*, \
     const MemoryDesc*, unsigned, const Attributes*))                                                                  \
  X(gru, "dnnl_lbr_gru_forward_primitive_desc_create", Status,                                                         \
    (PrimitiveDesc**, Engine*, int, int, const MemoryDesc*, const MemoryDesc*, const MemoryDesc*, const MemoryDesc*,   \
     const MemoryDesc*, const MemoryDesc*, const MemoryDesc*, unsigned, const Attributes*))                            \
  X(sgemm, "dnnl_sgemm", Status,                                                                                       \
    (char, char, Dim, Dim, Dim, float, const float*, Dim, const float*, Dim, float, float*, Dim))                      \
  X(reorder, "dnnl_reorder_primitive_desc_create", Status,                                                             \
    (PrimitiveDesc**, const MemoryDesc*, Engine*, const MemoryDesc*, Engine*, const Attributes*))                      \
  X(query_desc, "dnnl_primitive_desc_query_md", const MemoryDesc*, (const PrimitiveDesc*, int, int))                   \
  X(query, "dnnl_primitive_desc_query", Status, (const PrimitiveDesc*, int, int, void*))                               \
  X(primitive_desc_destroy, "dnnl_primitive_desc_destroy", Status, (PrimitiveDesc*))                                   \
  X(primitive_create, "dnnl_primitive_create", Status, (Primitive**, const PrimitiveDesc*))                            \
  X(primitive_destroy, "dnnl_primitive_destroy", Status, (Primitive*))                                                 \
  X(execute, "dnnl_primitive_execute", Status, (const Primitive*, Stream*, int, const ExecArg*))

struct Functions {
#define X(member, symbol, result, arguments) result(*member) arguments = nullptr;
  HORNBEAM_DNNL_FUNCTIONS(X)
#undef X
  // Of the OpenMP runtime, if the library uses one; else null.
  void (*omp_set_num_threads)(int) = nullptr;
  int (*omp_get_max_threads)() = nullptr;
};

}  // namespace dnnl_abi
