#include "python/wheel/wheel.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "archive/zip.hh"
#include "foundation/digest.hh"
#include "foundation/error.hh"
#include "python/name.hh"
#include "python/version.hh"
#include "python/wheel/member_path.hh"
#include "python/wheel/metadata.hh"
#include "python/wheel/verified_content.hh"
#include "python/wheel_file_name.hh"

namespace veneer::python {
namespace {

constexpr std::uint64_t largest_record = 128 << 20;
constexpr std::uint64_t largest_metadata = 32 << 20;  // METADATA holds whole documents
constexpr std::string_view dist_info_suffix = ".dist-info";

Bytes read_bounded(const archive::Content& content, std::uint64_t limit, std::string_view name) {
  return in_context([&] { return fmt::format("reading {}", printable(name)); },
                    [&] {
                      if (content.size() > limit) refuse(fmt::format("it has more than {} bytes", limit));
                      const std::unique_ptr<ByteSource> source = content.open();
                      return read_all(*source, limit);
                    });
}

/// Collects what the steps of reading find out.
class WheelReader {
 public:
  WheelReader(std::shared_ptr<const RandomAccess> file, std::string_view file_name)
      : name_(parse_wheel_file_name(file_name)), zip_(std::move(file)) {
    wheel_.file_name = file_name;
    wheel_.name = normalised_name(name_.name);
    wheel_.tags = name_.tags;
  }

  Wheel read() {
    read_members();
    refuse_files_as_folders();
    find_dist_info();
    apply_record();
    read_wheel_file();
    read_metadata();
    refuse_variant();
    read_commands();
    look_for_other_data();
    for (auto& [path, member] : members_) wheel_.members.push_back(std::move(member));
    return std::move(wheel_);
  }

 private:
  void note(std::string_view code, std::string_view path, std::string message, Weight weight = Weight::note) {
    wheel_.findings.push_back({std::string(code), printable(path), std::move(message), weight});
  }

  void read_members() {
    for (const archive::ZipEntry& entry : zip_.entries()) {
      MemberPath member = read_member_path(entry.name);
      const auto type = entry.unix_mode.value_or(0) & S_IFMT;
      if (type != 0 && type != static_cast<mode_t>(entry.is_folder ? S_IFDIR : S_IFREG)) {
        refuse(fmt::format("member {} is refused: it is {}", printable(entry.name), type_name(type)));
      }
      if (entry.is_folder) {
        if (entry.size != 0) refuse(fmt::format("member {} is refused: a folder with data", printable(entry.name)));
        folders_.insert(std::move(member.path));
        continue;
      }
      if (!member.as_written) {
        note("member-name-cleaned", entry.name,
             fmt::format("member {} is installed as {}", printable(entry.name), printable(member.path)));
      }
      if (member.path.find('\\') != std::string::npos) {
        note("member-name-backslash", entry.name,
             fmt::format("the backslash in the name of member {} is kept", printable(entry.name)));
      }
      const bool is_executable = (entry.unix_mode.value_or(0) & 0111) != 0;
      const auto [place, is_new] =
          members_.try_emplace(member.path, WheelMember{member.path, is_executable, zip_.content(entry), std::nullopt});
      if (!is_new) {
        merge_duplicate(place->second, entry);
      } else {
        crc_.emplace(place->first, entry.crc32);
      }
    }
  }

  static std::string_view type_name(mode_t type) {
    switch (type) {
      case S_IFLNK: return "a symbolic link";
      case S_IFDIR: return "marked as a folder but has a file's name";
      case S_IFREG: return "marked as a file but has a folder's name";
      default: return "no regular file";
    }
  }

  void merge_duplicate(WheelMember& first, const archive::ZipEntry& entry) {
    const auto same = [&] {
      if (first.content->size() != entry.size || crc_.find(first.path)->second != entry.crc32) return false;
      const std::unique_ptr<ByteSource> left = first.content->open();
      const std::unique_ptr<ByteSource> right = zip_.open(entry);
      return sha256(*left) == sha256(*right);
    };
    if (!same()) refuse(fmt::format("member {} is there twice with different contents", printable(first.path)));
    first.executable = first.executable || (entry.unix_mode.value_or(0) & 0111) != 0;
    note("member-twice", first.path,
         fmt::format("member {} is there twice with equal contents", printable(first.path)));
  }

