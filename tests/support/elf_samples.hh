// Small libraries made by gcc and GNU ld, x86_64: `library` is libone.so.1, `user` needs it and looks for it in
// $ORIGIN/x. The fuzzer starts from them too.
#pragma once

#include <string>

#include "foundation/file.hh"
#include "tests/support/places.hh"

namespace veneer {

inline Bytes elf_sample(const std::string& name) {
  File file(tests::source_folder() / "tests/fuzz/corpus/elf" / name);
  return read_all(file, 1 << 20);
}

}  // namespace veneer
