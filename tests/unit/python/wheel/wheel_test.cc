#include "python/wheel/wheel.hh"

#include <gmock/gmock.h>

#include "foundation/error.hh"
#include "tests/support/zip_builder.hh"

namespace veneer::python {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;
using tests::WheelBuilder;

Wheel open(const WheelBuilder& builder, Strictness strictness = Strictness::tolerant) {
  return open_wheel(builder.build(), builder.file_name(), strictness);
}

void expect_refused(const WheelBuilder& builder, std::string_view reason) {
  EXPECT_THAT([&] { verify(open(builder)); }, ThrowsMessage<Error>(HasSubstr(std::string(reason))));
}

std::vector<std::string> codes(const Wheel& wheel) {
  std::vector<std::string> result;
  for (const Finding& finding : wheel.findings) result.push_back(finding.code);
  return result;
}

std::string text_of(const archive::Content& content) {
  const std::unique_ptr<ByteSource> source = content.open();
  return std::string(as_text(read_all(*source, 1 << 20)));
}

/// A RECORD with one row for pkg/a.py ("x") and empty ones for the rest.
std::string record_with(std::string_view row) {
  return std::string(row) + "\npkg-1.0.dist-info/METADATA," +
         WheelBuilder::hash_and_size("Metadata-Version: 2.1\nName: pkg\nVersion: 1.0\n") +
         "\npkg-1.0.dist-info/WHEEL," + WheelBuilder::hash_and_size(WheelBuilder().wheel) +
         "\npkg-1.0.dist-info/RECORD,,\n";
}

TEST(OpenWheel, ReadsAPlainWheel) {
  const Wheel wheel = open(WheelBuilder().add("pkg/__init__.py", "x = 1\n").add("pkg/tool", "#!", 0100755));
  EXPECT_EQ(wheel.name, "pkg");
  EXPECT_EQ(wheel.version, "1.0");
  EXPECT_EQ(wheel.dist_info, "pkg-1.0.dist-info");
  EXPECT_THAT(wheel.tags, ElementsAre("py3-none-any"));
  EXPECT_THAT(wheel.findings, IsEmpty());
  ASSERT_EQ(wheel.members.size(), 5U);
  EXPECT_EQ(text_of(*wheel.find("pkg/__init__.py")->content), "x = 1\n");
  EXPECT_FALSE(wheel.find("pkg/__init__.py")->executable);
  EXPECT_TRUE(wheel.find("pkg/tool")->executable);
  EXPECT_EQ(wheel.find("pkg/none"), nullptr);
  verify(wheel);
}

TEST(OpenWheel, KeepsTheDeflatedForm) {
  WheelBuilder builder;
  builder.members.push_back({"pkg/a.py", std::string(1000, 'a'), 0100644, 3, true});
  const Wheel wheel = open(builder);
  const auto deflated = wheel.find("pkg/a.py")->content->deflated();
  ASSERT_TRUE(deflated.has_value());
  EXPECT_EQ(as_text(read_all(*deflated->stream, 1000)), tests::deflated(std::string(1000, 'a')));
}

// astral-sh/uv#15136: zips that two parsers read differently.
TEST(OpenWheel, Case8RefusesAmbiguousZips) {
  const WheelBuilder builder = WheelBuilder().add("pkg/a.py", "x");
  const auto file = [&] { return tests::build_zip(builder.all_members()); };
  const auto open_bytes = [&](Bytes bytes) {
    return [&builder, bytes] { verify(open_wheel(std::make_shared<MemoryAccess>(bytes), builder.file_name())); };
  };
  EXPECT_NO_THROW(open_bytes(file())());
  const std::size_t directory = as_text(file()).find("PK\x01\x02");
  const std::size_t end = as_text(file()).find("PK\x05\x06");
  const auto changed = [&](std::size_t offset, int value) {
    Bytes bytes = file();
    bytes[offset] = static_cast<std::byte>(value);
    return bytes;
  };
  const auto with = [&](std::string_view before, std::string_view after) {
    Bytes bytes(as_bytes(before).begin(), as_bytes(before).end());
    append(bytes, file());
    append(bytes, as_bytes(after));
    return bytes;
  };
  EXPECT_THROW(open_bytes(with("", "junk"))(), Error) << "data behind the end record";
  EXPECT_THROW(open_bytes(with("junk", ""))(), Error) << "data before the first member";
  EXPECT_THROW(open_bytes(changed(30, 'q'))(), Error) << "another name in the local header";
  EXPECT_THROW(open_bytes(changed(14, 1))(), Error) << "another CRC in the local header";
  EXPECT_THROW(open_bytes(changed(22, 7))(), Error) << "another size in the local header";
  EXPECT_THROW(open_bytes(changed(8, 8))(), Error) << "another method in the local header";
  EXPECT_THROW(open_bytes(changed(directory + 42, 1))(), Error) << "a wrong offset";
  EXPECT_THROW(open_bytes(changed(end + 10, 1))(), Error) << "fewer members in the end record";
  EXPECT_THROW(open_bytes(changed(end + 20, 4))(), Error) << "a comment that is not there";
  Bytes commented = changed(end + 20, 22);
  append(commented, as_bytes(as_text(file()).substr(end)));
  EXPECT_THROW(open_bytes(commented)(), Error) << "an end record inside a comment";
}

// astral-sh/uv#19528: two members with one output path.
TEST(OpenWheel, Case10AcceptsEqualDuplicatesOnce) {
  for (const std::string second : {"pkg/a.py", "pkg/./a.py", "./pkg//a.py"}) {
    const Wheel wheel = open(WheelBuilder().add("pkg/a.py", "x").add(second, "x"));
    EXPECT_EQ(wheel.members.size(), 4U);
    EXPECT_THAT(codes(wheel), Contains("member-twice"));
  }
}

TEST(OpenWheel, Case10RefusesDifferentDuplicates) {
  for (const std::string second : {"pkg/a.py", "pkg/./a.py", "./pkg//a.py"}) {
    expect_refused(WheelBuilder().add("pkg/a.py", "x").add(second, "y"), "twice with different contents");
  }
}

TEST(OpenWheel, RefusesAFileThatIsAlsoAFolder) {
  expect_refused(WheelBuilder().add("pkg/x", "1").add("pkg/x/y", "1"), "a file and a folder");
  expect_refused(WheelBuilder().add("pkg/x", "1").add("pkg/x/", "", 040755), "a file and a folder");
  expect_refused(WheelBuilder().add("pkg/x", "1").add("pkg/x/y/", "", 040755), "a file and a folder");
}

// astral-sh/uv#2424: the dist-info folder is spelled in its own way.
TEST(OpenWheel, Case11AcceptsOtherSpellingsOfTheDistInfoFolder) {
  WheelBuilder local;
  local.version = "1.0+abc";
  local.dist_info = "pkg-1.0_abc.dist-info";
  EXPECT_EQ(open(local).dist_info, "pkg-1.0_abc.dist-info");

  WheelBuilder capitals;
  capitals.name = "mypkg";
  capitals.dist_info = "MyPkg-1.0.dist-info";
  EXPECT_EQ(open(capitals).dist_info, "MyPkg-1.0.dist-info");

  WheelBuilder dashes;
  dashes.name = "my_pkg";
  dashes.dist_info = "my-pkg-1.0.0.dist-info";
  EXPECT_EQ(open(dashes).name, "my-pkg");
}

TEST(OpenWheel, Case11RefusesTwoDistInfoFoldersNamingBothInOrder) {
  expect_refused(WheelBuilder().add("other-1.0.dist-info/METADATA", "x"),
                 "2 .dist-info folders: other-1.0.dist-info, pkg-1.0.dist-info");
  expect_refused(WheelBuilder().add("zz-1.0.dist-info/", "", 040755),
                 "2 .dist-info folders: pkg-1.0.dist-info, zz-1.0.dist-info");
  EXPECT_NO_THROW(open(WheelBuilder().add("pkg/vendored-1.0.dist-info/METADATA", "x").add("a.dist-info", "x")));
}

TEST(OpenWheel, RefusesNamesAndVersionsThatDiffer) {
  WheelBuilder builder;
  builder.dist_info = "other-1.0.dist-info";
  expect_refused(builder, "does not fit the name of the file name");
  builder.dist_info = "pkg-2.0.dist-info";
  expect_refused(builder, "does not fit the version of the file name");
  builder.dist_info = "pkg.dist-info";
  expect_refused(builder, "does not fit the name of the file name");
  builder.dist_info.clear();
  builder.metadata = "Metadata-Version: 2.1\nName: other\nVersion: 1.0\n";
  expect_refused(builder, "METADATA has the name other, the file name pkg");
  builder.metadata = "Metadata-Version: 2.1\nName: pkg\nVersion: 9.9\n";
  expect_refused(builder, "METADATA has the version 9.9, the file name 1.0");
  builder.metadata = "Metadata-Version: 2.1\nName: pkg\n\nVersion: 1.0\n";
  expect_refused(builder, "METADATA has no Version");
}

TEST(OpenWheel, ReadsTheWheelVersion) {
  WheelBuilder builder;
  const auto with = [&](std::string_view version) {
    builder.wheel = "Wheel-Version: " + std::string(version) + "\nTag: py3-none-any\n";
    return builder;
  };
  EXPECT_THAT(codes(open(with("1.0"))), IsEmpty());
  EXPECT_THAT(codes(open(with("1.9"), Strictness::strict)), ElementsAre("wheel-version-newer"));
  expect_refused(with("2.0"), "Wheel-Version 2.0 is not supported");
  expect_refused(with("1"), "malformed Wheel-Version");
  expect_refused(with("1.x"), "malformed Wheel-Version");
  builder.wheel = "Tag: py3-none-any\n";
  expect_refused(builder, "WHEEL has no Wheel-Version");
}

TEST(OpenWheel, TrustsTheTagsOfTheFileName) {
  WheelBuilder builder;
  builder.wheel = "Wheel-Version: 1.0\nTag: cp311-cp311-win_amd64\n";
  EXPECT_THAT(codes(open(builder, Strictness::strict)), ElementsAre("tags-differ"));
}

TEST(OpenWheel, RefusesWhatIsNoPlainFile) {
  expect_refused(WheelBuilder().add("pkg/l", "a", 0120777), "a symbolic link");
  expect_refused(WheelBuilder().add("pkg/f", "", 0010644), "no regular file");
  expect_refused(WheelBuilder().add("pkg/d", "", 0020644), "no regular file");
  expect_refused(WheelBuilder().add("pkg/d", "", 0040755), "a file's name");
  expect_refused(WheelBuilder().add("pkg/d/", "", 0100644), "a folder's name");
}

TEST(OpenWheel, RefusesNamesThatLeadAway) {
  for (const std::string name : {"../evil.py", "/tmp/evil.py", "pkg/../../evil.py", "pkg-1.0.data/data/../../x"}) {
    expect_refused(WheelBuilder().add(name, "1"), "is refused");
  }
}

TEST(OpenWheel, RefusesVariantWheels) {
  expect_refused(WheelBuilder().add("pkg-1.0.dist-info/variant.json", "{}"), "variant wheel");
}

TEST(OpenWheel, RefusesMissingMetadata) {
  for (const std::string missing : {"METADATA", "WHEEL", "RECORD"}) {
    std::vector<tests::ZipMember> members = WheelBuilder().all_members();
    std::erase_if(members, [&](const tests::ZipMember& member) { return member.name.ends_with(missing); });
    const auto file = std::make_shared<MemoryAccess>(tests::build_zip(members));
    EXPECT_THAT([&] { open_wheel(file, "pkg-1.0-py3-none-any.whl"); },
                ThrowsMessage<Error>(HasSubstr(missing + " is missing")));
  }
  const auto file = std::make_shared<MemoryAccess>(tests::build_zip({{"pkg/a.py", "x"}}));
  EXPECT_THAT([&] { open_wheel(file, "pkg-1.0-py3-none-any.whl"); },
              ThrowsMessage<Error>(HasSubstr("no .dist-info folder")));
}

TEST(WheelRecord, RefusesWhatContradictsTheContents) {
  WheelBuilder builder = WheelBuilder().add("pkg/a.py", "x");
  builder.record = record_with("pkg/a.py," + WheelBuilder::hash_and_size("y"));
  EXPECT_NO_THROW(open(builder)) << "contents are read when they are used";
  expect_refused(builder, "the sha256 of pkg/a.py is not the one that RECORD gives");
  builder.record = record_with("pkg/a.py,,2");
  EXPECT_THAT([&] { open(builder); }, ThrowsMessage<Error>(HasSubstr("the size 2, it has 1 bytes")));
  builder.record = record_with("pkg/a.py,sha256=x,1");
  EXPECT_THAT([&] { open(builder); }, ThrowsMessage<Error>(HasSubstr("no sha256 hash")));
  builder.record = record_with("pkg/a.py,,1\npkg/a.py,,");
  EXPECT_THAT([&] { open(builder); }, ThrowsMessage<Error>(HasSubstr("twice with different")));
  builder.record = "pkg/a.py,\n";
  EXPECT_THAT([&] { open(builder); }, ThrowsMessage<Error>(HasSubstr("2 fields")));
}

TEST(WheelRecord, IsNotComparedAgain) {
  WheelBuilder builder;
  builder.members.push_back({"pkg/a.py", "x", 0100644, 3, true});
  builder.record = record_with("pkg/a.py," + WheelBuilder::hash_and_size("y"));
  const Wheel again = with_verified_contents(open(builder));
  EXPECT_NO_THROW(verify(again));
  const WheelMember* member = again.find("pkg/a.py");
  const std::optional<archive::DeflatedData> deflated = member->content->deflated();
  ASSERT_TRUE(deflated);
  EXPECT_TRUE(deflated->was_verified);
  EXPECT_FALSE(open(builder).find("pkg/a.py")->content->deflated()->was_verified);
}

TEST(WheelRecord, VerifiesLongerHashes) {
  const std::string good =
      "pkg/a.py,sha512=pKvURIxJVi2CgRXROh_M6pJ_UrTVRZKX-LQ-QtqJI4vBNibkPcs43bCCSIkn7JBPtCBXRDmD6IWFF51QVRr-Yg,1";
  WheelBuilder builder = WheelBuilder().add("pkg/a.py", "x");
  builder.record = record_with("pkg/a.py,sha384=OLBgp1GsljhM2TJ-sbHjaiH9txEUvgdDTAzHv2P24donTt6_529l-9Ua0vFImLlb,1");
  expect_refused(builder, "the sha384 of pkg/a.py");
  builder.record = record_with(good);
  EXPECT_NO_THROW(verify(open(builder, Strictness::strict)));
}

TEST(WheelRecord, ReportsWhatIsIncompleteAndRefusesItWhenStrict) {
  const std::string hash = WheelBuilder::hash_and_size("x");
  const std::string padded = hash.substr(0, hash.find(',')) + "=,1";
  for (const auto& [row, code] : std::vector<std::pair<std::string, std::string>>{
           {"", "record-row-missing"},
           {"pkg/a.py,,1", "record-hash-missing"},
           {"pkg/a.py,md5=AAAAAAAAAAAAAAAAAAAAAA,1", "record-hash-unsupported"},
           {"pkg/a.py," + padded, "record-hash-unusual"},
           {"pkg/a.py," + hash + "\npkg/absent.py,,", "record-file-missing"},
           {"pkg/a.py," + hash + "\n/etc/passwd,,", "record-file-missing"}}) {
    WheelBuilder builder = WheelBuilder().add("pkg/a.py", "x");
    builder.record = record_with(row);
    const Wheel wheel = open(builder);
    EXPECT_THAT(codes(wheel), ElementsAre(code)) << row;
    EXPECT_EQ(wheel.findings[0].weight, Weight::incomplete);
    verify(wheel);
    EXPECT_THAT([&] { open(builder, Strictness::strict); }, ThrowsMessage<Error>(HasSubstr("RECORD"))) << row;
  }
}

TEST(WheelRecord, NeedsNoRowsForSignatures) {
  WheelBuilder builder =
      WheelBuilder().add("pkg-1.0.dist-info/RECORD.jws", "{}").add("pkg-1.0.dist-info/RECORD.p7s", "x");
  builder.record = record_with("");
  EXPECT_THAT(open(builder, Strictness::strict).findings, IsEmpty());
}

// pypa/installer#101: rows with backslashes.
TEST(WheelRecord, Installer101MatchesRowsWithBackslashes) {
  WheelBuilder builder = WheelBuilder().add("pkg/a.py", "x");
  builder.record = record_with("pkg\\a.py," + WheelBuilder::hash_and_size("x"));
  const Wheel wheel = open(builder, Strictness::strict);
  EXPECT_THAT(codes(wheel), ElementsAre("record-path-cleaned"));
  EXPECT_EQ(wheel.find("pkg/a.py")->row->path, "pkg/a.py");
  builder.record = record_with("pkg\\a.py," + WheelBuilder::hash_and_size("y"));
  expect_refused(builder, "is not the one that RECORD gives");
  builder.record = record_with("pkg\\b.py,,\npkg/a.py," + WheelBuilder::hash_and_size("x"));
  EXPECT_THAT([&] { open(builder, Strictness::strict); },
              ThrowsMessage<Error>(HasSubstr("RECORD lists pkg\\b.py, which the wheel does not hold")));
}

TEST(OpenWheel, NotesWhatIsOdd) {
  EXPECT_THAT(open(WheelBuilder().add("..\\evil.py", "1")).findings,
              ElementsAre(AllOf(Field(&Finding::code, "member-name-backslash"), Field(&Finding::path, "..\\evil.py"))));
  EXPECT_THAT(codes(open(WheelBuilder().add("Pkg-1.0.data/scripts/x", "1"))), ElementsAre("other-data-folder"));
  EXPECT_THAT(codes(open(WheelBuilder()
                             .add("pkg-1.0.data/scripts/x", "1")
                             .add("pkg-1.0.dist-info/entry_points.txt", "[console_scripts]\nx = p:m\n"))),
              ElementsAre("script-hidden"));
}

TEST(OpenWheel, SaysWhichWheelIsWrong) {
  EXPECT_THAT([] { open(WheelBuilder().add("../x", "1")); },
              ThrowsMessage<Error>(HasSubstr("wheel pkg-1.0-py3-none-any.whl: member ../x is refused")));
}

}  // namespace
}  // namespace veneer::python
