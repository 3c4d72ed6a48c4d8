// What anybody writes into .python-version, and what else tells of a Python: a list of uv's, patchlevel.h, a program.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "foundation/error.hh"
#include "python/project/program_text.hh"
#include "python/project/python_choice.hh"
#include "python/python_version.hh"
#include "python/supply/uv_python.hh"
#include "tests/fuzz/tolerate.hh"

using namespace veneer;
using fuzz::tolerate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  tolerate([&] {
    const auto line = python::read_version_file(text);
    if (!line) return;
    if (line->line == 0 || line->text.empty()) std::abort();
    const python::PythonRequest request = python::parse_python_request(line->text);
    if (!request.exact.empty()) {
      // It becomes part of a key that uv is asked for.
      const auto exact = python::parse_python_version(request.exact);
      if (!exact || !exact->has_patch() || !request.specifiers.empty()) std::abort();
      if (!python::satisfies(request, request.exact)) std::abort();
      if (python::parse_python_request(request.exact).exact != request.exact) std::abort();
    }
    python::PythonQuestion question;
    question.requires_python = ">=3.9";
    question.version_file = python::PlacedRequest{request, ".python-version:1"};
    const python::PythonChoice choice =
        python::choose_python(question, [](const python::Target&) { return std::optional(python::LockedFiles()); });
    if (!python::parse_python_version(choice.wanted()) || choice.suite.empty() || choice.reason.empty()) std::abort();
  });
  tolerate([&] {
    for (const python::UvPython& python : python::parse_uv_pythons(text)) static_cast<void>(python.url.size());
  });
  for (const int minor : {9, 12}) {
    const auto version = python::version_in_patchlevel(text, minor);
    if (version && !python::is_full_version(*version, minor)) std::abort();
    const auto at_end = python::find_python_version_at_end(text, minor);
    if (at_end && !python::is_full_version(*at_end, minor)) std::abort();
  }
  return 0;
}
