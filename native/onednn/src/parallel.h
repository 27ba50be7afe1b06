// Work shared among XLA's own threads.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>

#include "xla/ffi/api/ffi.h"

namespace glue {

// Calls work(0) ... work(count - 1), each once, on the calling thread and on threads of the pool that are free.
//
// Parts are claimed, never assigned: a caller does what nobody else has begun, so it waits only for parts that are
// running, and many callers on few threads cannot lock each other up.
inline void parallel(xla::ffi::ThreadPool& pool, int64_t count, std::function<void(int64_t)> work) {
  if (count == 1) return work(0);
  struct Shared {
    std::function<void(int64_t)> work;
    int64_t count;
    std::atomic<int64_t> next{0}, done{0};
    std::mutex mutex;
    std::condition_variable all_done;
    std::exception_ptr error;

    void help() {
      for (int64_t part; (part = next.fetch_add(1)) < count;) {
        try {
          work(part);
        } catch (...) {
          std::lock_guard<std::mutex> lock(mutex);
          if (!error) error = std::current_exception();
        }
        if (done.fetch_add(1) + 1 == count) {
          std::lock_guard<std::mutex> lock(mutex);
          all_done.notify_all();
        }
      }
    }
  };
  auto shared = std::make_shared<Shared>();
  shared->work = std::move(work);
  shared->count = count;
  int64_t helpers = std::min(count, pool.num_threads()) - 1;
  for (int64_t n = 0; n < helpers; ++n) pool.Schedule([shared] { shared->help(); });
  shared->help();
  // Parts that run elsewhere are about to end, too: look some times before going to sleep.
  for (int look = 0; look < 2000 && shared->done.load() < count; ++look) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  if (shared->done.load() < count) {
    std::unique_lock<std::mutex> lock(shared->mutex);
    shared->all_done.wait(lock, [&] { return shared->done.load() == count; });
  }
  if (shared->error) std::rethrow_exception(shared->error);
}

}  // namespace glue
