#include "start/copied_files.hh"

#include <fmt/format.h>

#include <fnmatch.h>
#include <algorithm>
#include <array>
#include <filesystem>

#include "foundation/error.hh"
#include "foundation/text.hh"
#include "start/plain_path.hh"

namespace veneer::start {

namespace {

namespace fs = std::filesystem;

using owners::FileCopy;
using owners::StageFacts;
using Words = std::vector<std::string>;
using LocatedRules = std::vector<owners::Located<python::FileRule>>;

constexpr int deepest_stage = 8;  // stages that copy from stages

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

/// The project's paths that a source of COPY names: itself, or what its pattern fits in one folder.
Words named(const Inputs& inputs, const std::string& source) {
  const std::string name = plain_path("/" + source).substr(1);
  if (name.empty()) return {"."};
  if (name.find_first_of("*?[") == std::string::npos) {
    return inputs.has_file(name) || inputs.has_folder(name) ? Words{name} : Words{};
  }
  Words found;
  for (const std::string& file : inputs.files) {
    // A pattern fits a part of the path at a time.
    std::string part = file;
    const auto depth = static_cast<std::size_t>(std::count(name.begin(), name.end(), '/'));
    std::size_t at = 0;
    for (std::size_t i = 0; i <= depth && at != std::string::npos; ++i) at = file.find('/', i == 0 ? 0 : at + 1);
    if (at != std::string::npos) part = file.substr(0, at);
    if (::fnmatch(name.c_str(), part.c_str(), FNM_PATHNAME) == 0 && (found.empty() || found.back() != part))
      found.push_back(part);
  }
  return found;
}

bool is_only_for_installing(const std::string& name) {
  constexpr std::array<std::string_view, 6> names = {"uv.lock",      "poetry.lock",     "pdm.lock",
                                                     "Pipfile.lock", ".python-version", ".dockerignore"};
  return std::find(names.begin(), names.end(), name) != names.end() || name == ".git" || name == ".env" ||
         name.starts_with(".env.");
}

class FileRules {
 public:
  FileRules(const Inputs& inputs, const owners::Dockerfile& file, std::string above, std::vector<TakenItem>& left)
      : inputs_(inputs), file_(file), above_(std::move(above)), left_(left) {}

  LocatedRules of(const StageFacts& facts) { return of(facts, 0); }

 private:
  LocatedRules of(const StageFacts& facts, int depth) {
    LocatedRules rules;
    for (const FileCopy& copy : facts.copies) {
      if (copy.from.empty()) {
        from_context(copy, rules);
        continue;
      }
      const owners::Stage* stage = file_.find(copy.from);
      const std::size_t before = rules.size();
      // A stage cannot be one of those that stand below.
      if (stage != nullptr && depth < deepest_stage &&
          static_cast<std::size_t>(stage - file_.stages.data()) < index_of(facts)) {
        from_stage(copy, of(owners::evaluate(file_, copy.from), depth + 1), rules);
      }
      if (rules.size() == before && depth == 0) leave_made(copy);
    }
    return rules;
  }

  std::size_t index_of(const StageFacts& facts) const {
    const auto found = std::find_if(file_.stages.begin(), file_.stages.end(),
                                    [&](const auto& stage) { return stage.line == facts.line; });
    return static_cast<std::size_t>(found - file_.stages.begin());
  }

  /// What only a RUN, or another image, has; not the environment and its tools, which the image has of its own.
  void leave_made(const FileCopy& copy) const {
    for (const std::string& source : copy.sources) {
      const std::string name = without_slash(source);
      const std::string base = name.substr(name.rfind('/') + 1);
      constexpr std::array<std::string_view, 5> ours = {".venv", "venv", "uv", "uvx", "site-packages"};
      if (std::find(ours.begin(), ours.end(), base) != ours.end() || name.starts_with("/usr/local") || name == "/venv")
        continue;
      left_.push_back({fmt::format("COPY --from={} {}", printable(copy.from), printable(source)),
                       place_of(file_.file, copy.line), "it is made there, and is no file of the project"});
    }
  }

  static void put(LocatedRules& rules, python::FileRule rule, const FileCopy& copy) {
    std::erase_if(rules, [&](const auto& other) { return other.value.to == rule.to && other.value.from == rule.from; });
    rules.push_back({std::move(rule), copy.line});
  }

