// What real locks install, for every target and option set of the corpus, through what `veneer select` answers with.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "app/selection_request.hh"
#include "foundation/error.hh"
#include "foundation/json.hh"
#include "tests/support/corpus.hh"

namespace veneer::app {
namespace {

namespace fs = std::filesystem;

class Scratch {
 public:
  Scratch() {
    std::string pattern = (fs::temp_directory_path() / "veneer-locks-XXXXXX").native();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
  }
  ~Scratch() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }
  void write(const fs::path& relative, const std::string& text) const {
    fs::create_directories((path_ / relative).parent_path());
    std::ofstream(path_ / relative, std::ios::binary) << text;
  }

 private:
  fs::path path_;
};

/// Name, version, kind and file as the corpus writes them.
using Installed = std::tuple<std::string, std::string, std::string, std::string>;

std::set<Installed> installed(const python::Selection& selection) {
  std::set<Installed> result;
  for (const python::SelectedPackage& package : selection.packages) {
    std::string kind(python::package_kind_name(package.kind));
    if (kind == "git") kind = "tree";
    // The corpus does not name the files of direct archives.
    if (kind == "archive") kind = "sdist";
    const bool is_direct = package.kind != python::PackageKind::wheel && package.kind != python::PackageKind::sdist;
    result.emplace(package.name, package.version, kind, is_direct ? "" : package.file);
  }
  return result;
}

std::string text_or_empty(const Value& value) { return value.is_null() ? "" : value.string(); }

TEST(LocksConformance, EveryLockTargetAndOptionSet) {
  VENEER_NEEDS_CORPUS();
  Scratch scratch;
  for (const auto& entry : fs::directory_iterator(tests::corpus_folder() / "locks")) {
    const std::string name = entry.path().filename().native();
    if (name.find(".uv.lock") == std::string::npos) continue;
    scratch.write(name.ends_with(".xz") ? name.substr(0, name.size() - 3) : name, tests::read_corpus("locks/" + name));
  }
  std::map<std::string, std::string> full_versions;
  const Value document = parse_json(tests::read_corpus("packaging/environments.json"));
  for (const auto& [name, values] : document.table()) {
    full_versions[name] = values.at("python_full_version").string();
  }
  std::istringstream lines(tests::read_corpus("locks/expected.jsonl.xz"));
  std::map<std::string, int> counts;
  std::map<fs::path, std::unique_ptr<const python::AnyLock>> locks;
  for (std::string line; std::getline(lines, line);) {
    const Value row = parse_json(line);
    const std::string& environment = row.at("env").string();
    const std::string& options = row.at("opts").string();
    const std::string libc = row.at("libc").string();
    const std::size_t digit = libc.find_first_of("0123456789");
    const std::string machine = environment.substr(6, environment.rfind('-') - 6);
    SelectionRequest request;
    request.lock = scratch.path() / row.at("lock").string();
    request.target = parse_target(full_versions.at(environment),
                                  machine == "x86_64"    ? "linux/amd64"
                                  : machine == "aarch64" ? "linux/arm64"
                                                         : "linux/arm/v7",
                                  libc.substr(0, digit) + "-" + libc.substr(digit));
    if (options == "all-extras") request.options.extra_choice = python::ExtraChoice::all;
    if (options == "all-groups") request.options.group_choice = python::GroupChoice::all;
    if (options == "default" || options == "all-extras") request.default_groups = python::DefaultGroups::taken;
    SCOPED_TRACE(fmt::format("{} {} {} {}", row.at("lock").string(), environment, libc, options));
    const Value* error = row.find("error");
    try {
      // As answer(request) does it, but for one reading of each lock.
      std::unique_ptr<const python::AnyLock>& lock = locks[request.lock];
      if (lock == nullptr) lock = python::read_lock(request.lock, {});
      const python::Selection selection =
          python::select(*lock, {request.target, request.options, request.default_groups, ""});
      ++counts[error == nullptr ? "installed" : "wrongly accepted"];
      if (error != nullptr) {
        ADD_FAILURE() << "should be refused: " << error->string();
        continue;
      }
      std::set<Installed> expected;
      std::set<std::string> unusable;
      for (const Value& one : row.at("install").array()) {
        const Value::Array& fields = one.array();
        if (fields[2].is_null()) {
          unusable.insert(fields[0].string());
        } else {
          expected.emplace(fields[0].string(), text_or_empty(fields[1]), fields[2].string(), text_or_empty(fields[3]));
        }
      }
      EXPECT_EQ(installed(selection), expected);
      EXPECT_EQ(std::set<std::string>(selection.unusable.begin(), selection.unusable.end()), unusable);
    } catch (const Error& refusal) {
      ++counts[error != nullptr ? "refused: " + error->string() : "wrongly refused"];
      if (error == nullptr) ADD_FAILURE() << refusal.what();
    }
  }
  int rows = 0;
  for (const auto& [what, count] : counts) {
    fmt::print("{:5} {}\n", count, what);
    rows += count;
  }
  fmt::print("{:5} rows\n", rows);
  EXPECT_GE(rows, 972);
}

/// What `uv sync` was called with, as far as it concerns the selection; nothing for an option that reaches beyond it.
bool apply(const std::vector<std::string>& arguments, SelectionRequest& request) {
  bool wants_dev = true;
  python::SelectOptions& options = request.options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string name = arguments[i];
    std::string value;
    if (const std::size_t equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.erase(equals);
    } else if (name == "--extra" || name == "--group" || name == "--only-group" || name == "--package" ||
               name == "--no-group") {
      if (++i == arguments.size()) return false;
      value = arguments[i];
    }
    if (name == "--frozen" || name == "--reinstall" || name == "--locked" || name == "--no-cache") continue;
    if (name == "--extra") {
      options.extras.push_back(value);
    } else if (name == "--all-extras") {
      options.extra_choice = python::ExtraChoice::all;
    } else if (name == "--group") {
      options.groups.push_back(value);
    } else if (name == "--no-group") {
      options.excluded_groups.push_back(value);
    } else if (name == "--only-group" || name == "--only-dev") {
      // uv's --only-dev is no error without such a group.
      (name == "--only-dev" ? options.default_groups : options.groups).push_back(value.empty() ? "dev" : value);
      options.project_choice = python::ProjectChoice::groups_alone;
      wants_dev = false;
    } else if (name == "--no-dev") {
      options.excluded_groups.push_back("dev");
    } else if (name == "--package") {
      options.packages.push_back(value);
    } else if (name == "--all-packages") {
      options.member_choice = python::MemberChoice::all;
    } else {
      return false;
    }
  }
  if (wants_dev) request.default_groups = python::DefaultGroups::taken;
  return true;
}

