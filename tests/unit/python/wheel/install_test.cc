#include "python/wheel/install.hh"

#include <gmock/gmock.h>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/process.hh"
#include "python/wheel/record.hh"
#include "tests/support/zip_builder.hh"
#include "tree/write_layer.hh"

namespace veneer::python {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::ThrowsMessage;
using tests::WheelBuilder;

tree::FileTree installed(const WheelBuilder& builder, const InstallPlace& place = {}) {
  return install(open_wheel(builder.build(), builder.file_name()), place);
}

std::string text_at(const tree::FileTree& tree, std::string_view path) {
  const tree::Inode* inode = tree.find(path);
  if (inode == nullptr || inode->content == nullptr) return "(no such file)";
  const std::unique_ptr<ByteSource> source = inode->content->open();
  return std::string(as_text(read_all(*source, 1 << 20)));
}

std::uint32_t mode_at(const tree::FileTree& tree, std::string_view path) {
  const tree::Inode* inode = tree.find(path);
  return inode == nullptr ? 0 : inode->mode;
}

std::vector<std::string> record_paths(const tree::FileTree& tree) {
  std::vector<std::string> paths;
  for (const RecordRow& row :
       parse_record(text_at(tree, "app/.venv/lib/python3.11/site-packages/pkg-1.0.dist-info/RECORD"))) {
    paths.push_back(row.path);
  }
  return paths;
}

void expect_refused(const WheelBuilder& builder, std::string_view reason) {
  EXPECT_THAT([&] { installed(builder); }, ThrowsMessage<Error>(HasSubstr(std::string(reason))));
}

constexpr std::string_view site = "app/.venv/lib/python3.11/site-packages/";
std::string in_site(std::string_view path) { return std::string(site) + std::string(path); }

TEST(Install, PutsFilesIntoSitePackagesWithFixedAttributes) {
  const tree::FileTree tree = installed(WheelBuilder().add("pkg/__init__.py", "x = 1\n"));
  EXPECT_EQ(text_at(tree, in_site("pkg/__init__.py")), "x = 1\n");
  for (const auto& [path, entry] : tree.entries()) {
    EXPECT_EQ(entry.inode->mtime, 315532800) << path;
    EXPECT_EQ(entry.inode->uid, 0U) << path;
    EXPECT_EQ(entry.inode->gid, 0U) << path;
    EXPECT_EQ(entry.inode->mode, entry.inode->type == archive::EntryType::folder ? 0755U : 0644U) << path;
  }
}

TEST(Install, WritesRecordAndInstaller) {
  const std::string text = "x = 1\n";
  const tree::FileTree tree =
      installed(WheelBuilder()
                    .add("pkg/__init__.py", text)
                    .add("pkg-1.0.dist-info/INSTALLER", "other")
                    .add("pkg-1.0.dist-info/entry_points.txt", "[console_scripts]\nrun = pkg:main\n"));
  EXPECT_EQ(text_at(tree, in_site("pkg-1.0.dist-info/INSTALLER")), "veneer\n");
  EXPECT_THAT(record_paths(tree),
              ElementsAre("../../../bin/run", "pkg-1.0.dist-info/INSTALLER", "pkg-1.0.dist-info/METADATA",
                          "pkg-1.0.dist-info/RECORD", "pkg-1.0.dist-info/WHEEL", "pkg-1.0.dist-info/entry_points.txt",
                          "pkg/__init__.py"));
  const std::string record = text_at(tree, in_site("pkg-1.0.dist-info/RECORD"));
  EXPECT_THAT(record, HasSubstr("pkg/__init__.py," + WheelBuilder::hash_and_size(text) + "\n"));
  EXPECT_THAT(record, HasSubstr("pkg-1.0.dist-info/INSTALLER," + WheelBuilder::hash_and_size("veneer\n") + "\n"));
  EXPECT_THAT(record, HasSubstr("pkg-1.0.dist-info/RECORD,,\n"));
  EXPECT_THAT(record,
              HasSubstr("../../../bin/run," + WheelBuilder::hash_and_size(text_at(tree, "app/.venv/bin/run")) + "\n"));
}

TEST(Install, KeepsRowsOfUnchangedFilesAsUvDoes) {
  WheelBuilder builder = WheelBuilder().add("pkg/a,b.py", "x").add("pkg/hidden.py", "xy");
  builder.record =
      "\"pkg/a,b.py\",md5=AAAAAAAAAAAAAAAAAAAAAA,1\npkg/gone.py,,\npkg-1.0.dist-info/METADATA,,\n"
      "pkg-1.0.dist-info/WHEEL,,\npkg-1.0.dist-info/RECORD,,\n";
  const std::string record = text_at(installed(builder), in_site("pkg-1.0.dist-info/RECORD"));
  EXPECT_THAT(record, HasSubstr("\n\"pkg/a,b.py\",md5=AAAAAAAAAAAAAAAAAAAAAA,1\n"));
  EXPECT_THAT(record, HasSubstr("\npkg/hidden.py,,2\n"));
  EXPECT_THAT(record, Not(HasSubstr("gone")));
}

TEST(Install, WritesRequestedOnlyWhenAsked) {
  const std::string path = in_site("pkg-1.0.dist-info/REQUESTED");
  EXPECT_FALSE(installed(WheelBuilder()).contains(path));
  InstallPlace place;
  place.requested = RequestedFile::present;
  const tree::FileTree tree = installed(WheelBuilder(), place);
  EXPECT_EQ(text_at(tree, path), "");
  EXPECT_THAT(record_paths(tree), Contains("pkg-1.0.dist-info/REQUESTED"));
}

// pypa/installer#68, spesmilo/electrumx#117: executable bits, and first lines that end with CRLF.
TEST(Install, Case7KeepsExecutableBits) {
  const tree::FileTree unix_made = installed(WheelBuilder()
                                                 .add("pkg-1.0.data/scripts/run", "#!python\nprint(1)\n", 0100755)
                                                 .add("pkg/tool", "#!/bin/sh\n", 0100755)
                                                 .add("pkg/group", "x", 0100654)
                                                 .add("pkg/wide", "x", 0100666)
                                                 .add("pkg/setuid", "x", 0104755)
                                                 .add("pkg/readonly", "x", 0100444));
  EXPECT_EQ(mode_at(unix_made, "app/.venv/bin/run"), 0755U);
  EXPECT_EQ(mode_at(unix_made, in_site("pkg/tool")), 0755U);
  EXPECT_EQ(mode_at(unix_made, in_site("pkg/group")), 0755U);
  EXPECT_EQ(mode_at(unix_made, in_site("pkg/wide")), 0644U);
  EXPECT_EQ(mode_at(unix_made, in_site("pkg/setuid")), 0755U);
  EXPECT_EQ(mode_at(unix_made, in_site("pkg/readonly")), 0644U);

  const tree::FileTree fat_made = installed(WheelBuilder()
                                                .add("pkg-1.0.data/scripts/run", "#!python\r\nprint(1)\r\n", 0100666, 0)
                                                .add("pkg-1.0.data/scripts/run.sh", "#!/bin/sh\n", 0, 0)
                                                .add("pkg/a.py", "x", 0100666, 0));
  EXPECT_EQ(mode_at(fat_made, "app/.venv/bin/run"), 0755U);
  EXPECT_EQ(mode_at(fat_made, "app/.venv/bin/run.sh"), 0755U);
  EXPECT_EQ(mode_at(fat_made, in_site("pkg/a.py")), 0644U);
  EXPECT_EQ(text_at(fat_made, "app/.venv/bin/run"), "#!/app/.venv/bin/python\nprint(1)\r\n");
}

// aspect-build/rules_py#1366: all five schemes of the .data folder.
TEST(Install, Case13SpreadsAllFiveSchemes) {
  WheelBuilder builder;
  builder.name = "My_Pkg";
  const std::string data = "My_Pkg-1.0.data/";
  builder.add("pkg/a.py", "a")
      .add(data + "purelib/pkg/pure.py", "p")
      .add(data + "platlib/pkg/plat.so", "l", 0100755)
      .add(data + "headers/sub/pkg.h", "h")
      .add(data + "scripts/run", "#!pythonw -s\nprint(1)\n")
      .add(data + "data/share/doc/x", "d")
      .add(data + "data/etc/tool", "#!python\n", 0100755)
      .add(data + "data/lib64/y", "y");
  const tree::FileTree tree = installed(builder);
  EXPECT_EQ(text_at(tree, in_site("pkg/pure.py")), "p");
  EXPECT_EQ(mode_at(tree, in_site("pkg/plat.so")), 0755U);
  EXPECT_EQ(text_at(tree, "app/.venv/include/site/python3.11/my-pkg/sub/pkg.h"), "h");
  EXPECT_EQ(text_at(tree, "app/.venv/bin/run"), "#!/app/.venv/bin/python\nprint(1)\n");
  EXPECT_EQ(text_at(tree, "app/.venv/share/doc/x"), "d");
  EXPECT_EQ(text_at(tree, "app/.venv/etc/tool"), "#!python\n") << "only scripts are rewritten";
  EXPECT_EQ(mode_at(tree, "app/.venv/etc/tool"), 0755U);
  EXPECT_EQ(text_at(tree, "app/.venv/lib/y"), "y") << "the environment's lib64 is a link to lib";
  const std::string record = text_at(tree, in_site("My_Pkg-1.0.dist-info/RECORD"));
  EXPECT_THAT(record,
              StartsWith("../../../bin/run," + WheelBuilder::hash_and_size(text_at(tree, "app/.venv/bin/run")) +
                         "\n../../../etc/tool," + WheelBuilder::hash_and_size("#!python\n") +
                         "\n../../../include/site/python3.11/my-pkg/sub/pkg.h," + WheelBuilder::hash_and_size("h") +
                         "\n../../../lib64/y," + WheelBuilder::hash_and_size("y") + "\n../../../share/doc/x,"));
  EXPECT_THAT(record, HasSubstr("\npkg/pure.py," + WheelBuilder::hash_and_size("p") + "\n"));
  EXPECT_THAT(record, Not(HasSubstr(".data/")));
}

// The same by the kernel: both kinds of scripts are started under such prefixes.
TEST(Install, Case17ScriptsRunUnderLongAndSpacedPrefixes) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path(), "test");
  const WheelBuilder builder =
      WheelBuilder()
          .add("pkg/__init__.py", "def main(): print('entry point')\n")
          .add("pkg-1.0.data/scripts/data-script", "#!python\nprint('data script')\n")
          .add("pkg-1.0.dist-info/entry_points.txt", "[console_scripts]\ncommand = pkg:main\n");
  const std::string start = folder.path().native() + "/";
  const auto of_length = [&](std::size_t line) { return start + std::string(line - 15 - (start.size() - 1), 'p'); };
  for (const std::string& prefix : {of_length(126), of_length(127), of_length(128), start + "with a space"}) {
    SCOPED_TRACE(prefix);
    InstallPlace place;
    place.prefix = prefix;
    const tree::FileTree tree = installed(builder, place);
    const std::filesystem::path bin = prefix + "/bin";
    std::filesystem::create_directories(bin);
    std::filesystem::create_symlink("/usr/bin/python3", bin / "python");
    for (const char* const name : {"command", "data-script"}) {
      write_text_file(bin / name, text_at(tree, (bin / name).native().substr(1)));
      std::filesystem::permissions(bin / name, std::filesystem::perms::owner_all);
    }
    std::filesystem::create_directory(bin / "pkg");  // beside the script, where Python looks first
    write_text_file(bin / "pkg" / "__init__.py", "def main(): print('entry point')\n");
    Command command;
    command.arguments = {(bin / "command").native()};
    EXPECT_EQ(run_checked(command), "entry point\n");
    command.arguments = {(bin / "data-script").native()};
    EXPECT_EQ(run_checked(command), "data script\n");
  }
}

