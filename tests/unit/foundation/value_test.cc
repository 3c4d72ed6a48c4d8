#include "foundation/value.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "foundation/error.hh"
#include "foundation/json.hh"
#include "foundation/toml.hh"

namespace veneer {
namespace {

using testing::HasSubstr;

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Json, SurvivesReadingAndWriting) {
  const std::string text = R"({"b":[1,-2,3.5,true,null,"x\n\"\\\u0001"],"a":{},"c":[]})";
  EXPECT_EQ(to_json(parse_json(text)), text);
  EXPECT_EQ(to_pretty_json(parse_json(R"({"a":[1],"b":{}})")), "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}\n");
}

TEST(Json, RefusesWhatReadersDisagreeAbout) {
  EXPECT_THAT(error_of([] { parse_json(R"({"a":1,"a":2})"); }), HasSubstr("'a' occurs twice"));
  EXPECT_THAT(error_of([] { parse_json("{} x"); }), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of([] { parse_json("{\"a\":\"\xff\"}"); }), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of([] { parse_json("18446744073709551615"); }), HasSubstr("too large"));
  EXPECT_THAT(error_of([] { parse_json("123456789012345678901234567890"); }), HasSubstr("too large"));
  EXPECT_THAT(error_of([] { parse_json(""); }), HasSubstr("not valid JSON"));
  try {
    parse_json(std::string(100'000, '['));
    FAIL();
  } catch (const Error& refusal) {
    EXPECT_THAT(refusal.what(), HasSubstr("deeper than 64"));
    EXPECT_THAT(refusal.hint(), HasSubstr("fewer levels"));
  }
}

TEST(Json, RealNumbersStayReal) {
  for (const char* text : {"-0.0", "1000.0", "1e+300", "0.1", "-2.5"}) {
    const Value value = parse_json(text);
    EXPECT_TRUE(value.is_real()) << text;
    EXPECT_EQ(to_json(value), text);
    EXPECT_EQ(parse_json(to_json(value)), value);
  }
}

TEST(Json, ADoubledKeyIsFoundAmongMany) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_EQ(parse_json(text + "\"last\":1}").table().size(), 200'001u);
  EXPECT_THAT(error_of([&] { parse_json(text + "\"k7\":1}"); }), HasSubstr("'k7' occurs twice"));
}

TEST(Value, NamesTheKeyThatIsWrong) {
  const Value value = parse_json(R"({"name":[1],"list":["a",2]})");
  EXPECT_THAT(error_of([&] { value.string_or("name", ""); }),
              HasSubstr("key 'name': expected a string, found an array"));
  EXPECT_THAT(error_of([&] { value.strings_or_empty("list"); }), HasSubstr("key 'list': expected a string"));
  EXPECT_THAT(error_of([&] { value.at("other"); }), HasSubstr("key 'other' is missing"));
  EXPECT_EQ(value.string_or("absent", "x"), "x");
}

TEST(Toml, ReadsEveryType) {
  const Value value = parse_toml(
      "z = 1\na = \"text\"\nreal = 1.5\nyes = true\nday = 2026-01-02\n"
      "time = 2026-01-02T03:04:05Z\nlist = [1, \"b\"]\n[table.inner]\nx = 1\n[[many]]\ny=1\n[[many]]\n");
  EXPECT_EQ(to_json(value),
            R"({"z":1,"a":"text","real":1.5,"yes":true,"day":"2026-01-02","time":"2026-01-02T03:04:05Z",)"
            R"("list":[1,"b"],"table":{"inner":{"x":1}},"many":[{"y":1},{}]})");
}

TEST(Toml, RefusesByLine) {
  EXPECT_THAT(error_of([] { parse_toml("a = 1\na = 2\n"); }), HasSubstr("line 2"));
  EXPECT_THAT(error_of([] { parse_toml("a = \"\xff\"\n"); }), HasSubstr("line 1"));
  EXPECT_THAT(error_of([] { parse_toml("a = inf\n"); }), HasSubstr("infinities"));
}

/// "a.a.a": `count` parts.
std::string dotted(std::size_t count, const std::string& part = "a") {
  std::string key = part;
  for (std::size_t i = 1; i < count; ++i) key += "." + part;
  return key;
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

TEST(Toml, RefusesWhatNestsTooDeeply) {
  const auto error = [](const std::string& text) { return error_of([&] { parse_toml(text); }); };
  EXPECT_EQ(error("x = 1\n" + dotted(50'000) + " = 1\n"),
            "line 2, column 128: the key is nested deeper than 64 levels");
  EXPECT_EQ(error("[" + dotted(50'000) + "]\n"),
            "line 1, column 129: the table header is nested deeper than 64 levels");
  EXPECT_THAT(error("[[" + dotted(50'000) + "]]\n"), HasSubstr("the table header"));
  EXPECT_EQ(error("a = " + std::string(1 << 20, '[')), "line 1, column 69: the array is nested deeper than 64 levels");
  EXPECT_THAT(error("a = " + repeated("{a=", 200'000)), HasSubstr("the key is nested"));
  EXPECT_THAT(error("a = " + repeated("[{a.b=", 100'000)), HasSubstr("nested deeper"));
  EXPECT_THAT(error(dotted(50'000, "\"a.b\"") + " = 1"), HasSubstr("the key"));
  EXPECT_THAT(error(dotted(50'000, "'a'") + " = 1"), HasSubstr("the key"));
  EXPECT_THAT(error("[" + dotted(40) + "]\n" + dotted(25) + " = 1"), HasSubstr("line 2, column 48: the key"));
  EXPECT_THAT(error("\xef\xbb\xbf[" + dotted(50'000) + "]"), HasSubstr("the table header"));
  EXPECT_THAT(error("a = [ # ]\n\"\"\"]\"\"\", ']', { b = '''\n]''', " + dotted(50'000) + " = 1 } ]"),
              HasSubstr("line 3, column"));
  // Arrays of tables on the way count, too.
  std::string chain;
  for (std::size_t depth = 1; depth <= 40; ++depth) chain += "[[" + dotted(depth) + "]]\n";
  EXPECT_THAT(error(chain), HasSubstr("line 33: the TOML is nested deeper"));
  for (const std::string& text : {chain, dotted(65) + " = 1"}) {
    try {
      parse_toml(text);
      FAIL();
    } catch (const Error& refusal) {
      EXPECT_THAT(refusal.hint(), HasSubstr("fewer levels"));
    }
  }
}

TEST(Toml, ReadsSixtyFourLevels) {
  for (const std::string& text :
       {dotted(64) + " = 1", "[" + dotted(64) + "]", "[[" + dotted(63) + "]]",
        "[" + dotted(40) + "]\n" + dotted(24) + " = 1", "a = " + std::string(64, '[') + std::string(64, ']'),
        "a = " + repeated("{a=", 63) + "1" + std::string(63, '}'),
        "a = " + std::string(63, '[') + "1.5" + std::string(63, ']')}) {
    EXPECT_NO_THROW(parse_toml(text)) << text;
    EXPECT_NO_THROW(parse_toml("b = 1\r\n" + text + "\r\n")) << text;
  }
}

TEST(Toml, DotsAndBracketsInStringsCommentsAndNumbersAreNoLevels) {
  const std::string dots = repeated(".[{", 300);
  for (const std::string& text :
       {"# " + dots + "\na = 1 # " + dots, "\"" + dots + "\" = 1", "'" + dots + "'.'" + dots + "' = 1",
        "a = \"\\\"" + dots + "\"", "a = '" + dots + "\\'", "a = \"\"\"\n\"\"" + dots + "\\\"\"\"\"\"",
        "a = '''\n''" + dots + "'''''", "['" + dots + "']", "[[\"" + dots + "\"]]",
        "a = {\"" + dots + "\" = '" + dots + "', b = \"" + dots + "\"}",
        "a = [" + repeated("1.5, {b = 1.5}, 1979-05-27T07:32:00.5Z, [1], ", 300) + "\n# " + dots + "\n]",
        "[a.b.c]\n[[d.e.f]]\ng = {h.i = 1, j.k = [[1.5]]}\n" + repeated("[[d.e.f]]\nx.y = 1.5\n", 300)}) {
    EXPECT_NO_THROW(parse_toml(text)) << text;
  }
}

}  // namespace
}  // namespace veneer
