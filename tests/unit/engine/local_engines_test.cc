#include "engine/local_engines.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "engine/docker_contexts.hh"
#include "foundation/error.hh"
#include "foundation/file.hh"

namespace veneer::engine {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class DockerChoiceTest : public ::testing::Test {
 protected:
  DockerChoiceTest() { variables_["HOME"] = home_.path().native(); }

  DockerChoice choose() const {
    return choose_docker([&](const std::string& name) -> std::optional<std::string> {
      const auto found = variables_.find(name);
      if (found == variables_.end()) return std::nullopt;
      return found->second;
    });
  }

  static void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void write_context(const std::string& name, const std::string& endpoint) const {
    write(context_meta_file(folder_, name),
          R"({"Name":")" + name + R"(","Metadata":{"Description":"x"},"Endpoints":{"docker":)" + endpoint + "}}");
  }
  void use(const std::string& name) const { write(folder_ / "config.json", R"({"currentContext":")" + name + R"("})"); }

  Error refused() const {
    try {
      static_cast<void>(choose().address());
    } catch (const Error& error) {
      return error;
    }
    return {ErrorKind::failed, "nothing was wrong"};
  }

  TemporaryFolder home_{fs::temp_directory_path(), "home"};
  fs::path folder_ = home_.path() / ".docker";
  std::map<std::string, std::string> variables_;
};

TEST_F(DockerChoiceTest, HostThenContextThenCurrentContext) {
  EXPECT_EQ(choose().address().socket, "/var/run/docker.sock");
  write(folder_ / "config.json", R"({"auths":{}})");
  EXPECT_EQ(choose().address().socket, "/var/run/docker.sock");

  write_context("desktop", R"({"Host":"unix:///home/me/docker.sock","SkipTLSVerify":true})");
  write_context("plant", R"({"Host":"ssh://me@plant","SkipTLSVerify":false})");
  use("desktop");
  EXPECT_EQ(choose().address().socket, "/home/me/docker.sock");
  EXPECT_FALSE(choose().certificates);

  variables_["DOCKER_CONTEXT"] = "plant";
  EXPECT_EQ(choose().host, "ssh://me@plant");
  variables_["DOCKER_CONTEXT"] = "default";
  EXPECT_EQ(choose().address().socket, "/var/run/docker.sock");

  variables_["DOCKER_CONTEXT"] = "absent";
  variables_["DOCKER_HOST"] = "unix:///run/other.sock";
  EXPECT_EQ(choose().address().socket, "/run/other.sock");
}

TEST_F(DockerChoiceTest, FolderOfDockersConfiguration) {
  folder_ = home_.path() / "elsewhere";
  variables_["DOCKER_CONFIG"] = folder_.native();
  write_context("a", R"({"Host":""})");
  use("a");
  EXPECT_EQ(choose().address().socket, "/var/run/docker.sock");
  variables_["DOCKER_HOST"] = "tcp://10.0.0.1:2376";
  variables_["DOCKER_TLS_VERIFY"] = "1";
  EXPECT_EQ(choose().certificates, folder_);
}

TEST_F(DockerChoiceTest, CertificatesLieBesideTheContext) {
  write_context("far", R"({"Host":"tcp://far.example:2376"})");
  use("far");
  variables_["DOCKER_TLS_VERIFY"] = "1";  // goes with DOCKER_HOST alone
  EXPECT_FALSE(choose().address().certificates);
  const fs::path certificates = context_certificates(folder_, "far");
  write(certificates / "ca.pem", "x");
  EXPECT_EQ(choose().address().certificates, certificates);
  EXPECT_EQ(choose().address().server, "far.example:2376");
}

// The identifier is the one that `docker context create plant` makes.
TEST_F(DockerChoiceTest, FilesAreWhereDockerPutsThem) {
  EXPECT_EQ(context_meta_file("/d", "desktop-linux"),
            "/d/contexts/meta/fe9c6bd7a66301f49ca9b6a70b217107cd1284598bfc254700c989b916da791e/meta.json");
}

TEST_F(DockerChoiceTest, ErrorsNameWhatIsWrong) {
  variables_["DOCKER_CONTEXT"] = "absent";
  EXPECT_EQ(refused().kind(), ErrorKind::not_found);
  EXPECT_THAT(refused().what(), HasSubstr("'absent' (DOCKER_CONTEXT) does not exist: no " + folder_.native()));

  variables_["DOCKER_CONTEXT"] = "../../x";
  EXPECT_EQ(refused().kind(), ErrorKind::not_found);
  variables_.erase("DOCKER_CONTEXT");

  for (const std::string config : {"", "[", "[]", "5", R"({"currentContext":5})"}) {
    write(folder_ / "config.json", config);
    EXPECT_EQ(refused().kind(), ErrorKind::refused) << config;
    EXPECT_THAT(refused().what(), HasSubstr("reading " + (folder_ / "config.json").native())) << config;
    EXPECT_THAT(refused().hint(), HasSubstr("DOCKER_HOST"));
  }

  use("a");
  const fs::path meta = context_meta_file(folder_, "a");
  for (const std::string text :
       {"", "[]", "{}", R"({"Name":"b","Endpoints":{"docker":{"Host":"unix:///x"}}})", R"({"Name":"a"})",
        R"({"Name":"a","Endpoints":[]})", R"({"Name":"a","Endpoints":{"docker":{"Host":5}}})",
        R"({"Name":"a","Endpoints":{"kubernetes":{}}})"}) {
    write(meta, text);
    EXPECT_EQ(refused().kind(), ErrorKind::refused) << text;
    EXPECT_THAT(refused().what(), HasSubstr("reading " + meta.native())) << text;
  }

  write_context("a", R"({"Host":"tcp://far:2376","SkipTLSVerify":true})");
  EXPECT_THAT(refused().what(), HasSubstr("SkipTLSVerify in " + meta.native()));
  write_context("a", R"({"Host":"npipe:////./pipe/docker_engine"})");
  EXPECT_THAT(refused().what(), HasSubstr("the Docker context 'a'"));
  EXPECT_THAT(refused().what(), HasSubstr("npipe"));
  write_context("a", R"({"Host":"ssh://me@plant"})");
  EXPECT_THAT(refused().what(), HasSubstr("reached by ssh"));
  EXPECT_THAT(refused().hint(), HasSubstr("ssh -L"));
}

}  // namespace
}  // namespace veneer::engine
