// Which of an index's entries is meant (image-spec image-index.md). Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "image/image.hh"
#include "image/parse.hh"

namespace veneer::image {

/// "linux/amd64", "linux/arm/v7".
std::string platform_text(const Platform& platform);
/// Reads that form. Throws Error (usage).
Platform parse_platform(std::string_view text);

/// Whether an image for `offered` runs where `wanted` is asked for. A variant matters when both sides name one; v8 is
/// what arm64 is when it names none.
bool matches(const Platform& offered, const Platform& wanted);

/// What an index entry is, for listings: its platform, "attestation", or "unknown".
std::string entry_kind(const Descriptor& descriptor);

/// Whether `descriptor` can be the image that somebody wants: a manifest or an index, no attestation, with a platform
/// that says something or none at all.
bool is_usable(const Descriptor& descriptor);

/// The one usable entry for `wanted`, or the only usable one when nothing is wanted. Entries without a platform match
/// everything, but only when no other does. No match (not_found) and several (refused) are Errors that list what there
/// is; the first one is never taken for want of a better.
const Descriptor& select_entry(const Index& index, const std::optional<Platform>& wanted);

}  // namespace veneer::image
