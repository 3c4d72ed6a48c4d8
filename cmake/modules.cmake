# What nearly every unit includes is parsed once for all targets that say REUSE_FROM `name`: the standard library, fmt and
# HEADERS. None of our own: what a unit includes stays its own. `./dev check` goes without, and finds a unit that forgot one.
function(veneer_precompiled_headers name)
  cmake_parse_arguments(PARSE_ARGV 1 PRECOMPILED "" "" "HEADERS;LIBRARIES")
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc CONTENT "")
  add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
  target_link_libraries(${name} PRIVATE ${PRECOMPILED_LIBRARIES})
  target_precompile_headers(${name} PRIVATE
    <algorithm> <array> <charconv> <chrono> <cstdint> <cstring> <filesystem> <functional> <map> <memory> <optional> <set>
    <string> <string_view> <utility> <vector> <atomic> <mutex> <thread> <fmt/format.h> <fmt/ranges.h> ${PRECOMPILED_HEADERS})
endfunction()

# How many files of a module the compiler gets as one unit, which parses headers and makes templates once for all of them.
set(VENEER_BATCH 10 CACHE STRING "Files of a module in one unit")

# Files of which the working copy is not what was committed: who edits one compiles that one, not its batch.
set(VENEER_EDITED "")
find_package(Git QUIET)
if(VENEER_BATCHES AND GIT_FOUND)
  foreach(question "diff --name-only --relative HEAD" "ls-files --others --exclude-standard")
    separate_arguments(question)
    execute_process(COMMAND ${GIT_EXECUTABLE} ${question} -- src WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                    OUTPUT_VARIABLE names OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    string(REPLACE "\n" ";" names "${names}")
    list(APPEND VENEER_EDITED ${names})
  endforeach()
endif()

# Turns the list of files `list` into one of units that include them; every path is relative to `folder`. Not CMake's own unity
# builds: those name the files by where the checkout lies, so that ccache knows none of them in another one.
function(veneer_batches name folder list)
  set(units "")
  set(text "")
  set(place 0)
  list(LENGTH ${list} left)
  foreach(source IN LISTS ${list})
    file(RELATIVE_PATH committed ${PROJECT_SOURCE_DIR} ${source})
    if(committed IN_LIST VENEER_EDITED)
      list(APPEND units ${source})  # its place in the batch stays free: no other one changes
    else()
      file(RELATIVE_PATH included ${folder} ${source})
      string(APPEND text "#include \"${included}\"\n")
    endif()
    math(EXPR place "${place} + 1")
    math(EXPR left "${left} - 1")
    math(EXPR in_batch "${place} % ${VENEER_BATCH}")
    if(text AND (in_batch EQUAL 0 OR left EQUAL 0))
      math(EXPR number "(${place} - 1) / ${VENEER_BATCH}")
      set(unit ${CMAKE_CURRENT_BINARY_DIR}/batches/${name}_${number}.cc)
      file(CONFIGURE OUTPUT ${unit} CONTENT "${text}")
      list(APPEND units ${unit})
      set(text "")
    endif()
  endforeach()
  set(${list} ${units} PARENT_SCOPE)
endfunction()

# One static library a module: src/<name>/ with everything below it. DEPENDS are the arrows of docs/architecture.md;
# tests/layering.py checks the includes against the same list. OPTIMIZED is for modules that touch every byte of a wheel or layer.
# With VENEER_BATCHES a name in a namespace without one is unique in its module; `./dev check` compiles each file by itself.
function(veneer_module name)
  cmake_parse_arguments(PARSE_ARGV 1 MODULE "OPTIMIZED" "" "DEPENDS;LIBRARIES")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  if(NOT sources)
    return()
  endif()
  if(VENEER_BATCHES)
    veneer_batches(${name} ${CMAKE_CURRENT_SOURCE_DIR} sources)
  endif()
  add_library(veneer_${name} STATIC ${sources})
  target_include_directories(veneer_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  foreach(dependency IN LISTS MODULE_DEPENDS)
    if(TARGET veneer_${dependency})
      target_link_libraries(veneer_${name} PUBLIC veneer_${dependency})
    endif()
  endforeach()
  target_link_libraries(veneer_${name} PRIVATE fmt::fmt ${MODULE_LIBRARIES})
  if(VENEER_BATCHES)
    # Of the neighbours in a batch; ./dev check, without batches, has these warnings as errors.
    target_compile_options(veneer_${name} PRIVATE -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
  if(MODULE_OPTIMIZED)
    # Without the precompiled headers: GCC takes them at their own level of optimisation only.
    target_compile_options(veneer_${name} PRIVATE "$<$<CONFIG:Release>:-O3>")
  else()
    target_precompile_headers(veneer_${name} REUSE_FROM precompiled_headers)
  endif()
  set_property(GLOBAL APPEND PROPERTY veneer_modules ${name})
endfunction()
