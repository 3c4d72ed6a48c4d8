# ctest includes this for each program of GoogleTest: an entry for each of its suites, which make what their tests share once.
# Set are `program`, `prefix` of the entries' names, and `system`, a regular expression of the suites with that label.
if(NOT EXISTS ${program})
  add_test(${prefix}NOT_BUILT ${program})
  return()
endif()
execute_process(COMMAND ${program} --gtest_list_tests OUTPUT_VARIABLE listed COMMAND_ERROR_IS_FATAL ANY)
# "Name.", or "Name.  # of what it is made"; its tests are indented.
string(REGEX MATCHALL "\n[^ \n]+\\.( |\n)" suites "\n${listed}")
foreach(suite IN LISTS suites)
  string(REGEX REPLACE "^\n(.+)\\..$" "\\1" suite "${suite}")
  add_test(${prefix}${suite} ${program} --gtest_filter=${suite}.*)
  if(system AND suite MATCHES "${system}")
    set_tests_properties(${prefix}${suite} PROPERTIES LABELS system)
  endif()
endforeach()