TEST(LocksConformance, CasesOfUvSync) {
  VENEER_NEEDS_CORPUS();
  std::istringstream lines(tests::read_corpus("uv-sync/cases.jsonl"));
  std::map<std::string, int> counts;
  int number = 0;
  for (std::string line; std::getline(lines, line); ++number) {
    const Value row = parse_json(line);
    const std::string source = row.at("source").string();
    const bool in_scope = row.at("scope").string() == "lock";
    const std::string scope = in_scope ? "" : "beyond the lock: ";
    const std::vector<std::string> arguments = row.strings_or_empty("args");
    const std::string label =
        fmt::format("case {} {} [{}]", number, source.substr(source.find("::") + 2), fmt::join(arguments, " "));
    SCOPED_TRACE(label);
    Scratch scratch;
    scratch.write("uv.lock", row.at("lock").string());
    for (const auto& [name, text] : row.at("files").table()) scratch.write(name, text.string());
    SelectionRequest request;
    request.lock = scratch.path() / "uv.lock";
    const std::string minor = row.at("python").string();
    request.target = parse_target(minor == "3.11"   ? "3.11.9"
                                  : minor == "3.12" ? "3.12.7"
                                                    : "3.13.1",
                                  "linux/amd64", "glibc-2.36");
    if (!apply(arguments, request)) {
      ASSERT_FALSE(in_scope);
      ++counts[scope + "other options"];
      continue;
    }
    const bool expects_error = row.at("expect").string() == "error";
    std::map<std::string, std::string> expected;
    if (!expects_error) {
      for (const auto& [name, version] : row.at("installed").table()) expected[name] = text_or_empty(version);
    }
    try {
      const python::Selection selection = answer(request);
      std::map<std::string, std::string> selected;
      for (const python::SelectedPackage& package : selection.packages) {
        // The version of a dynamic project is not in the lock.
        const auto known = expected.find(package.name);
        selected[package.name] = package.version.empty() && known != expected.end() ? known->second : package.version;
      }
      if (in_scope) {
        EXPECT_EQ(expects_error, !selection.unusable.empty());
        if (!expects_error) {
          EXPECT_EQ(selected, expected);
        }
        ++counts["as uv"];
      } else {
        const bool same = !expects_error && selected == expected;
        ++counts[scope + (same ? "as uv" : "differs")];
        if (!same)
          fmt::print("{}: {} by uv, {} selected\n", label, expects_error ? "an error" : "installed", selected.size());
      }
    } catch (const Error& error) {
      if (in_scope) {
        EXPECT_TRUE(expects_error) << error.what();
      }
      ++counts[in_scope ? "an error, as uv" : scope + (expects_error ? "an error, as uv" : "differs")];
      if (!in_scope && !expects_error) fmt::print("{}: {}\n", label, error.what());
    }
  }
  for (const auto& [what, count] : counts) fmt::print("{:5} {}\n", count, what);
  EXPECT_GE(number, 118);
}

}  // namespace
}  // namespace veneer::app
