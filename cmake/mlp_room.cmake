# A room is one folder and one target. `ninja room_compiler_sema` compiles only that folder.

# mlp_room(FOLDER
#   [DEPS folder...]          whose headers this folder may include: the arrows of
#                             docs/architecture.md, which the layer test compares and enforces
#   [PRIVATE_LIBS ext::x...]  third-party libraries of its .cpp files (fmt is always there)
#   [EXCLUDE folder...]       subfolders that are rooms of their own, files that are left out
#   [SOURCES file...]         further, generated sources
#   [USES_STDLIB])            includes headers generated from stdlib/ (gen/native_names.h)
#
# Sources are found by themselves, also in subfolders; includes are written from the root of
# the tree: #include "compiler/diag/diagnostic.h". A folder without .cpp is skipped.
function(mlp_room folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "USES_STDLIB" "" "DEPS;PRIVATE_LIBS;EXCLUDE;SOURCES")
  mlp_folder_sources(sources ${folder} ${arg_EXCLUDE})
  mlp_check_deps(${folder} ${arg_DEPS})
  mlp_add_room_objects(${folder} "${sources};${arg_SOURCES}" "${arg_PRIVATE_LIBS}" ${arg_USES_STDLIB})
endfunction()

# mlp_module(FOLDER TARGET name [HOST file...] [DEPS ...] [PRIVATE_LIBS ...] [SOURCES ...] [USES_STDLIB])
#
# A library that is loaded on first use (dlopen("lib<name>.so") from libmlp.so finds it beside
# itself): it links libmlp.so and its third-party library. Files named *_loader.cpp, and those
# named after HOST (evaluate.cpp), are the other side: they are linked into libmlp.so, know no
# third-party library and open the module.
function(mlp_module folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "USES_STDLIB" "TARGET" "HOST;DEPS;PRIVATE_LIBS;EXCLUDE;SOURCES")
  mlp_folder_sources(sources ${folder} ${arg_EXCLUDE})
  mlp_check_deps(${folder} ${arg_DEPS})
  set(loaders ${sources})
  list(FILTER loaders INCLUDE REGEX "_loader\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_loader\\.cpp$")
  foreach(file IN LISTS arg_HOST)
    list(APPEND loaders ${CMAKE_SOURCE_DIR}/${folder}/${file})
    list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/${folder}/${file})
  endforeach()
  mlp_add_room_objects(${folder} "${loaders}" "" ${arg_USES_STDLIB})
  if(NOT sources)
    return()
  endif()
  add_library(${arg_TARGET} MODULE ${sources} ${arg_SOURCES})
  mlp_own_code(${arg_TARGET})
  target_link_libraries(${arg_TARGET} PRIVATE mlp ${arg_PRIVATE_LIBS})
  mlp_rpath(${arg_TARGET} "$ORIGIN")
  if(arg_USES_STDLIB)
    add_dependencies(${arg_TARGET} mlp_generated)
  endif()
  set_property(GLOBAL APPEND PROPERTY MLP_MODULES ${arg_TARGET})
endfunction()

function(mlp_folder_sources out folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  foreach(other IN LISTS ARGN)
    list(FILTER sources EXCLUDE REGEX "^${CMAKE_SOURCE_DIR}/${other}(/|$)")
  endforeach()
  set(${out} ${sources} PARENT_SCOPE)
endfunction()

function(mlp_check_deps folder)
  foreach(dep IN LISTS ARGN)
    if(NOT dep IN_LIST MLP_ALL_ROOMS)
      message(FATAL_ERROR "${folder}/CMakeLists.txt: DEPS names ${dep}, which is no room")
    endif()
  endforeach()
endfunction()

# Include roots, warnings and fmt: what every target with code of our own has.
function(mlp_own_code target)
  target_compile_options(${target} PRIVATE ${MLP_WARNINGS})
  target_include_directories(${target} PRIVATE
    ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR} ${CMAKE_BINARY_DIR}/gen)
  target_link_libraries(${target} PRIVATE ext::fmt)
endfunction()

function(mlp_add_room_objects folder sources libs uses_stdlib)
  list(FILTER sources EXCLUDE REGEX "^$")
  if(NOT sources MATCHES "\\.cpp(;|$)")
    return()
  endif()
  string(REPLACE "/" "_" target "room_${folder}")
  add_library(${target} OBJECT ${sources})
  mlp_own_code(${target})
  target_link_libraries(${target} PRIVATE ${libs})
  if(uses_stdlib)
    add_dependencies(${target} mlp_generated)
    # A native function that no entry of stdlib/ declares is a mistake: nothing would ever call it (objects: tests/layers).
    target_compile_options(${target} PRIVATE -Wmissing-declarations)
  endif()
  if(NOT folder STREQUAL "cli")
    mlp_link_with_room(${folder} ${target})
  endif()
endfunction()

# Objects that go into libmlp.so when the room does (all of them, unless MLP_ROOMS says otherwise).
function(mlp_link_with_room folder target)
  if(NOT MLP_ROOMS OR folder IN_LIST MLP_ROOMS)
    set_property(GLOBAL APPEND PROPERTY MLP_LINKED_ROOMS ${target})
  endif()
endfunction()

# Where the loader looks for libmlp.so and the modules: there and nowhere else, also in the build tree.
function(mlp_rpath target path)
  set_target_properties(${target} PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "${path}")
  if(MLP_SANITIZED)
    # There dlopen is called by the sanitizer's library, which RUNPATH of libmlp.so does not reach.
    target_link_options(${target} PRIVATE -Wl,--disable-new-dtags)
  endif()
endfunction()

# libmlp.so out of all rooms, and mlpc on top of it.
function(mlp_link_rooms)
  get_property(rooms GLOBAL PROPERTY MLP_LINKED_ROOMS)
  # A shared library needs a source of its own as long as every room is empty.
  set(stub ${CMAKE_BINARY_DIR}/gen/libmlp.cpp)
  if(NOT EXISTS ${stub})
    file(WRITE ${stub} "extern \"C\" const char mlp_library_version[] = \"${PROJECT_VERSION}\";\n")
  endif()
  add_library(mlp SHARED ${stub})
  target_link_libraries(mlp PRIVATE ${rooms} Threads::Threads ${CMAKE_DL_LIBS})
  mlp_rpath(mlp "$ORIGIN")
  if(MLP_PARTIAL)
    target_link_options(mlp PRIVATE -Wl,--unresolved-symbols=ignore-all)
  elseif(NOT MLP_SANITIZED)
    # Our own names are bound here and not by the loader, which would look thousands of them up at each start (2 ms).
    target_link_options(mlp PRIVATE -Wl,-z,defs -Wl,-Bsymbolic)
  endif()

  if(TARGET room_cli)
    add_executable(mlpc-bin $<TARGET_OBJECTS:room_cli>)
    set_target_properties(mlpc-bin PROPERTIES OUTPUT_NAME mlpc)
    target_link_libraries(mlpc-bin PRIVATE mlp ext::fmt)
    mlp_rpath(mlpc-bin "$ORIGIN/../lib")
    if(MLP_PARTIAL)
      target_link_options(mlpc-bin PRIVATE -Wl,--unresolved-symbols=ignore-all)
    endif()
    # Whoever builds mlpc gets the modules that it may load.
    get_property(modules GLOBAL PROPERTY MLP_MODULES)
    if(modules)
      add_dependencies(mlpc-bin ${modules})
    endif()
  endif()
endfunction()