// astral-sh/uv#2097: interpreter paths that the kernel cannot take in one line.
TEST(Install, Case17MakesScriptsRunUnderLongAndSpacedPrefixes) {
  const WheelBuilder builder =
      WheelBuilder()
          .add("pkg-1.0.data/scripts/data-script", "#!python\nprint(1)\n")
          .add("pkg-1.0.dist-info/entry_points.txt", "[console_scripts]\ncommand = pkg:main\n");
  const auto first_lines = [&](const std::string& prefix) {
    InstallPlace place;
    place.prefix = prefix;
    const tree::FileTree tree = installed(builder, place);
    const std::string script = text_at(tree, prefix.substr(1) + "/bin/data-script");
    const std::string command = text_at(tree, prefix.substr(1) + "/bin/command");
    const std::string start = script.substr(0, script.find("print"));
    EXPECT_THAT(command, StartsWith(start)) << "entry points and scripts are treated alike";
    return start;
  };
  const auto prefix_for = [](std::size_t line) {
    return "/" + std::string(line - 15, 'p');
  };  // "#!", "/bin/python", "\n"
  EXPECT_EQ(first_lines(prefix_for(126)), "#!" + prefix_for(126) + "/bin/python\n");
  EXPECT_EQ(first_lines(prefix_for(127)), "#!" + prefix_for(127) + "/bin/python\n");
  EXPECT_EQ(first_lines(prefix_for(128)),
            "#!/bin/sh\n'''exec' '" + prefix_for(128) + "/bin/python' \"$0\" \"$@\"\n' '''\n");
  EXPECT_EQ(first_lines("/sp ace"), "#!/bin/sh\n'''exec' '/sp ace/bin/python' \"$0\" \"$@\"\n' '''\n");
}

