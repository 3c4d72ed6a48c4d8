#include "build/application.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "python/project/lfs.hh"

namespace veneer::build {

namespace {

namespace fs = std::filesystem;

struct Status {
  mode_t mode = 0;
  std::uint64_t size = 0;
};

Status status_of(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) throw_system_error("find", path, errno);
  return {status.st_mode, static_cast<std::uint64_t>(status.st_size)};
}

class Collector {
 public:
  Collector(const python::Project& project, const Placement& placement, const ProjectFiles& files)
      : project_(project), placement_(placement), files_(files) {}

  void add_rule(const python::FileRule& rule) {
    in_context([&] { return fmt::format("[tool.veneer.image] files, '{}'", printable(rule.from)); },
               [&] {
                 const fs::path from = (project_.folder / rule.from).lexically_normal();
                 if (S_ISDIR(status_of(from).mode)) {
                   add_folder(rule, from);
                 } else {
                   add_file(from, rule.to, rule.mode);
                 }
               });
  }

  void add_empty_file(const std::string& to) {
    put(placement_.resolve(to), tree::make_file(std::make_shared<archive::MemoryContent>(std::string_view()), 0644,
                                                project_.image.user, project_.image.group, fixed_time));
  }

  void add_writable(const std::string& to) {
    const std::string path = placement_.resolve(to);
    placement_.add_parents(tree_, path);
    tree_.put(path, tree::make_folder(0755, project_.image.user, project_.image.group, fixed_time));
  }

  ApplicationFiles finish() {
    const Hash content = hash_of(tree_);
    return {std::move(tree_), content};
  }

 private:
  void add_folder(const python::FileRule& rule, const fs::path& from) {
    const std::string below = fs::path(rule.from).lexically_normal().generic_string();
    const std::string prefix = below == "." ? "" : below.ends_with('/') ? below : below + "/";
    const auto is_below = [&](const std::string& name) { return name.starts_with(prefix); };
    bool any = false;
    for (const std::string& name : files_.listed) {
      if (!is_below(name)) continue;
      any = true;
      const std::string rest = name.substr(prefix.size());
      add_file(project_.folder / name, rule.to == "/" ? "/" + rest : rule.to + "/" + rest, rule.mode);
    }
    if (any) return;
    std::string why = "nothing in it belongs to a project: byte code, a virtual environment";
    if (files_below(from).empty()) {
      why = "it is empty; if it is a submodule, run: git submodule update --init";
    } else if (std::any_of(files_.left_out.begin(), files_.left_out.end(), is_below)) {
      why = fmt::format("{} leaves out what is in it; a rule that names a file takes it all the same",
                        files_.ignore_file);
    } else if (files_.in_repository) {
      why = "git ignores what is in it; 'git check-ignore -v' on a file there tells why";
    }
    throw Error(ErrorKind::not_found, "the folder holds no file for the image", why);
  }

  void add_file(const fs::path& from, const std::string& to, std::optional<std::uint32_t> mode) {
    const Status status = status_of(from);
    const std::string path = placement_.resolve(to);
    if (S_ISREG(status.mode)) {
      const std::uint32_t default_mode = (status.mode & 0100) != 0 ? 0755 : 0644;
      put(path, tree::make_file(std::make_shared<archive::FileContent>(from, status.size), mode.value_or(default_mode),
                                0, 0, fixed_time));
    } else if (S_ISLNK(status.mode)) {
      const fs::path target = fs::read_symlink(from);
      const fs::path reached = (fs::path("/" + path).parent_path() / target).lexically_normal();
      if (target.is_absolute() || reached.native().starts_with("/..") || leaves_project(from, target)) {
        throw Error(ErrorKind::refused, fmt::format("the symbolic link '{}' leads to '{}', outside the project",
                                                    printable(from.native()), printable(target.native())));
      }
      put(path, tree::make_symlink(target.native(), 0, 0, fixed_time));
    } else {
      throw Error(ErrorKind::refused,
                  fmt::format("'{}' is neither file, folder nor symbolic link", printable(from.native())));
    }
  }

  bool leaves_project(const fs::path& link, const fs::path& target) const {
    const fs::path relative = (link.parent_path() / target).lexically_normal().lexically_relative(project_.folder);
    return relative.empty() || *relative.begin() == "..";
  }

  void put(const std::string& path, tree::InodePointer inode) {
    if (!placed_.insert(path).second && !project_.image.later_files_win) {
      throw Error(ErrorKind::refused, fmt::format("two rules write /{}", printable(path)));
    }
    placement_.add_parents(tree_, path);
    tree_.put(path, std::move(inode));
  }

  const python::Project& project_;
  const Placement& placement_;
  const ProjectFiles& files_;
  tree::FileTree tree_;
  std::set<std::string> placed_;
};

}  // namespace

Hash hash_of(const tree::FileTree& tree) {
  Sha256 hash;
  for (const auto& [path, entry] : tree.entries()) {
    const tree::Inode& inode = *entry.inode;
    hash.update(fmt::format("{}:{} {} {:o} {} {} {} {}:{}\n", path.size(), path, static_cast<int>(inode.type),
                            inode.mode, inode.uid, inode.gid, inode.mtime, inode.link_target.size(),
                            inode.link_target));
    if (!inode.content) continue;
    const auto source = inode.content->open();
    hash.update(sha256(*source).hex());
  }
  return hash.finish();
}

std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> names;
  for (auto entry = fs::recursive_directory_iterator(folder); entry != fs::recursive_directory_iterator(); ++entry) {
    const fs::path& path = entry->path();
    const std::string name = path.filename().native();
    if (entry->is_symlink() || !entry->is_directory()) {
      const bool is_link_to_repository = name == ".git" && entry.depth() == 0;
      if (path.extension() != ".pyc" && !is_link_to_repository && !python::is_base_lock(name)) {
        names.push_back(path.lexically_relative(folder).generic_string());
      }
    } else if (name == "__pycache__" || name == ".git" || name == ".veneer" || fs::exists(path / "pyvenv.cfg")) {
      entry.disable_recursion_pending();
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> lfs_pointers(const tree::FileTree& tree) {
  std::vector<std::string> paths;
  for (const auto& [path, entry] : tree.entries()) {
    const auto& content = entry.inode->content;
    if (!content || content->size() == 0 || content->size() >= python::lfs_pointer_limit) continue;
    const auto source = content->open();
    if (python::is_lfs_pointer(as_text(read_all(*source, python::lfs_pointer_limit)))) paths.push_back(path);
  }
  return paths;
}

bool comes_with_a_folder(const python::Project& project, const std::string& path) {
  bool comes = false;
  for (const python::FileRule& rule : project.image.files) {
    if (rule.from == path) return false;
    comes = comes || rule.from == "." || path.starts_with(rule.from + "/");
  }
  return comes;
}

ApplicationFiles application_files(const python::Project& project, const Placement& placement,
                                   const ProjectFiles& files) {
  Collector collector(project, placement, files);
  for (const std::string& to : project.image.writable) collector.add_writable(to);
  for (const python::FileRule& file : project.image.files) collector.add_rule(file);
  for (const std::string& to : project.image.empty_files) collector.add_empty_file(to);
  return collector.finish();
}

}  // namespace veneer::build
