#include "check/start_targets.hh"

#include <gmock/gmock.h>

#include "foundation/text.hh"

namespace veneer::check {
namespace {

using Kind = StartTarget::Kind;

std::vector<StartTarget> of(std::string_view line) { return start_targets(split_words(line, " "), "/app"); }

StartTarget object(std::string module, std::string attribute, std::string name, std::string folder = "/app") {
  return {Kind::object, std::move(module), std::move(attribute), std::move(folder), "", std::move(name)};
}
StartTarget file(std::string path, std::string name) {
  return {Kind::file, "", "", "", std::move(path), std::move(name)};
}

TEST(StartTargets, AreObjectsOfServers) {
  const std::pair<std::string_view, StartTarget> cases[] = {
      {"uvicorn shop.main:app --host 0.0.0.0 --port 8000", object("shop.main", "app", "shop.main:app")},
      {"/app/.venv/bin/python -m uvicorn --host 0.0.0.0 main:app", object("main", "app", "main:app")},
      {"uvicorn --factory shop:create_app", object("shop", "create_app", "shop:create_app")},
      {"uvicorn --app-dir src main:app", object("main", "app", "main:app", "/app/src")},
      {"gunicorn -b 0.0.0.0:8000 -k uvicorn.workers.UvicornWorker -w 4 shop.asgi:application",
       object("shop.asgi", "application", "shop.asgi:application")},
      {"gunicorn --bind=localhost:8000 shop.wsgi", object("shop.wsgi", "application", "shop.wsgi")},
      {"gunicorn shop.wsgi --worker-class uvicorn.workers.UvicornWorker",
       object("shop.wsgi", "application", "shop.wsgi")},
      {"gunicorn main:create_app()", object("main", "create_app", "main:create_app()")},
      {"flask --app shop.web:app run --host 0.0.0.0", object("shop.web", "app", "shop.web:app")},
      {"celery -A shop.tasks worker", object("shop.tasks", "", "shop.tasks")},
      {"env PORT=1 waitress-serve --listen=*:8080 wsgi:app", object("wsgi", "app", "wsgi:app")},
  };
  for (const auto& [line, expected] : cases) EXPECT_THAT(of(line), testing::ElementsAre(expected)) << line;
  EXPECT_THAT(start_targets({"/bin/sh", "-c", "exec gunicorn -b :${PORT:-80} shop.wsgi:app"}, "/"),
              testing::ElementsAre(object("shop.wsgi", "app", "shop.wsgi:app", "/")));
}

TEST(StartTargets, AreProgramsOfPython) {
  EXPECT_THAT(of("python -u main.py --verbose"), testing::ElementsAre(file("/app/main.py", "main.py")));
  EXPECT_THAT(of("/usr/bin/python3.11 -X dev /srv/x.py"), testing::ElementsAre(file("/srv/x.py", "/srv/x.py")));
  EXPECT_THAT(of("streamlit run --server.port 8501 ui/Home.py"),
              testing::ElementsAre(file("/app/ui/Home.py", "ui/Home.py")));
  EXPECT_THAT(of("fastmcp run server.py:mcp"), testing::ElementsAre(file("/app/server.py", "server.py")));
  EXPECT_THAT(of("python -m shop.worker"),
              testing::ElementsAre(StartTarget{Kind::program, "shop.worker", "", "/app", "", "-m shop.worker"}));
}

TEST(StartTargets, AreNotGuessed) {
  for (const char* line : {"shop serve", "python", "python -c pass", "nginx -g x", "sh run.sh", "bash -c 'broken", "",
                           "uvicorn", "shop --config shop.toml"}) {
    EXPECT_THAT(of(line), testing::IsEmpty()) << line;
  }
}

}  // namespace
}  // namespace veneer::check