TEST(Install, KeepsContentsAndTheirDeflatedForm) {
  WheelBuilder builder;
  builder.members.push_back({"pkg-1.0.data/scripts/tool",
                             "\x7f"
                             "ELF" +
                                 std::string(500, 'b'),
                             0100644, 3, true});
  const tree::FileTree tree = installed(builder);
  const tree::Inode* tool = tree.find("app/.venv/bin/tool");
  ASSERT_NE(tool, nullptr);
  EXPECT_EQ(tool->mode, 0755U);
  EXPECT_TRUE(tool->content->deflated().has_value());
}

TEST(Install, RefusesWhatHasNoPlace) {
  expect_refused(WheelBuilder().add("pkg-1.0.data/evil/x", "1"), "evil is no installation scheme");
  expect_refused(WheelBuilder().add("pkg-1.0.data/x", "1"), "x is no installation scheme");
  expect_refused(WheelBuilder().add("pkg-1.0.data/scripts", "1"), "scripts is no installation scheme");
  expect_refused(WheelBuilder().add("pkg-1.0.data/scripts/sub/run", "1"), "scripts may not lie in folders");
}

TEST(Install, RefusesWhatReplacesTheInterpreterOrTheEnvironment) {
  for (const std::string path :
       {"scripts/python", "scripts/python3.11", "scripts/Python", "data/bin/python3", "data/bin/python/x",
        "data/pyvenv.cfg", "data/bin/activate", "data/lib64", "data/bin", "data/lib/python3.11/os.py",
        "data/lib64/python3.11/os.py", "data/lib/python3.11/site-packages"}) {
    expect_refused(WheelBuilder().add("pkg-1.0.data/" + path, "x"), "it would replace");
  }
  expect_refused(WheelBuilder().add("pkg-1.0.dist-info/entry_points.txt", "[console_scripts]\npython3 = p:m\n"),
                 "it would replace the interpreter");
  EXPECT_NO_THROW(installed(WheelBuilder().add("pkg-1.0.data/data/lib/python3.11/site-packages/x.py", "x")));
  EXPECT_NO_THROW(installed(WheelBuilder().add("pkg-1.0.data/scripts/python-config", "x")));
}

