// Which Python an image gets: the question put together from project and lock, and uv's interpreter brought where the
// answer is uv's. One thread.
#pragma once

#include <memory>
#include <string>

#include "app/build_request.hh"
#include "app/surroundings.hh"
#include "base/base.hh"
#include "base/mmdebstrap.hh"
#include "image/cache/layer_cache.hh"
#include "python/lock/read_lock.hh"
#include "python/project/base_target.hh"
#include "python/project/python_choice.hh"
#include "python/supply/uv_build.hh"

namespace veneer::app {

struct PythonInputs {
  const python::Project& project;  // its `python` is that of --python, where that is given
  bool is_option = false;          // it was given
  const python::AnyLock& lock;
  python::SelectRequest selection;                  // its target is not looked at
  std::optional<python::PlacedRequest> dockerfile;  // what the project's Dockerfile stands on
  std::string machine;                              // as in Target
};

/// On Debian (see python::choose_python) or, where the base is another, that it is to be found in that (source `base`).
python::PythonChoice choose_python(const PythonInputs& inputs);

/// What .python-version says of a project whose base decides: another one is no error there, only to be said.
struct Preference {
  std::optional<python::PlacedRequest> request;
  std::string problem;  // why it could not be read, else empty
};
Preference python_preference(const PythonInputs& inputs);

/// python::find_interpreters() of the base, kept in the cache by the base's layers and variables: their programs are
/// read from compressed layers.
std::vector<python::FoundInterpreter> interpreters_of(const base::Base& base, const image::LayerCache& cache);

/// The same from the files themselves.
std::vector<python::FoundInterpreter> read_interpreters(const base::Base& base);

struct UvInterpreter {
  base::Interpreter interpreter;
  image::Layer layer;  // in the cache
};

/// What was decided about it before.
struct InterpreterPins {
  std::optional<base::Interpreter> pinned;    // by veneer.lock; taken where it fits and can be had
  base::Refresh refresh = base::Refresh::no;  // yes: what the cache knows for the choice does not count
};

/// uv's interpreter for the choice: the pinned one, else the one that the cache knows for it, or the newest that uv has
/// now, fetched and pinned by the hash of what came. Throws Error as find_uv_python() and fetch_uv_python() do;
/// (verification) when the archive is another one than before.
UvInterpreter take_uv_python(const python::PythonChoice& choice, const InterpreterPins& pins,
                             const std::string& machine, const python::UvProgram& uv, const image::LayerCache& cache,
                             Surroundings& surroundings);

}  // namespace veneer::app
