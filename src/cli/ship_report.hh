// What the commands that bring an image to a host have in common: their options, progress, the plan as a table, the
// result.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/open_image.hh"
#include "app/open_receiver.hh"
#include "cli/command.hh"
#include "cli/context.hh"
#include "deliver/receiver/ship.hh"

namespace veneer::cli {

/// The plan for people: a row a layer, then what it costs.
std::string plan_text(const deliver::DeliveryPlan& plan);

/// Shows what is being done; `host` is put before it.
void show(const deliver::Event& event, app::Messages& messages, const std::string& host = {});

/// What a command that brings one image to one host does.
struct ShipOptions {
  app::HostRequest host;
  std::optional<deliver::EngineName> live_name;  // none: the image's own
  deliver::SpliceChoice splice = deliver::SpliceChoice::when_cheaper;
  enum class Extent { all, plan } extent = Extent::all;
  enum class Form { text, json } form = Form::text;
};

/// --as, --dry-run, --json of `pull` and `receive`.
std::vector<Option> load_options();

/// --as, --dry-run, --json, and of `ship` --no-splice and how the host at `address` is reached. Throws Error (usage).
ShipOptions read_ship_options(const std::string& address, const Arguments& arguments);

/// The same for this machine's engine, which gives back the layers that the image lacks.
ShipOptions read_load_options(const Arguments& arguments);

/// Throws Error (usage) when neither the options nor the image that is wanted have a name for the engine.
void check_name(const ShipOptions& options, const app::WantedImage& wanted);

/// The options' name, else the image's own. Throws Error (usage) when no engine takes it.
deliver::EngineName name_for(const app::OpenedImage& image, const std::optional<deliver::EngineName>& given);

/// Ships, or says what that would do; prints for people or the document. Returns the exit code.
int ship_and_report(const app::OpenedImage& opened, const app::OpenedReceiver& receiver, const ShipOptions& options,
                    Context& context);

}  // namespace veneer::cli
