# Linked privately by all of our code, and by nothing of others.
add_library(rackproof_warnings INTERFACE)
target_compile_options(rackproof_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Wnon-virtual-dtor;-Wold-style-cast>)
