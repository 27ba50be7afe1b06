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

}  // namespace glue
