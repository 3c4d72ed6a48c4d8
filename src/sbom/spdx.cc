#include "sbom/spdx.hh"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "foundation/json.hh"
#include "foundation/text.hh"
#include "foundation/utf8.hh"

namespace veneer::sbom {

namespace {

constexpr std::string_view unknown = "NOASSERTION";
constexpr std::string_view document_id = "SPDXRef-DOCUMENT";
constexpr std::string_view image_id = "SPDXRef-image";

/// What is not of `kept` becomes %XX (purl-spec, "Character encoding").
std::string percent_encoded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (is_letter(c) || is_digit(c) || std::string_view(".-_~:").find(c) != std::string_view::npos) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

std::string label_of(const image::Image& image, std::string_view name) {
  const Value* labels = image.config.run.is_table() ? image.config.run.find("Labels") : nullptr;
  const Value* label = labels != nullptr && labels->is_table() ? labels->find(name) : nullptr;
  if (label == nullptr || !label->is_string() || !is_utf8(label->string())) return {};
  return label->string();
}

Value checksum(const Hash& hash) {
  Value value;
  value.set("algorithm", "SHA256");
  value.set("checksumValue", hash.hex());
  return Value::Array{std::move(value)};
}

Value external_reference(std::string url) {
  Value value;
  value.set("referenceCategory", "PACKAGE-MANAGER");
  value.set("referenceType", "purl");
  value.set("referenceLocator", std::move(url));
  return Value::Array{std::move(value)};
}

struct Package {
  std::string id_hint;  // "pypi-rich-13.9.4"
  std::string name;
  std::string version;
  std::string location = std::string(unknown);
  std::optional<Hash> sha256;
  std::string licence = std::string(unknown);
  std::string url;
  std::string purpose;  // may be empty
  std::string source;   // words on where it comes from; may be empty
};

/// Puts the document together.
class Document {
 public:
  /// Returns its identifier.
  std::string add(const Package& package) { return add(package, identifier(package.id_hint)); }

  std::string add(const Package& package, std::string id) {
    Value value;
    value.set("SPDXID", id);
    value.set("name", package.name);
    if (!package.version.empty()) value.set("versionInfo", package.version);
    value.set("downloadLocation", package.location);
    value.set("filesAnalyzed", false);
    if (package.sha256) value.set("checksums", checksum(*package.sha256));
    value.set("licenseConcluded", unknown);
    value.set("licenseDeclared", package.licence);
    value.set("copyrightText", unknown);
    if (!package.url.empty()) value.set("externalRefs", external_reference(package.url));
    if (!package.purpose.empty()) value.set("primaryPackagePurpose", package.purpose);
    if (!package.source.empty()) value.set("sourceInfo", package.source);
    packages_.push_back(std::move(value));
    return id;
  }

  void relate(std::string_view from, std::string_view type, std::string_view to) {
    Value value;
    value.set("spdxElementId", from);
    value.set("relationshipType", type);
    value.set("relatedSpdxElement", to);
    relationships_.push_back(std::move(value));
  }

  void refer(const std::set<std::string>& licences) { references_.insert(licences.begin(), licences.end()); }

  /// The namespace is made of all else, so that no two documents share one.
  std::string text(const std::string& name, const std::string& created, std::string_view version) {
    Value creation;
    creation.set("created", created);
    creation.set("creators", Value::Array{fmt::format("Tool: veneer-{}", version)});
    Value::Array extracted;
    for (const std::string& reference : references_) {
      Value value;
      value.set("licenseId", reference);
      value.set("extractedText", "The text is in the files of the distributions that declare it.");
      extracted.push_back(std::move(value));
    }
    Value body;
    body.set("creationInfo", std::move(creation));
    body.set("packages", std::move(packages_));
    if (!extracted.empty()) body.set("hasExtractedLicensingInfos", std::move(extracted));
    body.set("relationships", std::move(relationships_));
    Value document;
    document.set("spdxVersion", "SPDX-2.3");
    document.set("dataLicense", "CC0-1.0");
    document.set("SPDXID", document_id);
    document.set("name", name);
    document.set("documentNamespace", fmt::format("https://spdx.org/spdxdocs/veneer-{}", sha256(to_json(body)).hex()));
    for (auto& [key, value] : body.table()) document.set(key, std::move(value));
    return to_pretty_json(document);
  }

