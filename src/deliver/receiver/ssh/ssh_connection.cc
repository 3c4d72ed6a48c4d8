#include "deliver/receiver/ssh/ssh_connection.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <thread>
#include <utility>
#include <vector>

#include "foundation/error.hh"
#include "foundation/text.hh"

namespace veneer::deliver {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view scheme = "ssh://";

[[noreturn]] void refuse_address(std::string_view text, std::string_view why) {
  throw Error(ErrorKind::usage, fmt::format("'{}' names no host: {}", printable(text), why),
              "write ssh://user@host or ssh://user@host:port");
}

bool is_of(std::string_view text, std::string_view others) {
  return std::ranges::all_of(
      text, [&](char c) { return is_letter(c) || is_digit(c) || others.find(c) != std::string_view::npos; });
}

// What ssh says, without the line ends that it has.
std::string last_words(const std::string& errors) {
  std::string text = errors;
  std::erase(text, '\r');
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  return printable(text, 1000);
}

// By which a user logs in: ssh does not read ssh://[ADDRESS].
std::string command_line(const SshAddress& address) {
  return fmt::format("ssh {}{}{}", address.port ? fmt::format("-p {} ", *address.port) : "",
                     address.user.empty() ? "" : address.user + "@", address.host);
}

}  // namespace

std::string SshAddress::text() const {
  const std::string bracketed = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return (user.empty() ? "" : user + "@") + bracketed + (port ? ":" + std::to_string(*port) : "");
}

SshAddress read_ssh_address(std::string_view text) {
  if (!text.starts_with(scheme)) refuse_address(text, "it does not begin with ssh://");
  std::string_view rest = text.substr(scheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find('/') != std::string_view::npos) refuse_address(text, "a path does not belong there");
  SshAddress address;
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    address.user = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    if (address.user.find(':') != std::string::npos) refuse_address("ssh://***", "a password does not belong there");
    if (address.user.empty() || address.user.starts_with('-') || !is_of(address.user, "._-+@")) {
      refuse_address(text, "the user has odd characters");
    }
  }
  std::string_view port;
  if (rest.starts_with('[')) {  // an IPv6 address
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) refuse_address(text, "a ']' is missing");
    address.host = rest.substr(1, end - 1);
    port = rest.substr(end + 1);
    if (!is_of(address.host, ":.%")) refuse_address(text, "the address has odd characters");
  } else {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    address.host = rest.substr(0, colon);
    port = rest.substr(colon);
    if (!is_of(address.host, "._-")) refuse_address(text, "the host has odd characters");
  }
  if (address.host.empty() || address.host.starts_with('-'))
    refuse_address(text, "the host is missing or begins with '-'");
  if (!port.empty()) {
    std::uint16_t number = 0;
    const auto result = std::from_chars(port.data() + 1, port.data() + port.size(), number);
    if (port.front() != ':' || result.ec != std::errc() || result.ptr != port.data() + port.size() || number == 0) {
      refuse_address(text, "the port is no number from 1 to 65535");
    }
    address.port = number;
  }
  return address;
}

bool knows_session_options(std::string_view version) {
  constexpr std::pair first{8, 7};
  constexpr std::string_view name = "OpenSSH";
  const std::size_t start = version.find(name);
  if (start == std::string_view::npos) return false;
  version.remove_prefix(start);  // also "OpenSSH_for_Windows_9.5p1"
  const char* const end = version.data() + version.size();
  std::pair found{0, 0};
  const auto major =
      std::from_chars(version.data() + std::min(version.find_first_of("0123456789"), version.size()), end, found.first);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return false;
  if (std::from_chars(major.ptr + 1, end, found.second).ec != std::errc()) return false;
  return found >= first;
}

SshConnection::SshConnection(SshAddress address) : address_(std::move(address)) {}

SshConnection::~SshConnection() { close(); }

std::vector<std::string> SshConnection::common_arguments() const {
  std::vector<std::string> arguments{"ssh", "-T", "-o", "ControlPath=" + (folder_.path() / "c").native()};
  // What ssh_config may say for people who log in, and would break a pipe of bytes, or open more than is needed.
  for (const char* option : {"RemoteCommand=none", "ClearAllForwardings=yes", "ForwardAgent=no", "ForwardX11=no",
                             "PermitLocalCommand=no", "Compression=yes", "LogLevel=ERROR"}) {
    arguments.insert(arguments.end(), {"-o", option});
  }
  if (knows_session_options_) {
    for (const char* option : {"StdinNull=no", "ForkAfterAuthentication=no"}) {
      arguments.insert(arguments.end(), {"-o", option});
    }
  }
  if (address_.port) arguments.insert(arguments.end(), {"-p", std::to_string(*address_.port)});
  if (!address_.user.empty()) arguments.insert(arguments.end(), {"-l", address_.user});
  return arguments;
}

void SshConnection::start(Prompts prompts) {
  close();
  knows_session_options_ = knows_session_options(veneer::run({.arguments = {"ssh", "-V"}}).errors);
  Command command;
  command.arguments = common_arguments();
  for (const char* option : {"ControlMaster=yes", "ControlPersist=no", "ConnectTimeout=30", "ServerAliveInterval=5",
                             "ServerAliveCountMax=4"}) {
    command.arguments.insert(command.arguments.end(), {"-o", option});
  }
  if (prompts == Prompts::none) command.arguments.insert(command.arguments.end(), {"-o", "BatchMode=yes"});
  command.arguments.insert(command.arguments.end(), {"-N", "--", address_.host});
  master_ = std::make_unique<Companion>(command);
}

bool SshConnection::wait() const {
  while (master_->is_running() && !fs::exists(folder_.path() / "c")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return master_->is_running();
}

void SshConnection::begin() {
  if (!master_) start(Prompts::none);
}

void SshConnection::open() {
  if (master_ && wait()) return;
  start(Prompts::allowed);
  if (wait()) return;
  const std::string said = last_words(master_->errors());
  master_.reset();
  throw Error(ErrorKind::network,
              fmt::format("no connection to {}: {}", address_.text(), said.empty() ? "ssh gave up" : said),
              fmt::format("can you log in by `{}`?", command_line(address_)));
}

void SshConnection::close() {
  master_.reset();
  std::error_code ignored;
  fs::remove(folder_.path() / "c", ignored);
}

std::unique_ptr<Dialogue> SshConnection::start_command(const std::string& command) const {
  Command ssh;
  ssh.arguments = common_arguments();
  if (knows_session_options_) ssh.arguments.insert(ssh.arguments.end(), {"-o", "SessionType=default"});
  ssh.arguments.insert(ssh.arguments.end(), {"-o", "ControlMaster=no", "--", address_.host, command});
  return std::make_unique<Dialogue>(ssh);
}

}  // namespace veneer::deliver
