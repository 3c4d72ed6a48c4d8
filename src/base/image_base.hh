// A base that is an image in a file or folder of this machine. Thread-safe.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/base.hh"
#include "image/cache/layer_cache.hh"
#include "image/image.hh"

namespace veneer::base {

struct ImageBaseRequest {
  enum class Form { oci_layout, docker_archive };
  Form form = Form::oci_layout;
  std::filesystem::path path;
  std::string tag;  // empty: the only image there
  image::Platform platform;
};

/// Reads image and tree; compressed layers stay where they are (Base::blobs opens all). Every layer is verified against
/// its diff ID the first time that its tree is read; `cache`, which may be null and must outlive the base, keeps the
/// list of its files and the canonical gzip form of layers that are not compressed, which takes their place. Errors:
/// not_found when path, tag or platform is not there, refused and verification for what is malformed.
Base read_image_base(const ImageBaseRequest& request, const image::LayerCache* cache);

}  // namespace veneer::base
