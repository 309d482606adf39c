// Compiled once for all C++ tests: Catch2's main.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
