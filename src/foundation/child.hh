// Child processes: how they are made, and what they inherit. Used by process.cc; thread-safe.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "foundation/file_descriptor.hh"

namespace veneer {

struct Command;

/// Both ends are above the three standard descriptors, whether or not those are open, and are closed by exec().
struct Pipe {
  FileDescriptor read_end;
  FileDescriptor write_end;
};
Pipe make_pipe();

/// `file` under a number above those of the standard descriptors. What is put in their place in a child would be lost
/// otherwise: dup2(0, 0) leaves it to be closed by exec(), dup2(x, 1) closes what was 1.
FileDescriptor above_standard(FileDescriptor file);

/// Starts the program with these standard descriptors. It gets SIGTERM when this process ends, however that ends, no
/// matter which of its threads ask for it or end before. Throws Error (not_found) when the program does not exist.
pid_t start_child(const Command& command, const FileDescriptor& in, const FileDescriptor& out,
                  const FileDescriptor& err);

}  // namespace veneer
