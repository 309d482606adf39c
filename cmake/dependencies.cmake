# Third-party libraries as targets ext::NAME, each with the oldest upstream version that
# was tried. docs/dependencies.md says what each is for.
# A room names the ones it uses under PRIVATE_LIBS; nothing else sees them.

# mlp_expect_version(WHAT FOUND MINIMUM [BELOW]) stops with one clear sentence.
function(mlp_expect_version what found minimum)
  set(below "${ARGV3}")
  if(NOT found)
    message(FATAL_ERROR "${what} ${minimum} or newer is missing. Run scripts/setup.sh.")
  elseif(found VERSION_LESS minimum OR (below AND NOT found VERSION_LESS below))
    set(range "${minimum} or newer")
    if(below)
      string(APPEND range ", older than ${below}")
    endif()
    message(FATAL_ERROR "${what} ${found} was found; mlpc needs ${range}. "
      "See docs/dependencies.md, then run scripts/setup.sh.")
  endif()
  string(APPEND MLP_VERSIONS_FOUND "${what} ${found}, ")
  set(MLP_VERSIONS_FOUND "${MLP_VERSIONS_FOUND}" PARENT_SCOPE)
endfunction()

# mlp_version_macros(OUT HEADER MACRO...) joins the numbers of "#define MACRO n" with dots.
function(mlp_version_macros out header)
  set(version "")
  if(EXISTS "${header}")
    file(STRINGS ${header} lines REGEX "#[ \t]*define[ \t]+[A-Z_0-9]+[ \t]+[0-9]+")
    foreach(macro IN LISTS ARGN)
      foreach(line IN LISTS lines)
        if(line MATCHES "define[ \t]+${macro}[ \t]+([0-9]+)")
          list(APPEND version ${CMAKE_MATCH_1})
          break()
        endif()
      endforeach()
    endforeach()
  endif()
  list(JOIN version "." version)
  set(${out} "${version}" PARENT_SCOPE)
endfunction()

