#include "python/wheel/install.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "foundation/digest.hh"
#include "foundation/error.hh"
#include "python/wheel/member_path.hh"
#include "python/wheel_file_name.hh"

namespace veneer::python {
namespace {

constexpr std::uint64_t largest_rewritten_script = 64 << 20;

/// A file to be installed.
struct Placed {
  std::shared_ptr<const archive::Content> content;
  bool executable = false;
  RecordRow row;  // its path as RECORD will give it
};

bool equal_contents(const archive::Content& left, const archive::Content& right) {
  if (left.size() != right.size()) return false;
  const std::unique_ptr<ByteSource> first = left.open();
  const std::unique_ptr<ByteSource> second = right.open();
  return sha256(*first) == sha256(*second);
}

class Installer {
 public:
  Installer(const Wheel& wheel, const InstallPlace& place)
      : wheel_(wheel), place_(place), site_packages_(place.site_packages()) {}

  tree::FileTree run() {
    check_place();
    for (const EntryPoint& command : wheel_.commands) {
      put_made("bin/" + command.name, launcher(command, place_.interpreter()), true);
    }
    const std::string data_folder = wheel_.dist_info.substr(0, wheel_.dist_info.size() - 10) + ".data/";
    for (const WheelMember& member : wheel_.members) {
      if (member.path.starts_with(data_folder)) {
        put_data(member, std::string_view(member.path).substr(data_folder.size()));
      } else if (!is_replaced(member.path)) {
        put_member(member, site_packages_ + "/" + member.path);
      }
    }
    put_made(site_packages_ + "/" + wheel_.dist_info + "/INSTALLER", "veneer\n", false);
    if (place_.requested == RequestedFile::present) {
      put_made(site_packages_ + "/" + wheel_.dist_info + "/REQUESTED", "", false);
    }
    put_record();
    return make_tree();
  }

