#include "python/project/git_tree.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/text.hh"

namespace veneer::python {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t link_mode = 0120000;
constexpr std::uint32_t executable_bit = 0100;

/// Of a clone that left objects out, none is fetched.
Command local_command(const GitRepository& repository, std::vector<std::string> arguments) {
  Command command = git_command(repository, std::move(arguments));
  command.environment["GIT_NO_LAZY_FETCH"] = "1";
  command.environment["GIT_ALLOW_PROTOCOL"] = "none";
  return command;
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
                  fmt::format("git has no object {}", printable(words.empty() ? "" : words.front(), 80)),
                  "of a clone that is shallow or partial, fetch the rest: git fetch --unshallow");
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

bool stays_below(const std::string& path) {
  return std::ranges::none_of(split_fields(path, '/'), [](const std::string& part) {
    return part.empty() || part == "." || part == ".." || part == ".git";
  });
}

}  // namespace

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
  CommandResult said = run(local_command(repository, std::move(question)));
  if (said.exit_code != 0) throw_git_error(repository.root, said);
  std::vector<GitFile> files;
  for (const std::string& line : split_words(said.output, nul)) {
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

std::vector<std::string> find_objects(const GitRepository& repository, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  Command command = local_command(repository, {"cat-file", "--batch-check=%(objectname)"});
  for (const std::string& name : names) {
    if (name.find('\n') != std::string::npos) throw Error(ErrorKind::refused, "a path has a line break");
    command.input += name + "\n";
  }
  const CommandResult said = run(command);
  std::vector<std::string> lines = split_words(said.output, "\n");
  if (said.exit_code != 0 || lines.size() != names.size()) throw_git_error(repository.root, said);
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
  if (said.exit_code != 0 || batch.taken() != objects.size()) throw_git_error(repository.root, said);
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
