#include "start/dockerfile_choice.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "owners/evaluate.hh"
#include "start/plain_path.hh"

namespace veneer::start {

namespace {

/// By its name, wherever it lies.
bool is_dockerfile_name(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return (name.starts_with("Dockerfile") || name.starts_with("Containerfile") || name.ends_with(".Dockerfile") ||
          name.ends_with(".dockerfile")) &&
         !name.ends_with(".dockerignore") && !name.ends_with(".py") && !name.ends_with(".md") && !name.ends_with(".j2");
}

bool is_of_elsewhere(std::string_view folder) {
  constexpr std::array<std::string_view, 11> names = {
      "tests", "test", "testing", "docs", "doc", "examples", "example", "benchmarks", "node_modules", "e2e", "ci"};
  return folder.starts_with('.') || std::find(names.begin(), names.end(), folder) != names.end();
}

/// A folder below the project's that is what its own Dockerfile is about.
bool is_own_project(const Inputs& inputs, const std::string& folder) {
  constexpr std::array<const char*, 8> files = {"pyproject.toml", "package.json", "go.mod",  "Cargo.toml",
                                                "pom.xml",        "Gemfile",      "mix.exs", "composer.json"};
  return std::any_of(files.begin(), files.end(),
                     [&](const char* name) { return inputs.has_file(folder + "/" + name); });
}

bool is_about_python(const std::string& text) {
  constexpr std::array<std::string_view, 5> words = {"python", "uv ", "pip ", "poetry", "/uv"};
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

bool could_be_meant(const Inputs& inputs, const std::string& path) {
  constexpr std::ptrdiff_t deepest = 3;
  if (!is_dockerfile_name(path) || std::count(path.begin(), path.end(), '/') >= deepest) return false;
  for (std::size_t slash = path.find('/'), start = 0; slash != std::string::npos;
       start = slash + 1, slash = path.find('/', start)) {
    if (is_of_elsewhere(std::string_view(path).substr(start, slash - start)) ||
        is_own_project(inputs, path.substr(0, slash)))
      return false;
  }
  const auto text = inputs.read(path);
  return text && is_about_python(*text);
}

/// Whether a Dockerfile of the workspace's root says that it is the member's.
bool is_about_member(const Inputs& inputs, const std::string& text) {
  for (const std::string& sign : {inputs.member + "/", "--package " + inputs.project.name,
                                  "--package=" + inputs.project.name, "\"" + inputs.project.name + "\""}) {
    if (text.find(sign) != std::string::npos) return true;
  }
  return false;
}

/// Where a Dockerfile in the member's folder is built: as the compose file says, else at the root where more of what it
/// copies lies there.
std::string context_of(const Inputs& inputs, const ComposeChoice& compose, const std::string& text,
                       const std::string& name) {
  if (inputs.member.empty()) return "";
  if (!compose.services.empty()) return compose.above;
  std::size_t here = 0;
  std::size_t at_root = 0;
  try {
    const owners::Dockerfile file = owners::parse_dockerfile(text, name);
    for (const owners::Stage& stage : file.stages) {
      const std::string number = std::to_string(&stage - file.stages.data());
      for (const owners::FileCopy& copy : owners::evaluate(file, stage.name.empty() ? number : stage.name).copies) {
        if (!copy.from.empty()) continue;
        for (const std::string& source : copy.sources) {
          const std::string path = plain_path("./" + source);
          if (inputs.has_file(path) || inputs.has_folder(path)) ++here;
          if (path == inputs.member || path.starts_with(inputs.member + "/") || inputs.member.starts_with(path + "/") ||
              path == "uv.lock")
            ++at_root;
        }
      }
    }
  } catch (const Error&) {  // whoever reads it says it
  }
  return at_root > here ? inputs.member : "";
}

/// Of the workspace's root the first that is about the member.
void add_of_root(const Inputs& inputs, std::vector<EqualDockerfile>& found) {
  const std::string last = inputs.member.substr(inputs.member.rfind('/') + 1);
  const auto add = [&](const std::string& name, bool is_named) {
    const auto text = inputs.read_above(name);
    if (found.empty() && text && (is_named || is_about_member(inputs, *text)))
      found.push_back({from_member(inputs, name), ""});
  };
  for (const std::string& name : {"Dockerfile." + last, last + ".Dockerfile", "docker/" + last + ".Dockerfile",
                                  "docker/Dockerfile." + last, "docker/" + last + "/Dockerfile"})
    add(name, true);
  for (const char* name : {"Dockerfile", "Containerfile", "docker/Dockerfile"}) add(name, false);
}

}  // namespace

std::string from_member(const Inputs& inputs, const std::string& name) {
  std::string up;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(std::count(inputs.member.begin(), inputs.member.end(), '/'));
       ++i)
    up += "../";
  return up + name;
}

ComposeChoice choose_compose(const Inputs& inputs) {
  ComposeChoice choice;
  const auto read = [&](const std::string& file, const std::string& name, const std::string& text) {
    choice.file = name;
    try {
      owners::ComposeFile found = owners::parse_compose(text, name);
      choice.images = std::move(found.images);
      return std::move(found.services);
    } catch (const Error& error) {
      choice.trouble = fmt::format("{} is not read: {}", file, error.what());
      return std::vector<owners::BuiltService>();
    }
  };
  for (const char* file : {"compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"}) {
    if (const auto text = inputs.read(file)) {
      for (owners::BuiltService& service : read(file, file, *text)) {
        if (plain_path(service.context) == ".") choice.services.push_back(std::move(service));
      }
      return choice;
    }
  }
  if (inputs.member.empty()) return choice;
  for (const char* file : {"compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"}) {
    const auto text = inputs.read_above(file);
    if (!text) continue;
    for (owners::BuiltService& service : read(file, from_member(inputs, file), *text)) {
      const std::string context = plain_path(service.context);
      if (context == inputs.member) {
        choice.services.push_back(std::move(service));
      } else if (context == ".") {
        const std::string name = service.dockerfile.empty() ? "Dockerfile" : plain_path(service.dockerfile);
        const auto dockerfile = inputs.read_above(name);
        if (!dockerfile || !(name.starts_with(inputs.member + "/") || is_about_member(inputs, *dockerfile))) continue;
        service.dockerfile = name;
        choice.above = inputs.member;
        choice.services.push_back(std::move(service));
      }
    }
    return choice;
  }
  return choice;
}

DockerfileChoice choose_dockerfile(const Inputs& inputs, const ComposeChoice& compose) {
  const auto own = [&](const std::string& name, const std::string& text) {
    return DockerfileChoice{name, text, context_of(inputs, compose, text, name), {}};
  };
  const auto of_root = [&](const std::string& name) {
    const std::string rest = name.substr(name.rfind("../") == std::string::npos ? 0 : name.rfind("../") + 3);
    if (inputs.member.empty() || name != from_member(inputs, rest)) return DockerfileChoice();
    return DockerfileChoice{name, inputs.read_above(rest).value_or(""), inputs.member, {}};
  };
  if (inputs.project.dockerfile) {
    const std::string& name = *inputs.project.dockerfile;
    if (name.empty()) return {};
    if (const auto text = inputs.read(name)) return own(name, *text);
    if (const DockerfileChoice choice = of_root(name); !choice.text.empty()) return choice;
    throw Error(ErrorKind::not_found, fmt::format("[tool.veneer] dockerfile: there is no {}", printable(name)));
  }
  for (const char* name : {"Dockerfile", "Containerfile"}) {
    if (const auto text = inputs.read(name)) return own(name, *text);
  }
  std::vector<EqualDockerfile> found;
  const auto add = [&](std::string name, std::string why) {
    const auto is_same = [&](const EqualDockerfile& other) { return other.name == name; };
    if (std::none_of(found.begin(), found.end(), is_same)) found.push_back({std::move(name), std::move(why)});
  };
  const bool is_above = !compose.above.empty();
  for (const owners::BuiltService& service : compose.services) {
    if (service.dockerfile.empty()) continue;
    const std::string name = plain_path(service.dockerfile);
    if (is_above ? inputs.read_above(name) : inputs.read(name))
      add(is_above ? from_member(inputs, name) : name, fmt::format("the service {}", printable(service.name)));
  }
  if (found.empty()) {
    for (const auto* files : {&inputs.files, &inputs.left_out}) {
      for (const std::string& file : *files) {
        if (could_be_meant(inputs, file)) add(file, "");
      }
    }
  }
  if (found.empty() && !inputs.member.empty()) add_of_root(inputs, found);
  if (found.size() != 1) return {"", "", "", std::move(found)};
  const std::string& name = found[0].name;
  return name.starts_with("../") ? of_root(name) : own(name, inputs.read(name).value_or(""));
}

}  // namespace veneer::start
