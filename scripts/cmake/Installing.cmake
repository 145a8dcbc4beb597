# bin/rackproof beside lib/rackproof/checks: the runner finds its checks relative to itself.
include(GNUInstallDirs)
install(TARGETS rackproof RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS rackproof-check RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/rackproof)
if(TARGET rackproof-cards)
  install(TARGETS rackproof-cards RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/rackproof)
endif()
get_property(check_targets GLOBAL PROPERTY RACKPROOF_CHECK_TARGETS)

get_property(simulator_targets GLOBAL PROPERTY RACKPROOF_SIMULATOR_TARGETS)

# What is installed, without the tests.
add_custom_target(product DEPENDS rackproof rackproof-check $<TARGET_NAME_IF_EXISTS:rackproof-cards> ${check_targets} ${simulator_targets})
install(TARGETS ${check_targets} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/rackproof/checks)
install(DIRECTORY recipes/ DESTINATION ${CMAKE_INSTALL_DATADIR}/rackproof/recipes)
