#include "build/prepare.hh"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>

#include "archive/content.hh"
#include "build/placement.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "foundation/process.hh"
#include "foundation/text.hh"
#include "image/run_config.hh"
#include "tree/hashed_content.hh"
#include "tree/unpack.hh"

namespace veneer::build {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds patience{600};  // without a word of the command
constexpr std::size_t most_shown = 5;

constexpr std::string_view enter = R"(
import json, os, sys
asked = json.loads(sys.argv[1])
os.chdir(asked["folder"])
try:
    os.execvpe(asked["command"][0], asked["command"], asked["environment"])
except OSError as fault:
    sys.exit(f"{asked['command'][0]}: {fault.strerror}")
)";

SandboxUser user_of(const image::RunConfig& config) {
  const std::string text = config.run.string_or("User", "0:0");
  const std::size_t colon = std::min(text.find(':'), text.size());
  const auto uid = read_number<std::uint64_t>(text.substr(0, colon));
  const auto gid = colon < text.size() ? read_number<std::uint64_t>(text.substr(colon + 1)) : uid;
  if (!uid || !gid) throw Error(ErrorKind::refused, "the image's user is no number, so its files cannot be prepared");
  return {*uid, *gid};
}

Sandbox sandbox_for(const SandboxUser& user) {
  auto sandbox = find_sandbox(Furniture::wanted, user);
  if (sandbox && sandbox->is_furnished) return std::move(*sandbox);
  throw Error(ErrorKind::failed, "files are to be prepared, but programs of the image cannot be run here",
              "it needs a machine of the image's kind and root or user namespaces; a cache that has the layer will do");
}

struct stat stat_of(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) throw_system_error("read", path, errno);
  return status;
}

bool is_there(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

/// The folder above `path` of the image, each part a folder: nothing is read or written through a link that a command
/// made.
void check_way(const fs::path& root, const std::string& path) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const fs::path place = root / path.substr(0, slash);
    if (is_there(place) && !S_ISDIR(stat_of(place).st_mode)) {
      throw Error(ErrorKind::refused, fmt::format("/{} is no folder, so nothing is taken from /{}",
                                                  printable(path.substr(0, slash)), printable(path)));
    }
  }
}

/// What lies at and below the output `path`, whoever made it.
class PreparedCollector {
 public:
  PreparedCollector(const fs::path& root, PreparedFiles& into, const std::map<std::string, Hash>& before,
                    const std::function<bool(const std::string&)>& is_hidden)
      : root_(root), into_(into), before_(before), is_hidden_(is_hidden) {}

  void take(const std::string& path) {
    const fs::path place = root_ / path;
    const struct stat status = stat_of(place);
    if (++count_ > most_prepared_files)
      throw Error(ErrorKind::refused, fmt::format("it made more than {} files and folders", most_prepared_files));
    if (S_ISDIR(status.st_mode)) {
      into_.tree.put(path, tree::make_folder(0755, 0, 0, fixed_time));
      std::vector<std::string> names;
      for (const auto& entry : fs::directory_iterator(place)) names.push_back(entry.path().filename().native());
      std::sort(names.begin(), names.end());
      for (const std::string& name : names) take(path + "/" + name);
    } else if (S_ISLNK(status.st_mode)) {
      into_.tree.put(path, tree::make_symlink(fs::read_symlink(place).native(), 0, 0, fixed_time));
    } else if (S_ISREG(status.st_mode)) {
      take_file(path, place, status);
    } else {
      throw Error(ErrorKind::refused, fmt::format("it made /{}, which is no file, folder or link", printable(path)));
    }
  }

