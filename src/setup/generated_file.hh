// A file that veneer writes into a project and that its owners may change: the first line says which veneer made it
// and the hash of what follows, so that a later run tells its own work from theirs. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace veneer::setup {

/// How the file's language writes a line that says nothing to its programs.
enum class Comments {
  hash,    // # make, YAML, Dockerfile
  markup,  // <!-- Markdown -->
};

struct GeneratedFile {
  std::string name;  // relative to the project's folder, or to that of its repository: the caller knows
  std::string body;  // ends with a line break
  Comments comments = Comments::hash;
  std::string why;  // what it is for, half a sentence for who is asked to take it
};

/// What is written: the first line, then the body.
///   # Made by veneer 0.1.0 (veneer init); sha256:<64 digits> of what follows
std::string text_of(const GeneratedFile& file, std::string_view version);

/// What a first line says.
struct Stamp {
  std::string version;
  std::string hash;  // of the body as it was made: 64 hexadecimal digits
};

/// Nothing for a first line that is none of ours.
std::optional<Stamp> read_stamp(std::string_view text);

enum class FileState {
  absent,  // to be written
  same,    // as it would be written
  ours,    // as another veneer, or this one of other inputs, wrote it: to be written anew
  edited,  // ours, changed since: left as it is
  theirs,  // has no first line of ours: left as it is
};

struct Comparison {
  FileState state = FileState::absent;
  /// What is there is not of what would be made now: a file that is edited is stale, too, when what it was made from
  /// has changed; a file of theirs is never.
  bool is_stale = false;
  std::string version;  // of the veneer that made what is there; may be empty
};

/// `on_disk` may have line breaks of Windows, which git makes of ours where it is told to.
Comparison compare(const GeneratedFile& file, std::string_view version, const std::optional<std::string>& on_disk);

}  // namespace veneer::setup
