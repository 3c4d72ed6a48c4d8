#include "foundation/error.hh"

#include <fmt/format.h>

#include <new>

#include "foundation/user_info.hh"
#include "foundation/utf8.hh"

namespace veneer {

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::failed: return 1;
    case ErrorKind::usage: return 2;
    case ErrorKind::refused: return 3;
    case ErrorKind::not_found: return 4;
    case ErrorKind::network: return 5;
    case ErrorKind::verification: return 6;
    case ErrorKind::rolled_back: return 7;
    case ErrorKind::gate: return 10;
  }
  return 1;
}

Error::Error(ErrorKind kind, const std::string& message, const std::string& hint)
    : kind_(kind), message_(without_user_info(message)), hint_(without_user_info(hint)) {
  compose();
}

void Error::add_context(const std::string& doing) {
  context_.push_back(without_user_info(doing));
  compose();
}

void Error::set_hint(const std::string& hint) { hint_ = without_user_info(hint); }

void Error::compose() {
  what_.clear();
  for (auto i = context_.rbegin(); i != context_.rend(); ++i) {
    what_ += *i;
    what_ += ": ";
  }
  what_ += message_;
}

void refuse(const std::string& message, const std::string& hint) { throw Error(ErrorKind::refused, message, hint); }

Error current_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorKind::failed, "not enough memory");
  } catch (const std::exception& error) {
    return Error(ErrorKind::failed, printable(error.what()));
  } catch (...) {
    return Error(ErrorKind::failed, "something unknown went wrong");
  }
}

std::string printable(std::string_view original, std::size_t limit) {
  const std::string text = without_user_info(original);
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (out.size() >= limit) return out + "…";
    const std::size_t length = utf8_sequence_length(std::string_view(text).substr(i));
    const auto first = static_cast<unsigned char>(text[i]);
    const bool control = length == 1 && (first < 0x20 || first == 0x7f);
    // C1 controls (U+0080..U+009F) steer terminals just as C0 ones do.
    const bool c1_control = length == 2 && first == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (length == 0 || control || c1_control) {
      const std::size_t count = length == 0 ? 1 : length;
      for (std::size_t k = 0; k < count; ++k) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i + k]));
      i += count;
    } else {
      out.append(text, i, length);
      i += length;
    }
  }
  return out;
}

}  // namespace veneer
