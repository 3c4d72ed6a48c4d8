#include "python/wheel/venv.hh"

#include <fmt/format.h>

#include <array>

#include "foundation/error.hh"
#include "foundation/shell_word.hh"

namespace veneer::python {
namespace {

bool has_lib64(std::string_view machine) {
  for (const std::string_view narrow : {"i386", "i486", "i586", "i686", "arm", "mips", "mipsel", "ppc", "riscv32"}) {
    if (machine == narrow) return false;
  }
  return !machine.starts_with("armv");
}

std::string configuration(const Target& target) {
  const std::string folder = target.interpreter.substr(0, target.interpreter.rfind('/'));
  return fmt::format(
      "home = {}\n"
      "implementation = CPython\n"
      "version_info = {}.{}\n"
      "include-system-site-packages = false\n",
      folder.empty() ? "/" : folder, target.major, target.minor);
}

std::string activate_script(const std::string& prefix) {
  return fmt::format(
      "# Read this file into a POSIX shell: . {0}/bin/activate\n"
      "# deactivate takes it back.\n"
      "\n"
      "deactivate() {{\n"
      "    if [ -n \"${{VENEER_OLD_PATH+set}}\" ]; then\n"
      "        PATH=$VENEER_OLD_PATH\n"
      "        export PATH\n"
      "        unset VENEER_OLD_PATH\n"
      "    fi\n"
      "    if [ -n \"${{VENEER_OLD_PYTHONHOME+set}}\" ]; then\n"
      "        PYTHONHOME=$VENEER_OLD_PYTHONHOME\n"
      "        export PYTHONHOME\n"
      "        unset VENEER_OLD_PYTHONHOME\n"
      "    fi\n"
      "    unset VIRTUAL_ENV\n"
      "    hash -r 2>/dev/null\n"
      "    if [ \"${{1-}}\" != keep ]; then unset -f deactivate; fi\n"
      "}}\n"
      "\n"
      "deactivate keep\n"
      "VIRTUAL_ENV={1}\n"
      "export VIRTUAL_ENV\n"
      "VENEER_OLD_PATH=$PATH\n"
      "PATH=$VIRTUAL_ENV/bin:$PATH\n"
      "export PATH\n"
      "if [ -n \"${{PYTHONHOME+set}}\" ]; then\n"
      "    VENEER_OLD_PYTHONHOME=$PYTHONHOME\n"
      "    unset PYTHONHOME\n"
      "fi\n"
      "hash -r 2>/dev/null\n",
      prefix, single_quoted(prefix));
}

}  // namespace

tree::FileTree environment_skeleton(const Target& target, const InstallPlace& place) {
  if (!target.interpreter.starts_with('/')) {
    throw Error(ErrorKind::usage,
                fmt::format("the interpreter {} has no absolute path", printable(target.interpreter)));
  }
  tree::FileTree tree;
  const auto folder = [&] { return tree::make_folder(0755, 0, 0, place.mtime); };
  tree.set_missing_parent(*folder());
  const std::string prefix = place.prefix.substr(1) + "/";
  const auto put_file = [&](std::string_view path, std::string_view text) {
    tree.put(prefix + std::string(path),
             tree::make_file(std::make_shared<archive::MemoryContent>(text), 0644, 0, 0, place.mtime));
  };
  const auto put_link = [&](std::string_view path, std::string_view to) {
    tree.put(prefix + std::string(path), tree::make_symlink(std::string(to), 0, 0, place.mtime));
  };

  put_link("bin/python", target.interpreter);
  put_link("bin/python3", "python");
  put_link(fmt::format("bin/python{}.{}", target.major, target.minor), "python");
  if (target.threading == Threading::free_threaded) put_link("bin/" + place.library_folder, "python");
  put_file("bin/activate", activate_script(place.prefix));
  put_file("pyvenv.cfg", configuration(target));
  tree.put(prefix + place.site_packages(), folder());
  if (has_lib64(target.machine)) put_link("lib64", "lib");
  return tree;
}

}  // namespace veneer::python
