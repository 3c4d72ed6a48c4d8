#include "app/package_list.hh"

#include <fmt/format.h>

#include <algorithm>

#include "app/image_python.hh"
#include "app/selection_request.hh"
#include "archive/compression.hh"
#include "archive/xz.hh"
#include "base/debian.hh"
#include "base/mmdebstrap.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"
#include "net/http.hh"
#include "python/lock/read_lock.hh"
#include "python/project/project.hh"

namespace veneer::app {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t list_limit = 256 << 20;  // bytes of a list, unpacked; that of Debian's main has 50 MB

/// What is known of where the packages go.
struct Ground {
  base::DebianArchive archive;
  bool has_python = true;  // Debian's own
  std::vector<std::string> names;
  std::vector<std::string> distributions;
};

std::string unpacked(const std::string& stored, std::string_view name) {
  auto source = std::make_unique<MemorySource>(as_bytes(stored));
  std::unique_ptr<ByteSource> text = std::move(source);
  if (name.ends_with(".xz")) text = archive::open_xz(std::move(text));
  if (name.ends_with(".gz")) text = archive::open_gzip(std::move(text));
  return std::string(as_text(read_all(*text, list_limit)));
}

/// The lists of an archive, each in the first form that is there.
class Lists {
 public:
  explicit Lists(Surroundings& surroundings) : surroundings_(surroundings) {
    net::ClientOptions options;
    if (const auto bundle = surroundings.environment("SSL_CERT_FILE")) options.ca_bundle = *bundle;
    client_ = std::make_unique<net::Client>(options);
  }

  /// `line` is one of base::source_lines(): "deb URL SUITE main". Nothing when the archive has no such suite.
  std::optional<std::string> read(const std::string& line, const std::string& architecture) {
    const std::vector<std::string> words = split_words(line, " ");
    const std::string place =
        fmt::format("{}/dists/{}/{}/binary-{}/Packages", words.at(1), words.at(2), words.at(3), architecture);
    surroundings_.messages().progress(fmt::format("reading the list of {}", printable(words.at(2))));
    for (const char* ending : {".xz", ".gz", ""}) {
      auto stored = place.starts_with("file:///") ? read_text_file_if_exists(place.substr(7) + ending, list_limit)
                                                  : fetch(place + ending);
      if (!stored) continue;
      return in_context([&] { return fmt::format("reading {}{}", net::display_url(place), ending); },
                        [&] { return unpacked(std::move(*stored), ending); });
    }
    return std::nullopt;
  }

 private:
  std::optional<std::string> fetch(const std::string& url) {
    net::Request request;
    request.url = url;
    std::string body;
    const net::Response response = in_context([&] { return "fetching " + net::display_url(url); },
                                              [&] { return client_->fetch(request, body, list_limit); });
    if (response.ok()) return body;
    if (response.status == 404 || response.status == 410) return std::nullopt;
    throw Error(ErrorKind::network,
                fmt::format("{} is answered with status {}", net::display_url(url), response.status),
                "is the Debian mirror reachable? see mirror in [tool.veneer.system]");
  }

  Surroundings& surroundings_;
  std::unique_ptr<net::Client> client_;
};

/// Names alone: "libpq5" of "libpq5=15.2" and "libpq5:amd64".
std::vector<std::string> plain_names(const std::vector<std::string>& packages) {
  std::vector<std::string> names;
  for (const std::string& package : packages) names.push_back(package.substr(0, package.find_first_of(":=")));
  return names;
}

/// All that the lock may install there; where that cannot be told, what the project asks for itself.
std::vector<std::string> distributions_of(const python::Project& project, const python::AnyLock& lock,
                                          const python::PythonChoice& choice, const std::string& suite) {
  std::vector<std::string> names = project.dependencies;
  const python::DebianRelease* release = python::find_debian_release(suite);
  if (release == nullptr) return names;
  try {
    python::SelectOptions options;
    options.extras = project.extras;
    options.groups = project.groups;
    const std::string version = choice.exact.empty() ? std::string(release->version) : choice.exact;
    const python::Target target = parse_target(version, "linux/amd64", fmt::format("glibc-2.{}", release->glibc));
    names.clear();
    for (const python::SelectedPackage& package :
         lock.select({target, std::move(options), python::DefaultGroups::left_out, project.name}).packages) {
      names.push_back(package.name);
    }
  } catch (const Error&) {
    names = project.dependencies;
  }
  return names;
}

Ground ground_of(const PackageListQuestion& question, Surroundings& surroundings) {
  Ground ground;
  ground.names = plain_names(question.names);
  if (question.suite) ground.archive.suite = *question.suite;
  if (!fs::exists(question.project / "pyproject.toml")) {
    if (ground.names.empty()) {
      throw Error(ErrorKind::usage, "no packages are named, and there is no pyproject.toml here", "name some");
    }
    if (ground.archive.suite.empty()) ground.archive.suite = python::newest_debian_release().suite;
    return ground;
  }
  python::Project project = python::read_project(question.project);
  if (question.suite) project.base = python::parse_base_choice("debian:" + *question.suite);
  if (ground.names.empty()) ground.names = plain_names(project.system.packages);
  if (ground.names.empty()) {
    throw Error(ErrorKind::usage, "[tool.veneer.system] of the project has no packages", "name some");
  }
  if (project.base && project.base->suite.empty()) {
    throw Error(ErrorKind::refused,
                fmt::format("the base {} is no suite of Debian's, so its packages cannot be looked up",
                            printable(project.base->text)),
                "say which suite it is made of: --suite bookworm");
  }
  ground.archive.mirror = project.system.mirror;
  if (project.system.snapshot != python::newest_snapshot) ground.archive.snapshot = project.system.snapshot;
  const auto lock = python::read_lock(python::find_lock(project.folder),
                                      [&](const std::string& name) { return surroundings.environment(name); });
  const python::PythonChoice choice = choose_python(
      {project, false, *lock, {{}, {}, python::DefaultGroups::left_out, project.name}, std::nullopt, "x86_64"});
  ground.archive.suite = choice.suite;
  ground.has_python = choice.source != python::PythonSource::uv;
  ground.distributions = distributions_of(project, *lock, choice, ground.archive.suite);
  return ground;
}

}  // namespace

PackageListAnswer explain_packages(const PackageListQuestion& question, Surroundings& surroundings) {
  const Ground ground = ground_of(question, surroundings);
  Lists lists(surroundings);
  std::vector<std::string> texts;
  for (const std::string& line : base::source_lines(ground.archive)) {
    if (auto text = lists.read(line, question.architecture)) {
      texts.push_back(std::move(*text));
    } else if (texts.empty()) {
      throw Error(ErrorKind::not_found,
                  fmt::format("the archive has no suite {} for {}", printable(ground.archive.suite),
                              printable(question.architecture)),
                  "check the suite, and mirror in [tool.veneer.system]");
    }
  }
  surroundings.messages().clear_progress();
  base::DebianRequest root;
  if (!ground.has_python) root.python = base::DebianRequest::Python::left_out;
  return {ground.archive.suite,
          base::explain_packages(base::ArchiveIndex(std::move(texts)),
                                 {ground.names, base::debian_packages(root), ground.distributions})};
}

}  // namespace veneer::app
