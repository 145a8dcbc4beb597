# Every library that is not ours; docs/dependencies.md says why each. What a check may do without is looked for with
# QUIET and named in its NEEDS.
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(simdjson REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS graph)
find_package(Threads REQUIRED)

find_package(PkgConfig REQUIRED)
pkg_check_modules(hwloc QUIET IMPORTED_TARGET hwloc)
if(hwloc_FOUND)
  add_library(hwloc::hwloc ALIAS PkgConfig::hwloc)
endif()