 private:
  void take_file(const std::string& path, const fs::path& place, const struct stat& status) {
    const auto size = static_cast<std::uint64_t>(status.st_size);
    bytes_ += size;
    if (bytes_ > most_prepared_bytes)
      throw Error(ErrorKind::refused, fmt::format("it made more than {} bytes", most_prepared_bytes));
    auto content = std::make_shared<archive::FileContent>(place, size);
    if (const auto known = before_.find(path); known != before_.end()) {
      if (tree::content_hash(*content) == known->second) return;  // as it was
      if (is_hidden_(path)) {
        throw Error(ErrorKind::refused,
                    fmt::format("it changed /{}, a file of the application, which lies above what is prepared",
                                printable(path)),
                    "let it write under another name, or leave that file out of the application");
      }
    }
    into_.tree.put(path,
                   tree::make_file(std::move(content), (status.st_mode & 0111) != 0 ? 0755 : 0644, 0, 0, fixed_time));
  }

  const fs::path& root_;
  PreparedFiles& into_;
  const std::map<std::string, Hash>& before_;
  const std::function<bool(const std::string&)>& is_hidden_;
  std::size_t count_ = 0;
  std::uint64_t bytes_ = 0;
};

std::map<std::string, Hash> hashes_below(const fs::path& root, const std::string& path) {
  std::map<std::string, Hash> result;
  const auto note = [&](const fs::path& place) {
    const struct stat status = stat_of(place);
    if (!S_ISREG(status.st_mode)) return;
    const archive::FileContent content(place, static_cast<std::uint64_t>(status.st_size));
    result.emplace(place.lexically_relative(root).native(), tree::content_hash(content));
  };
  const fs::path place = root / path;
  if (!is_there(place)) return result;
  note(place);
  if (S_ISDIR(stat_of(place).st_mode)) {
    for (const auto& entry : fs::recursive_directory_iterator(place)) note(entry.path());
  }
  return result;
}

/// "SECRET_KEY" of "KeyError: 'SECRET_KEY'" in the last line of what a command said.
std::string wanted_variable(std::string_view errors) {
  const std::vector<std::string> lines = split_words(errors, "\n");
  if (lines.empty()) return {};
  std::string name;
  for (const char c : lines.back() + " ") {
    if ((c >= 'A' && c <= 'Z') || c == '_' || (!name.empty() && is_digit(c))) {
      name += c;
    } else if (name.size() > 3 && !is_letter(c)) {
      return name;
    } else {
      name.clear();
    }
  }
  return {};
}

}  // namespace

std::string prepare_title(const python::PrepareStep& step) {
  std::string title;
  for (const std::string& word : step.command) title += (title.empty() ? "" : " ") + word;
  return printable(title, 100);
}

PreparedRoot::PreparedRoot(tree::FileTree staged, fs::path root, const image::RunConfig& config,
                           std::optional<std::size_t> application_layer)
    : tree_(std::move(staged)),
      root_(std::move(root)),
      config_(config),
      application_layer_(application_layer),
      user_(user_of(config)),
      sandbox_(sandbox_for(user_)),
      interpreter_(image::environment_variable(config, "VIRTUAL_ENV") + "/bin/python") {
  make_folders(root_);
  tree::move_to(tree_, root_, ::geteuid() == 0 && !sandbox_.is_root ? tree::Owners::kept : tree::Owners::mine);
  if (::chmod(root_.c_str(), 0755) != 0) throw_system_error("write", root_, errno);
}

PreparedFiles PreparedRoot::run(const python::PrepareStep& step) {
  return in_context(
      [&] { return "preparing files by " + prepare_title(step); },
      [&] {
        std::vector<std::string> outputs;
        std::map<std::string, Hash> before;
        for (const std::string& output : step.outputs) {
          outputs.push_back(tree_.locate(output.substr(1), tree::DanglingParents::followed));
          check_way(root_, outputs.back());
          make_writable(outputs.back());
          before.merge(hashes_below(root_, outputs.back()));
        }
        execute(step);
        PreparedFiles result;
        const std::function<bool(const std::string&)> is_hidden = [&](const std::string& path) {
          const auto entry = tree_.entries().find(path);
          return entry != tree_.entries().end() && application_layer_ && entry->second.layer >= *application_layer_;
        };
        PreparedCollector collector(root_, result, before, is_hidden);
        for (const std::string& output : outputs) {
          check_way(root_, output);
          if (!is_there(root_ / output)) {
            throw Error(ErrorKind::refused, fmt::format("it made no /{}, which outputs names", printable(output)));
          }
          collector.take(output);
        }
        result.elsewhere = written_elsewhere(outputs);
        return result;
      });
}