 private:
  /// Letters, digits, "." and "-", and no two the same.
  std::string identifier(std::string_view hint) {
    std::string id = "SPDXRef-";
    for (const char c : hint) id += is_letter(c) || is_digit(c) || c == '.' ? c : '-';
    if (used_.insert(id).second) return id;
    for (std::size_t count = 2;; ++count) {
      std::string next = fmt::format("{}-{}", id, count);
      if (used_.insert(next).second) return next;
    }
  }

  Value::Array packages_;
  Value::Array relationships_;
  std::set<std::string> used_{std::string(document_id), std::string(image_id)};
  std::set<std::string> references_;
};

Package of_image(const image::SealedImage& image, const std::string& title) {
  Package package;
  package.name = title;
  package.version = label_of(image.image, "org.opencontainers.image.version");
  package.sha256 = image.config_digest.hash;
  package.purpose = "CONTAINER";
  package.source = "the checksum is that of the image's configuration, which engines call its ID";
  if (const auto licence = python::parse_licence(label_of(image.image, "org.opencontainers.image.licenses"));
      licence && licence->references.empty()) {
    package.licence = licence->expression;
  }
  return package;
}

Package of_python(const Distribution& distribution) {
  Package package;
  package.id_hint = fmt::format("pypi-{}-{}", distribution.name, distribution.version);
  package.name = distribution.name;
  package.version = distribution.version;
  if (distribution.licence) package.licence = distribution.licence->expression;
  package.url = python_url(distribution);
  package.purpose = distribution.is_project ? "APPLICATION" : "LIBRARY";
  if (distribution.file) {
    package.sha256 = distribution.file->sha256;
    package.source = distribution.file->kind == image::InstalledFile::Kind::source
                         ? "built from the source archive with this checksum"
                         : "installed from the wheel with this checksum";
  }
  return package;
}

Package of_debian(const base::InstalledPackage& installed, const base::OsRelease& release) {
  Package package;
  package.id_hint = fmt::format("deb-{}-{}-{}", installed.name, installed.architecture, installed.version);
  package.name = installed.name;
  package.version = installed.version;
  package.url = debian_url(installed, release);
  return package;
}

Package of_interpreter(const image::InstalledInterpreter& interpreter) {
  Package package;
  package.id_hint = "python-" + interpreter.version;
  package.name = "cpython";
  package.version = interpreter.version;
  if (interpreter.url.starts_with("https://") || interpreter.url.starts_with("http://")) {
    package.location = interpreter.url;
  }
  package.sha256 = interpreter.sha256;
  package.url = "pkg:generic/cpython@" + percent_encoded(interpreter.version);
  package.source = "the interpreter that uv offers, from the archive with this checksum";
  return package;
}

Package of_system(const base::OsRelease& release) {
  Package package;
  package.id_hint = "os-" + release.id;
  package.name = release.id;
  package.version = release.version.empty() ? release.suite : release.version;
  package.purpose = "OPERATING-SYSTEM";
  return package;
}

bool is_proper(const image::InstalledInterpreter& interpreter) {
  const auto is_plain = [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; };
  return !interpreter.version.empty() && std::ranges::all_of(interpreter.version, is_plain) &&
         std::ranges::all_of(interpreter.url, is_plain);
}

/// The first `count` characters of `text` are digits, its number; nothing else.
std::optional<int> digits(std::string_view text, std::size_t start, std::size_t count) {
  if (text.size() < start + count || !std::ranges::all_of(text.substr(start, count), is_digit)) return std::nullopt;
  return read_number<int>(text.substr(start, count));
}

/// "Z", "+02:00": seconds east of Greenwich.
std::optional<int> offset_seconds(std::string_view zone) {
  if (zone == "Z" || zone == "z") return 0;
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return std::nullopt;
  const auto hours = digits(zone, 1, 2);
  const auto minutes = digits(zone, 4, 2);
  if (!hours || !minutes) return std::nullopt;
  return (*hours * 3600 + *minutes * 60) * (zone[0] == '-' ? -1 : 1);
}

}  // namespace

std::string python_url(const Distribution& distribution) {
  return fmt::format("pkg:pypi/{}@{}", distribution.name, percent_encoded(distribution.version));
}

std::string debian_url(const base::InstalledPackage& package, const base::OsRelease& release) {
  const std::string id = release.id.empty() ? "debian" : release.id;
  std::string url = fmt::format("pkg:deb/{}/{}@{}?arch={}", id, percent_encoded(package.name),
                                percent_encoded(package.version), package.architecture);
  const std::string& version = release.version.empty() ? release.suite : release.version;
  if (!version.empty()) url += fmt::format("&distro={}-{}", id, version);
  return url;
}

std::string spdx_time(std::string_view time) {
  using namespace std::chrono;
  constexpr std::string_view none = "1970-01-01T00:00:00Z";
  const auto year_number = digits(time, 0, 4);
  const auto month_number = digits(time, 5, 2);
  const auto day_number = digits(time, 8, 2);
  const auto hour = digits(time, 11, 2);
  const auto minute = digits(time, 14, 2);
  const auto second = digits(time, 17, 2);
  if (!year_number || !month_number || !day_number || !hour || !minute || !second) return std::string(none);
  std::string_view zone = time.substr(19);
  if (zone.starts_with('.')) zone.remove_prefix(std::min(zone.size(), zone.find_first_not_of("0123456789", 1)));
  const auto offset = offset_seconds(zone);
  const year_month_day date{year(*year_number), month(static_cast<unsigned>(*month_number)),
                            day(static_cast<unsigned>(*day_number))};
  if (!offset || !date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::string(none);
  const sys_seconds moment = sys_days(date) + hours(*hour) + minutes(*minute) + seconds(*second) - seconds(*offset);
  const sys_days whole = floor<days>(moment);
  const year_month_day utc(whole);
  if (static_cast<int>(utc.year()) < 0 || static_cast<int>(utc.year()) > 9999) return std::string(none);
  const hh_mm_ss clock(moment - whole);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(utc.year()),
                     static_cast<unsigned>(utc.month()), static_cast<unsigned>(utc.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::string spdx_document(const image::SealedImage& image, const ImageContents& contents, std::string_view version) {
  const std::string label = label_of(image.image, "org.opencontainers.image.title");
  const std::string title = label.empty() ? "image" : label;
  Document document;
  document.add(of_image(image, title), std::string(image_id));
  document.relate(document_id, "DESCRIBES", image_id);
  const auto contain = [&](const Package& package) { document.relate(image_id, "CONTAINS", document.add(package)); };
  std::vector<const Distribution*> ordered;
  for (const Distribution& distribution : contents.python) ordered.push_back(&distribution);
  std::ranges::stable_partition(ordered, &Distribution::is_project);
  for (const Distribution* distribution : ordered) {
    contain(of_python(*distribution));
    if (distribution->licence) document.refer(distribution->licence->references);
  }
  if (contents.interpreter && is_proper(*contents.interpreter)) contain(of_interpreter(*contents.interpreter));
  if (!contents.release.id.empty()) contain(of_system(contents.release));
  for (const base::InstalledPackage& package : contents.debian) contain(of_debian(package, contents.release));
  return document.text(title, spdx_time(image.image.config.created), version);
}

}  // namespace veneer::sbom
