#include "python/lock/own_extras.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "foundation/error.hh"

namespace veneer::python {

namespace {

/// Extras that name each other under ever other conditions would go on for very long.
constexpr std::size_t most_requirements = 20'000;

class Flattening {
 public:
  Flattening(const DeclaredByExtra& declared, const std::string& project) : declared_(declared), project_(project) {}

  std::vector<DeclaredRequirement> run() {
    for (const auto& [extra, requirements] : declared_) {
      for (const DeclaredRequirement& one : requirements) add(one);
    }
    return std::move(result_);
  }

 private:
  void add(const DeclaredRequirement& one) {
    if (one.name != project_) {
      if (result_.size() == most_requirements) refuse();
      result_.push_back(one);
      return;
    }
    for (const std::string& extra : one.extras) {
      const auto asked = declared_.find(extra);
      if (asked == declared_.end() || !seen_.insert(key(extra, one)).second) continue;
      if (seen_.size() > most_requirements) refuse();
      const std::string condition = Marker::parse(fmt::format("extra == '{}'", extra)).text();
      for (DeclaredRequirement next : asked->second) {
        std::erase_if(next.all, [&](const Marker& marker) { return marker.text() == condition; });
        next.all.insert(next.all.end(), one.all.begin(), one.all.end());
        next.none.insert(next.none.end(), one.none.begin(), one.none.end());
        drop_repeated(next.all);
        add(next);
      }
    }
  }

  [[noreturn]] void refuse() const {
    throw Error(ErrorKind::refused,
                fmt::format("the extras of {} name each other in more than {} ways, so whether the lock is up to date "
                            "cannot be told",
                            printable(project_), most_requirements),
                "--frozen takes the lock as it stands");
  }

  static void drop_repeated(std::vector<Marker>& markers) {
    std::set<std::string> seen;
    std::erase_if(markers, [&](const Marker& marker) { return !seen.insert(marker.text()).second; });
  }

  static std::string key(const std::string& extra, const DeclaredRequirement& one) {
    std::set<std::string> all;
    for (const Marker& marker : one.all) all.insert(marker.text());
    for (const Marker& marker : one.none) all.insert("not " + marker.text());
    std::string key = extra;
    for (const std::string& text : all) key += "\n" + text;
    return key;
  }

  const DeclaredByExtra& declared_;
  const std::string& project_;
  std::set<std::string> seen_;
  std::vector<DeclaredRequirement> result_;
};

}  // namespace

std::vector<DeclaredRequirement> as_declared(const DeclaredByExtra& declared) {
  std::vector<DeclaredRequirement> all;
  for (const auto& [extra, requirements] : declared) all.insert(all.end(), requirements.begin(), requirements.end());
  return all;
}

std::vector<DeclaredRequirement> without_own_extras(const DeclaredByExtra& declared, const std::string& project) {
  return Flattening(declared, project).run();
}

}  // namespace veneer::python
