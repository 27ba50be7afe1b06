#include "moments.h"

#include <algorithm>
#include <cstring>

#include "buffers.h"
#include "parallel.h"
#include "processors.h"

namespace glue {
namespace {

constexpr int64_t kBlockBytes = 128 << 10;  // half of a small second cache
constexpr int64_t kMostLines = 512;         // that are added up one after the other
constexpr int64_t kLargeWork = 65536;       // elements from which several threads are worth their start

HORNBEAM_INLINE float wide(float value) { return value; }
HORNBEAM_INLINE float wide(uint16_t bfloat16) {
  uint32_t bits = static_cast<uint32_t>(bfloat16) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Number of lines, and per channel their mean and the sum of squared distances from it.
struct Sums {
  int64_t lines;
  double *mean, *squares;
};

// Adds lines that were summed up apart: `mean_of(c)` and `squares_of(c)`.
template <typename Mean, typename Squares>
HORNBEAM_INLINE void join(Sums& all, int64_t lines, int64_t channels, Mean mean_of, Squares squares_of) {
  double share = static_cast<double>(lines) / static_cast<double>(all.lines + lines), weight = static_cast<double>(all.lines) * share;
  for (int64_t c = 0; c < channels; ++c) {
    double distance = mean_of(c) - all.mean[c];
    all.mean[c] += distance * share;
    all.squares[c] += squares_of(c) + distance * distance * weight;
  }
  all.lines += lines;
}

// `block` has room for three numbers per channel.
template <typename T>
HORNBEAM_INLINE void sum_up(const T* x, int64_t lines, int64_t channels, Sums& all, float* block) {
  int64_t most = std::clamp<int64_t>(kBlockBytes / static_cast<int64_t>(channels * sizeof(T)), 8, kMostLines);
  float *mean = block, *squares = block + channels, *rest = block + 2 * channels;
  std::fill_n(all.mean, channels, 0.0), std::fill_n(all.squares, channels, 0.0);
  for (int64_t first = 0; first < lines; first += most) {
    int64_t count = std::min(most, lines - first);
    const T* from = x + first * channels;
    float share = 1.0f / static_cast<float>(count);
    std::fill_n(block, 3 * channels, 0.0f);
    for (int64_t line = 0; line < count; ++line)
      for (int64_t c = 0; c < channels; ++c) mean[c] += wide(from[line * channels + c]);
    for (int64_t c = 0; c < channels; ++c) mean[c] *= share;
    for (int64_t line = 0; line < count; ++line) {
      for (int64_t c = 0; c < channels; ++c) {
        float distance = wide(from[line * channels + c]) - mean[c];
        rest[c] += distance, squares[c] += distance * distance;
      }
    }
    // The mean was rounded, and what it lacks is the mean of the distances.
    auto mean_of = [&](int64_t c) { return static_cast<double>(mean[c]) + static_cast<double>(rest[c]) * share; };
    auto squares_of = [&](int64_t c) { return static_cast<double>(squares[c] - rest[c] * rest[c] * share); };
    join(all, count, channels, mean_of, squares_of);
  }
}

HORNBEAM_EVERY_PROCESSOR void sum_up_f32(const float* x, int64_t lines, int64_t channels, Sums& all, float* block) {
  sum_up(x, lines, channels, all, block);
}
HORNBEAM_EVERY_PROCESSOR void sum_up_bf16(const uint16_t* x, int64_t lines, int64_t channels, Sums& all, float* block) {
  sum_up(x, lines, channels, all, block);
}

// `sums` has two numbers per channel, `block` as much room.
template <typename T>
HORNBEAM_INLINE void add_products(const T* gradient, const T* x, int64_t lines, int64_t channels, double* sums, float* block) {
  constexpr int64_t kAtOnce = 4;  // lines that share one load and store of the sums
  float *sum = block, *products = block + channels;
  std::fill_n(sums, 2 * channels, 0.0);
  for (int64_t first = 0; first < lines; first += kMostLines) {
    int64_t end = std::min(lines, first + kMostLines), line = first;
    std::fill_n(block, 2 * channels, 0.0f);
    for (; line + kAtOnce <= end; line += kAtOnce) {
      const T *g = gradient + line * channels, *v = x + line * channels;
      for (int64_t c = 0; c < channels; ++c) {
        float added = 0, multiplied = 0;
        for (int64_t n = 0; n < kAtOnce; ++n) {
          float one = wide(g[n * channels + c]);
          added += one, multiplied += one * wide(v[n * channels + c]);
        }
        sum[c] += added, products[c] += multiplied;
      }
    }
    for (; line < end; ++line) {
      for (int64_t c = 0; c < channels; ++c) {
        float one = wide(gradient[line * channels + c]);
        sum[c] += one, products[c] += one * wide(x[line * channels + c]);
      }
    }
    for (int64_t c = 0; c < 2 * channels; ++c) sums[c] += block[c];
  }
}

HORNBEAM_EVERY_PROCESSOR void add_products_f32(const float* gradient, const float* x, int64_t lines, int64_t channels, double* sums, float* block) {
  add_products(gradient, x, lines, channels, sums, block);
}
HORNBEAM_EVERY_PROCESSOR void add_products_bf16(const uint16_t* gradient, const uint16_t* x, int64_t lines, int64_t channels, double* sums,
                                                float* block) {
  add_products(gradient, x, lines, channels, sums, block);
}

// Of each part of the lines: `doubles` and `floats` numbers per channel, on lines of the cache that no other part writes to.
class Rooms {
 public:
  Rooms(int64_t parts, int64_t channels, int64_t doubles, int64_t floats)
      : step_((channels + 15) / 16 * 16),
        doubles_(doubles),
        bytes_(step_ * (doubles * static_cast<int64_t>(sizeof(double)) + floats * static_cast<int64_t>(sizeof(float)))),
        memory_(static_cast<size_t>(parts * bytes_)) {}
  double* kept(int64_t part, int64_t number = 0) const {
    return reinterpret_cast<double*>(static_cast<char*>(memory_.data()) + part * bytes_) + number * step_;
  }
  float* block(int64_t part) const { return reinterpret_cast<float*>(kept(part, doubles_)); }

 private:
  int64_t step_, doubles_, bytes_;
  Borrowed memory_;
};

int64_t parts_of(xla::ffi::ThreadPool& pool, int64_t lines, int64_t channels) {
  return lines * channels < kLargeWork ? 1 : std::min(lines, pool.num_threads());
}

}  // namespace

void moments(xla::ffi::ThreadPool& pool, bool narrow, const void* x, int64_t lines, int64_t channels, float* mean, float* variance) {
  int64_t parts = parts_of(pool, lines, channels);
  Rooms rooms(parts, channels, 2, 3);
  auto sums_of = [&](int64_t part) { return Sums{0, rooms.kept(part), rooms.kept(part, 1)}; };
  auto first_of = [&](int64_t part) { return lines * part / parts; };
  parallel(pool, parts, [&](int64_t part) {
    int64_t first = first_of(part), count = first_of(part + 1) - first;
    Sums all = sums_of(part);
    if (narrow)
      sum_up_bf16(static_cast<const uint16_t*>(x) + first * channels, count, channels, all, rooms.block(part));
    else
      sum_up_f32(static_cast<const float*>(x) + first * channels, count, channels, all, rooms.block(part));
  });
  Sums all = sums_of(0);
  all.lines = first_of(1);
  for (int64_t part = 1; part < parts; ++part) {
    Sums more = sums_of(part);
    auto mean_of = [&](int64_t c) { return more.mean[c]; };
    auto squares_of = [&](int64_t c) { return more.squares[c]; };
    join(all, first_of(part + 1) - first_of(part), channels, mean_of, squares_of);
  }
  for (int64_t c = 0; c < channels; ++c) {
    mean[c] = static_cast<float>(all.mean[c]);
    variance[c] = static_cast<float>(all.squares[c] / static_cast<double>(lines));
  }
}

void gradient_sums(xla::ffi::ThreadPool& pool, bool narrow, const void* gradient, const void* x, int64_t lines, int64_t channels, float* sum,
                   float* sum_of_products) {
  int64_t parts = parts_of(pool, lines, channels);
  Rooms rooms(parts, channels, 2, 2);
  parallel(pool, parts, [&](int64_t part) {
    int64_t first = lines * part / parts, count = lines * (part + 1) / parts - first, offset = first * channels;
    if (narrow)
      add_products_bf16(static_cast<const uint16_t*>(gradient) + offset, static_cast<const uint16_t*>(x) + offset, count, channels,
                        rooms.kept(part), rooms.block(part));
    else
      add_products_f32(static_cast<const float*>(gradient) + offset, static_cast<const float*>(x) + offset, count, channels, rooms.kept(part),
                       rooms.block(part));
  });
  for (int64_t c = 0; c < channels; ++c) {
    double added = 0, multiplied = 0;
    for (int64_t part = 0; part < parts; ++part) added += rooms.kept(part)[c], multiplied += rooms.kept(part)[channels + c];
    sum[c] = static_cast<float>(added), sum_of_products[c] = static_cast<float>(multiplied);
  }
}

}  // namespace glue
