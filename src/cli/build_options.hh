// The options that choose what is built.
#pragma once

#include <vector>

#include "app/base_pins.hh"
#include "app/build_request.hh"
#include "app/past_lock.hh"
#include "app/priced_images.hh"
#include "build/image_builder.hh"
#include "cli/command.hh"
#include "foundation/value.hh"

namespace veneer::cli {

/// --project, of the commands that know a project's store. Context::current_folder() obeys it.
Option project_option();

/// --insecure, of the commands that read or write images of registries; Context::insecure_registries() obeys it.
Option insecure_option();
/// --ca, of the same; Context::registry_authority() obeys it.
Option authority_option();

/// --platform, of the commands that read images.
Option image_platform_option();

const std::vector<Option>& build_options();

/// {"version", "source", "reason", "interpreter", "machine", "libc"}, and for uv's "url" and "sha256" of its archive.
Value python_to_value(const build::BuildInputs& inputs);

/// [{"what", "from", "to"}...]: what is not as veneer.lock had it.
Value moves_to_value(const app::BasePins& pins);

/// --python and --platform of the commands that look at locks and not at a base. Throws Error (usage).
app::PastTarget read_past_target(const Arguments& arguments);

/// The same with --extra, --group, --package, --dependency-layers and --line. Throws Error (usage).
app::PriceRequest read_price_request(const Arguments& arguments);

/// Throws Error (usage, refused).
app::BuildRequest read_build_request(const Arguments& arguments);

}  // namespace veneer::cli
