// Where wheels with compiled parts are built: the base with compilers and headers above it, which no image gets.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/surroundings.hh"
#include "base/system_packages.hh"
#include "image/cache/layer_cache.hh"
#include "python/supply/workshop.hh"
#include "python/target.hh"

namespace veneer::app {

class BaseWorkshop : public python::Workshop {
 public:
  /// Nothing where there can be none: the base has no apt or is for another machine, or this one allows no sandbox.
  /// `request` says where packages come from and names those of the project beside compilers, libc's and Python's
  /// headers.
  static std::shared_ptr<BaseWorkshop> find(const base::Base& base, const python::Target& target,
                                            base::PackagesRequest request, std::shared_ptr<image::LayerCache> cache,
                                            Messages& messages);

  std::string request_key() const override;
  std::string content_key() const override;
  bool is_compiled(const std::string& name) const override;
  void note_compiled(const std::string& name) override;
  Place open() override;

  /// The packages above the base with which something was built, sorted; none before open().
  std::vector<base::LockedPackage> taken() const;

 private:
  LayerKey key() const;
  BaseWorkshop(const base::Base& base, base::PackagesRequest request, std::shared_ptr<image::LayerCache> cache,
               std::vector<std::string> words, Messages& messages);

  base::Base base_;
  base::PackagesRequest request_;
  std::shared_ptr<image::LayerCache> cache_;
  std::vector<std::string> words_;
  Messages& messages_;
  mutable std::mutex mutex_;             // of all that changes
  mutable std::optional<LayerKey> key_;  // what the base has is read for it
  std::vector<base::LockedPackage> taken_;
};

}  // namespace veneer::app
