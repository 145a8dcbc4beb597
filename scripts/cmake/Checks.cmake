# rackproof_add_check(NAME SOURCES file… [PARTS target…] [DECLARATION file] [NEEDS target…])
#
# Builds NAME.so, a check library. PARTS are static libraries of ours that its sources share with the unit tests. A check with NEEDS keeps what it declares (name, parameters, metrics) in DECLARATION,
# a file without vendor headers that declares `void rackproof_run(rackproof::Context&)` and names it as its body. Where a
# target of NEEDS does not exist, SOURCES are replaced by checks/unavailable.cpp: the check still exists, can be planned
# and explained, and says in one sentence why it cannot run.
function(rackproof_add_check NAME)
  cmake_parse_arguments(PARSE_ARGV 1 CHECK "" "DECLARATION" "SOURCES;PARTS;NEEDS")
  set(missing "")
  foreach(need IN LISTS CHECK_NEEDS)
    if(NOT TARGET ${need})
      list(APPEND missing ${need})
    endif()
  endforeach()

  string(REPLACE "." "_" target "check_${NAME}")
  if(missing)
    if(NOT CHECK_DECLARATION)
      message(FATAL_ERROR "check ${NAME}: NEEDS without a DECLARATION")
    endif()
    add_library(${target} MODULE ${CHECK_DECLARATION} ${CMAKE_SOURCE_DIR}/checks/unavailable.cpp)
    list(JOIN missing ", " names)
    target_compile_definitions(${target} PRIVATE RACKPROOF_MISSING="${names}")
    message(STATUS "check ${NAME}: unavailable, built without ${names}")
  else()
    add_library(${target} MODULE ${CHECK_DECLARATION} ${CHECK_SOURCES})
    target_link_libraries(${target} PRIVATE ${CHECK_PARTS} ${CHECK_NEEDS})
  endif()
  # Of what is missing there may be a stand-in.
  set(rehearsable ${RACKPROOF_REHEARSAL})
  foreach(need IN LISTS missing)
    if(NOT RACKPROOF_STAND_IN_FOR_${need})
      set(rehearsable OFF)
    endif()
  endforeach()
  if(rehearsable AND "CUDA::cudart" IN_LIST CHECK_NEEDS)
    rackproof_add_rehearsal(${NAME})
  endif()
  target_link_libraries(${target} PRIVATE rackproof_api rackproof_warnings)
  target_link_options(${target} PRIVATE LINKER:--no-undefined LINKER:--exclude-libs,ALL
                      LINKER:--version-script=${CMAKE_SOURCE_DIR}/scripts/cmake/check.map)
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME ${NAME} SUFFIX .so
    LIBRARY_OUTPUT_DIRECTORY ${RACKPROOF_CHECK_DIRECTORY}
    LINK_DEPENDS ${CMAKE_SOURCE_DIR}/scripts/cmake/check.map)
  set_property(GLOBAL APPEND PROPERTY RACKPROOF_CHECK_TARGETS ${target})
endfunction()

# The edition of a CUDA check that runs on the simulator alone; called by rackproof_add_check, whose CHECK_… it uses. Its
# kernels keep their names in the library, since these are how the simulator knows them.
function(rackproof_add_rehearsal NAME)
  string(REPLACE "." "_" target "rehearsal_${NAME}")
  rackproof_as_cpp(sources ${CHECK_DECLARATION} ${CHECK_SOURCES})
  add_library(${target} MODULE ${sources})
  foreach(part IN LISTS CHECK_PARTS)
    if(TARGET rehearsal_${part})
      target_link_libraries(${target} PRIVATE rehearsal_${part})
    else()
      target_link_libraries(${target} PRIVATE ${part})
    endif()
  endforeach()
  foreach(need IN LISTS CHECK_NEEDS)
    if(RACKPROOF_STAND_IN_FOR_${need})
      target_link_libraries(${target} PRIVATE ${RACKPROOF_STAND_IN_FOR_${need}})
    else()
      target_link_libraries(${target} PRIVATE ${need})
    endif()
  endforeach()
  target_link_libraries(${target} PRIVATE rackproof_api rackproof_warnings)
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${NAME} SUFFIX .so
                        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/simulator/checks)
  install(TARGETS ${target} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/rackproof/simulator/checks COMPONENT simulator)
  set_property(GLOBAL APPEND PROPERTY RACKPROOF_SIMULATOR_TARGETS ${target})
endfunction()
