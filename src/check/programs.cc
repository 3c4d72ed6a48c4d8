#include "check/programs.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "image/run_config.hh"
#include "tree/read_text.hh"

namespace veneer::check {

namespace {

constexpr std::uint64_t largest_script = 16 << 20;
constexpr std::size_t most_examples = 3;

enum Bit : std::uint32_t { read_bit = 4, write_bit = 2, run_bit = 1 };

bool may(const tree::Inode& inode, const User& user, std::uint32_t bits) {
  if (user.uid == 0) return (bits & run_bit) == 0 || (inode.mode & 0111) != 0;
  const std::uint32_t shift = inode.uid == user.uid ? 6 : user.groups.contains(inode.gid) ? 3 : 0;
  return ((inode.mode >> shift) & bits) == bits;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The rows of etc/passwd or etc/group.
std::vector<std::vector<std::string>> table(const tree::FileTree& tree, std::string_view path) {
  std::vector<std::vector<std::string>> rows;
  for (const std::string& line : split_words(tree::read_text(tree, path, largest_script), "\n")) {
    rows.push_back(split_fields(line, ':'));
  }
  return rows;
}

class Programs {
 public:
  Programs(const tree::FileTree& tree, const image::RunConfig& config, const User& user, Findings& findings)
      : tree_(tree), config_(config), user_(user), findings_(findings) {}

  std::size_t check_scripts(const Environment& environment) {
    check_interpreter(environment.prefix);
    std::size_t count = 0;
    const std::string start = environment.prefix + "/bin/";
    for (auto entry = tree_.entries().lower_bound(start);
         entry != tree_.entries().end() && entry->first.starts_with(start); ++entry) {
      const tree::Inode& inode = *entry->second.inode;
      if (inode.type != archive::EntryType::file || (inode.mode & 0111) == 0) continue;
      std::array<std::byte, 512> head{};
      const std::string_view text = as_text(ByteView(head).first(read_full(*inode.content->open(), head)));
      if (!text.starts_with("#!")) continue;
      ++count;
      check_script(entry->first, text);
    }
    return count;
  }

  void check_readable(const Environment& environment) {
    std::vector<std::string> closed;
    std::size_t count = 0;
    const auto look_at = [&](const std::string& path, const tree::Inode& inode) {
      const bool is_folder = inode.type == archive::EntryType::folder;
      if (inode.type == archive::EntryType::symlink) return;
      if (may(inode, user_, is_folder ? read_bit | run_bit : read_bit)) return;
      ++count;
      if (closed.size() < most_examples) closed.push_back(shown(path));
    };
    for (const std::string& site : environment.site_folders) {
      if (const tree::Inode* folder = tree_.find(site)) look_at(site, *folder);
      for (auto entry = tree_.entries().lower_bound(site + "/");
           entry != tree_.entries().end() && entry->first.starts_with(site + "/"); ++entry) {
        look_at(entry->first, *entry->second.inode);
      }
      if (const auto fault = unreachable(site)) problem("user:/" + site, *fault);
    }
    if (count == 0) return;
    problem("user:/" + environment.prefix,
            fmt::format("{} of the environment cannot be read by user {}: {}{}",
                        count == 1 ? "1 file or folder" : fmt::format("{} files or folders", count), user_.uid,
                        fmt::join(closed, ", "), count > closed.size() ? ", …" : ""));
  }

  void check_start() {
    const Value* run = &config_.run;
    std::vector<std::string> words = run->strings_or_empty("Entrypoint");
    const std::vector<std::string> more = run->strings_or_empty("Cmd");
    words.insert(words.end(), more.begin(), more.end());
    if (!words.empty()) check_program("entrypoint:" + words[0], words[0], "the image starts");
    if (words.size() == 1 && is_interpreter(words[0])) {
      problem("start:python",
              fmt::format("the image starts {} without a program, which ends at once where nobody types",
                          printable(words[0])));
    }
    const std::string folder = run->string_or("WorkingDir", "/");
    if (folder.size() <= 1) return;
    const auto real = tree_.resolve(folder.substr(1));
    const tree::Inode* inode = real ? tree_.find(*real) : nullptr;
    if (inode == nullptr || inode->type != archive::EntryType::folder) {
      findings_.push_back(
          {"workdir:" + folder, Severity::note,
           fmt::format("the working directory {} is not in the image; engines make it, as root", printable(folder))});
    } else if (!may(*inode, user_, run_bit)) {
      problem("workdir:" + folder,
              fmt::format("the working directory {} is closed to user {}", shown(*real), user_.uid));
    }
  }

  /// HOME, where programs keep what they may lose.
  void check_home() {
    std::string home = image::environment_variable(config_, "HOME");
    if (home.empty()) home = home_of_user();
    if (!home.starts_with('/')) return;
    const auto real = home == "/" ? std::optional<std::string>("") : tree_.resolve(home.substr(1));
    const tree::Inode* inode = real ? tree_.find(*real) : nullptr;
    if (user_.uid == 0 || (inode != nullptr && may(*inode, user_, write_bit | run_bit))) return;
    findings_.push_back({"home:" + home, Severity::note,
                         inode == nullptr && home != "/"
                             ? fmt::format("{}, the home of user {}, is not in the image", printable(home), user_.uid)
                             : fmt::format("user {} cannot write to its home {}", user_.uid, printable(home))});
  }

 private:
  /// "python", "/usr/bin/python3.11".
  static bool is_interpreter(std::string_view program) {
    std::string_view name = tree::base_name(program);
    if (!name.starts_with("python")) return false;
    name.remove_prefix(std::string_view("python").size());
    return name.find_first_not_of("0123456789.") == std::string_view::npos;
  }

  /// As engines set HOME where the image does not.
  std::string home_of_user() const {
    for (const auto& row : table(tree_, "etc/passwd")) {
      if (row.size() >= 6 && number(row[2]) == user_.uid) return row[5];
    }
    return "/";
  }

  void problem(std::string id, std::string message) {
    findings_.push_back({std::move(id), Severity::problem, std::move(message)});
  }

  /// "/root/python (mode 0700, owner 0:0)"
  std::string shown(const std::string& path) const {
    const tree::Inode* inode = tree_.find(path);
    if (inode == nullptr) return "/" + printable(path);
    return fmt::format("/{} (mode {:04o}, owner {}:{})", printable(path), inode->mode & 07777, inode->uid, inode->gid);
  }

  /// Where `path` leads, link by link: each place with its parents' links followed, the last one no link or not there.
  std::vector<std::string> steps(const std::string& path) const {
    constexpr std::size_t most_links = 40;
    std::vector<std::string> result;
    std::string place = path;
    while (result.size() < most_links) {
      try {
        place = tree_.locate(place);
      } catch (const Error&) {
        result.push_back(place);
        break;
      }
      result.push_back(place);
      const tree::Inode* inode = tree_.find(place);
      if (inode == nullptr || inode->type != archive::EntryType::symlink) break;
      const std::string& target = inode->link_target;
      place = cleaned(target.starts_with('/') ? target : tree::join_path(tree::parent_path(place), target));
    }
    return result;
  }

  /// "/a -> /b -> /c (not there)", "/a -> /b (mode 0644, owner 0:0)".
  std::string chain(const std::string& path) const {
    const std::vector<std::string> places = steps(path);
    std::string text = "/" + printable(path);
    for (const std::string& place : places) {
      if (place != path) text += " -> /" + printable(place);
    }
    const tree::Inode* last = tree_.find(places.back());
    if (last == nullptr) return text + " (not there)";
    if (last->type == archive::EntryType::symlink) return text + " (links in a circle)";
    return text + fmt::format(" (mode {:04o}, owner {}:{})", last->mode & 07777, last->uid, last->gid);
  }

  /// Without empty, "." and ".." parts and without a leading slash.
  static std::string cleaned(std::string_view path) {
    std::string clean;
    for (const std::string& part : split_words(path, "/")) {
      if (part == "..") {
        clean = tree::parent_path(clean);
      } else if (part != ".") {
        clean = tree::join_path(clean, part);
      }
    }
    return clean;
  }

  /// What keeps the user from `path`: a folder on the way that is closed.
  std::optional<std::string> unreachable(const std::string& path) const {
    const std::string_view rest = path;
    for (std::size_t slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/', slash + 1)) {
      const std::string folder(rest.substr(0, slash));
      const tree::Inode* inode = tree_.find(folder);
      if (inode != nullptr && inode->type == archive::EntryType::folder && !may(*inode, user_, run_bit)) {
        return fmt::format("{} is closed to user {}", shown(folder), user_.uid);
      }
    }
    return std::nullopt;
  }

  /// Why the program at `path` cannot be run, if so.
  std::optional<std::string> fault_of_program(const std::string& path) const {
    const std::vector<std::string> places = steps(path);
    const tree::Inode* inode = tree_.find(places.back());
    if (inode == nullptr || inode->type == archive::EntryType::symlink) return chain(path);
    for (const std::string& place : places) {
      if (const auto fault = unreachable(place)) return chain(path) + ": " + *fault;
    }
    if (inode->type != archive::EntryType::file || !may(*inode, user_, run_bit)) {
      return chain(path) + fmt::format(" cannot be run by user {}", user_.uid);
    }
    return std::nullopt;
  }

  void check_interpreter(const std::string& prefix) {
    const std::string path = prefix + "/bin/python";
    if (tree_.find(path) == nullptr) return;  // no virtual environment
    if (const auto fault = fault_of_program(path)) {
      problem("interpreter:/" + path, "the environment's interpreter cannot be used: " + *fault);
    }
  }

  std::optional<std::string> on_path(const std::string& name) const {
    for (const std::string& folder : split_fields(image::search_path(config_), ':')) {
      if (!folder.starts_with('/')) continue;
      const std::string path = folder.substr(1) + "/" + name;
      try {
        if (tree_.resolve(path)) return path;
      } catch (const Error&) {
        continue;
      }
    }
    return std::nullopt;
  }

  void check_program(const std::string& id, const std::string& program, const std::string& who) {
    std::string path;
    if (program.starts_with('/')) {
      path = program.substr(1);
    } else if (program.find('/') != std::string::npos) {
      const std::string folder = config_.run.string_or("WorkingDir", "/");
      path = (folder.size() > 1 ? folder.substr(1) + "/" : "") + program;
    } else if (const auto found = on_path(program)) {
      path = *found;
    } else {
      problem(id, fmt::format("{} {}, which is not on PATH", who, printable(program)));
      return;
    }
    if (const auto fault = fault_of_program(path)) {
      problem(id, fmt::format("{} {}, but {}", who, printable(program), *fault));
    }
  }

  void check_script(const std::string& path, std::string_view text) {
    std::string_view line = text.substr(2, text.find('\n') - 2);
    while (line.starts_with(' ') || line.starts_with('\t')) line.remove_prefix(1);
    const std::size_t end = line.find_first_of(" \t\r");
    const std::string program(line.substr(0, end));
    if (line.find('\r') != std::string_view::npos) {
      problem("script:/" + path,
              fmt::format("the first line of /{} ends with a carriage return, which the kernel takes "
                          "for part of the interpreter's name",
                          printable(path)));
      return;
    }
    const std::string who = fmt::format("/{} is started by", printable(path));
    if (!program.starts_with('/')) {
      problem("script:/" + path, fmt::format("{} {}, which is no absolute path", who, printable(program)));
      return;
    }
    check_program("script:/" + path, program, who);
    if (tree::base_name(program) == "env" && end != std::string_view::npos) {
      std::string_view name = line.substr(end);
      while (name.starts_with(' ')) name.remove_prefix(1);
      if (name.starts_with("-S ")) name.remove_prefix(3);
      name = name.substr(0, name.find(' '));
      if (!name.starts_with('-') && name.find('=') == std::string_view::npos) {
        check_program("script:/" + path, std::string(name), who);
      }
    }
    // A path that is too long for one line, as uv and pip write it: a shell starts the interpreter.
    constexpr std::string_view trampoline = "\n'''exec' ";
    const std::size_t at = text.find(trampoline);
    if (program == "/bin/sh" && at != std::string_view::npos) {
      std::string_view rest = text.substr(at + trampoline.size());
      const bool is_quoted = rest.starts_with('"') || rest.starts_with('\'');
      const char quote = is_quoted ? rest[0] : ' ';
      if (is_quoted) rest.remove_prefix(1);
      const std::size_t close = rest.find(quote);
      if (close != std::string_view::npos) check_program("script:/" + path, std::string(rest.substr(0, close)), who);
    }
  }

  const tree::FileTree& tree_;
  const image::RunConfig& config_;
  const User& user_;
  Findings& findings_;
};

}  // namespace

User user_of(const tree::FileTree& tree, const image::RunConfig& config) {
  const std::string text = config.run.string_or("User", "");
  User user;
  user.groups.insert(0);
  if (text.empty()) return user;
  const std::size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  const auto passwords = table(tree, "etc/passwd");
  const auto uid = number(name);
  std::string known_as;
  bool is_known = false;
  user.groups.clear();
  for (const auto& row : passwords) {
    if (row.size() < 4 || (uid ? number(row[2]) != uid : row[0] != name)) continue;
    user.uid = number(row[2]).value_or(0);
    user.groups.insert(number(row[3]).value_or(0));
    known_as = row[0];
    is_known = true;
    break;
  }
  if (!is_known && !uid) {
    throw Error(ErrorKind::refused, fmt::format("the image's user {} is not in its /etc/passwd", printable(name)));
  }
  if (!is_known) {
    user.uid = *uid;
    user.groups.insert(0);
  }
  const auto groups = table(tree, "etc/group");
  if (colon == std::string::npos) {
    for (const auto& row : groups) {
      if (row.size() < 4 || known_as.empty()) continue;
      const std::string members = "," + row[3] + ",";
      if (members.find("," + known_as + ",") != std::string::npos) user.groups.insert(number(row[2]).value_or(0));
    }
    return user;
  }
  const std::string group = text.substr(colon + 1);
  user.groups.clear();
  if (const auto gid = number(group)) {
    user.groups.insert(*gid);
    return user;
  }
  for (const auto& row : groups) {
    if (row.size() >= 3 && row[0] == group) {
      user.groups.insert(number(row[2]).value_or(0));
      return user;
    }
  }
  throw Error(ErrorKind::refused, fmt::format("the image's group {} is not in its /etc/group", printable(group)));
}

std::size_t check_programs(const tree::FileTree& tree, const std::vector<Environment>& environments,
                           const image::RunConfig& config, const User& user, Findings& findings) {
  Programs programs(tree, config, user, findings);
  std::size_t count = 0;
  for (const Environment& environment : environments) {
    count += programs.check_scripts(environment);
    programs.check_readable(environment);
  }
  programs.check_start();
  programs.check_home();
  return count;
}

}  // namespace veneer::check