  void refuse_files_as_folders() {
    for (const auto& [path, member] : members_) {
      bool clash = folders_.contains(path);
      for (std::size_t slash = path.find('/'); slash != std::string::npos && !clash;
           slash = path.find('/', slash + 1)) {
        clash = members_.find(std::string_view(path).substr(0, slash)) != members_.end();
      }
      if (clash) refuse(fmt::format("member {} makes one name a file and a folder", printable(path)));
    }
    for (const std::string& path : folders_) {
      for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        if (members_.find(std::string_view(path).substr(0, slash)) != members_.end()) {
          refuse(fmt::format("member {}/ makes one name a file and a folder", printable(path)));
        }
      }
    }
  }

  void find_dist_info() {
    std::set<std::string, std::less<>> found;
    const auto look = [&](std::string_view path, bool is_folder) {
      const std::size_t slash = path.find('/');
      if (slash == std::string_view::npos && !is_folder) return;
      const std::string_view top = path.substr(0, slash);
      if (top.ends_with(dist_info_suffix)) found.emplace(top);
    };
    for (const auto& [path, member] : members_) look(path, false);
    for (const std::string& path : folders_) look(path, true);
    if (found.empty()) refuse("it has no .dist-info folder");
    if (found.size() > 1) {
      std::string names;
      for (const std::string& name : found) names += (names.empty() ? "" : ", ") + printable(name, 100);
      refuse(fmt::format("it has {} .dist-info folders: {}", found.size(), names));
    }
    wheel_.dist_info = *found.begin();
    check_dist_info_name();
  }

  /// "Pkg-1.0.dist-info": the folder may spell name and version in its own way, but must mean those of the file name.
  void check_dist_info_name() const {
    const std::string_view stem =
        std::string_view(wheel_.dist_info).substr(0, wheel_.dist_info.size() - dist_info_suffix.size());
    bool name_fits = false;
    for (std::size_t dash = stem.find('-'); dash != std::string_view::npos; dash = stem.find('-', dash + 1)) {
      if (normalised_name(stem.substr(0, dash)) != wheel_.name) continue;
      name_fits = true;
      if (same_version(stem.substr(dash + 1), name_.version)) return;
    }
    refuse(fmt::format("folder {} does not fit the {} of the file name", printable(wheel_.dist_info),
                       name_fits ? "version" : "name"));
  }

  const WheelMember& dist_info_file(std::string_view name) const {
    const auto place = members_.find(wheel_.dist_info + "/" + std::string(name));
    if (place == members_.end()) {
      refuse(fmt::format("{}/{} is missing", printable(wheel_.dist_info), name));
    }
    return place->second;
  }

  void apply_record();
  void check_unlisted();
  void apply_row(WheelMember& member, RecordRow row);
  WheelMember* find_member(std::string_view path);

  void read_wheel_file() {
    const WheelMember& file = dist_info_file("WHEEL");
    const Bytes text = read_bounded(*file.content, largest_metadata, file.path);
    const Headers headers(as_text(text));
    const std::string version = headers.first("Wheel-Version", "WHEEL");
    const std::size_t dot = version.find('.');
    const auto is_number = [](std::string_view part) {
      return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
    };
    if (dot == std::string::npos || !is_number(std::string_view(version).substr(0, dot)) ||
        !is_number(std::string_view(version).substr(dot + 1))) {
      refuse(fmt::format("WHEEL has the malformed Wheel-Version {}", printable(version, 60)));
    }
    if (version.substr(0, dot) != "1") refuse(fmt::format("Wheel-Version {} is not supported", printable(version, 60)));
    if (version.substr(dot + 1) != "0") {
      note("wheel-version-newer", file.path,
           fmt::format("Wheel-Version {} is newer than 1.0, it is read as that", printable(version, 60)));
    }
    compare_tags(headers);
  }

