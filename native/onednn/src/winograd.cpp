#include "winograd.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <type_traits>

#include "buffers.h"
#include "parallel.h"
#include "processors.h"
#include "product.h"

namespace glue {
namespace {

constexpr int64_t kTile = 2, kReach = 4, kPlanes = 16, kLanes = 16;

using Lanes = float __attribute__((vector_size(64), aligned(4)));
using Words = uint32_t __attribute__((vector_size(64), aligned(4)));
using Halves = uint16_t __attribute__((vector_size(32), aligned(2)));
HORNBEAM_INLINE Lanes load(const float* from) { return *reinterpret_cast<const Lanes*>(from); }
HORNBEAM_INLINE void store(float* to, Lanes value) { *reinterpret_cast<Lanes*>(to) = value; }

// bfloat16 is the upper half of a float.
HORNBEAM_INLINE Lanes load(const uint16_t* from) {
  return reinterpret_cast<Lanes>(__builtin_convertvector(*reinterpret_cast<const Halves*>(from), Words) << 16);
}
HORNBEAM_INLINE void store(uint16_t* to, Lanes value) {
  Words bits = reinterpret_cast<Words>(value);
  Words rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;  // to the nearest, and from the middle to an even one
  *reinterpret_cast<Halves*>(to) = __builtin_convertvector(value == value ? rounded : (bits >> 16 | 0x40), Halves);
}

// Images that are cut into tiles of 2x2.
template <typename T>
struct Images {
  T* data;
  int64_t height, width, channels;
  int64_t top, left;           // rows and columns before the image from which tiles begin
  int64_t tile_rows, tile_columns;

  // Element of a pixel, or none outside.
  T* at(int64_t image, int64_t row, int64_t column) const {
    bool inside = row >= 0 && row < height && column >= 0 && column < width;
    return inside ? data + ((image * height + row) * width + column) * channels : nullptr;
  }
};

// A place among the tiles of all images.
struct Place {
  int64_t image, row, column;
};
template <typename T>
HORNBEAM_INLINE Place place_of(const Images<T>& images, int64_t tile) {
  int64_t each = images.tile_rows * images.tile_columns, within = tile % each;
  return {tile / each, within / images.tile_columns * kTile, within % images.tile_columns * kTile};
}

// 16 planes of matrices: lines are tiles, or channels of a kernel. Planes lie a little apart, or their lines would meet in
// the same sets of the caches.
struct Planes {
  float* data;
  int64_t step;  // from plane to plane
  int64_t columns;

  static int64_t step_of(int64_t lines, int64_t columns) { return lines * columns + kLanes; }
  static size_t bytes(int64_t lines, int64_t columns) { return kPlanes * step_of(lines, columns) * sizeof(float); }
  static Planes in(void* memory, int64_t lines, int64_t columns) {
    return {static_cast<float*>(memory), step_of(lines, columns), columns};
  }
};

// Pixels of a square, from some channel on; those outside of the image are zero, and stay where they are.
template <int64_t kSide, typename T>
struct Square {
  const T* pixel[kSide][kSide];
  int64_t moves[kSide][kSide];

