// Memory for packed kernels and scratch, kept between calls up to a bound.
#pragma once

#include <sys/mman.h>

#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

namespace glue {

// Large ones lie outside of the heap: kept there while a program runs, they would split the block that the next run
// of a large program needs, which then takes another one.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t size) : size_((size + 4095) / 4096 * 4096), data_(is_large() ? map() : carve()) {
    if (!data_) throw std::bad_alloc();
  }
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~Buffer() {
    if (!data_) return;
    if (is_large())
      munmap(data_, size_);
    else
      std::free(data_);
  }
  void* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  bool is_large() const { return size_ >= size_t{1} << 20; }
  void* carve() const { return std::aligned_alloc(4096, size_); }
  void* map() const {
    void* data = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return data == MAP_FAILED ? nullptr : data;
  }

  size_t size_ = 0;
  void* data_ = nullptr;
};

// Buffers that nobody uses now; together at most `kMostKept` bytes.
class Shelf {
 public:
  static Shelf& get() {
    static auto* shelf = new Shelf;
    return *shelf;
  }
  // The smallest one that is large enough, or a new one.
  Buffer take(size_t size) {
    if (!size) return Buffer();
    std::lock_guard<std::mutex> lock(mutex_);
    size_t best = free_.size();
    for (size_t n = 0; n < free_.size(); ++n)
      if (free_[n].size() >= size && (best == free_.size() || free_[n].size() < free_[best].size())) best = n;
    if (best == free_.size() || free_[best].size() > 8 * size + 65536) return Buffer(size);
    Buffer found = std::move(free_[best]);
    if (best + 1 != free_.size()) free_[best] = std::move(free_.back());
    free_.pop_back();
    kept_ -= found.size();
    return found;
  }
  void put(Buffer buffer) {
    if (!buffer.data()) return;
    std::lock_guard<std::mutex> lock(mutex_);
    kept_ += buffer.size();
    free_.push_back(std::move(buffer));
    while (kept_ > kMostKept) {  // the oldest go first
      kept_ -= free_.front().size();
      free_.erase(free_.begin());
    }
  }

 private:
  static constexpr size_t kMostKept = size_t{256} << 20;
  std::mutex mutex_;
  std::vector<Buffer> free_;
  size_t kept_ = 0;
};

// A buffer from the shelf that goes back there.
class Borrowed {
 public:
  explicit Borrowed(size_t size) : buffer_(Shelf::get().take(size)) {}
  ~Borrowed() { Shelf::get().put(std::move(buffer_)); }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  void* data() const { return buffer_.data(); }

 private:
  Buffer buffer_;
};

}  // namespace glue
