// Every made-up image of the corpus, read as `veneer inspect --tree` reads it: accepted or refused as its `outcome`
// says, with the tree that engines agree on, and nothing of it ever on this machine's disk.
#include <gmock/gmock.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "foundation/error.hh"
#include "foundation/file.hh"
#include "foundation/json.hh"
#include "foundation/process.hh"
#include "image/media/docker_archive.hh"
#include "image/media/oci_layout.hh"
#include "inspect/layer_contents.hh"
#include "inspect/merged_tree.hh"
#include "tests/support/corpus.hh"

namespace veneer {
namespace {

namespace fs = std::filesystem;

constexpr const char* sentinel = "/tmp/veneer-sentinel";

struct Answer {
  std::optional<std::vector<std::string>> lines;  // nothing when refused
  std::string error;
};

Answer ask(const std::function<std::vector<std::string>()>& read) {
  try {
    return {read(), {}};
  } catch (const Error& error) {
    EXPECT_TRUE(error.kind() == ErrorKind::refused || error.kind() == ErrorKind::verification ||
                error.kind() == ErrorKind::not_found)
        << error.what();
    return {std::nullopt, error.what()};
  }
}

std::vector<std::string> lines_of(const image::SealedImage& image, const image::Blobs& blobs) {
  const inspect::MergedTree merged = inspect::merge_layers(image.image, blobs);
  // What else `veneer inspect` says of an image must not fail either.
  const auto layers = inspect::summarize_layers(image.image, &merged);
  (void)inspect::summary_to_text(layers);
  (void)parse_json(inspect::summary_to_json(image, layers));
  (void)parse_json(inspect::tree_to_json(merged.tree));
  return inspect::tree_lines(merged.tree);
}

Answer read_archive(const fs::path& file) {
  return ask([&] {
    const auto archive = image::DockerArchive::open(file);
    return lines_of(archive.read({}), archive);
  });
}

Answer read_layout(const fs::path& folder) {
  return ask([&] {
    const auto layout = image::OciLayout::open(folder);
    return lines_of(layout.read({}), layout);
  });
}

class Images : public ::testing::Test {
 protected:
  void check(const std::string& name, const Value& expected, const Answer& answer) {
    const std::string outcome = expected.at("outcome").string();
    const std::string verdict = answer.lines ? "accept" : "reject";
    ++counts_[outcome + " -> " + verdict];
    if (outcome != "either") {
      EXPECT_EQ(verdict, outcome) << name << ": " << answer.error << "\nmust: " << expected.at("must").string();
    }
    if (const Value* tree = expected.find("tree"); tree != nullptr && answer.lines) {
      ++counts_["trees compared"];
      std::vector<std::string> lines;
      for (const Value& line : tree->array()) lines.push_back(line.string());
      EXPECT_EQ(*answer.lines, lines) << name;
    }
  }

  std::map<std::string, std::size_t> counts_;
};

TEST_F(Images, ConformanceOfAllImages) {
  VENEER_NEEDS_CORPUS();
  fs::remove_all(sentinel);
  const Value document = parse_json(tests::read_corpus("images/expected.json"));
  const Value& cases = document.at("cases");
  const TemporaryFolder scratch(fs::temp_directory_path(), "images");
  std::size_t files = 0;
  std::set<std::string> seen;
  for (const auto& entry : fs::directory_iterator(tests::corpus_folder() / "images")) {
    const std::string file_name = entry.path().filename();
    if (!file_name.ends_with(".tar.xz")) continue;
    ++files;
    const std::string name = file_name.substr(0, file_name.find('.'));
    seen.insert(name);
    const Value* expected = cases.find(name);
    ASSERT_NE(expected, nullptr) << name;
    const fs::path tar = scratch.path() / entry.path().stem();
    write_text_file(tar, tests::read_corpus(fs::path("images") / file_name));
    const bool is_layout = file_name.ends_with(".oci.tar.xz");
    SCOPED_TRACE(file_name);
    const Answer from_archive = read_archive(tar);
    check(file_name, *expected, from_archive);
    if (!is_layout) continue;
    // The same as a folder: here links are real ones.
    const fs::path folder = scratch.path() / (name + ".oci");
    make_folders(folder);
    Command unpack;
    unpack.arguments = {"tar", "--no-same-owner", "-xf", tar.native(), "-C", folder.native()};
    run_checked(unpack);
    const Answer from_folder = read_layout(folder);
    check(file_name + " (folder)", *expected, from_folder);
    EXPECT_EQ(from_archive.lines, from_folder.lines);
  }
  EXPECT_EQ(seen.size(), cases.table().size());
  EXPECT_FALSE(fs::exists(sentinel)) << "something was written outside";
  std::printf("%-24s %zu\n%-24s %zu\n", "cases", seen.size(), "files", files);
  for (const auto& [what, count] : counts_) std::printf("%-24s %zu\n", what.c_str(), count);
}

TEST_F(Images, ConformanceOfErrorsThatSayWhat) {
  VENEER_NEEDS_CORPUS();
  const TemporaryFolder scratch(fs::temp_directory_path(), "images");
  const std::vector<std::pair<std::string, std::string>> wanted = {
      {"c_diff_id_bad_algo.docker", "md5"},
      {"c_diff_id_wrong.oci", "diff ID"},
      {"c_no_rootfs.oci", "rootfs"},
      {"hardlink_self.docker", "itself"},
      {"m_duplicate_manifest_json.docker", "two files 'manifest.json'"},
      {"m_layer_is_symlink_outside.docker", "leads out of the archive"},
      {"m_too_few_layers.docker", "diff IDs"},
      {"m_two_images.docker", "veneer-test:m_two_images, veneer-test:second"},
      {"o_layer_unknown_mediatype.oci", "application/x-thing"},
      {"o_manifest_is_also_index.oci", "manifest and an index"},
      {"o_two_refs_no_name.oci", "a, b"},
      {"whiteout_dotdot.oci", "layer 2"},
      {"whiteout_dotdot.docker", "d/.wh..."},
  };
  for (const auto& [name, text] : wanted) {
    const fs::path tar = scratch.path() / name;
    write_text_file(tar, tests::read_corpus("images/" + name + ".tar.xz"));
    EXPECT_THAT(read_archive(tar).error, ::testing::HasSubstr(text)) << name;
  }
}

}  // namespace
}  // namespace veneer
