// uv.lock as one of the formats.
#include <fmt/format.h>
#include <fnmatch.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/toml.hh"
#include "python/lock/choose_file.hh"
#include "python/lock/read_lock.hh"
#include "python/lock/uv_lock.hh"
#include "python/project/project.hh"

namespace veneer::python {

namespace {

class UvLock : public AnyLock {
 public:
  UvLock(std::string_view text, const std::filesystem::path& path, Variables variables, KnownPackages* known)
      : AnyLock(path), lock_(parse_uv_lock(text, known)), variables_(std::move(variables)) {}

  Selection select(const SelectRequest& request) const override {
    SelectOptions options = request.options;
    if (request.default_groups == DefaultGroups::taken) {
      auto groups = read_default_groups(folder());
      if (!groups) options.group_choice = GroupChoice::all;
      options.default_groups = std::move(groups).value_or(std::vector<std::string>());
    }
    if (options.packages.empty() && !request.project.empty()) options.packages = {request.project};
    return python::select(lock_, request.target, options);
  }

  std::string member_folder(const std::string& name) const override {
    const auto found = lock_.find(name);
    const auto member =
        std::find_if(found.begin(), found.end(), [&](std::size_t index) { return is_workspace_member(lock_, index); });
    if (member == found.end()) {
      throw Error(ErrorKind::not_found, fmt::format("the workspace has no member {}", printable(name)),
                  members_hint(members()));
    }
    return lock_.packages[*member].source.location;
  }

  std::vector<std::string> members() const override {
    std::vector<std::string> names = lock_.members;
    std::sort(names.begin(), names.end());
    return names;
  }

  bool keeps_what_was_asked() const override { return true; }

  LockAge age(const std::string& project, const std::vector<std::string>& groups) const override {
    LockSurroundings surroundings;
    surroundings.project = [this](const std::string& below) { return toml_at(below + "/pyproject.toml"); };
    surroundings.uv_settings = toml_at("uv.toml");
    surroundings.user_settings = user_settings();
    surroundings.folders = [this](const auto& members, const auto& excluded) { return folders_of(members, excluded); };
    return compare_with_projects(lock_, surroundings, project, groups);
  }

 private:
  std::optional<Value> toml_at(const std::string& name) const {
    constexpr std::uint64_t limit = 16 << 20;
    const std::filesystem::path path = (folder() / name).lexically_normal();
    const auto text = read_text_file_if_exists(path, limit);
    if (!text) return std::nullopt;
    return in_context([&] { return printable(path.native()); }, [&] { return parse_toml(*text); });
  }

  /// Folders with a pyproject.toml that one of `members` fits and none of `excluded`.
  std::vector<std::string> folders_of(const std::vector<std::string>& members,
                                      const std::vector<std::string>& excluded) const {
    std::set<std::string> found;
    const auto is_excluded = [&](const std::string& name) {
      return std::any_of(excluded.begin(), excluded.end(), [&](const std::string& pattern) {
        return ::fnmatch(plain(pattern).c_str(), name.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0;
      });
    };
    std::vector<std::string> patterns;
    for (const std::string& pattern : members) add_depths(plain(pattern), patterns);
    for (const std::string& pattern : patterns) {
      glob_t matches{};
      const std::string whole = (folder() / pattern).native();
      if (::glob(whole.c_str(), 0, nullptr, &matches) == 0) {
        for (std::size_t i = 0; i < matches.gl_pathc; ++i) {
          const std::filesystem::path path(matches.gl_pathv[i]);
          const std::string name = path.lexically_relative(folder()).generic_string();
          if (std::filesystem::exists(path / "pyproject.toml") && !is_excluded(name)) found.insert(name);
        }
      }
      ::globfree(&matches);
    }
    return {found.begin(), found.end()};
  }

  /// "**" stands for any number of folders, here up to eight.
  static void add_depths(const std::string& pattern, std::vector<std::string>& patterns) {
    constexpr std::size_t deepest = 8;
    const std::size_t stars = pattern.find("**");
    if (stars == std::string::npos) {
      patterns.push_back(pattern);
      return;
    }
    std::string between;
    for (std::size_t depth = 0; depth <= deepest; ++depth) {
      patterns.push_back(plain(pattern.substr(0, stars) + between + pattern.substr(stars + 2)));
      between += between.empty() ? "*" : "/*";
    }
  }

  static std::string plain(const std::string& pattern) {
    std::string text = std::filesystem::path(pattern).lexically_normal().generic_string();
    while (text.size() > 1 && text.ends_with('/')) text.pop_back();
    return text;
  }

  std::optional<Value> user_settings() const {
    if (!variables_) return std::nullopt;
    for (const auto& [variable, below] : {std::pair("XDG_CONFIG_HOME", "uv/uv.toml"), {"HOME", ".config/uv/uv.toml"}}) {
      const auto value = variables_(variable);
      if (value && value->starts_with('/')) return toml_at((std::filesystem::path(*value) / below).native());
    }
    return std::nullopt;
  }

  Lock lock_;
  Variables variables_;
};

}  // namespace

extern const LockFormat uv_lock_format = {
    [](std::string_view) { return true; },
    [](std::string_view text, const std::filesystem::path& path, const Variables& variables, KnownPackages* known)
        -> std::unique_ptr<const AnyLock> { return std::make_unique<UvLock>(text, path, variables, known); }};

}  // namespace veneer::python
