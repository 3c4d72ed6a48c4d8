#include "python/specifier.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::python {

namespace {

/// Whether `version` begins with the first `count` numbers of `start`, epoch included.
bool starts_with_release(const Version& version, const Version& start, std::size_t count) {
  if (version.epoch != start.epoch) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if ((i < version.release.size() ? version.release[i] : 0) != start.release[i]) return false;
  }
  return true;
}

}  // namespace

std::optional<Specifier> Specifier::parse(std::string_view text) {
  struct Named {
    std::string_view written;
    Operator means;
  };
  constexpr std::array operators = {Named{"===", Operator::arbitrary}, Named{"~=", Operator::compatible},
                                    Named{"==", Operator::equal},      Named{"!=", Operator::not_equal},
                                    Named{"<=", Operator::less_equal}, Named{">=", Operator::greater_equal},
                                    Named{"<", Operator::less},        Named{">", Operator::greater}};
  text = trimmed(text);
  const auto found = std::find_if(operators.begin(), operators.end(),
                                  [&](const Named& named) { return text.starts_with(named.written); });
  if (found == operators.end()) return std::nullopt;
  Specifier result;
  result.operator_ = found->means;
  std::string_view version = trimmed(text.substr(found->written.size()));
  result.text_ = std::string(found->written) + std::string(version);
  if (version.empty() || version.find_first_of(" \t\n\r\f\v;)") != std::string_view::npos) return std::nullopt;
  if (result.operator_ == Operator::arbitrary) return result;
  const bool is_equality = result.operator_ == Operator::equal || result.operator_ == Operator::not_equal;
  if (version.ends_with(".*")) {
    if (!is_equality) return std::nullopt;
    result.is_prefix_ = true;
    version.remove_suffix(2);
  }
  const auto parsed = Version::parse(version);
  if (!parsed) return std::nullopt;
  result.version_ = *parsed;
  const Version& v = result.version_;
  if (!v.local.empty() && (!is_equality || result.is_prefix_)) return std::nullopt;
  if (result.is_prefix_ && (v.pre || v.post || v.dev)) return std::nullopt;
  if (result.operator_ == Operator::compatible && v.release.size() < 2) return std::nullopt;
  return result;
}

bool Specifier::matches(const Version& version) const {
  const auto equals = [&] {
    if (is_prefix_) return starts_with_release(version, version_, version_.release.size());
    return version_.local.empty() ? version.without_local() == version_ : version == version_;
  };
  switch (operator_) {
    case Operator::equal: return equals();
    case Operator::not_equal: return !equals();
    case Operator::less_equal: return version.without_local() <= version_;
    case Operator::greater_equal: return version.without_local() >= version_;
    case Operator::compatible:
      return version.without_local() >= version_ && starts_with_release(version, version_, version_.release.size() - 1);
    case Operator::less: {
      // "<2" leaves out 2's own pre-releases.
      if (version_.is_prerelease()) return version < version_;
      Version first = version_;
      first.dev = 0;
      return version < first;
    }
    case Operator::greater: {
      // ">2" leaves out 2's own post-releases and local versions.
      if (!(version.without_local() > version_)) return false;
      if (version_.post || version_.dev || !version.post) return true;
      Version base = version.without_local();
      base.post.reset();
      base.dev.reset();
      return base != version_;
    }
    case Operator::arbitrary: return matches(std::string_view(version.text()));
  }
  return false;
}

bool Specifier::matches(std::string_view version) const {
  if (operator_ == Operator::arbitrary) return lower(trimmed(version)) == lower(std::string_view(text_).substr(3));
  const auto parsed = Version::parse(version);
  return parsed && matches(*parsed);
}

bool Specifier::names_prerelease() const {
  if (operator_ == Operator::not_equal || is_prefix_) return false;
  if (operator_ != Operator::arbitrary) return version_.is_prerelease();
  const auto parsed = Version::parse(std::string_view(text_).substr(3));
  return parsed && parsed->is_prerelease();
}

std::optional<SpecifierSet> SpecifierSet::parse(std::string_view text) {
  SpecifierSet result;
  if (trimmed(text).empty()) return result;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    const std::string_view clause = trimmed(text.substr(start, end - start));
    start = end + 1;
    // A comma at the end is no clause more.
    if (clause.empty() && start > text.size() && !result.clauses_.empty()) break;
    const auto parsed = Specifier::parse(clause);
    if (!parsed) return std::nullopt;
    result.clauses_.push_back(*parsed);
  }
  return result;
}

bool SpecifierSet::contains(std::string_view version, Prereleases prereleases) const {
  return !filter({std::string(version)}, prereleases).empty();
}

bool SpecifierSet::contains(const Version& version) const {
  return std::all_of(clauses_.begin(), clauses_.end(), [&](const Specifier& one) { return one.matches(version); });
}

std::vector<std::string> SpecifierSet::filter(const std::vector<std::string>& versions, Prereleases prereleases) const {
  if (prereleases == Prereleases::as_needed &&
      std::any_of(clauses_.begin(), clauses_.end(), [](const Specifier& one) { return one.names_prerelease(); })) {
    prereleases = Prereleases::accept;
  }
  std::vector<std::string> taken;
  std::vector<std::string> held_back;
  for (const std::string& version : versions) {
    if (!std::all_of(clauses_.begin(), clauses_.end(),
                     [&](const Specifier& one) { return one.matches(std::string_view(version)); })) {
      continue;
    }
    const auto parsed = Version::parse(version);
    const bool is_prerelease = parsed && parsed->is_prerelease();
    (is_prerelease && prereleases != Prereleases::accept ? held_back : taken).push_back(version);
  }
  return prereleases == Prereleases::as_needed && taken.empty() ? held_back : taken;
}

std::string SpecifierSet::text() const {
  std::vector<std::string> texts;
  for (const Specifier& clause : clauses_) texts.push_back(clause.text());
  std::sort(texts.begin(), texts.end());
  std::string result;
  for (const std::string& text : texts) result += (result.empty() ? "" : ",") + text;
  return result;
}

bool allows_python(const std::string& requires_python, const std::string& full_version) {
  const auto specifiers = SpecifierSet::parse(requires_python);
  if (!specifiers) {
    throw Error(ErrorKind::refused, fmt::format("requires-python is \"{}\", which are no version specifiers (PEP 440)",
                                                printable(requires_python)));
  }
  auto version =
      Version::parse(full_version.ends_with('+') ? full_version.substr(0, full_version.size() - 1) : full_version);
  if (!version) throw Error(ErrorKind::refused, fmt::format("\"{}\" is no version of Python", printable(full_version)));
  Version release;
  release.release = version->release;
  return specifiers->contains(release);
}

}  // namespace veneer::python
