# SPDX-License-Identifier: PostgreSQL
# How the code is compiled: C17, warnings, hardening, sanitizers. The presets choose among these.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # POSIX and GNU declarations (getopt_long, SO_REUSEPORT), not GNU syntax
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# libpg_query exports the server's own names, two thousand of them, and looks them up by name: ours must not be found in
# their place (and none of ours may be one of theirs: tests/architecture/check_symbols.py).
set(CMAKE_C_VISIBILITY_PRESET hidden)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

option(PGSLUICE_WERROR "Treat warnings as errors" OFF)
set(PGSLUICE_SANITIZE "" CACHE STRING "Sanitizers to build with, for example address,undefined or thread")

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
    -Wpointer-arith -Wwrite-strings -Wcast-qual -Wvla -Wformat=2 -Wimplicit-fallthrough -Wundef)
if(PGSLUICE_WERROR)
    add_compile_options(-Werror)
endif()

if(PGSLUICE_SANITIZE)
    add_compile_options(-fsanitize=${PGSLUICE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${PGSLUICE_SANITIZE})
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
    # The areas are separate libraries for people; where it counts the compiler sees them as one program (as_one_program
    # below): a fifth fewer instructions for a message (bench/README.md). Fat objects serve the tests, too, which are
    # linked quickly and look into them.
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        add_compile_options(-flto=auto -ffat-lto-objects)
        add_link_options($<IF:$<BOOL:$<TARGET_PROPERTY:IS_ONE_PROGRAM>>,-flto=auto,-fno-lto>)
    endif()
endif()

# as_one_program(<target>): optimizes an executable and all areas in it together, in release builds.
function(as_one_program target)
    set_target_properties(${target} PROPERTIES IS_ONE_PROGRAM ON)
endfunction()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT PGSLUICE_SANITIZE)
    add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
endif()