 private:
  void check_place() const {
    const auto plain = [](std::string_view part) {
      return std::none_of(part.begin(), part.end(),
                          [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    };
    const bool absolute = place_.prefix.size() > 1 && place_.prefix.starts_with('/') && !place_.prefix.ends_with('/');
    if (!absolute || !plain(place_.prefix) ||
        read_member_path(place_.prefix.substr(1)).path != place_.prefix.substr(1)) {
      throw Error(ErrorKind::usage, fmt::format("{} is no absolute path for an environment", printable(place_.prefix)));
    }
  }

  /// Files of the dist-info folder that an installer writes itself.
  bool is_replaced(std::string_view path) const {
    if (!path.starts_with(wheel_.dist_info)) return false;
    const std::string_view rest = path.substr(wheel_.dist_info.size());
    return rest == "/RECORD" || rest == "/INSTALLER" ||
           (rest == "/REQUESTED" && place_.requested == RequestedFile::present);
  }

  void put_data(const WheelMember& member, std::string_view path) {
    const std::size_t slash = path.find('/');
    const std::string_view scheme = path.substr(0, slash);
    const std::string_view rest = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    constexpr std::array<std::string_view, 5> schemes = {"purelib", "platlib", "headers", "scripts", "data"};
    if (rest.empty() || std::find(schemes.begin(), schemes.end(), scheme) == schemes.end()) {
      refuse(
          fmt::format("member {} is refused: {} is no installation scheme", printable(member.path), printable(scheme)));
    }
    if (scheme == "scripts") {
      put_script(member, rest);
    } else if (scheme == "headers") {
      put_member(member, fmt::format("include/site/{}/{}/{}", place_.library_folder, wheel_.name, rest));
    } else if (scheme == "data") {
      put_member(member, std::string(rest));
    } else {
      put_member(member, site_packages_ + "/" + std::string(rest));
    }
  }

  void put_script(const WheelMember& member, std::string_view name) {
    if (name.find('/') != std::string_view::npos) {
      refuse(fmt::format("member {} is refused: scripts may not lie in folders", printable(member.path)));
    }
    const std::string path = "bin/" + std::string(name);
    const auto is_it = [&](const EntryPoint& command) { return command.name == name; };
    if (std::any_of(wheel_.commands.begin(), wheel_.commands.end(), is_it)) return;  // open_wheel() has noted it
    if (starts_with_placeholder(*member.content)) {
      if (member.content->size() > largest_rewritten_script) {
        refuse(fmt::format("member {} is refused: a Python script of over {} bytes", printable(member.path),
                           largest_rewritten_script));
      }
      const std::unique_ptr<ByteSource> source = member.content->open();
      const Bytes script = read_all(*source, largest_rewritten_script);
      put_made(path, rewrite_placeholder_line(as_text(script), place_.interpreter()), true);
      return;
    }
    WheelMember script = member;
    script.executable = true;
    put_member(script, path);
  }

  static bool starts_with_placeholder(const archive::Content& content) {
    std::array<std::byte, 8> start{};
    const std::unique_ptr<ByteSource> source = content.open();
    const std::size_t count = read_full(*source, start);
    return has_placeholder_line(as_text(ByteView(start).first(count)));
  }

  void put_member(const WheelMember& member, std::string path) {
    RecordRow row = member.row.value_or(RecordRow{{}, {}, std::to_string(member.content->size())});
    row.path = record_path(path);
    put(std::move(path), {member.content, member.executable, std::move(row)});
  }

  void put_made(std::string path, std::string_view text, bool executable) {
    RecordRow row{record_path(path), sha256_field(sha256(text).bytes), std::to_string(text.size())};
    put(std::move(path), {std::make_shared<archive::MemoryContent>(text), executable, std::move(row)});
  }

  std::string record_path(std::string_view path) const { return relative_path(site_packages_, path); }

  void put(std::string path, Placed file) {
    check_environment(path);
    // The environment's lib64 is a link to lib.
    if (path.starts_with("lib64/")) path = "lib/" + path.substr(6);
    const auto [existing, is_new] = files_.try_emplace(path, file);
    if (is_new) return;
    if (!equal_contents(*existing->second.content, *file.content)) {
      refuse(fmt::format("two files with different contents would be installed as {}", printable(path)));
    }
    existing->second.executable = existing->second.executable || file.executable;
  }

  /// Refuses what would change which interpreter runs, or with which library.
  void check_environment(std::string_view path) const {
    const auto first_part = [](std::string_view text) { return text.substr(0, text.find('/')); };
    const auto harm = [&](std::string_view what) {
      refuse(fmt::format("{} is refused: it would replace {}", printable(path), what));
    };
    if (path.starts_with("bin/")) {
      const std::string_view name = first_part(path.substr(4));
      if (is_interpreter_name(name)) harm("the interpreter");
      if (name == "activate") harm("the environment's own activate script");
    }
    if (path == "bin" || path == "lib" || path == "lib64" || path == "include" || first_part(path) == "pyvenv.cfg") {
      harm("part of the environment");
    }
    for (const std::string_view lib : {"lib/", "lib64/"}) {
      const std::string own = std::string(lib) + place_.library_folder;
      if (path == own || path == own + "/site-packages") harm("part of the environment");
      if (path.starts_with(own + "/") && !path.starts_with(own + "/site-packages/")) harm("the standard library");
    }
  }

  void put_record() {
    const std::string path = site_packages_ + "/" + wheel_.dist_info + "/RECORD";
    std::vector<RecordRow> rows;
    rows.push_back({record_path(path), {}, {}});
    for (const auto& [name, file] : files_) rows.push_back(file.row);
    // uv writes over the wheel's own RECORD, which keeps its mode.
    const WheelMember* own = wheel_.find(wheel_.dist_info + "/RECORD");
    const bool executable = own != nullptr && own->executable;
    files_[path] = {std::make_shared<archive::MemoryContent>(write_record(std::move(rows))), executable, {}};
  }

  tree::FileTree make_tree() const {
    tree::FileTree tree;
    const tree::InodePointer folder = tree::make_folder(0755, 0, 0, place_.mtime);
    tree.set_missing_parent(*folder);
    const std::string prefix = place_.prefix.substr(1) + "/";
    for (const auto& [path, file] : files_) {
      tree.put(prefix + path, tree::make_file(file.content, file.executable ? 0755 : 0644, 0, 0, place_.mtime));
    }
    return tree;
  }

  const Wheel& wheel_;
  const InstallPlace& place_;
  std::string site_packages_;
  std::map<std::string, Placed, std::less<>> files_;  // below the prefix
};

}  // namespace

tree::FileTree install(const Wheel& wheel, const InstallPlace& place) {
  return in_context([&] { return fmt::format("wheel {}", printable(wheel.file_name)); },
                    [&] { return Installer(wheel, place).run(); });
}

std::string path_below_prefix(const InstallPlace& place, std::string_view path) {
  return std::string(path.substr(place.prefix.size()));
}

}  // namespace veneer::python