  void compare_tags(const Headers& headers) {
    std::set<std::string> written;
    for (const std::string& tag : headers.all("Tag")) {
      if (const auto expanded = expand_tags(tag)) written.insert(expanded->begin(), expanded->end());
    }
    if (!std::equal(written.begin(), written.end(), wheel_.tags.begin(), wheel_.tags.end())) {
      note("tags-differ", wheel_.dist_info + "/WHEEL",
           "the tags in WHEEL are not those of the file name, which counts");
    }
  }

  void read_metadata() {
    const WheelMember& file = dist_info_file("METADATA");
    const Bytes text = read_bounded(*file.content, largest_metadata, file.path);
    const Headers headers(as_text(text));
    const std::string name = headers.first("Name", "METADATA");
    wheel_.version = headers.first("Version", "METADATA");
    if (normalised_name(name) != wheel_.name) {
      refuse(fmt::format("METADATA has the name {}, the file name {}", printable(name), printable(name_.name)));
    }
    if (!same_version(wheel_.version, name_.version)) {
      refuse(fmt::format("METADATA has the version {}, the file name {}", printable(wheel_.version),
                         printable(name_.version)));
    }
  }

  void refuse_variant() const {
    if (!members_.contains(wheel_.dist_info + "/variant.json")) return;
    throw Error(ErrorKind::refused, "it is a variant wheel (PEP 817), which veneer does not support",
                "lock a plain wheel of this distribution");
  }

  void read_commands() {
    const auto place = members_.find(wheel_.dist_info + "/entry_points.txt");
    if (place == members_.end()) return;
    const Bytes text = read_bounded(*place->second.content, largest_metadata, place->first);
    wheel_.commands = parse_entry_points(as_text(text));
    const std::string scripts = data_folder() + "/scripts/";
    for (const EntryPoint& command : wheel_.commands) {
      if (!members_.contains(scripts + command.name)) continue;
      note("script-hidden", scripts + command.name,
           fmt::format("the entry point {} takes the place of the script of that name", printable(command.name)));
    }
  }

  std::string data_folder() const {
    return wheel_.dist_info.substr(0, wheel_.dist_info.size() - dist_info_suffix.size()) + ".data";
  }

  /// A folder that looks like installation schemes but is spelled otherwise is left where it is, as uv does.
  void look_for_other_data() {
    std::set<std::string, std::less<>> seen;
    for (const auto& [path, member] : members_) {
      const std::string_view top = std::string_view(path).substr(0, path.find('/'));
      if (top.size() == path.size() || !top.ends_with(".data") || top == data_folder()) continue;
      if (!seen.emplace(top).second) continue;
      note("other-data-folder", top,
           fmt::format("folder {} is not {}, so it is installed as it is", printable(top), printable(data_folder())));
    }
  }

