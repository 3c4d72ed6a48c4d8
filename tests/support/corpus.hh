// Access to the test corpus (VENEER_CORPUS). In CI a missing corpus is a failure, elsewhere the test skips.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "tests/support/needs.hh"
#include "tests/support/places.hh"

namespace veneer::tests {

/// To be called first in a test that needs the corpus.
#define VENEER_NEEDS_CORPUS()                                           \
  VENEER_NEEDS(std::filesystem::exists(veneer::tests::corpus_folder()), \
               "the corpus is missing: " + veneer::tests::corpus_folder().native())

/// A corpus file; one that ends with .xz is unpacked (by the xz program).
inline std::string read_corpus(const std::filesystem::path& relative) {
  const std::filesystem::path path = corpus_folder() / relative;
  if (path.extension() != ".xz") {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot open " + path.native());
    return {std::istreambuf_iterator<char>(file), {}};
  }
  const std::string command = "xz -dc '" + path.native() + "'";
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run xz");
  std::string text;
  std::array<char, 65536> buffer{};
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), count);
  if (::pclose(pipe) != 0) throw std::runtime_error("cannot unpack " + path.native());
  return text;
}

}  // namespace veneer::tests
