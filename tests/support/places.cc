#include "tests/support/places.hh"

#include <cstdlib>

namespace veneer::tests {

std::filesystem::path source_folder() { return VENEER_SOURCE_FOLDER; }

std::filesystem::path corpus_folder() {
  const char* named = std::getenv("VENEER_CORPUS");
  return named != nullptr ? named : VENEER_CORPUS_DEFAULT;
}

}  // namespace veneer::tests
