#include "build/account.hh"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "build/placement.hh"
#include "foundation/error.hh"
#include "foundation/text.hh"
#include "tree/read_text.hh"

namespace veneer::build {

namespace {

constexpr std::uint64_t most_bytes = 16 << 20;
constexpr std::string_view no_home = "/nonexistent";  // Debian policy 9.2.3

/// passwd(5) or group(5): lines of fields, the first a name, the third a number.
class AccountFile {
 public:
  AccountFile(const tree::Lookup& base, std::string_view path, std::size_t fields)
      : base_(base), path_(base.resolve(path).value_or(base.locate(path))) {
    text_ = tree::read_text(base, path_, most_bytes);
    for (const std::string& line : split_words(text_, "\n")) {
      std::vector<std::string> found = split_fields(line, ':');
      if (found.size() >= fields) lines_.push_back(std::move(found));
    }
  }

  /// The first line for the number, as the C library takes it; nullptr if there is none.
  const std::vector<std::string>* find(std::string_view number) const {
    for (const std::vector<std::string>& line : lines_) {
      if (line[2] == number) return &line;
    }
    return nullptr;
  }
  const std::vector<std::string>* find(std::uint32_t number) const { return find(std::to_string(number)); }

  const std::vector<std::string>* find_name(std::string_view name) const {
    for (const std::vector<std::string>& line : lines_) {
      if (line[0] == name) return &line;
    }
    return nullptr;
  }

  bool has_name(std::string_view name) const { return find_name(name) != nullptr; }

  /// Puts the file with one more line into `out`.
  void put_with(const std::string& line, const Placement& placement, tree::FileTree& out) const {
    const bool ends_well = text_.empty() || text_.ends_with('\n');
    const auto content =
        std::make_shared<archive::MemoryContent>(fmt::format("{}{}{}\n", text_, ends_well ? "" : "\n", line));
    auto inode = std::make_shared<tree::Inode>(*tree::make_file(content, 0644, 0, 0, fixed_time));
    if (const tree::InodePointer old = base_.inode(path_)) {
      inode->mode = old->mode;
      inode->uid = old->uid;
      inode->gid = old->gid;
    }
    placement.add_parents(out, path_);
    out.put(path_, std::move(inode));
  }

 private:
  const tree::Lookup& base_;
  std::string path_;
  std::string text_;
  std::vector<std::vector<std::string>> lines_;
};

std::string home_in(const std::vector<std::string>& line) { return line.at(5).starts_with('/') ? line.at(5) : "/"; }

/// Of the user that the base's own programs run as; empty when its files do not tell.
std::string home_of_base_user(const base::Base& base) {
  std::string user = base.config.run.is_table() ? base.config.run.string_or("User", "") : "";
  user = user.substr(0, user.find(':'));
  if (user.empty()) user = "0";
  const AccountFile users(*base.files, "etc/passwd", 7);
  const std::vector<std::string>* line = users.find_name(user);
  if (line == nullptr) line = users.find(user);
  return line != nullptr ? home_in(*line) : "";
}

enum class Access : std::uint32_t { search = 01, write = 03 };

bool may(const tree::Inode& folder, std::uint32_t user, std::uint32_t group, Access access) {
  const std::uint32_t shift = folder.uid == user ? 6 : folder.gid == group ? 3 : 0;
  const auto wanted = static_cast<std::uint32_t>(access);
  return user == 0 || (folder.mode >> shift & wanted) == wanted;
}

/// "app", or a name like it that neither file nor /home has.
std::string free_name(const tree::Lookup& base, const AccountFile& users, const AccountFile& groups,
                      std::uint32_t number) {
  std::string name = number == 0 ? "root" : "app";
  const auto is_taken = [&] { return users.has_name(name) || groups.has_name(name) || base.contains("home/" + name); };
  if (is_taken()) name = fmt::format("app{}", number);
  while (is_taken()) name += '_';
  return name;
}

}  // namespace

Account account_of(const tree::Lookup& base, std::uint32_t user, std::uint32_t group) {
  const Placement placement(base);
  const AccountFile users(base, "etc/passwd", 7);
  const AccountFile groups(base, "etc/group", 4);
  Account account;
  std::string name;
  if (const std::vector<std::string>* line = users.find(user)) {
    name = line->at(0);
    account.home = home_in(*line);
  } else {
    name = free_name(base, users, groups, user);
    account.home = name == "root" ? "/root" : "/home/" + name;
    users.put_with(fmt::format("{}:x:{}:{}::{}:/usr/sbin/nologin", name, user, group, account.home), placement,
                   account.files);
  }
  if (groups.find(group) == nullptr) {
    const std::string group_name = groups.has_name(name) ? free_name(base, users, groups, group) : name;
    groups.put_with(fmt::format("{}:x:{}:", group_name, group), placement, account.files);
  }
  if (account.home != no_home && !base.resolve(account.home.substr(1))) {
    const std::string path = placement.resolve(account.home);
    placement.add_parents(account.files, path);
    account.files.put(path, tree::make_folder(0755, user, group, fixed_time));
  }
  return account;
}

std::string home_of(const Account& account, const base::Base& base,
                    const std::map<std::string, std::string>& environment) {
  if (const auto own = environment.find("HOME"); own != environment.end()) return own->second;
  std::string home;
  if (base.config.run.is_table()) {
    constexpr std::string_view start = "HOME=";
    for (const std::string& entry : base.config.run.strings_or_empty("Env")) {
      if (entry.starts_with(start)) home = entry.substr(start.size());
    }
  }
  return home.empty() || home == home_of_base_user(base) ? account.home : home;
}

std::optional<std::string> home_finding(const tree::Lookup& image, std::uint32_t user, std::uint32_t group,
                                        const std::string& home) {
  const auto finding = [&](std::string_view what) {
    return fmt::format(
        "the home of the user {}:{}, {}, {}; in [tool.veneer.image], name another user, or a HOME in env and the same "
        "folder in writable",
        user, group, home.empty() ? "\"\"" : printable(home), what);
  };
  const std::optional<std::string> place = home.starts_with('/') ? image.resolve(home.substr(1)) : std::nullopt;
  if (!place) return finding("is not in the image");
  const tree::InodePointer root = tree::make_folder(0755, 0, 0, 0);  // it is not listed
  const tree::InodePointer folder = place->empty() ? root : image.inode(*place);
  if (folder->type != archive::EntryType::folder) return finding("is no folder");
  bool is_writable = may(*folder, user, group, Access::write);
  for (std::string_view above = tree::parent_path(*place); !above.empty(); above = tree::parent_path(above)) {
    is_writable = is_writable && may(*image.inode(above), user, group, Access::search);
  }
  if (!is_writable) return finding("is not writable for it");
  return std::nullopt;
}

}  // namespace veneer::build