  WheelFileName name_;
  archive::ZipReader zip_;
  Wheel wheel_;
  std::map<std::string, WheelMember, std::less<>> members_;
  std::map<std::string, std::uint32_t, std::less<>> crc_;
  std::set<std::string, std::less<>> folders_;
};

WheelMember* WheelReader::find_member(std::string_view path) {
  const auto place = members_.find(path);
  return place == members_.end() ? nullptr : &place->second;
}

void WheelReader::apply_record() {
  const WheelMember& file = dist_info_file("RECORD");
  const Bytes text = read_bounded(*file.content, largest_record, file.path);
  for (RecordRow& row : parse_record(as_text(text))) {
    WheelMember* member = find_member(row.path);
    if (member == nullptr) {
      std::string cleaned = row.path;
      std::replace(cleaned.begin(), cleaned.end(), '\\', '/');
      try {
        cleaned = read_member_path(cleaned).path;
        member = find_member(cleaned);
      } catch (const Error&) {
        // A path that no member can have: the row names nothing.
      }
      if (member != nullptr) {
        note("record-path-cleaned", member->path,
             fmt::format("RECORD calls {} {}", printable(member->path), printable(row.path)));
      }
    }
    if (member == nullptr) {
      note("record-file-missing", row.path,
           fmt::format("RECORD lists {}, which the wheel does not hold", printable(row.path)), Weight::incomplete);
      continue;
    }
    row.path = member->path;
    apply_row(*member, std::move(row));
  }
  check_unlisted();
}

void WheelReader::apply_row(WheelMember& member, RecordRow row) {
  if (member.row) {
    if (*member.row != row) {
      refuse(fmt::format("RECORD lists {} twice with different hashes or sizes", printable(row.path)));
    }
    note("record-row-twice", row.path, fmt::format("RECORD lists {} twice", printable(row.path)));
    return;
  }
  member.row = row;
  if (member.path == wheel_.dist_info + "/RECORD") return;  // it cannot vouch for itself
  if (!row.size.empty() && row.size != std::to_string(member.content->size())) {
    const std::size_t digits = row.size.find_first_not_of('0');
    if (digits == std::string::npos ? member.content->size() != 0
                                    : row.size.substr(digits) != std::to_string(member.content->size())) {
      refuse(fmt::format("RECORD gives {} the size {}, it has {} bytes", printable(row.path), row.size,
                         member.content->size()));
    }
  }
  HashField field = in_context([&] { return fmt::format("the row of {} in RECORD", printable(row.path)); },
                               [&] { return read_hash_field(row.hash); });
  if (field.form == HashForm::unsupported) {
    note("record-hash-unsupported", row.path,
         fmt::format("RECORD vouches for {} with an algorithm that does not count ({})", printable(row.path),
                     printable(std::string_view(row.hash).substr(0, row.hash.find('=')), 40)),
         Weight::incomplete);
  }
  if (field.form == HashForm::unusual) {
    note("record-hash-unusual", row.path,
         fmt::format("RECORD writes the hash of {} in an unusual form", printable(row.path)), Weight::incomplete);
  }
  if (field.hash) {
    member.content = std::make_shared<VerifiedContent>(member.content, std::move(*field.hash), member.path);
  }
}

void WheelReader::check_unlisted() {
  for (const auto& [path, member] : members_) {
    // RECORD and its signatures cannot be, and need not be, vouched for (PEP 427).
    const std::string_view own = wheel_.dist_info;
    const std::string_view rest = std::string_view(path).substr(std::min(path.size(), own.size()));
    const bool exempt = path.starts_with(own) && (rest == "/RECORD" || rest == "/RECORD.jws" || rest == "/RECORD.p7s");
    if (exempt) continue;
    if (!member.row) {
      note("record-row-missing", path, fmt::format("RECORD does not list {}", printable(path)), Weight::incomplete);
    } else if (member.row->hash.empty()) {
      note("record-hash-missing", path, fmt::format("RECORD has no hash for {}", printable(path)), Weight::incomplete);
    }
  }
}

}  // namespace

const WheelMember* Wheel::find(std::string_view path) const {
  const auto place =
      std::lower_bound(members.begin(), members.end(), path,
                       [](const WheelMember& member, std::string_view wanted) { return member.path < wanted; });
  return place != members.end() && place->path == path ? &*place : nullptr;
}

Wheel open_wheel(std::shared_ptr<const RandomAccess> file, std::string_view file_name, Strictness strictness) {
  return in_context([&] { return fmt::format("wheel {}", printable(file_name)); },
                    [&] {
                      Wheel wheel = WheelReader(std::move(file), file_name).read();
                      settle_findings(wheel.findings, strictness);
                      return wheel;
                    });
}

Wheel with_verified_contents(Wheel wheel) {
  for (WheelMember& member : wheel.members) {
    if (const auto* content = dynamic_cast<const VerifiedContent*>(member.content.get())) {
      member.content = content->checked();
    }
  }
  return wheel;
}

void verify(const Wheel& wheel) {
  in_context([&] { return fmt::format("wheel {}", printable(wheel.file_name)); },
             [&] {
               for (const WheelMember& member : wheel.members) {
                 const std::unique_ptr<ByteSource> source = member.content->open();
                 CountingSink sink;
                 copy(*source, sink);
               }
             });
}

}  // namespace veneer::python
