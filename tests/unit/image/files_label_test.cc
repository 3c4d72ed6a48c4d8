#include "image/files_label.hh"

#include <gtest/gtest.h>

#include "foundation/base64.hh"

namespace veneer::image {
namespace {

TEST(FilesLabelTest, IsReadAsItWasWritten) {
  InstalledFiles files;
  files.distributions["rich"] = {InstalledFile::Kind::wheel, sha256("a")};
  files.distributions["docopt"] = {InstalledFile::Kind::source, sha256("b")};
  files.interpreter = InstalledInterpreter{"3.12.15", "https://files.example/p.tar.gz", sha256("c")};
  files.others = {"of-git"};
  const std::string text = write_files_label(files);
  EXPECT_EQ(text, "{\"Python\":[\"3.12.15\",\"https://files.example/p.tar.gz\",\"" + sha256("c").hex() +
                      "\"],\"Files\":\"docopt:source:" + encode_base64_url(sha256("b").bytes) +
                      " of-git: rich:" + encode_base64_url(sha256("a").bytes) + "\"}");
  EXPECT_EQ(read_files_label(text), files);
  EXPECT_EQ(read_files_label(write_files_label({})), InstalledFiles());
}

TEST(FilesLabelTest, TheOlderFormIsRead) {
  const InstalledFiles files =
      read_files_label("{\"docopt\":\"source " + sha256("b").hex() + "\",\"rich\":\"" + sha256("a").hex() + "\"}");
  EXPECT_EQ(names_of(files), (std::vector<std::string>{"docopt", "rich"}));
  EXPECT_EQ(files.distributions.at("docopt"), (InstalledFile{InstalledFile::Kind::source, sha256("b")}));
  EXPECT_EQ(files.distributions.at("rich"), (InstalledFile{InstalledFile::Kind::wheel, sha256("a")}));
}

TEST(FilesLabelTest, AnyoneCanWriteOne) {
  for (const char* text : {"", "x", "[]", "{\"a\":1}", "{\"a\":\"12\"}", "{\"Python\":[1,2,3]}", "{\"a\":[\"\"]}",
                           "{\"Files\":\"\"}", "{\"Files\":\"a b:x c:source:\"}"}) {
    EXPECT_TRUE(read_files_label(text).empty()) << text;
  }
  EXPECT_TRUE(read_files_label("{\"a\":\"" + std::string(2 << 20, 'x') + "\"}").empty());
}

}  // namespace
}  // namespace veneer::image
