// Running other programs.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/file.hh"
#include "foundation/stream.hh"

namespace veneer {

struct Command {
  std::vector<std::string> arguments;                   // arguments[0] is looked up in PATH
  std::optional<std::filesystem::path> folder;          // where it runs; default: here
  std::map<std::string, std::string> environment;       // set in addition to the inherited environment
  std::vector<std::string> unset;                       // variables removed from it
  std::function<bool(std::string_view name)> inherits;  // which of this process are inherited; empty: all
  std::string input;                                    // given on standard input, which is then closed
  ByteSource* more_input = nullptr;                     // follows `input`; read as the program takes it
  // When more time passes without a byte taken from the input that is left or, once it is all taken, without any
  // output, the program is ended, also when it has closed its output. 0: never. Time counts anew when `progress`, if
  // given, returns another number than before: of what the other end tells that it has, say.
  std::chrono::seconds patience{0};
  std::function<std::uint64_t()> progress;
  std::uint64_t output_limit = 64 * 1024 * 1024;  // more standard output than this is an Error
};

enum class Ending {
  exited,
  out_of_patience,  // Command::patience
};

struct CommandResult {
  Ending ending = Ending::exited;
  int exit_code = 0;   // 128 + n when killed by signal n
  std::string output;  // standard output
  std::string errors;  // the last 64 KiB of standard error
};

/// Runs to the end, that of the program and of its output; it ends with this process too. Throws Error (not_found) when
/// the program does not exist; a non-zero exit code is no Error. `on_error_output`, when given, is called with each
/// piece of standard error as it comes.
CommandResult run(const Command& command, const std::function<void(std::string_view)>& on_error_output = {});

/// Like run(), but standard output goes into `output` piece by piece and CommandResult::output stays empty.
CommandResult run_into(const Command& command, ByteSink& output,
                       const std::function<void(std::string_view)>& on_error_output = {});

/// How long nothing may move; see Command.
struct DialoguePatience {
  std::chrono::seconds time{0};
  std::function<std::uint64_t()> progress;
};

/// A program that is talked to: what it gets next may depend on what it said. It ends with the object, and with this
/// process. One thread at a time.
class Dialogue {
 public:
  /// Starts it. Throws like run(). Only `arguments`, `folder`, `environment`, `unset` and `inherits` are looked at.
  explicit Dialogue(const Command& command);
  Dialogue(const Dialogue&) = delete;
  Dialogue& operator=(const Dialogue&) = delete;
  ~Dialogue();

  bool has_ended() const;
  /// Adds to its standard input, which stays open. Does not wait: what it does not take at once it gets by what
  /// follows.
  void give(std::string_view input);
  /// What it says goes into `output`, until `is_answered` says that this is enough, then nothing; or until it ended.
  std::optional<CommandResult> hear(ByteSink& output, const std::function<bool()>& is_answered,
                                    const DialoguePatience& patience,
                                    const std::function<void(std::string_view)>& on_error_output = {});
  /// Gives it all of `more` (may be nullptr), ends its input, and hears it to its end.
  CommandResult end(ByteSource* more, ByteSink& output, const DialoguePatience& patience,
                    const std::function<void(std::string_view)>& on_error_output = {});

 private:
  struct Talk;
  std::unique_ptr<Talk> talk_;
};

/// Runs and throws an Error of kind failed that names the program and quotes the end of its standard error unless it
/// exits with 0. Returns standard output.
std::string run_checked(const Command& command);

/// The last 2000 bytes of what a program said, line by line made printable, for a message.
std::string last_lines(std::string_view errors);

/// A program that runs beside this one, with nothing on its standard input and its standard output thrown away. It ends
/// with the object, and with this process however that ends, not with the thread that made it. One thread at a time.
class Companion {
 public:
  /// Throws like run(). Only `arguments`, `folder`, `environment` and `unset` are looked at.
  explicit Companion(const Command& command);
  Companion(const Companion&) = delete;
  Companion& operator=(const Companion&) = delete;
  ~Companion();

  bool is_running();
  /// The last 64 KiB of its standard error so far.
  const std::string& errors();
  /// Asks it to end, and kills it when it does not within a second. Its exit code as in CommandResult.
  int end();

 private:
  void take_errors();

  pid_t child_ = -1;  // while it runs or has not been waited for
  int exit_code_ = 0;
  FileDescriptor errors_from_;
  std::string errors_;
};

/// The full path of the program `name` in the folders of `search_path` (as in PATH), if it is there and executable.
std::optional<std::filesystem::path> find_program(const std::string& name, const std::string& search_path);

}  // namespace veneer
