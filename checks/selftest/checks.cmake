# Checks that misbehave on purpose, one a library; docs/measuring/selftest.md says what must come of each.
rackproof_add_check(selftest.pass SOURCES selftest/pass.cpp)
rackproof_add_check(selftest.slow SOURCES selftest/slow.cpp)
rackproof_add_check(selftest.counter SOURCES selftest/counter.cpp)

rackproof_add_check(selftest.below-limit SOURCES selftest/below_limit.cpp)
rackproof_add_check(selftest.fault SOURCES selftest/fault.cpp)
rackproof_add_check(selftest.skip SOURCES selftest/skip.cpp)
rackproof_add_check(selftest.trouble SOURCES selftest/trouble.cpp)

rackproof_add_check(selftest.nan SOURCES selftest/nan.cpp)
rackproof_add_check(selftest.unknown-metric SOURCES selftest/unknown_metric.cpp)
rackproof_add_check(selftest.unsteady SOURCES selftest/unsteady.cpp)
rackproof_add_check(selftest.wrong-unit SOURCES selftest/wrong_unit.cpp)

rackproof_add_check(selftest.after-word SOURCES selftest/after_word.cpp)
rackproof_add_check(selftest.babble SOURCES selftest/babble.cpp)
rackproof_add_check(selftest.flood SOURCES selftest/flood.cpp)
rackproof_add_check(selftest.huge-line SOURCES selftest/huge_line.cpp)
rackproof_add_check(selftest.silent SOURCES selftest/silent.cpp)
rackproof_add_check(selftest.stdout-noise SOURCES selftest/stdout_noise.cpp)
rackproof_add_check(selftest.torn SOURCES selftest/torn.cpp)

rackproof_add_check(selftest.crash SOURCES selftest/crash.cpp)
rackproof_add_check(selftest.exit-nonzero SOURCES selftest/exit_nonzero.cpp)
rackproof_add_check(selftest.fork SOURCES selftest/fork.cpp)
rackproof_add_check(selftest.hang SOURCES selftest/hang.cpp)
rackproof_add_check(selftest.late-fault SOURCES selftest/late_fault.cpp)
rackproof_add_check(selftest.oom SOURCES selftest/oom.cpp)
rackproof_add_check(selftest.stubborn SOURCES selftest/stubborn.cpp)

rackproof_add_check(selftest.old-abi SOURCES selftest/old_abi.cpp)
rackproof_add_check(selftest.missing-symbol SOURCES selftest/missing_symbol.cpp)
# The last option on the linker's line holds.
target_link_options(check_selftest_missing-symbol PRIVATE LINKER:-z,undefs)
