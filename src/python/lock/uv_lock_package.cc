#include "python/lock/uv_lock_package.hh"

#include <fmt/format.h>

#include <array>

#include "foundation/error.hh"
#include "foundation/toml.hh"
#include "python/lock/location.hh"
#include "python/name.hh"

namespace veneer::python {

namespace {

void read_metadata(const Value& table, LockPackage& package) {
  const Value& metadata = table.table_or_empty("metadata");
  package.metadata = metadata;
  package.provided_extras = normalised_names(metadata.strings_or_empty("provides-extras"));
  for (const std::string_view key : {"requires-dev", "dependency-groups"}) {
    for (const auto& [name, requirements] : metadata.table_or_empty(key).table()) {
      package.declared_groups.push_back(normalised_name(name));
    }
  }
}

LockFile read_file(const Value& table, const LockSource& source) {
  LockFile file;
  file.hash = table.string_or("hash", "");
  if (const Value* size = table.find("size")) {
    if (size->integer() < 0) throw Error(ErrorKind::refused, "a file's size is negative");
    file.size = static_cast<std::uint64_t>(size->integer());
  }
  if (const Value* url = table.find("url")) {
    file.location = without_fragment(url->string());
  } else if (const Value* path = table.find("path")) {
    file.location =
        source.kind == LockSource::Kind::registry ? join_location(source.location, path->string()) : path->string();
  } else {
    // A direct URL or path: the source itself says where.
    file.location = without_fragment(source.location);
    file.name = table.string_or("filename", "");
  }
  if (file.name.empty()) file.name = file_name_of(file.location);
  return file;
}

PackageTable read_piece(std::string_view text) {
  auto document = std::make_shared<const Value>(parse_toml(text));
  const Value::Array& packages = document->at("package").array();
  if (document->table().size() != 1 || packages.size() != 1) {
    throw Error(ErrorKind::refused, "a package's lines hold something else");
  }
  LockMarkers markers;
  return read_package_table({document, &packages.front()}, markers);
}

}  // namespace

LockSource read_lock_source(const Value& table) {
  struct Named {
    std::string_view key;
    LockSource::Kind kind;
  };
  constexpr std::array kinds = {Named{"registry", LockSource::Kind::registry},
                                Named{"url", LockSource::Kind::url},
                                Named{"git", LockSource::Kind::git},
                                Named{"path", LockSource::Kind::path},
                                Named{"directory", LockSource::Kind::directory},
                                Named{"editable", LockSource::Kind::editable},
                                Named{"virtual", LockSource::Kind::virtual_folder}};
  for (const Named& named : kinds) {
    const Value* location = table.find(named.key);
    if (location == nullptr) continue;
    LockSource source;
    source.kind = named.kind;
    source.location = location->string();
    source.subdirectory = table.string_or("subdirectory", "");
    if (source.kind == LockSource::Kind::git) {
      const GitLocation git = split_git_location(source.location);
      source.location = git.repository;
      source.commit = git.commit;
      source.subdirectory = git.subdirectory;
    }
    return source;
  }
  std::string keys;
  for (const auto& [key, value] : table.table()) keys += (keys.empty() ? "" : ", ") + key;
  throw Error(ErrorKind::refused, fmt::format("the source has none of the known kinds, but: {}", printable(keys)),
              "a newer uv may have written this lock; update veneer");
}

PackageTable read_package_table(std::shared_ptr<const Value> table, LockMarkers& markers) {
  LockPackage package;
  package.name = table->at("name").string();
  in_context([&] { return "package " + printable(package.name); },
             [&] {
               if (!is_valid_name(package.name) || normalised_name(package.name) != package.name) {
                 throw Error(ErrorKind::refused, "the name is not in normal form");
               }
               package.version = table->string_or("version", "");
               package.source = read_lock_source(table->at("source"));
               package.resolution_markers = markers.list(*table, "resolution-markers");
               if (const Value* sdist = table->find("sdist")) package.sdist = read_file(*sdist, package.source);
               std::vector<LockFile> wheels;
               for (const Value& wheel : table->array_or_empty("wheels")) {
                 wheels.push_back(read_file(wheel, package.source));
               }
               package.wheels = LockWheels(std::move(wheels));
               read_metadata(*table, package);
             });
  return {std::move(package), std::move(table)};
}

std::shared_ptr<const PackageTable> KnownPackages::get(std::string_view text,
                                                       const std::function<PackageTable(std::string_view)>& read) {
  {
    const std::lock_guard guard(mutex_);
    const auto known = by_text_.find(text);
    if (known != by_text_.end()) return known->second;
  }
  auto made = std::make_shared<const PackageTable>(read(text));
  const std::lock_guard guard(mutex_);
  return by_text_.try_emplace(std::string(text), std::move(made)).first->second;
}

/// TOML is a sequence of statements, each of which ends with its line, so pieces that are documents by themselves are
/// one document together. "[[package]]" begins a new element wherever it stands; what follows it up to the next one can
/// only be about that element, or about another key of the document, which read_piece() refuses.
std::optional<LockPieces> read_lock_pieces(std::string_view text, KnownPackages& known) {
  constexpr std::string_view header = "\n[[package]]\n";
  try {
    std::size_t next = text.find(header);
    LockPieces pieces;
    pieces.head = parse_toml(text.substr(0, next == std::string_view::npos ? next : next + 1));
    if (pieces.head.find("package") != nullptr) return std::nullopt;
    while (next != std::string_view::npos) {
      const std::size_t begin = next + 1;
      next = text.find(header, begin);
      const std::size_t end = next == std::string_view::npos ? text.size() : next + 1;
      pieces.packages.push_back(known.get(text.substr(begin, end - begin), read_piece));
    }
    return pieces;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace veneer::python