// astral-sh/uv#19528, seen from the installed tree.
TEST(Install, Case10TakesEqualFilesForOnePlaceOnceAndRefusesDifferentOnes) {
  EXPECT_EQ(text_at(installed(WheelBuilder().add("pkg/a.py", "x").add("pkg-1.0.data/purelib/pkg/a.py", "x")),
                    in_site("pkg/a.py")),
            "x");
  expect_refused(WheelBuilder().add("pkg/a.py", "x").add("pkg-1.0.data/platlib/pkg/a.py", "y"),
                 "two files with different contents");
  expect_refused(WheelBuilder().add("pkg-1.0.data/scripts/a", "x").add("pkg-1.0.data/data/bin/a", "y"),
                 "two files with different contents");
  expect_refused(WheelBuilder().add("pkg/a", "x").add("pkg-1.0.data/purelib/pkg/a/b", "x"), "a");
}

TEST(Install, LetsAnEntryPointTakeThePlaceOfAScript) {
  const tree::FileTree tree =
      installed(WheelBuilder()
                    .add("pkg-1.0.data/scripts/run", "#!python\nold()\n")
                    .add("pkg-1.0.dist-info/entry_points.txt", "[console_scripts]\nrun = pkg:main\n"));
  EXPECT_THAT(text_at(tree, "app/.venv/bin/run"), HasSubstr("from pkg import main"));
  EXPECT_THAT(record_paths(tree), Contains("../../../bin/run").Times(1));
}

TEST(Install, KeepsByteCodeThatAWheelBrings) {
  EXPECT_TRUE(installed(WheelBuilder().add("pkg/__pycache__/a.cpython-312.pyc", "xx"))
                  .contains(in_site("pkg/__pycache__/a.cpython-312.pyc")));
}

TEST(Install, RefusesAPlaceThatIsNoAbsolutePath) {
  for (const std::string prefix : {"", "/", "app", "/app/", "/app/../x", "/a//b", "/a\nb"}) {
    InstallPlace place;
    place.prefix = prefix;
    EXPECT_THROW(installed(WheelBuilder(), place), Error) << prefix;
  }
}

TEST(Install, GivesLayersThatDoNotDependOnTheOrderOfMembers) {
  const auto layer = [](WheelBuilder builder) {
    BytesSink sink;
    return tree::write_layer(installed(builder), sink).diff_id;
  };
  EXPECT_EQ(layer(WheelBuilder().add("pkg/a.py", "x").add("pkg/b.py", "y")),
            layer(WheelBuilder().add("pkg/b.py", "y").add("pkg/a.py", "x")));
}

}  // namespace
}  // namespace veneer::python
