#include "registry/registries.hh"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "foundation/error.hh"
#include "foundation/file.hh"

namespace veneer::registry {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t settings_limit = 4 << 20;

/// The files of a folder that end with `extension`, in the order of their names.
std::vector<fs::path> files_in(const fs::path& folder, std::string_view extension) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

/// Certificates for one registry, where Docker and podman look for them: certs.d/HOST[:PORT]/ with *.crt, an authority
/// to be trusted, and *.cert with its *.key, which are shown.
void find_certificates(SessionOptions& options, const std::string& name, const Environment& environment) {
  std::vector<fs::path> folders;
  if (const auto home = environment("HOME")) {
    folders.push_back(fs::path(*home) / ".config/containers/certs.d");
    folders.push_back(fs::path(*home) / ".config/docker/certs.d");
  }
  folders.insert(folders.end(), {"/etc/containers/certs.d", "/etc/docker/certs.d"});
  for (const fs::path& folder : folders) {
    const fs::path place = folder / name;
    const std::vector<fs::path> authorities = files_in(place, ".crt");
    const std::vector<fs::path> shown = files_in(place, ".cert");
    if (authorities.empty() && shown.empty()) continue;
    if (!authorities.empty()) options.ca_bundle = authorities.front();
    if (!shown.empty()) {
      options.client_certificate = shown.front();
      options.client_key = fs::path(shown.front()).replace_extension(".key");
    }
    return;
  }
}

}  // namespace

Registries::Registries(RegistriesOptions options) : options_(std::move(options)) {}

std::shared_ptr<Session> Registries::make(std::string_view name, Location::Transport transport, Source::Kind kind) {
  SessionOptions options;
  options.patience = options_.patience;
  if (const auto bundle = options_.environment("SSL_CERT_FILE")) options.ca_bundle = *bundle;
  find_certificates(options, std::string(name), options_.environment);
  if (!authorities_) authorities_ = options_.authorities();
  if (const auto own = authorities_->find(std::string(name)); own != authorities_->end())
    options.ca_bundle = own->second;
  if (options_.authority) options.ca_bundle = *options_.authority;
  if (kind == Source::Kind::mirror) {
    options.attempts = 1;  // the next one is asked instead
  } else {
    options.login = [name = std::string(name), environment = options_.environment] {
      return find_login(name, environment);
    };
  }
  std::vector<std::string> insecure = options_.insecure;
  if (transport == Location::Transport::plain_allowed) insecure.emplace_back(name);
  return std::make_shared<Session>(address_of(name, insecure), std::move(options));
}

std::shared_ptr<Session> Registries::session(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(name);
  if (found != sessions_.end()) return found->second;
  return sessions_.emplace(name, make(name, Location::Transport::tls, Source::Kind::registry)).first->second;
}

Repository Registries::repository(std::string_view registry, std::string_view repository) {
  return {session(registry), std::string(repository)};
}

Rules Registries::rules_of_machine() const {
  std::vector<fs::path> files;
  const auto add = [&](const fs::path& folder) {
    files.push_back(folder / "registries.conf");
    for (const fs::path& file : files_in(folder / "registries.conf.d", ".conf")) files.push_back(file);
  };
  if (const auto named = options_.environment("CONTAINERS_REGISTRIES_CONF")) {
    files = {*named};
  } else {
    const auto home = options_.environment("HOME");
    const fs::path own = home ? fs::path(*home) / ".config/containers" : fs::path();
    std::error_code ignored;
    add(home && fs::exists(own / "registries.conf", ignored) ? own : fs::path("/etc/containers"));
  }
  Rules rules;
  for (const fs::path& file : files) {
    const auto text = read_text_file_if_exists(file, settings_limit);
    if (!text) continue;
    in_context([&] { return "reading " + printable(file.native()); },
               [&] { std::ranges::move(read_registries_conf(*text), std::back_inserter(rules)); });
  }
  return rules;
}

std::vector<Source> Registries::sources(std::string_view registry, std::string_view repository) {
  {
    const std::lock_guard lock(mutex_);
    if (!rules_) {
      Rules rules = options_.rules();
      std::ranges::move(rules_of_machine(), std::back_inserter(rules));
      rules_ = std::move(rules);
    }
  }
  const Rule* rule = rule_for(*rules_, registry, repository);
  if (rule == nullptr) return {{this->repository(registry, repository)}};
  if (rule->access == Rule::Access::blocked) {
    throw Error(ErrorKind::refused, fmt::format("registries.conf blocks the images of {}", printable(rule->prefix)));
  }
  std::vector<Source> sources;
  for (const Location& mirror : rule->mirrors) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Session>& session = mirrors_[mirror.registry];
    if (session == nullptr) session = make(mirror.registry, mirror.transport, Source::Kind::mirror);
    const Address& address = session->address();
    const bool is_trusted = address.security == Security::verified_tls || address.is_loopback;
    sources.push_back({{session, name_at(mirror, rule->prefix, registry, repository)},
                       Source::Kind::mirror,
                       is_trusted && mirror.serves != Location::Serves::digests_only,
                       mirror.serves != Location::Serves::tags_only});
  }
  const Location& own = rule->location;
  if (own.registry.empty() || own.registry == registry) {
    sources.push_back({this->repository(registry, repository)});
  } else {
    sources.push_back({this->repository(own.registry, name_at(own, rule->prefix, registry, repository))});
  }
  return sources;
}

void Registries::pass_over(const Source& source, const Error& error) {
  options_.note(fmt::format("the mirror {} is passed over: {}", printable(source.repository.session().address().name),
                            error.what()));
}

}  // namespace veneer::registry
