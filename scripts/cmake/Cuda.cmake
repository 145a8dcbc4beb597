# The CUDA toolkit, NCCL, and what is built where they are missing.
#
# Where nvcc is found, the CUDA checks are built for every architecture that it knows from Turing on, against the shared
# runtime: only so do the very same libraries run on the simulator. Where it or NCCL is not found (or RACKPROOF_REHEARSAL is set),
# "rehearsal" editions of the same sources are built for the simulator alone, by the C++ compiler.
find_package(CUDAToolkit QUIET)
find_program(RACKPROOF_NVCC nvcc HINTS ${CUDAToolkit_BIN_DIR} /usr/local/cuda/bin)
set(RACKPROOF_HAS_CUDA OFF)
if(CUDAToolkit_FOUND AND RACKPROOF_NVCC)
  if(NOT RACKPROOF_CUDA_ARCHITECTURES)
    execute_process(COMMAND ${RACKPROOF_NVCC} --list-gpu-arch OUTPUT_VARIABLE known)
    string(REGEX MATCHALL "[0-9]+" known "${known}")
    set(wanted "")
    foreach(one IN LISTS known)
      # Of GPUs that stand in racks: not the embedded ones.
      if(one GREATER_EQUAL 75 AND NOT one MATCHES "^(87|88|101|110|121)$")
        list(APPEND wanted ${one}-real)
      endif()
    endforeach()
    list(REMOVE_DUPLICATES wanted)  # CUDA 12 lists 90a beside 90
    list(GET wanted -1 newest)
    string(REPLACE "-real" "-virtual" newest "${newest}")  # what later GPUs translate for themselves
    set(RACKPROOF_CUDA_ARCHITECTURES "${wanted};${newest}")
  endif()
  set(CMAKE_CUDA_COMPILER ${RACKPROOF_NVCC})
  set(CMAKE_CUDA_ARCHITECTURES ${RACKPROOF_CUDA_ARCHITECTURES})
  set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
  enable_language(CUDA)
  set(CMAKE_CUDA_STANDARD 17)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
  string(APPEND CMAKE_CUDA_FLAGS " --threads 2 -Werror all-warnings -Xcompiler=-Wall,-Wextra,-Wshadow")
  set(RACKPROOF_HAS_CUDA ON)
  message(STATUS "CUDA ${CUDAToolkit_VERSION}, architectures ${RACKPROOF_CUDA_ARCHITECTURES}")

  find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
  find_library(NCCL_LIBRARY nccl HINTS ${CUDAToolkit_LIBRARY_DIR})
  if(NCCL_INCLUDE_DIR AND NCCL_LIBRARY)
    add_library(NCCL::nccl UNKNOWN IMPORTED)
    set_target_properties(NCCL::nccl PROPERTIES IMPORTED_LOCATION ${NCCL_LIBRARY}
                          INTERFACE_INCLUDE_DIRECTORIES ${NCCL_INCLUDE_DIR})
  endif()
endif()

# Of the runtime that the checks are built for; the stand-in carries its name.
set(RACKPROOF_CUDA_MAJOR 13)
if(RACKPROOF_HAS_CUDA)
  set(RACKPROOF_CUDA_MAJOR ${CUDAToolkit_VERSION_MAJOR})
endif()
if(RACKPROOF_HAS_CUDA AND TARGET NCCL::nccl)
  option(RACKPROOF_REHEARSAL "Build editions of the CUDA checks that run on the simulator only" OFF)
else()
  set(RACKPROOF_REHEARSAL ON)
endif()

# The stand-in for each target that a CUDA check may need.
set(RACKPROOF_STAND_IN_FOR_CUDA::cudart simulator_cudart)
set(RACKPROOF_STAND_IN_FOR_CUDA::cublasLt simulator_cublaslt)
set(RACKPROOF_STAND_IN_FOR_NCCL::nccl simulator_nccl)
set(RACKPROOF_STAND_IN_FOR_numa::numa simulator_numa)

# Gives, in OUT, the sources with each .cu in a file of C++ that includes it.
function(rackproof_as_cpp OUT)
  set(result "")
  foreach(source IN LISTS ARGN)
    if(source MATCHES "\\.cu$")
      set(wrapped ${CMAKE_CURRENT_BINARY_DIR}/rehearsal/${source}.cpp)
      file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/${source})
      file(CONFIGURE OUTPUT ${wrapped} CONTENT "#include \"${path}\"\n")
      list(APPEND result ${wrapped})
    else()
      list(APPEND result ${source})
    endif()
  endforeach()
  set(${OUT} ${result} PARENT_SCOPE)
endfunction()

# rackproof_cuda_parts(NAME SOURCES… ): a static library of CUDA code that checks share, where there is a toolkit, and its
# rehearsal edition where that is built.
function(rackproof_cuda_parts NAME)
  if(RACKPROOF_HAS_CUDA)
    add_library(${NAME} STATIC ${ARGN})
    target_link_libraries(${NAME} PUBLIC rackproof_api CUDA::cudart PRIVATE rackproof_warnings)
  endif()
  if(RACKPROOF_REHEARSAL)
    rackproof_as_cpp(sources ${ARGN})
    add_library(rehearsal_${NAME} STATIC ${sources})
    target_link_libraries(rehearsal_${NAME} PUBLIC rackproof_api simulator_cudart PRIVATE rackproof_warnings)
  endif()
endfunction()