  struct Source {
    std::string path;           // as the project's folder sees it
    std::string below;          // of the destination: there lies the project in what is copied, "/apps/web"
    bool is_elsewhere = false;  // of another project in the context
  };

  Source in_project(const std::string& source) const {
    if (above_.empty()) return {source, "", false};
    const std::string name = plain_path("/" + source).substr(1);
    if (name.empty()) return {".", "/" + above_, false};
    if (name == above_) return {".", "", false};
    if (name.starts_with(above_ + "/")) return {name.substr(above_.size() + 1), "", false};
    if (above_.starts_with(name + "/")) return {".", above_.substr(name.size()), false};
    return {"", "", true};
  }

  void from_context(const FileCopy& copy, LocatedRules& rules) const {
    std::size_t count = 0;
    for (const std::string& source : copy.sources) {
      if (source.find("://") != std::string::npos) {
        left_.push_back({"ADD " + printable(source), place_of(file_.file, copy.line), "it is not fetched"});
        continue;
      }
      const Source own = in_project(source);
      count += own.is_elsewhere ? 1 : 0;
      for (const std::string& name : own.is_elsewhere ? Words{} : named(inputs_, own.path)) {
        ++count;
        const std::string base = name.substr(name.rfind('/') + 1);
        if (is_only_for_installing(base)) continue;
        const std::string folder = without_slash(copy.to) + own.below;
        std::optional<std::uint32_t> mode;
        if (const auto number = read_octal(copy.mode)) mode = *number;
        // A folder's content goes into the destination; a file does where that is a folder.
        const bool is_folder = name == "." || !inputs_.has_file(name);
        const bool into = !is_folder && (copy.to.ends_with('/') || copy.sources.size() > 1 ||
                                         source.find_first_of("*?[") != std::string::npos);
        put(rules, {name, into ? (folder == "/" ? "" : folder) + "/" + base : folder, is_folder ? std::nullopt : mode},
            copy);
      }
      if (count == 0 && source.find_first_of("*?[") == std::string::npos) {
        left_.push_back({fmt::format("COPY {}", printable(source)), place_of(file_.file, copy.line),
                         "the project has no such file, or it is ignored"});
      }
    }
  }

  static std::optional<std::uint32_t> read_octal(const std::string& text) {
    if (text.size() < 3 || text.size() > 4 || text.find_first_not_of("01234567") != std::string::npos)
      return std::nullopt;
    return static_cast<std::uint32_t>(std::stoul(text, nullptr, 8));
  }

  /// What the other stage has below the source goes where this COPY says.
  void from_stage(const FileCopy& copy, const LocatedRules& there, LocatedRules& rules) const {
    for (const std::string& source : copy.sources) {
      const std::string from = without_slash(source.starts_with('/') ? source : "/" + source);
      const std::string to = without_slash(copy.to);
      for (const auto& [rule, line] : there) {
        const std::string above = rule.to == "/" ? "/" : rule.to + "/";
        if (rule.to == from) {
          const bool is_file = inputs_.has_file(rule.from);
          const std::string name = from.substr(from.rfind('/') + 1);
          put(rules,
              {rule.from, is_file && copy.to.ends_with('/') ? (to == "/" ? "" : to) + "/" + name : to, rule.mode},
              copy);
        } else if (rule.to.starts_with(from == "/" ? "/" : from + "/")) {
          put(rules, {rule.from, (to == "/" ? "" : to) + rule.to.substr(from == "/" ? 0 : from.size()), rule.mode},
              copy);
        } else if (from.starts_with(above)) {
          const std::string name =
              fs::path(rule.from == "." ? from.substr(above.size()) : rule.from + "/" + from.substr(above.size()))
                  .native();
          if (inputs_.has_file(name) || inputs_.has_folder(name)) put(rules, {name, to, rule.mode}, copy);
        }
      }
    }
  }

  const Inputs& inputs_;
  const owners::Dockerfile& file_;
  std::string above_;
  std::vector<TakenItem>& left_;
};

}  // namespace

LocatedRules copied_files(const Inputs& inputs, const owners::Dockerfile& file, const StageFacts& facts,
                          const std::string& above, std::vector<TakenItem>& left) {
  return FileRules(inputs, file, above, left).of(facts);
}

}  // namespace veneer::start