# mlp_external(NAME [LIBS lib...] [INCLUDES dir...] [DEFINITIONS def...])
function(mlp_external name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBS;INCLUDES;DEFINITIONS")
  add_library(ext::${name} INTERFACE IMPORTED GLOBAL)
  target_link_libraries(ext::${name} INTERFACE ${arg_LIBS})
  target_include_directories(ext::${name} SYSTEM INTERFACE ${arg_INCLUDES})
  target_compile_definitions(ext::${name} INTERFACE ${arg_DEFINITIONS})
endfunction()

function(mlp_require_library out name package)
  find_library(${out} ${name})
  if(NOT ${out})
    message(FATAL_ERROR "lib${name} is missing (Debian: ${package}). Run scripts/setup.sh.")
  endif()
endfunction()

find_package(Threads REQUIRED)

find_package(fmt QUIET)
mlp_expect_version(fmt "${fmt_VERSION}" 9.0 10)
mlp_external(fmt LIBS fmt::fmt)

find_package(nlohmann_json QUIET)
mlp_expect_version(nlohmann-json "${nlohmann_json_VERSION}" 3.11 4)
mlp_external(json LIBS nlohmann_json::nlohmann_json)

find_package(TBB QUIET)
mlp_expect_version(oneTBB "${TBB_VERSION}" 2021.8)
mlp_external(tbb LIBS TBB::tbb)

find_package(CLI11 QUIET)
mlp_expect_version(CLI11 "${CLI11_VERSION}" 2.1 3)
mlp_external(cli11 LIBS CLI11::CLI11)

find_package(Catch2 QUIET)
mlp_expect_version(Catch2 "${Catch2_VERSION}" 2.13 3)
mlp_external(catch2 LIBS Catch2::Catch2)

find_package(Eigen3 QUIET NO_MODULE)
mlp_expect_version(Eigen "${Eigen3_VERSION}" 3.4 4)
mlp_external(eigen LIBS Eigen3::Eigen)

find_package(OpenSSL QUIET)
mlp_expect_version(OpenSSL "${OPENSSL_VERSION}" 3.0 4)
mlp_external(openssl LIBS OpenSSL::Crypto)

find_package(SQLite3 QUIET)
mlp_expect_version(SQLite "${SQLite3_VERSION}" 3.40 4)
mlp_external(sqlite LIBS SQLite::SQLite3)

find_path(MLP_BOOST_INCLUDE boost/version.hpp)
if(MLP_BOOST_INCLUDE)
  file(STRINGS ${MLP_BOOST_INCLUDE}/boost/version.hpp boost_version REGEX "define BOOST_LIB_VERSION")
  string(REGEX MATCH "[0-9]+_[0-9]+" boost_version "${boost_version}")
  string(REPLACE "_" "." boost_version "${boost_version}")
endif()
mlp_expect_version(Boost "${boost_version}" 1.81 2)
mlp_external(boost)

if(EXISTS /usr/include/soci/version.h)
  file(STRINGS /usr/include/soci/version.h soci_version REGEX "define SOCI_LIB_VERSION")
endif()
string(REGEX MATCH "[0-9]+_[0-9]+_[0-9]+" soci_version "${soci_version}")
string(REPLACE "_" "." soci_version "${soci_version}")
mlp_expect_version(SOCI "${soci_version}" 4.0 5)
mlp_require_library(MLP_SOCI_CORE soci_core libsoci-dev)
mlp_require_library(MLP_SOCI_SQLITE soci_sqlite3 libsoci-dev)
mlp_external(soci LIBS ${MLP_SOCI_SQLITE} ${MLP_SOCI_CORE} SQLite::SQLite3)

find_path(MLP_XGBOOST_INCLUDE xgboost/c_api.h)
mlp_version_macros(xgboost_version ${MLP_XGBOOST_INCLUDE}/xgboost/version_config.h
  XGBOOST_VER_MAJOR XGBOOST_VER_MINOR XGBOOST_VER_PATCH)
# Models are equal bit for bit only with the version they were tried on.
mlp_expect_version(XGBoost "${xgboost_version}" 1.7.4 1.8)
mlp_require_library(MLP_XGBOOST_LIBRARY xgboost libxgboost-dev)
mlp_external(xgboost LIBS ${MLP_XGBOOST_LIBRARY})

find_path(MLP_SLEEF_INCLUDE sleef.h)
mlp_version_macros(sleef_version "${MLP_SLEEF_INCLUDE}/sleef.h" SLEEF_VERSION_MAJOR SLEEF_VERSION_MINOR)
mlp_expect_version(SLEEF "${sleef_version}" 3.5 4)
mlp_require_library(MLP_SLEEF_LIBRARY sleef libsleef-dev)
mlp_external(sleef LIBS ${MLP_SLEEF_LIBRARY})

find_path(MLP_XXHASH_INCLUDE xxhash.h)
mlp_version_macros(xxhash_version ${MLP_XXHASH_INCLUDE}/xxhash.h
  XXH_VERSION_MAJOR XXH_VERSION_MINOR XXH_VERSION_RELEASE)
mlp_expect_version(xxHash "${xxhash_version}" 0.8.1)
mlp_external(xxhash DEFINITIONS XXH_INLINE_ALL)

find_path(MLP_RE2_INCLUDE re2/re2.h)
mlp_require_library(MLP_RE2_LIBRARY re2 libre2-dev)
mlp_external(re2 LIBS ${MLP_RE2_LIBRARY} Threads::Threads)

find_path(MLP_DATE_INCLUDE date/tz.h)
mlp_require_library(MLP_DATE_LIBRARY date-tz libhowardhinnant-date-dev)
mlp_external(date_tz LIBS ${MLP_DATE_LIBRARY} Threads::Threads)

find_package(CURL QUIET)
mlp_expect_version(libcurl "${CURL_VERSION_STRING}" 7.85 9)
mlp_external(curl LIBS CURL::libcurl)

find_package(ZLIB QUIET)
mlp_expect_version(zlib "${ZLIB_VERSION_STRING}" 1.2.11 2)
mlp_external(zlib LIBS ZLIB::ZLIB)

find_path(MLP_ZSTD_INCLUDE zstd.h)
mlp_version_macros(zstd_version ${MLP_ZSTD_INCLUDE}/zstd.h
  ZSTD_VERSION_MAJOR ZSTD_VERSION_MINOR ZSTD_VERSION_RELEASE)
mlp_expect_version(zstd "${zstd_version}" 1.5.0 2)
mlp_require_library(MLP_ZSTD_LIBRARY zstd libzstd-dev)
mlp_external(zstd LIBS ${MLP_ZSTD_LIBRARY})

find_path(MLP_LZ4_INCLUDE lz4frame.h)
mlp_version_macros(lz4_version ${MLP_LZ4_INCLUDE}/lz4.h
  LZ4_VERSION_MAJOR LZ4_VERSION_MINOR LZ4_VERSION_RELEASE)
mlp_expect_version(lz4 "${lz4_version}" 1.9.0 2)
mlp_require_library(MLP_LZ4_LIBRARY lz4 liblz4-dev)
mlp_external(lz4 LIBS ${MLP_LZ4_LIBRARY})

find_package(PostgreSQL QUIET)
mlp_expect_version(libpq "${PostgreSQL_VERSION_STRING}" 13)
mlp_external(postgres LIBS ${PostgreSQL_LIBRARIES} INCLUDES ${PostgreSQL_INCLUDE_DIRS})

# Fetched by scripts/setup.sh. The modules find it beside themselves.
set(MLP_DUCKDB ${CMAKE_SOURCE_DIR}/build/duckdb)
if(EXISTS ${MLP_DUCKDB}/libduckdb.so AND EXISTS ${MLP_DUCKDB}/duckdb.h)
  mlp_external(duckdb LIBS ${MLP_DUCKDB}/libduckdb.so INCLUDES ${MLP_DUCKDB})
  file(MAKE_DIRECTORY ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
  file(CREATE_LINK ${MLP_DUCKDB}/libduckdb.so ${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/libduckdb.so SYMBOLIC)
else()
  message(WARNING "DuckDB is not in build/duckdb: this build reads and writes no Parquet. Run scripts/setup.sh where npm's packages can be reached.")
endif()

find_package(simdjson QUIET)
mlp_expect_version(simdjson "${simdjson_VERSION}" 3.0 4)
mlp_external(simdjson LIBS simdjson::simdjson)

find_path(MLP_LBFGS_INCLUDE lbfgs.h)
mlp_require_library(MLP_LBFGS_LIBRARY lbfgs liblbfgs-dev)
mlp_external(lbfgs LIBS ${MLP_LBFGS_LIBRARY})

find_package(antlr4-runtime QUIET)
mlp_expect_version("ANTLR C++ runtime" "${ANTLR_VERSION}" 4.9 4.10)
mlp_require_library(MLP_ANTLR_LIBRARY antlr4-runtime libantlr4-runtime-dev)
mlp_external(antlr LIBS ${MLP_ANTLR_LIBRARY} INCLUDES ${ANTLR4_INCLUDE_DIR})

find_program(MLP_ANTLR_TOOL antlr4)
if(NOT MLP_ANTLR_TOOL_VERSION AND MLP_ANTLR_TOOL)
  execute_process(COMMAND ${MLP_ANTLR_TOOL} OUTPUT_VARIABLE antlr_help ERROR_VARIABLE antlr_help)
  string(REGEX MATCH "Version ([0-9.]+)" _ "${antlr_help}")
  set(MLP_ANTLR_TOOL_VERSION "${CMAKE_MATCH_1}" CACHE INTERNAL "")
endif()
# Tool 4.10 and newer write another serialised form, which runtime 4.9 refuses.
mlp_expect_version("ANTLR tool" "${MLP_ANTLR_TOOL_VERSION}" 4.7.2 4.10)

find_program(MLP_LLVM_CONFIG NAMES llvm-config-19)
if(NOT MLP_LLVM_VERSION AND MLP_LLVM_CONFIG)
  foreach(what version includedir libdir bindir)
    execute_process(COMMAND ${MLP_LLVM_CONFIG} --${what}
      OUTPUT_VARIABLE llvm_${what} OUTPUT_STRIP_TRAILING_WHITESPACE)
  endforeach()
  execute_process(COMMAND ${MLP_LLVM_CONFIG} --link-shared --libs
    OUTPUT_VARIABLE llvm_libs OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(MLP_LLVM_VERSION ${llvm_version} CACHE INTERNAL "")
  set(MLP_LLVM_INCLUDE ${llvm_includedir} CACHE INTERNAL "")
  set(MLP_LLVM_LIBDIR ${llvm_libdir} CACHE INTERNAL "")
  set(MLP_LLVM_BINDIR ${llvm_bindir} CACHE INTERNAL "")
  set(MLP_LLVM_LIBS ${llvm_libs} CACHE INTERNAL "")
endif()
mlp_expect_version(LLVM "${MLP_LLVM_VERSION}" 19.1 20)
mlp_external(llvm LIBS ${MLP_LLVM_LIBS} INCLUDES ${MLP_LLVM_INCLUDE}
  DEFINITIONS __STDC_CONSTANT_MACROS __STDC_FORMAT_MACROS __STDC_LIMIT_MACROS)
target_link_directories(ext::llvm INTERFACE ${MLP_LLVM_LIBDIR})

find_program(MLP_CLANGXX NAMES clang++ PATHS ${MLP_LLVM_BINDIR} NO_DEFAULT_PATH)
if(NOT MLP_CLANGXX)
  message(FATAL_ERROR "clang++ of LLVM 19 is missing (Debian: clang-19). Run scripts/setup.sh.")
endif()

if(NOT MLP_VERSIONS_SHOWN)
  string(REGEX REPLACE ", $" "" MLP_VERSIONS_FOUND "${MLP_VERSIONS_FOUND}")
  message(STATUS "Found ${MLP_VERSIONS_FOUND}")
  set(MLP_VERSIONS_SHOWN ON CACHE INTERNAL "")
endif()
