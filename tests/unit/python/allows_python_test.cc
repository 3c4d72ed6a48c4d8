#include "python/specifier.hh"

#include <gtest/gtest.h>

#include "foundation/error.hh"

namespace veneer::python {
namespace {

TEST(AllowsPython, ComparesWithEverySpecifier) {
  struct Row {
    const char* specifiers;
    const char* version;
    bool allowed;
  };
  for (const Row& row : {Row{"", "3.11.2", true},
                         Row{">=3.11", "3.11.2", true},
                         Row{">=3.11.2", "3.11.2", true},
                         Row{">=3.11.3", "3.11.2", false},
                         Row{">=3.9,<3.13", "3.13.5", false},
                         Row{">=3.9,<3.13", "3.12.9", true},
                         Row{" >= 3.9 , < 4 ", "3.13.5", true},
                         Row{">=3.8, !=3.11.*", "3.11.2", false},
                         Row{"!=3.11.2", "3.11.2", false},
                         Row{"==3.11.*", "3.11.2", true},
                         Row{"==3.1.*", "3.11.2", false},
                         Row{"==3.11", "3.11.0", true},
                         Row{"==3.11", "3.11.2", false},
                         Row{"~=3.11", "3.13.0", true},
                         Row{"~=3.11.1", "3.12.0", false},
                         Row{"~=3.11.1", "3.11.2", true},
                         Row{">3.11", "3.11.2", true},
                         Row{"<=3.11", "3.11.2", false},
                         Row{"===3.11.2", "3.11.2", true},
                         Row{">=3.14", "3.14.0rc1", true},
                         Row{"<3.14", "3.14.0rc1", false},
                         Row{"<3.14.1", "3.14.0rc1", true},
                         Row{">=3.13.0a1", "3.13.0rc1", true},
                         Row{">=3.13", "3.13.1+", true},
                         Row{"<4.0.0a0", "3.13.1", true}}) {
    EXPECT_EQ(allows_python(row.specifiers, row.version), row.allowed) << row.specifiers << " " << row.version;
  }
}

TEST(AllowsPython, RefusesWhatIsNoSpecifier) {
  for (const char* text : {"3.11", ">=", ">=x", "=>3.11", "~=3", ">=3.*", ">=3.11;", "^3.11", ">=3.11 <4"}) {
    EXPECT_THROW(allows_python(text, "3.11.2"), Error) << text;
  }
}

}  // namespace
}  // namespace veneer::python