  HORNBEAM_INLINE Square(const Images<T>& images, int64_t image, int64_t row, int64_t column, int64_t channel) {
    static const T nothing[kLanes] = {};
    for (int64_t i = 0; i < kSide; ++i) {
      for (int64_t j = 0; j < kSide; ++j) {
        const T* found = images.at(image, row + i, column + j);
        pixel[i][j] = found ? found + channel : nothing, moves[i][j] = found ? 1 : 0;
      }
    }
  }
  HORNBEAM_INLINE Lanes at(int64_t i, int64_t j, int64_t c) const { return load(pixel[i][j] + moves[i][j] * c); }
};

// The sums that tiles' surroundings of 4x4 give, for some channels.
template <typename T>
HORNBEAM_INLINE void sum_surroundings(const Images<T>& images, int64_t first, int64_t count, int64_t from, Planes to) {
  for (int64_t n = 0; n < count; ++n) {
    Place place = place_of(images, first + n);
    Square<kReach, T> square(images, place.image, place.row - images.top, place.column - images.left, from);
    for (int64_t c = 0; c < to.columns; c += kLanes) {
      Lanes rows[kReach][kReach];
      for (int64_t i = 0; i < kReach; ++i) {
        Lanes d[kReach];
        for (int64_t j = 0; j < kReach; ++j) d[j] = square.at(i, j, c);
        rows[i][0] = d[0] - d[2], rows[i][1] = d[1] + d[2], rows[i][2] = d[2] - d[1], rows[i][3] = d[1] - d[3];
      }
      float* out = to.data + n * to.columns + c;
      for (int64_t j = 0; j < kReach; ++j) {
        store(out + j * to.step, rows[0][j] - rows[2][j]);
        store(out + (4 + j) * to.step, rows[1][j] + rows[2][j]);
        store(out + (8 + j) * to.step, rows[2][j] - rows[1][j]);
        store(out + (12 + j) * to.step, rows[1][j] - rows[3][j]);
      }
    }
  }
}

HORNBEAM_EVERY_PROCESSOR void surroundings(const Images<float>& images, int64_t first, int64_t count, int64_t from, Planes to) {
  sum_surroundings(images, first, count, from, to);
}
HORNBEAM_EVERY_PROCESSOR void surroundings(const Images<uint16_t>& images, int64_t first, int64_t count, int64_t from, Planes to) {
  sum_surroundings(images, first, count, from, to);
}

// Tiles from the sums of products.
HORNBEAM_EVERY_PROCESSOR void results(Planes from, const Images<float>& images, int64_t first, int64_t count) {
  for (int64_t n = 0; n < count; ++n) {
    Place place = place_of(images, first + n);
    float* pixel[kTile][kTile];
    for (int64_t i = 0; i < kTile; ++i)
      for (int64_t j = 0; j < kTile; ++j) pixel[i][j] = images.at(place.image, place.row + i, place.column + j);
    for (int64_t c = 0; c < from.columns; c += kLanes) {
      const float* in = from.data + n * from.columns + c;
      Lanes rows[kTile][kReach];
      for (int64_t j = 0; j < kReach; ++j) {
        Lanes m[kReach];
        for (int64_t i = 0; i < kReach; ++i) m[i] = load(in + (4 * i + j) * from.step);
        rows[0][j] = m[0] + m[1] + m[2], rows[1][j] = m[1] - m[2] - m[3];
      }
      for (int64_t i = 0; i < kTile; ++i) {
        if (pixel[i][0]) store(pixel[i][0] + c, rows[i][0] + rows[i][1] + rows[i][2]);
        if (pixel[i][1]) store(pixel[i][1] + c, rows[i][1] - rows[i][2] - rows[i][3]);
      }
    }
  }
}

// The sums that tiles of results' gradients give, for some channels: `results` the other way round.
template <typename T>
HORNBEAM_INLINE void sum_result_gradients(const Images<T>& images, int64_t first, int64_t count, int64_t from, Planes to) {
  for (int64_t n = 0; n < count; ++n) {
    Place place = place_of(images, first + n);
    Square<kTile, T> square(images, place.image, place.row, place.column, from);
    for (int64_t c = 0; c < to.columns; c += kLanes) {
      Lanes rows[kTile][kReach];
      for (int64_t i = 0; i < kTile; ++i) {
        Lanes a = square.at(i, 0, c), b = square.at(i, 1, c);
        rows[i][0] = a, rows[i][1] = a + b, rows[i][2] = a - b, rows[i][3] = -b;
      }
      float* out = to.data + n * to.columns + c;
      for (int64_t j = 0; j < kReach; ++j) {
        store(out + j * to.step, rows[0][j]);
        store(out + (4 + j) * to.step, rows[0][j] + rows[1][j]);
        store(out + (8 + j) * to.step, rows[0][j] - rows[1][j]);
        store(out + (12 + j) * to.step, -rows[1][j]);
      }
    }
  }
}

HORNBEAM_EVERY_PROCESSOR void result_gradients(const Images<float>& images, int64_t first, int64_t count, int64_t from, Planes to) {
  sum_result_gradients(images, first, count, from, to);
}
HORNBEAM_EVERY_PROCESSOR void result_gradients(const Images<uint16_t>& images, int64_t first, int64_t count, int64_t from, Planes to) {
  sum_result_gradients(images, first, count, from, to);
}

// A matrix with its axes swapped, some lines of the result.
HORNBEAM_EVERY_PROCESSOR void swap_axes(const float* from, int64_t lines, int64_t columns, int64_t first, int64_t last, float* to) {
  for (int64_t c = first; c < last; c += kLanes)
    for (int64_t l = 0; l < lines; l += kLanes)
      for (int64_t i = c; i < c + kLanes; ++i)
        for (int64_t j = l; j < l + kLanes; ++j) to[i * lines + j] = from[j * columns + i];
}

// The sums that a kernel gives; elements are those of one window's place, `size` many. A turned window has its first
// row last and its first column last.
HORNBEAM_EVERY_PROCESSOR void windows(const float* w, int64_t size, int64_t first, int64_t last, bool turned, Planes to) {
  for (int64_t e = first; e < last; e += kLanes) {
    Lanes rows[kReach][3];
    for (int64_t j = 0; j < 3; ++j) {
      Lanes a = load(w + j * size + e), b = load(w + (3 + j) * size + e), c = load(w + (6 + j) * size + e);
      Lanes ends = (a + c) * 0.5f, middle = b * 0.5f;
      rows[0][j] = turned ? c : a, rows[1][j] = ends + middle, rows[2][j] = ends - middle, rows[3][j] = turned ? a : c;
    }
    for (int64_t i = 0; i < kReach; ++i) {
      Lanes ends = (rows[i][0] + rows[i][2]) * 0.5f, middle = rows[i][1] * 0.5f;
      float* out = to.data + 4 * i * to.step + e;
      store(out, rows[i][turned ? 2 : 0]), store(out + to.step, ends + middle);
      store(out + 2 * to.step, ends - middle), store(out + 3 * to.step, rows[i][turned ? 0 : 2]);
    }
  }
}

// A part of a kernel's gradient from the sums over all tiles: `windows` the other way round. Lines are channels; the part
// begins at w, whose lines are `width` long and whose places in the window are `size` apart.
template <typename T>
HORNBEAM_INLINE void add_up_windows(Planes from, int64_t lines, T* w, int64_t width, int64_t size) {
  for (int64_t line = 0; line < lines; ++line) {
    for (int64_t c = 0; c < from.columns; c += kLanes) {
      const float* in = from.data + line * from.columns + c;
      T* out = w + line * width + c;
      Lanes rows[3][kReach];
      for (int64_t j = 0; j < kReach; ++j) {
        Lanes m[kReach];
        for (int64_t i = 0; i < kReach; ++i) m[i] = load(in + (4 * i + j) * from.step);
        Lanes sum = (m[1] + m[2]) * 0.5f;
        rows[0][j] = m[0] + sum, rows[1][j] = (m[1] - m[2]) * 0.5f, rows[2][j] = sum + m[3];
      }
      for (int64_t i = 0; i < 3; ++i) {
        Lanes sum = (rows[i][1] + rows[i][2]) * 0.5f;
        store(out + 3 * i * size, rows[i][0] + sum);
        store(out + (3 * i + 1) * size, (rows[i][1] - rows[i][2]) * 0.5f);
        store(out + (3 * i + 2) * size, sum + rows[i][3]);
      }
    }
  }
}

HORNBEAM_EVERY_PROCESSOR void window_gradients(Planes from, int64_t lines, float* w, int64_t width, int64_t size) {
  add_up_windows(from, lines, w, width, size);
}
HORNBEAM_EVERY_PROCESSOR void window_gradients(Planes from, int64_t lines, uint16_t* w, int64_t width, int64_t size) {
  add_up_windows(from, lines, w, width, size);
}

// Whether all of some place in the window is zero, as in masks and shifts.
bool has_empty_place(const float* w, int64_t size) {
  for (int64_t place = 0; place < 9; ++place)
    if (std::all_of(w + place * size, w + (place + 1) * size, [](float value) { return value == 0; })) return true;
  return false;
}

int64_t tiles_along(int64_t size) { return (size + kTile - 1) / kTile; }
int64_t tiles_of(const Problem& p, const std::array<int64_t, kSpace>& space) { return p.batch * tiles_along(space[0]) * tiles_along(space[1]); }

constexpr double kBlockBytes = 1.2e6;      // of the sums that a thread works on, about its second cache
constexpr double kMostBlockBytes = 8.4e6;  // of the same where the kernel is larger than that cache
constexpr int64_t kLeastTiles = 8;         // of a thread, for which it is worth reading all of the kernel
constexpr double kMostWaste = 1.4;         // pixels of all tiles, of which some reach over the border, to pixels
constexpr double kLeastFlops = 1e7;
constexpr int64_t kLeastNarrow = 32768;    // channels times filters in bfloat16, below which its own products are quicker

// Number of tiles that a thread works on at once, so that all blocks are alike and all threads have as many.
//
// Each block moves the matrices of the kernel (channels times filters) through the cache; where they are larger than the
// cache, so may the block be.
int64_t block_of(int64_t tiles, int64_t channels, int64_t filters, int64_t threads) {
  double bytes = kPlanes * sizeof(float) * static_cast<double>(channels + filters);  // of a tile
  auto in_cache = static_cast<int64_t>(kBlockBytes / bytes), most = static_cast<int64_t>(kMostBlockBytes / bytes);
  most = std::max({in_cache, std::min(most, channels * filters / (channels + filters)), kLeastTiles});
  int64_t blocks = (tiles + most - 1) / most;
  blocks = (blocks + threads - 1) / threads * threads;
  return (tiles + blocks - 1) / blocks;
}

// Forward, and the gradient of the input, whose kernel is turned.
void convolve(xla::ffi::ThreadPool& pool, const Images<float>& in, const float* w, bool turned, const Images<float>& out, int64_t tiles) {
  int64_t threads = pool.num_threads(), size = in.channels * out.channels;
  int64_t block = block_of(tiles, in.channels, out.channels, threads), blocks = (tiles + block - 1) / block;
  Borrowed kernel_memory(Planes::bytes(size, 1)), turned_memory(turned ? 9 * size * sizeof(float) : 0);
  Planes kernel = Planes::in(kernel_memory.data(), size, 1);
  int64_t strips = in.channels / kLanes, pieces = std::min(strips, threads);
  parallel(pool, pieces, [&](int64_t piece) {
    int64_t first = strips * piece / pieces * kLanes, last = strips * (piece + 1) / pieces * kLanes;
    float* other = static_cast<float*>(turned_memory.data());
    for (int64_t place = 0; turned && place < 9; ++place)
      swap_axes(w + place * size, out.channels, in.channels, first, last, other + place * size);
    windows(turned ? other : w, size, first * out.channels, last * out.channels, turned, kernel);
  });
  parallel(pool, blocks, [&](int64_t number) {
    int64_t first = number * block, count = std::min(block, tiles - first);
    Borrowed in_memory(Planes::bytes(block, in.channels)), out_memory(Planes::bytes(block, out.channels));
    Planes sums = Planes::in(in_memory.data(), block, in.channels), products = Planes::in(out_memory.data(), block, out.channels);
    surroundings(in, first, count, 0, sums);
    auto each = plain_product(kF32, false, false, count, in.channels, out.channels);
    for (int64_t plane = 0; plane < kPlanes; ++plane)
      multiply_f32(each, sums.data + plane * sums.step, kernel.data + plane * kernel.step, products.data + plane * products.step);
    results(products, out, first, count);
  });
}

// Threads share the result along its longer side, never the sum: each makes the sums of one operand for some channels, and
// those of the other for all.
template <typename T>
void kernel_gradient(xla::ffi::ThreadPool& pool, const Images<T>& in, const Images<T>& out, T* w, int64_t tiles) {
  bool by_channels = in.channels > out.channels;
  int64_t strips = std::max(in.channels, out.channels) / kLanes, pieces = std::min(strips, pool.num_threads());
  parallel(pool, pieces, [&](int64_t piece) {
    int64_t first_line = strips * piece / pieces * kLanes, lines = strips * (piece + 1) / pieces * kLanes - first_line;
    int64_t channels = by_channels ? lines : in.channels, filters = by_channels ? out.channels : lines;
    int64_t channel = by_channels ? first_line : 0, filter = by_channels ? 0 : first_line;
    int64_t block = block_of(tiles, channels, filters, 1);
    Borrowed in_memory(Planes::bytes(block, channels)), out_memory(Planes::bytes(block, filters));
    Borrowed sum_memory(Planes::bytes(channels, filters));
    Planes sums = Planes::in(sum_memory.data(), channels, filters);
    Planes x = Planes::in(in_memory.data(), block, channels), dy = Planes::in(out_memory.data(), block, filters);
    for (int64_t first = 0; first < tiles; first += block) {
      int64_t count = std::min(block, tiles - first);
      surroundings(in, first, count, channel, x);
      result_gradients(out, first, count, filter, dy);
      auto each = plain_product(kF32, true, false, channels, count, filters);
      for (int64_t plane = 0; plane < kPlanes; ++plane)
        multiply_f32(each, x.data + plane * x.step, dy.data + plane * dy.step, sums.data + plane * sums.step, first > 0);
    }
    window_gradients(sums, channels, w + channel * out.channels + filter, out.channels, in.channels * out.channels);
  });
}

enum Wish { kWhereQuicker, kNever, kAlways };
Wish wish() {
  static const Wish value = [] {
    const char* given = std::getenv("HORNBEAM_ONEDNN_WINOGRAD");
    std::string text = given ? given : "";
    for (char& letter : text) letter = static_cast<char>(std::tolower(letter));
    if (text == "0" || text == "off" || text == "false" || text == "no") return kNever;
    return text == "always" ? kAlways : kWhereQuicker;
  }();
  return value;
}

// Elsewhere, oneDNN's products of float32 were not measured.
#if defined(__x86_64__)
constexpr bool kKnownProcessor = true;
// Whether the processor multiplies whole tiles of bfloat16 (AMX), against which float32 is far too slow.
bool has_tile_products() {
  unsigned a, b, c, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && d >> 22 & 1;
}
#else
constexpr bool kKnownProcessor = false;
bool has_tile_products() { return false; }
#endif

}  // namespace

bool by_winograd(const Problem& p, int64_t threads) {
  bool narrow = p.type == kBf16;
  if (narrow && p.kind != kKernelGradient) return false;
  if (p.space != 2 || p.groups != 1 || p.channels % kLanes || p.filters % kLanes) return false;
  for (int64_t axis = 0; axis < p.space; ++axis)
    if (p.window[axis] != 3 || p.stride[axis] != 1 || p.dilation[axis] != 1) return false;
  // A library with threads of its own must not be called by many.
  if (wish() == kNever || !dnnl().omp_set_num_threads) return false;
  if (wish() == kAlways) return true;
  if (!kKnownProcessor || p.flops() < kLeastFlops || std::min(p.channels, p.filters) < 2 * kLanes) return false;
  if (narrow && (p.channels * p.filters < kLeastNarrow || has_tile_products())) return false;
  const auto& space = p.kind == kInputGradient ? p.in : p.out;
  int64_t tiles = tiles_of(p, space), places = p.batch * space[0] * space[1];
  if (tiles < kLeastTiles * threads || kTile * kTile * tiles > kMostWaste * places) return false;
  return p.kind != kKernelGradient || std::max(p.channels, p.filters) >= kLanes * threads;
}

namespace {

template <typename T>
bool compute(xla::ffi::ThreadPool& pool, const Problem& p, T* x, T* w, T* y) {
  Images<T> in{x, p.in[0], p.in[1], p.channels, p.before[0], p.before[1], tiles_along(p.out[0]), tiles_along(p.out[1])};
  Images<T> out{y, p.out[0], p.out[1], p.filters, 0, 0, in.tile_rows, in.tile_columns};
  if (p.kind == kKernelGradient) {
    kernel_gradient(pool, in, out, w, tiles_of(p, p.out));
    return true;
  }
  if constexpr (std::is_same_v<T, float>) {
    if (has_empty_place(w, p.channels * p.filters)) return false;
    if (p.kind == kForward) {
      convolve(pool, in, w, false, out, tiles_of(p, p.out));
      return true;
    }
    // Gradients slide over the input's places: a window of theirs ends where that of the forward convolution begins.
    in.tile_rows = out.tile_rows = tiles_along(p.in[0]), in.tile_columns = out.tile_columns = tiles_along(p.in[1]);
    out.top = 2 - p.before[0], out.left = 2 - p.before[1];
    convolve(pool, out, w, true, in, tiles_of(p, p.in));
    return true;
  }
  return false;
}

}  // namespace

bool winograd(xla::ffi::ThreadPool& pool, const Problem& p, void* x, void* w, void* y) {
  if (p.type == kBf16) return compute(pool, p, static_cast<uint16_t*>(x), static_cast<uint16_t*>(w), static_cast<uint16_t*>(y));
  return compute(pool, p, static_cast<float*>(x), static_cast<float*>(w), static_cast<float*>(y));
}

}  // namespace glue
