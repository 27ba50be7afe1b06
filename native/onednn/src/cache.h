// Compiled primitives, kept up to a bound.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>

namespace glue {

constexpr size_t kMostOps = 2048;

// The least recently used op goes when there are too many; those that run live on until they end.
template <typename Key, typename Op>
class Cache {
 public:
  // The op of a key; `build` makes it if it is not there.
  template <typename Build>
  std::shared_ptr<const Op> find(const Key& key, const Build& build) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto at = index_.find(key);
    if (at != index_.end()) {
      order_.splice(order_.begin(), order_, at->second);
      return at->second->second;
    }
    order_.emplace_front(key, build());
    index_[key] = order_.begin();
    if (order_.size() > kMostOps) {
      index_.erase(order_.back().first);
      order_.pop_back();
    }
    return order_.front().second;
  }
  size_t size() {
    std::lock_guard<std::mutex> lock(mutex_);
    return order_.size();
  }

 private:
  std::mutex mutex_;
  std::list<std::pair<Key, std::shared_ptr<const Op>>> order_;
  std::map<Key, typename decltype(order_)::iterator> index_;
};

}  // namespace glue
