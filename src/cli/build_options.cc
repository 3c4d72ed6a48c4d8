#include "cli/build_options.hh"

#include <fmt/format.h>

#include "app/deploy_forecast.hh"
#include "app/selection_request.hh"
#include "cli/host_options.hh"
#include "foundation/error.hh"
#include "foundation/layer_limit.hh"
#include "image/places/image_names.hh"
#include "image/platform.hh"
#include "owners/shell.hh"
#include "python/name.hh"
#include "python/python_version.hh"

namespace veneer::cli {

namespace {

constexpr std::uint64_t most_workers = 256;

image::Platform read_platform(const std::string& text) {
  static_cast<void>(app::machine_of_platform(text));  // refuses what is no known Linux platform
  return image::parse_platform(text);
}

// What a file may say wrongly is refused; here it is the command line that is wrong.
python::BaseChoice read_base(const std::string& text) {
  try {
    python::BaseChoice choice = python::parse_base_choice(text);
    if (choice.suite.empty()) static_cast<void>(image::read_base_name(text, {}));
    return choice;
  } catch (const Error& error) {
    throw Error(ErrorKind::usage, error.what(), error.hint());
  }
}

std::optional<std::string> read_python(const Arguments& arguments) {
  auto version = arguments.value("--python");
  if (version && !python::parse_python_version(*version)) {
    throw Error(ErrorKind::usage, fmt::format("--python wants a version such as 3.11, not '{}'", printable(*version)));
  }
  return version;
}

app::ByteCode read_byte_code(const Arguments& arguments) {
  if (arguments.has("--byte-code") && arguments.has("--no-byte-code")) {
    throw Error(ErrorKind::usage, "--byte-code and --no-byte-code exclude each other");
  }
  if (arguments.has("--byte-code")) return app::ByteCode::made;
  return arguments.has("--no-byte-code") ? app::ByteCode::left_out : app::ByteCode::as_the_project_says;
}

/// As a shell splits them; what a shell would replace is refused, since none will run.
std::vector<std::string> read_words(const Arguments& arguments, const std::string& option) {
  const auto text = arguments.value(option);
  if (!text) return {};
  try {
    const owners::ShellScript script = owners::read_shell(*text);
    if (script.commands.size() == 1 && script.commands[0].assignments.empty() && !script.commands[0].has_redirection &&
        script.commands[0].end.empty()) {
      std::vector<std::string> words;
      for (const owners::ShellWord& word : script.commands[0].words) {
        if (!word.is_plain) throw Error(ErrorKind::refused, fmt::format("no shell replaces {}", printable(word.raw)));
        words.push_back(word.text);
      }
      return words;
    }
    throw Error(ErrorKind::refused, "it is not the words of one command");
  } catch (const Error& error) {
    throw Error(ErrorKind::usage, fmt::format("{} '{}': {}", option, printable(*text), error.message()),
                "words with blanks want quotes; for a shell: --cmd \"sh -c 'first && second'\"");
  }
}

}  // namespace

Option project_option() { return {"--project", "DIR", "the folder with pyproject.toml (default: here)"}; }

Option image_platform_option() {
  return {"--platform", "PLATFORM",
          "of an image for several platforms the one for this, such as linux/arm64 (of a registry's default: this "
          "machine's)"};
}

Option authority_option() {
  return {"--ca", "FILE",
          "certificates (PEM) that vouch for registries, beside those that this machine trusts: --ca company.crt"};
}

Option insecure_option() {
  return {"--insecure", "HOST", "speak to the registry HOST without TLS too (this machine's own: always)",
          Option::Repeat::many};
}

const std::vector<Option>& build_options() {
  static const std::vector<Option> options = {
      project_option(),
      insecure_option(),
      authority_option(),
      {"--lock", "FILE",
       "the lock: uv.lock, pylock.toml or a requirements.txt with hashes (default: uv.lock of the project or its "
       "workspace)"},
      {"--frozen", "", "take the lock as it stands, though it is not what pyproject.toml asks for"},
      {"--base", "BASE", "what the image stands on: " + image::base_forms()},
      {"--platform", "PLATFORM", "linux/amd64, linux/arm64, ...: build for another machine than this one"},
      {"--python", "VERSION",
       "the Python of the image, such as 3.12 or 3.12.4 (default: .python-version, else what the lock and "
       "requires-python allow)"},
      {"--extra", "NAME", "install this extra of the project too", Option::Repeat::many},
      {"--group", "NAME", "install this dependency group too", Option::Repeat::many},
      {"--package", "NAME", "build the image of this member of the workspace"},
      {"--cmd", "WORDS", "what a container starts, as typed in a shell: --cmd 'uvicorn main:app --host 0.0.0.0'"},
      {"--entrypoint", "WORDS", "its entrypoint; with it, --cmd is what follows"},
      {"--no-build", "", "refuse distributions that have no wheel instead of building them"},
      {"--byte-code", "", "compile what is installed, by the base's own interpreter: programs start faster"},
      {"--no-byte-code", "", "leave out byte code, whatever the project says"},
      {"--dependency-layers", "N",
       "give the dependencies at most N layers (default: 60, for more than 200 of them 100, or what the base leaves)"},
      {"--previous", "IMAGE",
       "keep the layers of this image as far as they still hold; none: of no image (default: what is pushed to, else "
       "what was built last here)"},
      {"--verify-previous", "", "make what could be taken from the image before, and compare it (exit code 6)"},
      {"--locked", "", "refuse a base that is not as veneer.lock pins it (exit code 3)"},
      {"--no-lock-file", "", "neither read nor write veneer.lock"},
      {"--verify-base", "", "read all of the base and compare it with what veneer.lock says of it"},
      {"--strict", "", "refuse wheels whose RECORD is incomplete and files that the lock has no hash of"},
      {"--jobs", "N", "use N threads (default: one more than processors)"},
  };
  return options;
}

Value python_to_value(const build::BuildInputs& inputs) {
  const python::Target& target = inputs.target;
  Value value;
  value.set("version", target.full_version);
  value.set("source", python::python_source_name(inputs.python_choice.source));
  value.set("reason", inputs.python_choice.reason);
  value.set("interpreter", target.interpreter);
  value.set("machine", target.machine);
  value.set("libc", fmt::format("{}-{}.{}", target.libc.kind == python::LibcKind::glibc ? "glibc" : "musl",
                                target.libc.major, target.libc.minor));
  if (const auto& interpreter = inputs.base.interpreter) {
    value.set("url", interpreter->url);
    value.set("sha256", interpreter->archive.hex());
  }
  return value;
}

Value moves_to_value(const app::BasePins& pins) {
  Value::Array moves;
  for (const app::BaseMove& move : pins.moves()) {
    Value value;
    value.set("what", move.what);
    value.set("from", move.from);
    value.set("to", move.to);
    moves.push_back(std::move(value));
  }
  return moves;
}

namespace {

app::BaseLockUse read_base_lock_use(const Arguments& arguments) {
  if (!arguments.has("--no-lock-file")) {
    return arguments.has("--locked") ? app::BaseLockUse::strict : app::BaseLockUse::kept;
  }
  for (const char* other : {"--locked", "--verify-base"}) {
    if (arguments.has(other)) {
      throw Error(ErrorKind::usage, fmt::format("{} and --no-lock-file exclude each other", other));
    }
  }
  return app::BaseLockUse::ignored;
}

}  // namespace

app::PastTarget read_past_target(const Arguments& arguments) {
  app::PastTarget target;
  target.platform = arguments.value_or("--platform", target.platform);
  app::machine_of_platform(target.platform);
  if (const auto python = arguments.value("--python")) {
    app::parse_target(*python, target.platform, target.libc);
    target.python = python::parse_python_version(*python);
  }
  return target;
}

app::PriceRequest read_price_request(const Arguments& arguments) {
  app::PriceRequest request{.target = read_past_target(arguments)};
  request.extras = python::normalised_names(arguments.values("--extra"));
  request.groups = python::normalised_names(arguments.values("--group"));
  if (const auto package = arguments.value("--package")) request.package = python::normalised_name(*package);
  request.dependency_layers = arguments.number("--dependency-layers", 1, mountable_layers);
  request.line = app::line_of(read_line(arguments));
  return request;
}

app::BuildRequest read_build_request(const Arguments& arguments) {
  app::BuildRequest request;
  request.project = arguments.value_or("--project", ".");
  if (const auto lock = arguments.value("--lock")) request.lock = *lock;
  if (const auto base = arguments.value("--base")) request.base = read_base(*base);
  if (const auto platform = arguments.value("--platform")) request.platform = read_platform(*platform);
  if (arguments.has("--frozen")) request.stale_locks = app::StaleLocks::taken;
  request.python = read_python(arguments);
  request.extras = python::normalised_names(arguments.values("--extra"));
  request.groups = python::normalised_names(arguments.values("--group"));
  request.cmd = read_words(arguments, "--cmd");
  request.entrypoint = read_words(arguments, "--entrypoint");
  if (const auto package = arguments.value("--package")) request.package = python::normalised_name(*package);
  if (arguments.has("--no-build")) request.source_builds = python::SourceBuilds::refused;
  if (arguments.has("--strict")) request.strictness = python::Strictness::strict;
  request.byte_code = read_byte_code(arguments);
  request.base_lock = read_base_lock_use(arguments);
  if (arguments.has("--verify-base")) request.base_facts = app::BaseFacts::verified;
  request.previous = arguments.value("--previous");
  if (request.previous && *request.previous != "none") static_cast<void>(image::read_image_name(*request.previous));
  if (arguments.has("--verify-previous")) request.previous_layers = app::PreviousLayers::verified;
  request.dependency_layers = arguments.number("--dependency-layers", 1, mountable_layers);
  request.workers = arguments.number("--jobs", 1, most_workers).value_or(request.workers);
  return request;
}

}  // namespace veneer::cli
