#include "app/image_python.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/interpreter.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"
#include "image/run_config.hh"
#include "python/specifier.hh"
#include "python/supply/uv_python.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view note_kind = "uv-python";
constexpr std::string_view found_note = "pythons";

/// The workspace's root where the lock lies in one, else the project itself.
fs::path version_file_root(const PythonInputs& inputs) {
  const fs::path lock = inputs.lock.path().parent_path();
  const fs::path& project = inputs.project.folder;
  const bool is_above = std::mismatch(lock.begin(), lock.end(), project.begin(), project.end()).first == lock.end();
  return is_above ? lock : project;
}

std::string option_place(const PythonInputs& inputs) {
  return inputs.is_option ? "--python" : "python of [tool.veneer]";
}

std::optional<python::PlacedRequest> option_of(const PythonInputs& inputs) {
  if (inputs.project.python.empty()) return std::nullopt;
  const std::string place = option_place(inputs);
  return in_context([&] { return std::string(place); },
                    [&] {
                      return python::PlacedRequest{python::parse_python_request(inputs.project.python), place};
                    });
}

std::optional<python::LockedFiles> locked_files(const PythonInputs& inputs, const python::Target& target) {
  python::SelectRequest request = inputs.selection;
  request.target = target;
  python::Selection selection;
  try {
    selection = inputs.lock.select(request);
  } catch (const Error&) {
    return std::nullopt;  // the lock does not allow it; what else is wrong, the real selection says
  }
  python::LockedFiles files;
  files.no_wheel = selection.unusable;
  for (const python::SelectedPackage& package : selection.packages) {
    if (package.kind == python::PackageKind::wheel) files.wheels.push_back(package.name);
    if (package.kind == python::PackageKind::sdist) files.no_wheel.push_back(package.name);
  }
  return files;
}

/// What the cache knows of a choice: three lines.
std::optional<base::Interpreter> kept_interpreter(const image::LayerCache& cache, const LayerKey& key) {
  const auto note = cache.note(note_kind, key);
  if (!note) return std::nullopt;
  const std::vector<std::string> lines = split_fields(*note, '\n');
  if (lines.size() != 4) return std::nullopt;
  return base::Interpreter{lines[0], lines[1], FileHash::parse(lines[2])};
}

/// The choice as uv's, with what is kept about it.
class UvPythons {
 public:
  UvPythons(const python::PythonChoice& choice, const InterpreterPins& pins, const std::string& machine,
            const python::UvProgram& uv, const image::LayerCache& cache, Surroundings& surroundings)
      : choice_(choice),
        refresh_(pins.refresh),
        machine_(machine),
        uv_(uv),
        cache_(cache),
        surroundings_(surroundings) {
    if (pins.pinned && fits(pins.pinned->version)) pinned_ = pins.pinned;
  }

  UvInterpreter take() {
    if (auto found = find()) return *found;
    const FileLock lock = lock_kept(cache_.folder() / "interpreter.lock", FileLock::Kind::exclusive);
    if (auto found = find()) return *found;
    return make();
  }

 private:
  /// Projects that bound the patch level share what others have as long as that fits.
  std::vector<LayerKey> keys() const {
    std::vector<LayerKey> result;
    const std::string list = surroundings_.environment("UV_PYTHON_DOWNLOADS_JSON_URL").value_or("");
    const auto add = [&](const std::string& constraints) {
      result.push_back(
          {sha256(fmt::format("interpreter of uv 1\n{}\n{}\n{}\n{}", choice_.wanted(), constraints, machine_, list))});
    };
    add("");
    if (!choice_.constraints.empty()) add(choice_.constraints);
    return result;
  }

  bool fits(const std::string& version) const {
    return choice_.exact.empty() ? python::allows_python(choice_.constraints, version) : version == choice_.exact;
  }

  std::optional<base::Interpreter> kept() const {
    if (pinned_) return pinned_;
    if (refresh_ == base::Refresh::yes) return std::nullopt;
    for (const LayerKey& key : keys()) {
      if (auto interpreter = kept_interpreter(cache_, key); interpreter && fits(interpreter->version))
        return interpreter;
    }
    return std::nullopt;
  }

  std::optional<UvInterpreter> find() const {
    const auto interpreter = kept();
    const auto layer = interpreter ? cache_.find(base::interpreter_key(interpreter->archive)) : std::nullopt;
    if (!layer) return std::nullopt;
    return UvInterpreter{*interpreter, layer->layer};
  }

  python::UvPython find_wanted(const std::string& wanted) const {
    return python::find_uv_python(uv_, {wanted, machine_, [&](const std::string& version) { return fits(version); }});
  }

