// What the commands that bring an image to a host have in common: progress, the plan as a table, the result. Called by
// ship, pull and receive.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hh"
#include "cli/context.hh"
#include "cli/open_image.hh"
#include "deliver/receiver/ship.hh"

namespace veneer::cli {

/// What --as says, else the image's own name. Throws Error (usage) when it is a place (oci:..., docker-archive:...) or
/// no engine takes it.
deliver::EngineName engine_name_for(const OpenedImage& opened, const Arguments& arguments);

/// The plan for people: a row a layer, then what it costs.
std::string plan_text(const deliver::DeliveryPlan& plan);

/// Shows what is being done; `host` is put before it.
void show(const deliver::Event& event, Terminal& terminal, const std::string& host = {});

/// Ships, or with --dry-run says what that would do; prints for people or, with --json, the document. Returns the exit
/// code.
int ship_and_report(const OpenedImage& opened, deliver::Receiver& receiver, const deliver::ShipRequest& request,
                    const Arguments& arguments, Context& context);

/// --as, --dry-run, --json.
std::vector<Option> load_options();

/// The same into this machine's engine, which gives back the layers that `opened` lacks.
int load_here(const OpenedImage& opened, const Arguments& arguments, Context& context);

}  // namespace veneer::cli
