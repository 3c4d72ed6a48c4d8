#include "base/image_base.hh"

#include "foundation/error.hh"
#include "image/media/docker_archive.hh"
#include "image/media/oci_layout.hh"

namespace veneer::base {

Base read_image_base(const ImageBaseRequest& request, const image::LayerCache* cache) {
  const bool is_layout = request.form == ImageBaseRequest::Form::oci_layout;
  Base base;
  base.name =
      (is_layout ? "oci:" : "docker-archive:") + request.path.native() + (request.tag.empty() ? "" : ":" + request.tag);
  return in_context([&] { return "reading the base " + printable(base.name); },
                    [&] {
                      image::ImageRequest wanted;
                      if (!request.tag.empty()) wanted.tag = request.tag;
                      wanted.platform = request.platform;
                      image::SealedImage sealed;
                      if (is_layout) {
                        auto layout = std::make_shared<image::OciLayout>(image::OciLayout::open(request.path));
                        sealed = layout->read(wanted);
                        base.blobs = std::move(layout);
                      } else {
                        auto archive = std::make_shared<image::DockerArchive>(image::DockerArchive::open(request.path));
                        sealed = archive->read(wanted);
                        base.blobs = std::move(archive);
                      }
                      base.layers = std::move(sealed.image.layers);
                      base.config = std::move(sealed.image.config);
                      const image::Platform& found = base.config.platform;
                      if (found.os != request.platform.os || found.architecture != request.platform.architecture) {
                        throw Error(ErrorKind::refused, "it is for " + printable(found.os) + "/" +
                                                            printable(found.architecture) + ", not for " +
                                                            request.platform.os + "/" + request.platform.architecture);
                      }
                      base.tree = read_tree(base.layers, base.blobs, cache);
                      return base;
                    });
}

}  // namespace veneer::base
