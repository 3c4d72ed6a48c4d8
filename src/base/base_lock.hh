// veneer.lock: what a build may not choose anew about what images stand on. Read strictly, written canonically; which
// keys there are is in docs/formats.md, "veneer.lock". Pure; thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/digest.hh"

namespace veneer::base {

/// uv's interpreter as a layer, pinned: all that another builder needs to make the same one.
struct Interpreter {
  std::string version;  // "3.12.15"
  std::string url;      // of the archive, as uv lists it
  FileHash archive;     // of what came from there

  bool operator==(const Interpreter&) const = default;
};

/// A Debian package that some build took.
struct LockedPackage {
  std::string name;
  std::string version;
  std::string architecture;
  std::optional<Hash> sha256;  // of its file in the archive, where that is known
  std::size_t line = 0;        // of the lock that was read; counts from 1

  bool operator==(const LockedPackage& other) const {
    return name == other.name && version == other.version && architecture == other.architecture &&
           sha256 == other.sha256;
  }
};

/// Which image it is: of all kinds the digest of the configuration, which engines keep; of a registry also those of its
/// manifests.
struct LockedImage {
  std::optional<ManifestDigest> index;     // what the tag named, where that holds images for several platforms
  std::optional<ManifestDigest> manifest;  // what is in it for the platform
  std::optional<ConfigDigest> config;

  bool operator==(const LockedImage&) const = default;
};

/// What a builder needs to know of a base whose layers it has not read.
struct TargetFacts {
  std::string interpreter;           // "/usr/bin/python3.11"
  std::string python;                // "3.11.2"
  std::string libc;                  // "glibc-2.36"
  std::string machine;               // "x86_64"
  std::vector<std::string> folders;  // those above the environment, a line each: "app 755 0 0 315532800"

  bool operator==(const TargetFacts&) const = default;
};

/// One of a base's interpreters, as python::FoundInterpreter.
struct LockedPython {
  std::string found_as;     // "/usr/local/bin/python3"
  std::string interpreter;  // "/usr/local/bin/python3.13"
  std::string python;       // "3.13.1"
  std::string libc;
  std::string machine;

  bool operator==(const LockedPython&) const = default;
};

/// What is at one path of a base, as some build asked.
struct LockedFile {
  std::string path;
  /// "absent", or type, mode (octal), owner, group, time, and of a file its size, of a link where it leads:
  /// "file 644 0 0 1700000000 839"
  std::string is;
  std::optional<std::string> text{};  // of a small file that was read

  bool operator==(const LockedFile&) const = default;
};

struct LockedBase {
  enum class Kind {
    debian,    // made of packages; the suite is in its name
    image,     // of an engine, a layout or an archive
    registry,  // of a registry
  };
  std::string name;      // as the project names it: "debian:bookworm"
  std::string platform;  // "linux/amd64"
  Kind kind = Kind::debian;
  std::string snapshot;  // of Debian's archive, "20260101T000000Z"; usually empty
  LockedImage image;     // of the kinds that are images
  std::optional<Interpreter> interpreter;
  TargetFacts target;
  // Of an image, below what was added to it; with them a builder need not read the layers. Empty: not known.
  std::vector<LockedPython> pythons;  // in the order in which they were found
  std::vector<LockedFile> files;      // sorted by path
  /// Of a Debian base all that any build took, of an image what was added to it; sorted by name, architecture.
  std::vector<LockedPackage> packages;
  /// With which wheels were compiled, beside those: compilers, headers and what they depend on; sorted likewise.
  std::vector<LockedPackage> build_packages;
  std::size_t line = 0;  // as LockedPackage::line
};

struct BaseLock {
  std::vector<LockedBase> bases;  // sorted by name, platform

  const LockedBase* find(std::string_view name, std::string_view platform) const;
  /// Puts `base` in the place of the one with its name and platform, if there is one.
  void set(LockedBase base);
};

/// Throws Error (refused) that says the line: for what is not of this form or another version, for merge conflicts,
/// digests that are none, keys that are not known, and two entries of one thing.
BaseLock parse_base_lock(std::string_view text);

/// The same lock gives the same bytes; parse_base_lock() reads them. Throws Error (refused) for names with control
/// characters.
std::string write_base_lock(BaseLock lock);

}  // namespace veneer::base
