#include "build/account.hh"

#include <fmt/format.h>

#include <optional>
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
  AccountFile(const tree::FileTree& base, std::string_view path, std::size_t fields)
      : base_(base), path_(base.resolve(path).value_or(base.locate(path))) {
    text_ = tree::read_text(base, path_, most_bytes);
    for (const std::string& line : split_words(text_, "\n")) {
      std::vector<std::string> found = split_fields(line, ':');
      if (found.size() >= fields) lines_.push_back(std::move(found));
    }
  }

  /// The first line for the number, as the C library takes it; nullptr if there is none.
  const std::vector<std::string>* find(std::uint32_t number) const {
    for (const std::vector<std::string>& line : lines_) {
      if (line[2] == std::to_string(number)) return &line;
    }
    return nullptr;
  }

  bool has_name(const std::string& name) const {
    for (const std::vector<std::string>& line : lines_) {
      if (line[0] == name) return true;
    }
    return false;
  }

  /// Puts the file with one more line into `out`.
  void put_with(const std::string& line, const Placement& placement, tree::FileTree& out) const {
    const bool ends_well = text_.empty() || text_.ends_with('\n');
    const auto content =
        std::make_shared<archive::MemoryContent>(fmt::format("{}{}{}\n", text_, ends_well ? "" : "\n", line));
    auto inode = std::make_shared<tree::Inode>(*tree::make_file(content, 0644, 0, 0, fixed_time));
    if (const tree::Inode* old = base_.find(path_)) {
      inode->mode = old->mode;
      inode->uid = old->uid;
      inode->gid = old->gid;
    }
    placement.add_parents(out, path_);
    out.put(path_, std::move(inode));
  }

 private:
  const tree::FileTree& base_;
  std::string path_;
  std::string text_;
  std::vector<std::vector<std::string>> lines_;
};

/// "app", or a name like it that neither file nor /home has.
std::string free_name(const tree::FileTree& base, const AccountFile& users, const AccountFile& groups,
                      std::uint32_t number) {
  std::string name = number == 0 ? "root" : "app";
  const auto is_taken = [&] { return users.has_name(name) || groups.has_name(name) || base.contains("home/" + name); };
  if (is_taken()) name = fmt::format("app{}", number);
  while (is_taken()) name += '_';
  return name;
}

}  // namespace

Account account_of(const tree::FileTree& base, std::uint32_t user, std::uint32_t group) {
  const Placement placement(base);
  const AccountFile users(base, "etc/passwd", 7);
  const AccountFile groups(base, "etc/group", 4);
  Account account;
  std::string name;
  if (const std::vector<std::string>* line = users.find(user)) {
    name = line->at(0);
    account.home = line->at(5).starts_with('/') ? line->at(5) : "/";
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

}  // namespace veneer::build
