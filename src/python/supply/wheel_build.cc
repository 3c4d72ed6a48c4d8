#include "python/supply/wheel_build.hh"

#include <fmt/format.h>

#include "foundation/digest.hh"
#include "foundation/error.hh"
#include "python/supply/app_wheel.hh"
#include "python/target.hh"

namespace veneer::python {

namespace fs = std::filesystem;

namespace {

Hash pure_key(const Hash& source) {
  Sha256 hash;
  add_field(hash, "none-any");
  add_field(hash, source.hex());
  return hash.finish();
}

Hash tagged_key(const Hash& source, const Target& target, const std::string& where) {
  Sha256 hash;
  add_field(hash, source.hex());
  add_field(hash, target.minor_version());
  add_field(hash, target.machine);
  add_field(hash, where);
  return hash.finish();
}

/// Under which a wheel with compiled parts is kept, now.
Hash kept_key(const Hash& source, const Target& target, const UvProgram& uv) {
  return tagged_key(source, target, uv.workshop ? uv.workshop->content_key() : "this machine");
}

/// The wheel has compiled parts and is to be built in the workshop.
struct NeedsWorkshop {};

}  // namespace

Hash compiled_key(const Hash& source, const Target& target, const UvProgram& uv) {
  return tagged_key(source, target, uv.workshop ? uv.workshop->request_key() : "this machine");
}

std::optional<BuiltWheel> find_wheel(const Hash& source, const std::string& name, const Target& target,
                                     const UvProgram& uv, const BuiltWheels& cache) {
  if (auto pure = cache.find(pure_key(source))) return pure;
  // What the workshop is made of costs reading the base.
  if (uv.workshop && !uv.workshop->is_compiled(path_name(name))) return std::nullopt;
  return cache.find(kept_key(source, target, uv));
}

BuiltWheel build_wheel(const WheelBuild& build, const Target& target, const UvProgram& uv, BuiltWheels& cache) {
  if (auto known = find_wheel(build.source, build.name, target, uv, cache)) return *known;
  const Hash pure = pure_key(build.source);
  const auto key_of = [&](const WheelTags& tags) {
    if (tags.is_pure()) return pure;
    if (uv.workshop) uv.workshop->note_compiled(path_name(build.name));
    return kept_key(build.source, target, uv);
  };
  const auto run_uv = [&](UvBuild source, const std::string& python, const Workshop::Place* place,
                          const fs::path& output, const fs::path& scratch) {
    source.python = python;
    source.name = build.name;
    uv_build_wheel(uv, source, place, output, scratch);
  };
  const std::string minor = target.minor_version();
  const std::optional<std::string> same = find_python(uv, minor);
  const auto judge = [&](const fs::path& wheel) { judge_built_wheel(wheel, build.name, target); };
  const auto build_here = [&](const std::string& python) {
    return cache.get(
        pure,
        [&](const fs::path& output, const fs::path& scratch) {
          run_uv(build.prepare(scratch), python, nullptr, output, scratch);
        },
        [&](const fs::path& wheel) {
          const WheelTags tags = wheel_file_tags(wheel.filename().native());
          if (!tags.is_pure() && uv.workshop) throw NeedsWorkshop();
          if (!tags.is_pure() && !same) {
            throw Error(ErrorKind::refused,
                        fmt::format("it has compiled parts ({}-{}-{}), so Python {} must build it, which is not here",
                                    tags.python, tags.abi, tags.platform, minor),
                        fmt::format("run: uv python install {}; or build as root or where user namespaces are allowed, "
                                    "on a base with apt: it is then built in the base",
                                    minor));
          }
          judge(wheel);
        },
        key_of);
  };
  std::optional<std::string> python = same;
  if (!python) python = find_python(uv, build.requires_python.empty() ? ">=3.8" : build.requires_python);
  const bool is_for_workshop = uv.workshop && uv.workshop->is_compiled(path_name(build.name));
  if (python && !is_for_workshop) {
    try {
      return build_here(*python);
    } catch (const NeedsWorkshop&) {
      uv.workshop->note_compiled(path_name(build.name));
    } catch (const Error& error) {
      // What this machine lacks, the workshop may have.
      if (!uv.workshop || error.kind() != ErrorKind::failed) throw;
    }
  } else if (!uv.workshop) {
    if (uv.say) {
      uv.say(fmt::format("no Python on this machine can build {}: uv gets Python {}", printable(build.name), minor));
    }
    return build_here(minor);
  }
  const Workshop::Place place = uv.workshop->open();
  if (auto known = find_wheel(build.source, build.name, target, uv, cache)) return *known;
  return in_context([] { return "building in the base, with what is to be there for builds"; },
                    [&] {
                      return cache.get(
                          pure,
                          [&](const fs::path& output, const fs::path& scratch) {
                            run_uv(build.prepare(scratch), target.interpreter, &place, output, scratch);
                          },
                          judge, key_of);
                    });
}

}  // namespace veneer::python
