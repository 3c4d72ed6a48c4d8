#include "python/project/git_tree.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <set>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"

namespace veneer::python {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t link_mode = 0120000;
constexpr std::uint32_t executable_bit = 0100;

constexpr const char* rest_hint =
    "of a clone that is shallow or partial, fetch the rest: git fetch --unshallow, git fetch --refetch --no-filter";

/// Of a clone that left objects out, none is fetched.
Command local_command(const GitRepository& repository, std::vector<std::string> arguments) {
  Command command = git_command(repository, std::move(arguments));
  command.environment["GIT_NO_LAZY_FETCH"] = "1";
  command.environment["GIT_ALLOW_PROTOCOL"] = "none";
  return command;
}

[[noreturn]] void throw_local_error(const GitRepository& repository, const CommandResult& said) {
  try {
    throw_git_error(repository.root, said);
  } catch (Error& error) {
    if (error.hint().empty()) error.set_hint(rest_hint);
    throw;
  }
}

/// What `git cat-file --batch` prints, object by object.
class Batch : public ByteSink {
 public:
  Batch(std::uint64_t largest, const std::function<void(std::size_t, std::string_view)>& take)
      : largest_(largest), take_(take) {}

  void write(ByteView bytes) override {
    held_ += as_text(bytes);
    std::size_t begin = 0;
    while (true) {
      if (!is_in_object_ && !read_head(begin)) break;
      if (held_.size() - begin <= size_) break;  // the object and the line end behind it
      take_(place_++, std::string_view(held_).substr(begin, size_));
      begin += size_ + 1;
      is_in_object_ = false;
    }
    held_.erase(0, begin);
  }
  void commit() override {}
  std::size_t taken() const { return place_; }

 private:
  /// "NAME TYPE SIZE"; "NAME missing" of what is not there.
  bool read_head(std::size_t& begin) {
    const std::size_t end = held_.find('\n', begin);
    if (end == std::string::npos) return false;
    const std::vector<std::string> words = split_words(std::string_view(held_).substr(begin, end - begin), " ");
    const auto size = words.size() == 3 ? read_number<std::uint64_t>(words[2]) : std::nullopt;
    if (!size) {
      throw Error(ErrorKind::failed,
                  fmt::format("git has no object {}", printable(words.empty() ? "" : words.front(), 80)), rest_hint);
    }
    if (*size > largest_) throw Error(ErrorKind::refused, fmt::format("a file of the commit has {} bytes", *size));
    size_ = *size;
    begin = end + 1;
    is_in_object_ = true;
    return true;
  }

  std::uint64_t largest_;
  const std::function<void(std::size_t, std::string_view)>& take_;
  std::string held_;
  std::uint64_t size_ = 0;
  std::size_t place_ = 0;
  bool is_in_object_ = false;
};

constexpr std::uint32_t folder_mode = 040000;
constexpr std::uint32_t submodule_mode = 0160000;
constexpr std::uint64_t largest_tree = 64 << 20;
constexpr std::size_t deepest_tree = 256;

using Trees = std::map<std::string, std::vector<TreeEntry>, std::less<>>;  // by object

void collect(const Trees& trees, const std::string& object, const std::string& folder, std::size_t depth,
             const std::function<bool(const std::string&)>& is_wanted, std::vector<GitFile>& files) {
  if (depth > deepest_tree) throw Error(ErrorKind::refused, "a commit's folders are too deep");
  for (const TreeEntry& entry : trees.at(object)) {
    std::string path = folder + entry.name;
    if (entry.mode == folder_mode) {
      collect(trees, entry.object, path + "/", depth + 1, is_wanted, files);
    } else if (entry.mode != submodule_mode && is_wanted(path)) {
      files.push_back({std::move(path), entry.mode, entry.object});
    }
  }
}

bool stays_below(const std::string& path) {
  return std::ranges::none_of(split_fields(path, '/'), [](const std::string& part) {
    return part.empty() || part == "." || part == ".." || part == ".git";
  });
}

}  // namespace

std::string local_git_output(const GitRepository& repository, std::vector<std::string> arguments) {
  CommandResult said = run(local_command(repository, std::move(arguments)));
  if (said.exit_code != 0) throw_local_error(repository, said);
  return std::move(said.output);
}

std::string find_commit(const GitRepository& repository, const std::string& revision) {
  const CommandResult said =
      run(local_command(repository, {"rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"}));
  if (said.exit_code == 0) return std::string(trimmed(said.output));
  throw Error(ErrorKind::not_found,
              fmt::format("{} is no commit of {}", printable(revision), printable(repository.root.native())),
              repository.history == History::shallow
                  ? "this clone is shallow; fetch the rest: git fetch --unshallow --tags"
                  : "'git log' and 'git tag' list what there is; 'git fetch --tags' brings more");
}

std::vector<GitFile> files_of_commit(const GitRepository& repository, const std::string& commit,
                                     const std::string& folder) {
  std::vector<std::string> question = {"ls-tree", "-r", "-z", "--full-tree", commit};
  if (!folder.empty()) question.insert(question.end(), {"--", folder});
  std::vector<GitFile> files;
  for (const std::string& line : split_words(local_git_output(repository, std::move(question)), nul)) {
    const std::size_t tab = line.find('\t');
    const std::vector<std::string> words = split_words(std::string_view(line).substr(0, tab), " ");
    if (tab == std::string::npos || words.size() != 3 || words[1] != "blob") continue;
    const std::string path = line.substr(tab + 1);
    if (!path.starts_with(folder)) continue;
    files.push_back(
        {path.substr(folder.size()), static_cast<std::uint32_t>(std::stoul(words[0], nullptr, 8)), words[2]});
  }
  return files;
}

