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

/// That of the machine that this program was made for; nothing when it is neither amd64 nor arm64.
std::optional<Platform> native_platform();

/// The machine of a Linux platform as platform.machine() of Python names it: "x86_64" for linux/amd64. Nothing for a
/// platform that is not known, or that leaves open which it is, as linux/arm.
std::optional<std::string> machine_of(const Platform& platform);

/// Whether programs for `machine` may be in an image for `platform`; also where nothing is known of the architecture.
bool may_hold_programs_of(const Platform& platform, std::string_view machine);

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
