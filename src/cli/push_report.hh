// What the commands that bring an image into a registry have in common: their options, progress, the result.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "app/push_image.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "foundation/value.hh"

namespace veneer::cli {

/// --also-tag, --mount-from, --no-mount, --patience.
std::vector<Option> push_options();

/// Where `text` and the options say. Throws Error (usage).
app::PushTarget read_push_target(const std::string& text, const Arguments& arguments);

/// Shows what is being done.
void show_push(const deliver::Event& event, app::Messages& messages);

/// "registry.example/shop:1.2 sha256:... (4.2 kB sent)", a line a name.
std::string push_text(const deliver::PushResult& result, const ManifestDigest& manifest);
/// With the artifact's digest in `sbom`, where one was attached.
Value push_value(const deliver::PushResult& result, const ManifestDigest& manifest,
                 const std::optional<deliver::Attached>& sbom = {});

/// What `veneer sbom` prints of an image, to be attached to it.
deliver::Attachment sbom_attachment(std::string text);
/// "its SBOM is sha256:..., listed by the tag sha256-..."
std::string attached_text(const deliver::Attached& sbom, const ManifestDigest& image);

}  // namespace veneer::cli