std::vector<TreeEntry> parse_tree(std::string_view content, std::size_t hash_bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::vector<TreeEntry> entries;
  while (!content.empty()) {
    const std::size_t space = content.find(' ');
    const std::size_t end = content.find('\0');
    TreeEntry entry;
    const auto mode = std::from_chars(content.data(), content.data() + std::min(space, content.size()), entry.mode, 8);
    if (space == std::string_view::npos || end == std::string_view::npos || end < space + 2 || mode.ec != std::errc() ||
        mode.ptr != content.data() + space || content.size() - end - 1 < hash_bytes) {
      throw Error(ErrorKind::refused, "an object of git is no tree");
    }
    entry.name = content.substr(space + 1, end - space - 1);
    if (entry.name.find('/') != std::string::npos)
      throw Error(ErrorKind::refused, "a tree of git has a name with a slash");
    for (const char byte : content.substr(end + 1, hash_bytes)) {
      entry.object += digits[static_cast<unsigned char>(byte) >> 4];
      entry.object += digits[static_cast<unsigned char>(byte) & 15];
    }
    content.remove_prefix(end + 1 + hash_bytes);
    entries.push_back(std::move(entry));
  }
  return entries;
}

void read_trees(const GitRepository& repository, const std::vector<std::string>& trees,
                const std::function<bool(const std::string&)>& is_wanted,
                const std::function<void(std::size_t, const std::vector<GitFile>&)>& take) {
  constexpr std::size_t sha1_bytes = 20;
  constexpr std::size_t sha256_bytes = 32;
  const std::size_t hash_bytes = repository.object_format == "sha256" ? sha256_bytes : sha1_bytes;
  Trees read;
  std::set<std::string> wanted(trees.begin(), trees.end());
  wanted.erase("");
  while (!wanted.empty()) {
    const std::vector<std::string> objects(wanted.begin(), wanted.end());
    wanted.clear();
    read_objects(repository, objects, largest_tree, [&](std::size_t place, std::string_view content) {
      read[objects[place]] = parse_tree(content, hash_bytes);
    });
    for (const std::string& object : objects) {
      for (const TreeEntry& entry : read[object]) {
        if (entry.mode == folder_mode && !read.contains(entry.object)) wanted.insert(entry.object);
      }
    }
  }
  for (std::size_t place = 0; place < trees.size(); ++place) {
    std::vector<GitFile> files;
    if (!trees[place].empty()) collect(read, trees[place], "", 0, is_wanted, files);
    take(place, files);
  }
}

std::vector<std::string> find_objects(const GitRepository& repository, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  Command command = local_command(repository, {"cat-file", "--batch-check=%(objectname)"});
  for (const std::string& name : names) {
    if (name.find('\n') != std::string::npos) throw Error(ErrorKind::refused, "a path has a line break");
    command.input += name + "\n";
  }
  const CommandResult said = run(command);
  std::vector<std::string> lines = split_words(said.output, "\n");
  if (said.exit_code != 0 || lines.size() != names.size()) throw_local_error(repository, said);
  for (std::string& line : lines) {
    if (line.find(' ') != std::string::npos) line.clear();  // "NAME missing"
  }
  return lines;
}

void read_objects(const GitRepository& repository, const std::vector<std::string>& objects, std::uint64_t largest,
                  const std::function<void(std::size_t, std::string_view)>& take) {
  if (objects.empty()) return;
  Command command = local_command(repository, {"cat-file", "--batch"});
  for (const std::string& object : objects) command.input += object + "\n";
  Batch batch(largest, take);
  const CommandResult said = run_into(command, batch);
  if (said.exit_code != 0 || batch.taken() != objects.size()) throw_local_error(repository, said);
}

void write_files(const GitRepository& repository, const std::vector<GitFile>& files, const fs::path& to,
                 std::uint64_t most) {
  std::vector<std::string> objects;
  for (const GitFile& file : files) {
    if (!stays_below(file.path)) {
      throw Error(ErrorKind::refused, fmt::format("a file of the commit is called '{}'", printable(file.path)));
    }
    make_folders((to / file.path).parent_path());  // before there is any link
    objects.push_back(file.object);
  }
  std::vector<std::pair<const GitFile*, std::string>> links;
  std::uint64_t bytes = 0;
  read_objects(repository, objects, most, [&](std::size_t place, std::string_view content) {
    const GitFile& file = files[place];
    bytes += content.size();
    if (bytes > most) throw Error(ErrorKind::refused, fmt::format("the commit has more than {} bytes", most));
    if (file.mode == link_mode) {
      links.emplace_back(&file, content);
    } else {
      AtomicFile written(to / file.path, (file.mode & executable_bit) != 0 ? 0755 : 0644);
      written.write(as_bytes(content));
      written.commit_unsynced();
    }
  });
  for (const auto& [file, target] : links) {
    std::error_code error;
    fs::create_symlink(target, to / file->path, error);
    if (error) throw_system_error("write", to / file->path, error.value());
  }
}

}  // namespace veneer::python
