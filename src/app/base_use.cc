#include "app/base_use.hh"

#include <fmt/format.h>

#include "app/locked_project.hh"
#include "app/project_files.hh"
#include "app/start_command.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "image/places/image_names.hh"
#include "python/project/git_checkout.hh"
#include "setup/settings.hh"

namespace veneer::app {

namespace {

constexpr std::uint64_t largest_base_file = 16 << 20;
constexpr std::string_view hint = "name it: veneer base use python:3.13-slim";

/// What a Dockerfile calls an image is a registry's, whatever it begins with.
std::string as_base(const std::string& image) {
  return image.starts_with("debian:") || image::names_a_place(image) ? "registry:" + image : image;
}

}  // namespace

UsedBase find_used_base(const BuildRequest& request, const std::optional<std::string>& name,
                        Surroundings& surroundings) {
  build::BuildInputs inputs;
  inputs.project = read_locked_project(request, surroundings).project;
  UsedBase used{name.value_or(""), {}, inputs.project.folder / "pyproject.toml"};
  if (!name) {
    python::GitCheckouts checkouts;
    inputs.files = list_files(inputs.project, checkouts.find(inputs.project.folder));
    const auto found = base_of_dockerfile(inputs);
    if (!found) throw Error(ErrorKind::refused, "the project has no Dockerfile that says a base", std::string(hint));
    const auto& [image, place] = *found;
    if (image.empty() || image == "scratch") {
      throw Error(ErrorKind::refused,
                  image.empty() ? fmt::format("{}: what FROM names hangs on a variable that has no value", place)
                                : fmt::format("{}: nothing can be built on scratch", place),
                  std::string(hint));
    }
    used.text = as_base(image);
    used.place = place;
  }
  if (python::parse_base_choice(used.text).suite.empty()) {
    static_cast<void>(image::read_base_name(used.text, inputs.project.folder));
  }
  return used;
}

bool write_used_base(const UsedBase& base) {
  const setup::Setting setting{"tool.veneer", "base", Value(base.text), ""};
  const std::string before = read_text_file(base.file, largest_base_file);
  const auto after =
      in_context([&] { return printable(base.file.native()); }, [&] { return setup::set_text(before, setting); });
  if (!after) {
    throw Error(ErrorKind::refused,
                fmt::format("{} has no place for [tool.veneer] base that leaves all else as it is",
                            printable(base.file.native())),
                "write it by hand: " + setup::toml_lines(setting));
  }
  if (*after == before) return false;
  write_text_file(base.file, *after);
  return true;
}

}  // namespace veneer::app
