// The contents of an image as a document of SPDX 2.3 in JSON. Pure: the same image gives the same bytes, wherever it
// lies and whenever it is asked. Thread-safe. docs/formats.md, "SBOM", says what stands in it.
#pragma once

#include <string>
#include <string_view>

#include "image/image.hh"
#include "sbom/contents.hh"

namespace veneer::sbom {

inline constexpr std::string_view spdx_type = "application/spdx+json";

/// `contents` are those of `image`; `version` is that of the program. Ends with a line break.
std::string spdx_document(const image::SealedImage& image, const ImageContents& contents, std::string_view version);

/// A package URL (purl-spec): "pkg:pypi/rich@13.9.4".
std::string python_url(const Distribution& distribution);
/// "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12".
std::string debian_url(const base::InstalledPackage& package, const base::OsRelease& release);

/// A time of RFC 3339 as SPDX wants it, in UTC and without fractions; 1970-01-01T00:00:00Z for what is none.
std::string spdx_time(std::string_view time);

}  // namespace veneer::sbom
