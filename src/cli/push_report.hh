// What the commands that bring an image into a registry have in common: their options, progress, the result.
#pragma once

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
Value push_value(const deliver::PushResult& result, const ManifestDigest& manifest);

}  // namespace veneer::cli
