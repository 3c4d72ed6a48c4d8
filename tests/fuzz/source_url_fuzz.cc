// The URL of a git remote: what stands before its "@" never comes out.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "python/project/source_url.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace veneer::python;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const std::string& url : {public_url(text), source_of_remote(text)}) {
    if (url.find('?') != std::string::npos || url.find('#') != std::string::npos) std::abort();
    if (!url.empty() && public_url(url) != url && !url.starts_with("ssh://")) std::abort();
  }
  for (const std::string scheme : {"https://", "ssh://", ""}) {
    const std::string url = scheme + "ada:SECRET-5d1c" + text + "@forge.example:team/app";
    for (const std::string& shown : {public_url(url), source_of_remote(url)}) {
      if (shown.find("SECRET-5d1c") != std::string::npos) std::abort();
    }
  }
  return 0;
}
