# SPDX-License-Identifier: PostgreSQL
# area(<name> [USES <area>...] [LIBRARIES <library>...] [HEADERS <outside header>...])
#
# Makes the static library of one area from src/<name>/*.c, without the files in <name>_except. USES and HEADERS are also
# read by tests/architecture/check_areas.py, which holds every #include against them.
function(area name)
    cmake_parse_arguments(AREA "" "" "USES;LIBRARIES;HEADERS" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.c)
    set(except ${${name}_except})
    list(TRANSFORM except PREPEND ${CMAKE_SOURCE_DIR}/src/${name}/)
    list(REMOVE_ITEM sources ${except})
    if(sources)
        add_library(${name} STATIC ${sources})
        set(scope PUBLIC)
    else()
        add_library(${name} INTERFACE)
        set(scope INTERFACE)
    endif()
    target_include_directories(${name} ${scope} ${CMAKE_SOURCE_DIR}/include)
    target_link_libraries(${name} ${scope} ${AREA_USES} ${AREA_LIBRARIES})
endfunction()
