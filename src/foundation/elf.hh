// ELF files: for which machine they are, and what the dynamic loader reads of them: which libraries they need, where it
// looks for those, which symbol versions they want and offer (System V ABI, "Dynamic Linking"; symbol versions as in
// the LSB). Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "foundation/stream.hh"

namespace veneer {

struct ElfKind {
  int bits = 64;
  bool is_little_endian = true;
  std::uint16_t machine = 0;  // e_machine

  bool operator==(const ElfKind&) const = default;
};

struct NeededVersion {
  std::string library;  // "libc.so.6"
  std::string version;  // "GLIBC_2.34"
};

struct Elf {
  ElfKind kind;
  std::string loader;  // PT_INTERP; empty for libraries
  std::string soname;
  std::vector<std::string> needed;
  std::vector<std::string> rpath;              // DT_RPATH, parts between colons; unused where there is a runpath
  std::vector<std::string> runpath;            // DT_RUNPATH
  std::vector<NeededVersion> needed_versions;  // without weak ones
  std::vector<std::string> defined_versions;
};

/// From the first 20 bytes of a file; nothing when it is no ELF file. Throws Error (refused) for an unknown class or
/// byte order.
std::optional<ElfKind> elf_kind(ByteView start);

/// The machine as platform.machine() names it on Linux ("x86_64"). Throws Error (refused) with its number for one that
/// is not known.
std::string elf_machine_name(const ElfKind& kind);

/// Nothing for a file that is no ELF executable or library (objects to be linked are none) or has no dynamic section.
/// Throws Error (refused) that says what is wrong with one that is; reads a bounded part of it.
std::optional<Elf> read_elf(const RandomAccess& file);

}  // namespace veneer
