// RECORD from any wheel: refused, or read such that writing it again reads as the same.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "foundation/error.hh"
#include "python/wheel/record.hh"
#include "tests/fuzz/tolerate.hh"

using namespace veneer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::tolerate([&] {
    std::vector<python::RecordRow> rows = python::parse_record({reinterpret_cast<const char*>(data), size});
    const std::string text = python::write_record(rows);
    if (python::write_record(python::parse_record(text)) != text) std::abort();
    for (const python::RecordRow& row : rows) {
      fuzz::tolerate([&] {
        const python::HashField field = python::read_hash_field(row.hash);
        const bool is_usable = field.form == python::HashForm::canonical || field.form == python::HashForm::unusual;
        if (is_usable != field.hash.has_value()) std::abort();
      });
    }
  });
  return 0;
}
