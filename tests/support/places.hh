// Where this checkout and the test corpus lie. Only places.cc is compiled with these paths: all other units are the
// same in every checkout, so that a compiler's cache knows them.
#pragma once

#include <filesystem>

namespace veneer::tests {

/// The root of the checkout.
std::filesystem::path source_folder();

/// What VENEER_CORPUS names, else the folder beside the checkout.
std::filesystem::path corpus_folder();

}  // namespace veneer::tests