/// What is at the output, and the folder that it lies in, belong to the image's user while commands run.
void PreparedRoot::make_writable(const std::string& path) const {
  fs::path place = root_;
  for (const std::string& part : split_words(tree::parent_path(path), "/")) {
    place /= part;
    if (is_there(place)) continue;
    make_folders(place);
    give(place);
  }
  give(place);
  const fs::path output = root_ / path;
  if (!is_there(output)) return;
  give(output);
  if (!S_ISDIR(stat_of(output).st_mode)) return;
  for (const auto& entry : fs::recursive_directory_iterator(output)) give(entry.path());
}

void PreparedRoot::give(const fs::path& path) const {
  if (::geteuid() != 0 || sandbox_.is_root) return;  // then whoever runs this is that user
  if (::lchown(path.c_str(), static_cast<uid_t>(user_.uid), static_cast<gid_t>(user_.gid)) != 0)
    throw_system_error("write", path, errno);
}

void PreparedRoot::execute(const python::PrepareStep& step) const {
  std::map<std::string, std::string> environment = {{"PYTHONDONTWRITEBYTECODE", "1"},
                                                    {"PYTHONHASHSEED", "0"},
                                                    {"SOURCE_DATE_EPOCH", std::to_string(fixed_time)},
                                                    {"HOME", "/"}};
  for (const std::string& entry : config_.run.strings_or_empty("Env")) {
    const std::size_t equals = entry.find('=');
    if (equals != std::string::npos) environment[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  for (const auto& [name, value] : step.environment) environment[name] = value;
  Value variables{Value::Table{}};
  for (const auto& [name, value] : environment) variables.set(name, value);
  Value::Array words;
  for (const std::string& word : step.command) words.emplace_back(word);
  Value frame;
  frame.set("folder", config_.run.string_or("WorkingDir", "/"));
  frame.set("command", std::move(words));
  frame.set("environment", std::move(variables));
  Command command;
  command.arguments = sandbox_.words;
  command.arguments.insert(command.arguments.end(),
                           {root_.native(), interpreter_, "-I", "-S", "-c", std::string(enter), to_json(frame)});
  command.patience = patience;
  const CommandResult result = veneer::run(command);
  if (result.ending == Ending::out_of_patience)
    throw Error(ErrorKind::failed, fmt::format("it said nothing for {} minutes", patience.count() / 60));
  if (result.exit_code == 0) return;
  const std::string& said = result.errors.empty() ? result.output : result.errors;
  const std::string variable = wanted_variable(said);
  throw Error(ErrorKind::failed, fmt::format("it ended with exit code {}:\n{}", result.exit_code, last_lines(said)),
              variable.empty() ? "it has the image's variables and its env, and no network"
                               : fmt::format("if it wants the variable {0}, give it one that is good enough for this: "
                                             "env = {{ {0} = \"…\" }}",
                                             variable));
}

/// What a command wrote that is in no layer then, but for caches.
std::vector<std::string> PreparedRoot::written_elsewhere(const std::vector<std::string>& outputs) const {
  std::vector<std::string> found;
  const std::string home = image::environment_variable(config_, "HOME");
  const std::string folder = config_.run.string_or("WorkingDir", "/").substr(1);
  if (folder.empty() || !is_there(root_ / folder)) return found;
  for (auto entry = fs::recursive_directory_iterator(root_ / folder); entry != fs::recursive_directory_iterator();
       ++entry) {
    const std::string path = entry->path().lexically_relative(root_).native();
    if (std::find(outputs.begin(), outputs.end(), path) != outputs.end() || "/" + path == home) {
      entry.disable_recursion_pending();
      continue;
    }
    if (!tree_.contains(path) && !entry->is_directory() && found.size() < most_shown) found.push_back("/" + path);
  }
  return found;
}

}  // namespace veneer::build
