// Answers of a container engine, which may be anything. The first byte chooses the question.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "deliver/receiver/engine_answers.hh"
#include "deliver/receiver/engine_name.hh"
#include "foundation/error.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace veneer::deliver;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  try {
    switch (data[0]) {
      case 'e': {
        const std::size_t line = text.find('\n');
        read_engine(text.substr(0, line), line == std::string_view::npos ? "{}" : text.substr(line + 1));
        break;
      }
      case 'l': read_image_list(text, {"linux", "amd64", ""}); break;
      case 'i': read_image(text); break;
      case 'c':
        read_container_id(text);
        read_container_ids(text);
        read_exit_code(text);
        read_container_label(text, "dev.veneer.check");
        break;
      case 'n':
        if (const auto name = read_engine_name(text); name && parse_engine_name(name->full()) != *name)
          __builtin_trap();
        break;
      default: {
        read_error(text);
        LoadAnswer answer;
        const std::size_t cut = data[0] % (text.size() + 1);
        answer.write(veneer::as_bytes(text.substr(0, cut)));
        answer.write(veneer::as_bytes(text.substr(cut)));
        answer.commit();
      }
    }
  } catch (const veneer::Error&) {
    // Refused, as it may be.
  }
  return 0;
}
