#include "cli/push_report.hh"

#include <fmt/format.h>

#include "cli/host_options.hh"
#include "cli/ship_report.hh"
#include "foundation/error.hh"
#include "foundation/units.hh"
#include "sbom/spdx.hh"

namespace veneer::cli {

namespace {}

std::vector<Option> push_options() {
  return {{"--also-tag", "REF", "give this tag of the same repository to the image too, such as latest",
           Option::Repeat::many},
          {"--mount-from", "REPOSITORY", "take layers from this repository of the same registry, if it has them",
           Option::Repeat::many},
          {"--no-mount", "", "take no layers from other repositories, not those of the base either"},
          {"--patience", "SECONDS", "how long nothing may move before it is tried again (default: 60)"}};
}

app::PushTarget read_push_target(const std::string& text, const Arguments& arguments) {
  app::PushTarget target;
  target.name = app::parse_push_name(text);
  for (const std::string& tag : arguments.values("--also-tag")) {
    target.also_tags.push_back(app::parse_also_tag(tag, target.name));
  }
  if (arguments.has("--no-mount") && arguments.has("--mount-from")) {
    throw Error(ErrorKind::usage, "--mount-from and --no-mount exclude each other");
  }
  if (arguments.has("--no-mount")) target.mounts = app::PushTarget::Mounts::never;
  for (const std::string& repository : arguments.values("--mount-from")) {
    target.mount_from.push_back(app::parse_mount_from(repository, target.name));
  }
  if (const auto seconds = arguments.number("--patience", 1, longest_patience)) {
    target.patience = std::chrono::seconds(*seconds);
  }
  return target;
}

void show_push(const deliver::Event& event, app::Messages& messages) {
  using Kind = deliver::Event::Kind;
  switch (event.kind) {
    case Kind::asking: messages.progress("asking the registry what it has"); break;
    case Kind::sending_whole: messages.note(fmt::format("{}; asking for all of them", printable(event.text))); break;
    case Kind::reconnecting: messages.note(fmt::format("connection lost ({}); going on", printable(event.text))); break;
    default: show(event, messages); break;
  }
}

std::string push_text(const deliver::PushResult& result, const ManifestDigest& manifest) {
  std::string text;
  for (const image::Reference& name : result.names) {
    text += fmt::format("{} {}", printable(name.full()), manifest.text());
    if (text.find('\n') == std::string::npos) text += fmt::format(" ({} sent)", human_size(result.bytes_sent));
    text += "\n";
  }
  return text;
}

Value push_value(const deliver::PushResult& result, const ManifestDigest& manifest,
                 const std::optional<deliver::Attached>& sbom) {
  Value::Array names;
  for (const image::Reference& name : result.names) names.emplace_back(name.full());
  Value value;
  value.set("manifest", manifest.text());
  value.set("names", std::move(names));
  value.set("bytes_sent", result.bytes_sent);
  value.set("plan", deliver::to_value(result.plan));
  if (sbom) value.set("sbom", sbom->manifest.text());
  return value;
}

deliver::Attachment sbom_attachment(std::string text) {
  return {std::string(sbom::spdx_type), "sbom.spdx.json", std::move(text)};
}

std::string attached_text(const deliver::Attached& sbom, const ManifestDigest& image) {
  const bool is_by_tag = sbom.listing == deliver::Attached::Listing::by_tag;
  return fmt::format("its SBOM is {}{}", sbom.manifest.text(),
                     is_by_tag ? fmt::format(", listed by the tag sha256-{}", image.hex()) : "");
}

}  // namespace veneer::cli