  /// The one of before, as long as uv has it.
  python::UvPython find_again(std::optional<base::Interpreter>& before) const {
    if (!before) return find_wanted(choice_.wanted());
    try {
      return find_wanted(before->version);
    } catch (const Error& error) {
      if (!pinned_ || error.kind() != ErrorKind::not_found) throw;
    }
    before.reset();
    return find_wanted(choice_.wanted());
  }

  UvInterpreter make() {
    std::optional<base::Interpreter> before = kept();
    const python::UvPython python = find_again(before);
    Messages& messages = surroundings_.messages();
    messages.note(fmt::format("fetching Python {} of uv's (once; it is kept)", python.version));
    const fs::path temporary = cache_.folder() / "tmp";
    const TemporaryFolder work(temporary, "python");
    const python::UvPythonArchive archive = python::fetch_uv_python(uv_, python, work.path());
    if (before && before->archive != archive.hash) {
      throw Error(ErrorKind::verification,
                  fmt::format("the archive of Python {} at {} is another one than before: {}, not {}", python.version,
                              printable(python.url), archive.hash.text(), before->archive.text()),
                  pinned_ ? "whoever offers it replaced it; 'veneer base update' takes the new one"
                          : "whoever offers it replaced it; with an empty cache the new one is taken");
    }
    const base::Interpreter interpreter{python.version, python.url, archive.hash};
    const image::CachedLayer layer = base::make_interpreter_layer(archive.path, archive.hash, cache_, temporary);
    if (!before) {
      cache_.set_note(note_kind, keys().back(),
                      fmt::format("{}\n{}\n{}\n", interpreter.version, interpreter.url, interpreter.archive.text()));
    }
    return {interpreter, layer.layer};
  }

  const python::PythonChoice& choice_;
  std::optional<base::Interpreter> pinned_;
  base::Refresh refresh_;
  const std::string& machine_;
  const python::UvProgram& uv_;
  const image::LayerCache& cache_;
  Surroundings& surroundings_;
};

python::BaseVariables variables_of(const base::Base& base) {
  return {image::search_path(base.config), image::environment_variable(base.config, "PYTHON_VERSION")};
}

}  // namespace

python::PythonChoice choose_python(const PythonInputs& inputs) {
  const auto& named = inputs.project.base;
  if (named && python::find_debian_release(named->suite) == nullptr) {
    python::PythonChoice choice;
    choice.source = python::PythonSource::base;
    choice.suite = named->suite;
    choice.reason = inputs.project.python.empty() ? python::reason_of_base : "";
    if (choice.reason.empty()) choice.reason = option_place(inputs) + " says so";
    return choice;
  }
  python::PythonQuestion question;
  question.requires_python = inputs.project.requires_python;
  question.option = option_of(inputs);
  if (!question.option)
    question.version_file = python::find_version_file(inputs.project.folder, version_file_root(inputs));
  question.dockerfile = inputs.dockerfile;
  if (named) question.suite = named->suite;
  question.machine = inputs.machine;
  return python::choose_python(question, [&](const python::Target& target) { return locked_files(inputs, target); });
}

Preference python_preference(const PythonInputs& inputs) {
  if (!inputs.project.python.empty()) return {};
  try {
    return {python::find_version_file(inputs.project.folder, version_file_root(inputs)), ""};
  } catch (const Error& error) {
    return {std::nullopt, error.what()};
  }
}

std::vector<python::FoundInterpreter> read_interpreters(const base::Base& base) {
  return python::find_interpreters(base.tree(), variables_of(base));
}

std::vector<python::FoundInterpreter> interpreters_of(const base::Base& base, const image::LayerCache& cache) {
  const python::BaseVariables variables = variables_of(base);
  std::string identity = fmt::format("pythons 1\n{}\n{}\n", variables.search_path, variables.python_version);
  for (const image::Layer& layer : base.layers) identity += layer.diff_id.text() + "\n";
  const LayerKey key{sha256(identity)};
  if (const auto note = cache.note(found_note, key)) {
    if (auto found = python::interpreters_from_text(*note)) return std::move(*found);
  }
  std::vector<python::FoundInterpreter> found = python::find_interpreters(base.tree(), variables);
  cache.set_note(found_note, key, python::interpreters_to_text(found));
  return found;
}

UvInterpreter take_uv_python(const python::PythonChoice& choice, const InterpreterPins& pins,
                             const std::string& machine, const python::UvProgram& uv, const image::LayerCache& cache,
                             Surroundings& surroundings) {
  return in_context([&] { return fmt::format("taking Python {} of uv's", choice.wanted()); },
                    [&] { return UvPythons(choice, pins, machine, uv, cache, surroundings).take(); });
}

}  // namespace veneer::app
